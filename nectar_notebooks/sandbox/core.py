"""`Sandbox`: the embedded sandbox as one object, with its application, keys, clock and journal.

This is the composition of the room: it brings seeds, state and application together and decides nothing about
answers. What is put into it, keys and bills of your own, stands in `furnishing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.limits import path_of
from nectar_notebooks.sandbox import keys
from nectar_notebooks.sandbox.events import Events
from nectar_notebooks.sandbox.faults import Faults
from nectar_notebooks.sandbox.furnishing import Furnished
from nectar_notebooks.sandbox.hooks import Hooks
from nectar_notebooks.sandbox.journal import Journal
from nectar_notebooks.sandbox.planting import arrivals, plant_demo
from nectar_notebooks.sandbox.state import State
from nectar_notebooks.sandbox.switches import Switches
from nectar_notebooks.sandbox.world import World

if TYPE_CHECKING:
    from flask import Flask

    from nectar_notebooks.sandbox.serving import Served

__all__ = ["START", "Sandbox"]

#: The moment at which an embedded sandbox stands, for ever, until it is advanced.
START: Final = "2026-01-15T09:00:00Z"
#: Days that it goes ahead at once: every week and every bill of them is lived through.
_FURTHEST: Final = 3660


class Sandbox(Furnished):
    """The embedded sandbox: a local twin of the Nectar API.

    The same arguments give the same answers, byte for byte. Requests and methods may come from several
    threads.

    Parameters
    ----------
    seed : int
        Decides ids, names, bills and keys.
    clock : str, datetime or FrozenClock, optional
        The moment at which it stands; it moves only by :meth:`advance`.
    sites : int, optional
        Number of sites of the demo portfolio; the portfolio's own number without it.
    months : int
        Months of bills before the clock's day.
    world : World, optional
        What it holds instead of the demo portfolio.
    db : path, optional
        A file that keeps the state; what it already holds wins over the arguments above.
    documented_only : bool
        Answer 404 on every assumed path and leave out every assumed field and value.
    switches : mapping, optional
        Positions of what the documentation leaves open, see
        :class:`~nectar_notebooks.sandbox.switches.Switches`.

    Raises
    ------
    ConfigurationError
        An unknown switch or position, a clock that is no moment, a number of sites or months below one, or a file
        that is no state of an embedded sandbox.

    Examples
    --------
    >>> sandbox = Sandbox(seed=7)
    >>> answer = sandbox.app.test_client().get("/v2.2/ping", headers={"X-API-Key": sandbox.key})
    >>> answer.json
    {'status': 'ok', 'version': 'v2.2'}
    """

    def __init__(
        self,
        seed: int = 1,
        clock: str | datetime | FrozenClock | None = None,
        sites: int | None = None,
        months: int = 36,
        *,
        world: World | None = None,
        db: str | Path | None = None,
        documented_only: bool = False,
        switches: Mapping[str, str] | None = None,
    ) -> None:
        for name, number in (("sites", sites), ("months", months)):
            if number is not None and not (isinstance(number, int) and number >= 1):
                raise ConfigurationError(f"The demo portfolio has at least one of {name}, not {number!r:.40}.")
        for name, given, kind in (("switches", switches, Mapping), ("world", world, World)):
            if given is not None and not isinstance(given, kind):
                raise ConfigurationError(f"{name} must be a {kind.__name__}, not of type {type(given).__name__}.")
        chosen = dict(switches or {})
        if documented_only:
            chosen = {"wrong_id": "403", "other_environment": "refused"} | chosen
        self.seed = seed
        self.switches = Switches.of(chosen)
        self.documented_only = documented_only
        self.clock = _clock(clock)
        self.journal = Journal()
        self.events = Events()
        self.faults = Faults()
        #: Called after each reset: for whoever keeps rows of this sandbox.
        self.on_reset: list[Callable[[], None]] = []
        self._instance = _new_instance()
        self._sites, self._months, self._world = sites, months, world
        self._db = None if db is None else _file(db)
        self._servings: list[Served] = []
        self.state = State(self._db)
        self.webhooks = Hooks(self)
        self.state.on_stored = lambda: self.webhooks.tell(self.events.stored())
        self.state.on_taken_back = self.events.taken_back
        if self.state.is_new:
            self._fill()
        else:
            self.seed = self.state.meta("seed")
            self.clock = FrozenClock(self.state.meta("start"))
            self.clock.advance(seconds=self.state.meta("elapsed"))

    @cached_property
    def app(self) -> Flask:
        """The WSGI application."""
        from nectar_notebooks.sandbox.app import make_app

        return make_app(self)

    @property
    def revision(self) -> int:
        """How often it was changed: two equal numbers mean that nothing was, whoever might have changed it."""
        return self.state.revision

    @property
    def identity(self) -> str:
        """Which sandbox this is, and how often something was done to it: ``"3f2a9c41d07e 2"``.

        The first word belongs to this object alone, whatever it was made from, and changes with :meth:`reset`: rows
        read under two of them are of two sandboxes. Every answer carries it in a header, so that a client of a served
        one sees what no API tells: that time moved, that bills were loaded, that another sandbox took its place.
        """
        return f"{self._instance} {self.state.acts}"

    def advance(self, days: float) -> None:
        """Move the sandbox's clock forward, and let happen what happens meanwhile.

        Connections are checked every week and new ones for the first time, announced failures come true, bills arrive
        behind connections that work, keys and invitations expire.

        Raises
        ------
        ConfigurationError
            More than ten years at once; nothing happens then.
        ValueError
            A step back; nothing happens then.
        """
        from nectar_notebooks.sandbox.life import live

        if not days <= _FURTHEST:  # also where it is no number at all
            raise ConfigurationError(
                f"The embedded sandbox does not go {days} days ahead.", advice=f"Go at most {_FURTHEST} at once."
            )
        with self.state.writing():
            self.clock.advance(days=days)
            self.state.note("elapsed", self.state.meta("elapsed") + days * 86400)
            self.state.ready()
            live(self, arrivals(self.state, self.seed, self.clock.now()))
        self.state.acts += 1

    def scenario(self, name: str, **of: Any) -> str:
        """Let something go wrong, by name, and return the id of what it happened to.

        Parameters
        ----------
        name : str
            ``bad_login``, ``bad_login_after`` (``days=``), ``mfa_required``, ``website_down``, ``no_accounts``,
            ``password_reset``, ``under_investigation``, ``recovered``, ``company_inactive``, ``bill_revised``,
            ``bill_deleted`` or ``meter_moved``.
        **of
            To what it happens: ``connection=``, ``company=``, ``bill=``, ``meter=``, ``site=``, each an id. Without
            it, to the first that fits.

        Raises
        ------
        ConfigurationError
            An unknown name or argument, or nothing fits; nothing happens then.
        """
        from nectar_notebooks.sandbox.scenarios import play

        happened = play(self, name, **of)
        self.state.acts += 1
        return happened

    def use_invitation(
        self,
        invitation_id: str,
        username: str,
        password: str,
        *,
        email: str | None = None,
        url: str | None = None,
        sites: list[str] | None = None,
        country: str | None = None,
    ) -> str:
        """Do what the invited person does on the public page, and return the id of the connection.

        Parameters
        ----------
        invitation_id : str
            The invitation.
        username, password : str
            The login that is entered.
        email : str, optional
            Who enters it; needed where the invitation names who may.
        url, sites, country : optional
            What the person fills in beside what the invitation has filled in already.

        Raises
        ------
        ConfigurationError
            The invitation cannot be used (any more, or by this person), or the login is refused.
        """
        from nectar_notebooks.sandbox.guests import use

        made = use(self, invitation_id, username, password, email=email, url=url, sites=sites, country=country)
        self.state.acts += 1
        return made

    def reset(self) -> None:
        """Go back to how it was made: records, keys, clock and journal; bills loaded later are gone."""
        with self.state.reading():  # nobody reads a state of one time by the clock of another
            self.clock.restart()
            self._instance = _new_instance()
            if not self.state.go_back():
                with self.state.writing():
                    self.state.clear()
                    self._fill()
        self.journal.clear()
        self.events.clear()
        self.webhooks.reset()
        self.faults.clear()
        for tell in self.on_reset:
            tell()

    def prepare(self) -> None:
        """Reset, make every bill now, and keep that start, so that each further :meth:`reset` takes milliseconds.

        For suites of tests; answers are the same with it and without. A sandbox with a `db` file keeps no start.
        """
        self.reset()
        if self._db is None:
            self.state.keep()

    def serve(self, port: int = 0, host: str = "127.0.0.1", *, fixed_key: bool = False) -> Served:
        """Serve it on this machine and return at once; port 0 takes a free one.

        Only requests for localhost, 127.0.0.0/8 or [::1] are answered, and nothing is written for a page of another
        origin. Each serving has a random key, which is also `key` as long as it runs.

        Parameters
        ----------
        port : int
        host : str
        fixed_key : bool
            Take the key that follows from the seed, the same in every run: whoever knows the seed knows it.

        Returns
        -------
        Served
            Its ``url`` and ``key``; a context manager that stops serving. ``serve(8765).wait()`` blocks until the
            keyboard interrupts.

        Raises
        ------
        ConfigurationError
            The port is in use or may not be used, or the host is not this machine.
        """
        from nectar_notebooks.sandbox.serving import Served, random_key

        key = self.seed_key if fixed_key else random_key()
        served = Served(self.app, port, host, key)
        self._servings.append(served)
        return served

    @property
    def served_at(self) -> str | None:
        """The address at which it is served at the moment, by the newest :meth:`serve`; None where it is not."""
        return None if self._serving is None else self._serving.url

    def close(self) -> None:
        """Free the database; a sandbox in memory is gone then."""
        self.webhooks.close()
        self.state.close()

    def __repr__(self) -> str:
        return f"Sandbox(seed={self.seed}, clock={self.clock.now().isoformat()!r})"

    def _fill(self) -> None:
        with self.state.writing() as db:
            self.state.note("seed", self.seed)
            self.state.note("start", self.clock.now().isoformat())
            self.state.note("elapsed", 0)
            keys.add(db, self.seed_key, keys.OWN_ENVIRONMENT, self.clock.now(), None, None)
            if self._world is not None:
                self.state.load(self._world)
            else:
                plant_demo(self.state, self.seed, self.clock.today(), self._sites, self._months)
            if self._db is not None:
                self.state.ready()  # a file holds everything, so that it can be taken up without its seeds


def _new_instance() -> str:
    """Return a name that no other sandbox has: the one thing here that no seed decides."""
    return uuid4().hex[:12]


def _clock(clock: str | datetime | FrozenClock | None) -> FrozenClock:
    if isinstance(clock, FrozenClock):
        return clock
    moment = START if clock is None else clock
    if isinstance(moment, str | datetime):
        with suppress(ValueError):
            return FrozenClock(moment)
    raise ConfigurationError(
        f"{clock!r} is no moment at which the embedded sandbox could stand.",
        advice=f"Give one in the form {START}.",
    )


def _file(db: str | Path) -> Path:
    try:
        return path_of(db)
    except OSError as error:
        raise ConfigurationError(f"db must be the path of a file, not {str(db)[:80]!r}: {error.strerror}.") from error
