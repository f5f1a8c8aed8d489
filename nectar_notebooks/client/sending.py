"""What every verb does: refuse offline, send, drop from the cache what may have changed, read the answer.

A creation is sent once, whatever happens; an update or a deletion is repeated after a broken connection, because
doing it twice is doing it once (`api.endpoints` says which). What was refused changed nothing and costs nothing;
where nobody knows whether a write was carried out, the cache forgets as if it was.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks import tables
from nectar_notebooks.api import ENDPOINTS
from nectar_notebooks.cache import Company
from nectar_notebooks.client.core import Core
from nectar_notebooks.client.refreshing import renew
from nectar_notebooks.errors import ContractError, NectarError, OfflineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from nectar_notebooks.api import Answer, Row
    from nectar_notebooks.client.scope import Scope

__all__ = ["Writing"]

#: What an answer must hold to be the whole object; else the object is asked for.
_WHOLE: Final = {"companies": "name", "sites": "name", "connections": "url", "usage": "usage", "jobs": "status"}
#: Tables of a company that a bill is read from.
_BILLS: Final = ("documents", "usage", "meters")


class Writing(Core):
    """Sending, forgetting and reading answers; the verbs stand in the classes below it."""

    def _must_be_online(self) -> None:
        if self._library.offline:
            raise OfflineError("Offline, and this changes something.", advice="Connect without offline=True.")

    def _send(self, endpoint: str, ids: Mapping[str, str], scope: Scope, *changed: str, **sent: Any) -> Answer:
        """Send a write; forget the resources it `changed`, unless it was refused.

        ``"companies"`` is the list of companies; without any, all of the company is forgotten.
        """
        self._must_be_online()
        refused = False
        try:
            return self._library.session.request(endpoint, ids, **sent)
        except NectarError as error:
            refused = 400 <= (error.status_code or 0) < 500
            raise
        finally:
            if not refused:
                self._forget(scope, *changed)

    def _forget(self, scope: Scope, *changed: str) -> None:
        if "companies" in changed:
            self._library.forget_companies()
        own = [one for one in changed if one != "companies"]
        if scope.company_id and (own or not changed):
            Company(self._library, scope.company_id).forget(*own)

    def _bills_arrived(self, scope: Scope) -> None:
        """Bring kept bills up to date by changes alone; where that fails, the next noun fetches them."""
        try:
            renew(self._library, scope.company_id, "bills", None, gone=False)
        except NectarError:
            self._forget(scope, *_BILLS)

    def _made(self, noun: str, answer: Answer, scope: Scope, get: str) -> pd.DataFrame:
        """Return the object that an answer holds, or names, as a frame of one row."""
        row, requests = _object(answer), answer.requests
        if _WHOLE[noun] not in row:
            [id_name] = ENDPOINTS[get].ids
            with carried_out(answer.what, _id(row, answer)):
                asked = self._library.session.request(get, {id_name: _id(row, answer)})
            row, requests = _object(asked), requests + asked.requests
        frame = tables.build(noun, [row], company_id=scope.company_id or _id(row, answer))[noun]
        return self._told(noun, frame, scope, requests)

    def _told(self, noun: str, frame: pd.DataFrame, scope: Scope, requests: int) -> pd.DataFrame:
        """Write on a frame of a verb where its rows are from."""
        self.last_fetch = {
            "noun": noun,
            "company_id": scope.company_id or None,
            "fetched": self.clock.now().isoformat(),
            "source": "wire",
            "requests": requests + scope.requests,
            "rows": len(frame),
            "generation": "",
            "place": self._place,
        }
        frame.attrs["nectar"] = dict(self.last_fetch)
        return frame


@contextmanager
def carried_out(what: str, made: str) -> Iterator[None]:
    """Say of an error that what came before it was done, so that nobody does it twice."""
    try:
        yield
    except NectarError as error:
        raise type(error)(
            f"{what} was carried out ({made}); what it made could not be read then: {error.message}",
            advice="Do not repeat it: ask for the object by its noun.",
            status_code=error.status_code,
            retry_after=error.retry_after,
        ) from error


def _object(answer: Answer) -> Row:
    row = answer.json()
    if not isinstance(row, dict):
        raise ContractError(f"{answer.what}: the answer is no object; it was carried out (status {answer.status}).")
    return row


def _id(row: Row, answer: Answer) -> str:
    found = row.get("id")
    if not isinstance(found, str):
        raise ContractError(f"{answer.what}: the answer names no id; it was carried out (status {answer.status}).")
    return found
