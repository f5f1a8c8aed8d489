"""What every noun does: read from one generation, go on after an interruption, say where the rows are from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from nectar_notebooks.cache import Company, Held, Library, Narrow
from nectar_notebooks.client.filters import Question
from nectar_notebooks.client.refreshing import Change, Watchers, renew
from nectar_notebooks.client.scope import Scope
from nectar_notebooks.errors import InterruptedWalkError, InvalidRequestError
from nectar_notebooks.schema.naming import BILL, COMPANY, Given, named, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from nectar_notebooks.clock import Clock
    from nectar_notebooks.sandbox import Sandbox
    from nectar_notebooks.schema.filters import Filters

__all__ = ["Core", "only"]


class Core:
    """The library, and what was fetched last; the nouns stand in the classes below it."""

    def __init__(self, library: Library, *, place: str, key: str) -> None:
        self._library = library
        self._place = place
        self._key = key
        self.last_fetch: dict[str, Any] = {}
        self._watchers = Watchers()
        #: The embedded sandbox in this process, where this client talks to one.
        self.sandbox: Sandbox | None = None

    def close(self) -> None:
        """Close the connections to the API and the cache; a question asked later opens them again.

        A client is a context manager, which closes it: ``with nn.connect() as nectar: ...``.
        """
        self._library.session.close()
        self._library.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def clock(self) -> Clock:
        """Where this client takes the time from: the system, or the embedded sandbox."""
        return self._library.clock

    @property
    def address(self) -> str:
        """Where this client asks: scheme, host and port. Of an embedded sandbox in this process, a name of no host."""
        return self._library.session.base_url

    def on_change(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Have `callback` called whenever an event brought rows that are kept up to date.

        Parameters
        ----------
        callback : callable
            Called with a change (``company_id``, ``noun``: ``"bills"`` or ``"connections"``) in the thread that fetched
            the rows: asking for the noun again is answered from the cache.

        Returns
        -------
        callable
            Ends it.
        """
        return self._watchers.add(callback)

    def catch_up(self, company_id: Given, noun: str, *, bill_id: Given | None = None, gone: bool = False) -> bool:
        """Bring what is kept of a company up to date by changes alone, and tell whoever watches.

        Parameters
        ----------
        company_id : str or row
            An id or a row; names are not looked up.
        noun : str
            ``"bills"``, which brings their usage too, or ``"connections"``.
        bill_id : str or row, optional
            Ask nothing if this bill is kept already; with `gone`, if it is not.
        gone : bool
            Whether `bill_id` is of a bill that was deleted.

        Returns
        -------
        bool
            Whether anything was asked: not where nothing is kept, since the first question will fetch it.

        Raises
        ------
        InvalidRequestError
            What is neither an id nor a row of it, or another noun.
        """
        company = named(company_id, COMPANY).text
        bill = None if bill_id is None else named(bill_id, BILL).text
        if not isinstance(noun, str) or noun not in ("bills", "connections"):
            raise InvalidRequestError(f"There is nothing to catch up with in {shown(noun)}: say bills or connections.")
        done = renew(self._library, company, noun, bill, gone=gone)
        if done:
            self._watchers.tell(Change(company, noun))
        return done

    def kept_companies(self) -> list[str]:
        """Return the ids of the visible companies of which anything is kept."""
        visible = self._library.companies().frames["companies"]["company_id"]
        return [
            one for one in visible if any(Company(self._library, one).held(n) for n in ("documents", "connections"))
        ]

    def _of_portfolio(self, noun: str, scope: Scope, filters: Filters) -> pd.DataFrame:
        asked = Question(filters)
        rows, narrow, wanted = Company(self._library, scope.company_id), asked.narrow(noun), asked.tables(noun)

        def read() -> Held:
            if narrow is None:
                return rows.portfolio(wanted)
            return Narrow(self._library, rows).answer(narrow, wanted)

        held = self._resumable(lambda: self._of_portfolio(noun, scope, filters), read)
        return self._marked(asked.answer(noun, held.frames), held, noun, scope)

    def _walked(self, noun: str, scope: Scope) -> pd.DataFrame:
        rows = Company(self._library, scope.company_id)
        held = self._resumable(lambda: self._walked(noun, scope), rows.connections)
        return self._marked(held.frames[noun], held, noun, scope)

    @staticmethod
    def _resumable(again: Callable[[], object], read: Callable[[], Held]) -> Held:
        try:
            return read()
        except InterruptedWalkError as error:
            error.resume = again  # finished pages are staged: asking again is going on
            raise

    def _marked(self, frame: pd.DataFrame, held: Held, noun: str, scope: Scope | None) -> pd.DataFrame:
        """Write on the frame, and on `last_fetch`, where its rows are from."""
        requests = held.requests + (scope.requests if scope else 0)
        self.last_fetch = {
            "noun": noun,
            "company_id": scope.company_id if scope else None,
            "fetched": held.fetched.isoformat(),
            "as_of": held.given.at.isoformat(),
            "source": "wire" if requests else "cache",
            "requests": requests,
            "rows": len(frame),
            "generation": held.generation,
            "place": self._place,
        }
        frame.attrs["nectar"] = dict(self.last_fetch)
        return frame


def only(frame: pd.DataFrame, keep: pd.Series) -> pd.DataFrame:
    """Return the rows to keep, with the marks of the frame."""
    kept = frame[keep.fillna(False).astype(bool)].reset_index(drop=True)
    kept.attrs["nectar"] = {**frame.attrs["nectar"], "rows": len(kept)}
    return kept
