"""What is put into an embedded sandbox beside what it starts with: keys, and bills of your own.

How keys are kept stands in `keys`, how a file is read in `loader`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox import keys

if TYPE_CHECKING:
    from nectar_notebooks.clock import FrozenClock
    from nectar_notebooks.sandbox.events import Events
    from nectar_notebooks.sandbox.hooks import Hooks
    from nectar_notebooks.sandbox.loader import Loaded
    from nectar_notebooks.sandbox.serving import Served
    from nectar_notebooks.sandbox.state import State

__all__ = ["Furnished"]


class Furnished:
    """The part of ``Sandbox`` that takes keys and bills."""

    seed: int
    clock: FrozenClock
    state: State
    events: Events
    webhooks: Hooks
    #: Every serving of it; the key of each is its own key, in process too.
    _servings: list[Served]

    @property
    def key(self) -> str:
        """The key that is always there, of the production environment.

        It follows from the seed. While the sandbox is served it is the key of the newest serving, a random one unless
        the fixed one was asked for; the one of the seed then opens the sandbox in process alone.
        """
        serving = self._serving
        return self.seed_key if serving is None else serving.key

    @property
    def _serving(self) -> Served | None:
        return next((one for one in reversed(self._servings) if one.running), None)

    @property
    def seed_key(self) -> str:
        """The key that follows from the seed, for whoever knows it: the own key of the sandbox in process."""
        return keys.make(f"{self.seed}", 0)

    @property
    def salt(self) -> str:
        """What makes the secrets it gives out unknown to others: nothing, or the random key that it is served under."""
        return "" if self.key == self.seed_key else self.key

    def recognise(self, given: str | None, served_key: str | None = None) -> str | None:
        """Return the key by which the database knows one that was sent, in process or to a serving."""
        valid = [self.seed_key, *(one.key for one in self._servings)] if served_key is None else [served_key]
        return keys.recognise(given, self.seed_key, valid)

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
        if expires is not None and expires.tzinfo is None:
            expires = expires.replace(tzinfo=UTC)
        with self.state.writing() as db:
            number = (self.state.meta("keys") or 0) + 1
            key = keys.make(f"{self.seed}{self.salt}", number)
            keys.add(db, key, environment, self.clock.now(), expires, companies)
            self.state.note("keys", number)
        return key

    def revoke_key(self, key: str) -> None:
        """Make a key useless from now on.

        Raises
        ------
        ConfigurationError
            A key this sandbox does not know.
        """
        with self.state.writing() as db:
            if not keys.revoke(db, self.recognise(key) or "", self.clock.now()):
                raise ConfigurationError("The embedded sandbox does not know this key.")

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
                self.events.bills_after(self.state, last)
        self.state.acts += 1
        return loaded
