"""`Sandbox`: the embedded sandbox as one object, with its application, keys, clock and journal.

It alone builds the `Context` that everything below it works on, and decides nothing about answers: each method hands on
to the service that does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.limits import path_of
from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.faults import Faults
from nectar_notebooks.sandbox.journal import Journal
from nectar_notebooks.sandbox.model import World
from nectar_notebooks.sandbox.presentation import events
from nectar_notebooks.sandbox.simulation.seeding import arrivals, seed_demo
from nectar_notebooks.sandbox.store.keys import Keys
from nectar_notebooks.sandbox.store.outbox import Events
from nectar_notebooks.sandbox.store.state import State
from nectar_notebooks.sandbox.switches import Switches
from nectar_notebooks.sandbox.webhooks.dispatcher import Dispatcher

if TYPE_CHECKING:
    from flask import Flask

    from nectar_notebooks.sandbox.http.serving import Served
    from nectar_notebooks.sandbox.loader import Loaded

__all__ = ["START", "Sandbox"]

#: The moment at which an embedded sandbox stands, for ever, until it is advanced.
START: Final = "2026-01-15T09:00:00Z"
#: Days that it goes ahead at once: every week and every bill of them is lived through.
_FURTHEST: Final = 3660


class Sandbox:
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
        #: Called after each reset: for whoever keeps rows of this sandbox.
        self.on_reset: list[Callable[[], None]] = []
        self._instance = _new_instance()
        self._sites, self._months, self._world = sites, months, world
        self._db = None if db is None else _file(db)
        self._servings: list[Served] = []
        state = State(self._db)
        moving = _clock(clock)
        if not state.is_new:
            seed, moving = state.meta("seed"), FrozenClock(state.meta("start"))
            moving.advance(seconds=state.meta("elapsed"))
        self.context = Context(
            seed=seed,
            state=state,
            clock=moving,
            keys=Keys(state, moving, seed),
            switches=Switches.of(chosen),
            events=Events(state),
            journal=Journal(),
            faults=Faults(),
            documented_only=documented_only,
        )
        self.webhooks = Dispatcher(self.context)
        state.on_stored = lambda: self.webhooks.tell(self.events.drain())
        if state.is_new:
            self._fill()

    @property
    def seed(self) -> int:
        """What decides ids, names, bills and keys."""
        return self.context.seed

    @property
    def clock(self) -> FrozenClock:
        """The clock, which moves only by :meth:`advance`."""
        return self.context.clock

    @property
    def switches(self) -> Switches:
        """The positions of what the documentation leaves open."""
        return self.context.switches

    @property
    def documented_only(self) -> bool:
        """Whether assumed paths, fields and values are left out."""
        return self.context.documented_only

    @property
    def state(self) -> State:
        """The records in SQLite."""
        return self.context.state

    @property
    def journal(self) -> Journal:
        """What was asked, and how many requests ran at once."""
        return self.context.journal

    @property
    def events(self) -> Events:
        """What webhooks were told, oldest first."""
        return self.context.events

    @property
    def faults(self) -> Faults:
        """The plan of requests that fail."""
        return self.context.faults

    @property
    def key(self) -> str:
        """The key that is always there, of the production environment.

        It follows from the seed. While the sandbox is served it is the key of the newest serving, a random one unless
        the fixed one was asked for; the one of the seed then opens the sandbox in process alone.
        """
        return self.context.keys.own

    @property
    def seed_key(self) -> str:
        """The key that follows from the seed, for whoever knows it: the own key of the sandbox in process."""
        return self.context.keys.of_seed

    @cached_property
    def app(self) -> Flask:
        """The WSGI application."""
        from nectar_notebooks.sandbox.http.app import make_app

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
        from nectar_notebooks.sandbox.simulation.lifecycle import pass_time

        if not days <= _FURTHEST:  # also where it is no number at all
            raise ConfigurationError(
                f"The embedded sandbox does not go {days} days ahead.", advice=f"Go at most {_FURTHEST} at once."
            )
        if days < 0:
            raise ValueError(f"A frozen clock moves forward only, not by {days} days.")
        with self.state.writing():
            until = self.clock.now() + timedelta(days=days)
            self.state.note("elapsed", self.state.meta("elapsed") + days * 86400)
            self.state.ready()
            pass_time(self.context, until, arrivals(self.state, self.seed, until))
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
        from nectar_notebooks.sandbox.simulation.scenarios import play

        happened = play(self.context, name, **of)
        self.state.acts += 1
        return happened

    def create_key(
        self, environment: str, expires: datetime | None = None, companies: Collection[str] | None = None
    ) -> str:
        """Make one more key and return its value, which is kept nowhere.

        Parameters
        ----------
        environment : str
            ``"sandbox"`` or ``"production"``.
        expires : datetime, optional
            From this moment on the key answers 401; without a zone it is UTC.
        companies : collection of str, optional
            Ids of the companies it may see; all without it.

        Raises
        ------
        ConfigurationError
            An unknown environment.
        """
        return self.context.keys.create(environment, expires, companies)

    def revoke_key(self, key: str) -> None:
        """Make a key useless from now on.

        Raises
        ------
        ConfigurationError
            A key this sandbox does not know.
        """
        self.context.keys.revoke(key)

    def load_bills(self, path: str | Path, columns: str | Path | Mapping[str, Any] | None = None) -> Loaded:
        """Load a bill export of your own as one more company; the same file again replaces it.

        Parameters
        ----------
        path : str or Path
            Delimited text with a header, one row a charge line.
        columns : str, Path or mapping, optional
            Which column holds what; without it they are recognised by common names.

        Returns
        -------
        Loaded
            What was loaded and what was not, line by line; ``str()`` of it is a report.

        Raises
        ------
        BillsFileError
            The file or the map cannot be read as a whole, or no line could be placed; nothing is loaded then.
        """
        from nectar_notebooks.sandbox.loader import load

        loaded = load(path, columns)
        with self.state.writing():
            for company in loaded.world.companies:
                self.state.remove_company(company["id"])
            (last,) = self.state.db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
            self.state.load(loaded.world)
            if self.webhooks.endpoints:  # a file may hold many thousands: told where somebody listens
                events.bills_after(self.context, last)
        self.state.acts += 1
        return loaded

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
        from nectar_notebooks.sandbox.connections.invitations import use

        made = use(self.context, invitation_id, username, password, email=email, url=url, sites=sites, country=country)
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
        from nectar_notebooks.sandbox.http.serving import Served, random_key

        key = self.context.keys.of_seed if fixed_key else random_key()
        served = Served(self.app, port, host, key)
        self._servings.append(served)
        self.context.keys.serve(served)
        return served

    @property
    def served_at(self) -> str | None:
        """The address at which it is served at the moment, by the newest :meth:`serve`; None where it is not."""
        return next((one.url for one in reversed(self._servings) if one.running), None)

    def close(self) -> None:
        """Free the database; a sandbox in memory is gone then."""
        self.webhooks.close()
        self.state.close()

    def __repr__(self) -> str:
        return f"Sandbox(seed={self.seed}, clock={self.clock.now().isoformat()!r})"

    def _fill(self) -> None:
        with self.state.writing():
            self.state.note("seed", self.seed)
            self.state.note("start", self.clock.now().isoformat())
            self.state.note("elapsed", 0)
            self.context.keys.add_own()
            if self._world is not None:
                self.state.load(self._world)
            else:
                seed_demo(self.state, self.seed, self.clock.today(), self._sites, self._months)
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
