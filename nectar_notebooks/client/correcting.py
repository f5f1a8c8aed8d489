"""Verbs on what was collected: which accounts are tracked, and corrections of usage records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Unpack

import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.cache import Company
from nectar_notebooks.client.fields import USAGE_FIELDS, UsageChanges, body
from nectar_notebooks.client.resolving import Given
from nectar_notebooks.client.scope import resolve
from nectar_notebooks.client.writing import Writing
from nectar_notebooks.errors import ContractError, InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["CorrectingVerbs", "Several"]

#: One object or several: an id, a row, a frame, or any iterable of ids and rows.
Several: TypeAlias = "str | pd.Series | pd.DataFrame | Mapping[str, object] | Iterable[object]"


class CorrectingVerbs(Writing):
    """Track accounts, correct usage."""

    def track(self, accounts: Several, company: Given | None = None, *, update_meters: bool = True) -> pd.DataFrame:
        """Collect bills for an account, or for several at once: all of them, or none.

        Parameters
        ----------
        accounts
            An account id, a row, or several: a frame of :meth:`accounts`, a list of ids.
        company
            Their company; may be left out with rows, or where only one is visible.
        update_meters : bool, default True
            Whether their meters follow.

        Returns
        -------
        DataFrame
            The columns of :meth:`accounts`: the accounts as they are now, read anew.

        Raises
        ------
        InvalidRequestError
            Nothing was named, the rows are no accounts, or one is not this company's: none is changed then.
        NotFoundError
            No such account. Several at once are sent to a path that is assumed: where the API has none, track them
            one by one.
        """
        return self._track(accounts, company, tracked=True, update_meters=update_meters)

    def untrack(self, accounts: Several, company: Given | None = None, *, update_meters: bool = True) -> pd.DataFrame:
        """Stop collecting bills for an account, or for several at once; else as :meth:`track`."""
        return self._track(accounts, company, tracked=False, update_meters=update_meters)

    def _track(self, accounts: Several, company: Given | None, *, tracked: bool, update_meters: bool) -> pd.DataFrame:
        ids, owner = _ids(accounts, "account_id", "account")
        self._online()
        scope = resolve(self._library, company if company is not None else owner)
        sent: dict[str, object] = {"isTracked": tracked, "updateMeters": update_meters}
        if len(ids) == 1:
            answer = self._send("account.track", {"account_id": ids[0]}, json=sent)
        else:
            answer = self._send("accounts.track", {"company_id": scope.company_id}, json={"accountIds": ids, **sent})
        # An account's row stands in the list of connections; its meters, and what usage says of them, follow it.
        self._forget(scope, "connections", *(("meters", "usage") if update_meters else ()))
        held = Company(self._library, scope.company_id).connections()
        frame = held.frames["accounts"]
        now = frame[frame["account_id"].isin(ids)].reset_index(drop=True)
        return self._told("accounts", now, scope, answer.requests + held.requests)

    def update_usage(self, usage: Given, company: Given | None = None, **changes: Unpack[UsageChanges]) -> pd.DataFrame:
        """Correct a usage record; what is left out stays as it is. Demand cannot be corrected.

        Parameters
        ----------
        usage
            A usage id, or a row of :meth:`usage`.
        company
            Its company; may be left out where only one is visible.
        **changes
            ``start_date``, ``end_date``, ``unit``, ``exclusion``, ``estimated``, ``implied``, ``tariff``.

        Returns
        -------
        DataFrame
            The columns of :meth:`usage`, one row. Whether it counts is missing: only all tables together tell, so
            ask :meth:`usage` for that.

        Raises
        ------
        InvalidRequestError
            Also where the end would lie before the start.
        """
        sent = body(USAGE_FIELDS, changes)
        if "startDate" in sent and "endDate" in sent and str(sent["endDate"]) < str(sent["startDate"]):
            raise InvalidRequestError(f"end_date={sent['endDate']} lies before start_date={sent['startDate']}.")
        [usage_id], owner = _ids(usage, "usage_id", "usage record")
        self._online()
        scope = resolve(self._library, company if company is not None else owner)
        answer = self._send("usage.update", {"usage_id": usage_id}, json=sent)
        self._forget(scope, "documents", "usage", "meters")
        row, requests = answer.json(), answer.requests
        if not isinstance(row, dict) or "usage" not in row:
            asked = self._library.session.request("usage.get", {"usage_id": usage_id})
            row, requests = asked.json(), requests + asked.requests
        if not isinstance(row, dict):
            raise ContractError(f"{answer.what}: the answer is no object; the correction was carried out.")
        return self._told("usage", tables.build("usage", [row])["usage"], scope, requests)


def _ids(given: object, key: str, word: str) -> tuple[list[str], str | None]:
    """Return the ids that were named, each once, and their company where rows say it."""
    if isinstance(given, pd.DataFrame):
        things: list[object] = [row for _, row in given.iterrows()]
    elif isinstance(given, (str, pd.Series, Mapping)) and not (isinstance(given, pd.Series) and key not in given):
        things = [given]
    elif isinstance(given, Iterable):
        things = list(given)
    else:
        things = [given]
    ids: list[str] = []
    owners: set[str] = set()
    for thing in things:
        row = thing if isinstance(thing, (pd.Series, Mapping)) else {key: thing}
        found = row.get(key)
        if not isinstance(found, str) or not found:
            raise InvalidRequestError(f"{thing!r} is no {word}: give its id, or a row with {key}.")
        ids.append(found)
        owner = row.get("company_id")
        owners |= {owner} if isinstance(owner, str) else set()
    if not ids:
        raise NotFoundError(f"No {word} was named.", advice="The list or frame is empty: look at what chose it.")
    if len(owners) > 1:
        raise InvalidRequestError(f"These rows are of {len(owners)} companies: do one company after the other.")
    return list(dict.fromkeys(ids)), next(iter(owners), None)
