"""Verbs on what was collected: which accounts are tracked, and corrections of usage records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from nectar_notebooks.api import fetch
from nectar_notebooks.cache import Company
from nectar_notebooks.client.fields import USAGE_FIELDS, UsageChanges, body, flag
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.client.sending import Writing, carried_out
from nectar_notebooks.errors import InvalidRequestError, NotFoundError
from nectar_notebooks.schema.naming import ACCOUNT, USAGE, Given, Named, Several, named, one, several

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CorrectingVerbs"]


class CorrectingVerbs(Writing):
    """Track accounts, correct usage."""

    def track(self, accounts: Several, company: Given | None = None, *, update_meters: bool = True) -> pd.DataFrame:
        """Collect bills for an account, or for several at once: all of them, or none.

        Parameters
        ----------
        accounts
            An account's id, its number, a row, or several: a frame of :meth:`accounts`, a list of ids.
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
            The rows are no accounts, or the API refused one of them: none is changed then.
        NotFoundError
            Nothing was named, or one is no account of this company: none is changed then. Several at once are sent to
            a path that is assumed: where the API has none, track them one by one.
        """
        return self._track(accounts, company, tracked=True, update_meters=update_meters)

    def untrack(self, accounts: Several, company: Given | None = None, *, update_meters: bool = True) -> pd.DataFrame:
        """Stop collecting bills for an account, or for several at once; else as :meth:`track`."""
        return self._track(accounts, company, tracked=False, update_meters=update_meters)

    def _track(self, accounts: Several, company: Given | None, *, tracked: bool, update_meters: bool) -> pd.DataFrame:
        update_meters = flag("update_meters", update_meters)
        wanted = several(accounts, ACCOUNT)
        owners = {each.company_id for each in wanted} - {None}
        if len(owners) > 1:
            raise InvalidRequestError(f"These rows are of {len(owners)} companies: do one company after the other.")
        owner = next(iter(owners), None)
        scope = resolve(self._library, company if company is not None else owner)
        if owner not in (None, scope.company_id):
            raise InvalidRequestError(f"These accounts belong to company {owner}, not to {scope.company_id}.")
        rows = Company(self._library, scope.company_id)
        ids = self._own_accounts(wanted, rows, scope)
        sent: dict[str, object] = {"isTracked": tracked, "updateMeters": update_meters}
        # An account's row stands in the list of connections; its meters, and what usage says of them, follow it.
        changed = ("connections", *(("meters", "usage") if update_meters else ()))
        if len(ids) == 1:
            answer = self._send("account.track", {"account_id": ids[0]}, scope, *changed, json=sent)
        else:
            sent["accountIds"] = ids
            answer = self._send("accounts.track", {"company_id": scope.company_id}, scope, *changed, json=sent)
        with carried_out(answer.what, "tracked" if tracked else "untracked"):
            held = rows.connections()
        frame = held.frames["accounts"]
        now = frame[frame["account_id"].isin(ids)].reset_index(drop=True)
        return self._told("accounts", now, scope, answer.requests + held.requests)

    def _own_accounts(self, wanted: list[Named], rows: Company, scope: Scope) -> list[str]:
        """Return ids; refuse accounts of other companies: one alone would be changed, and that company's rows kept."""
        held = rows.connections()
        found, foreign = _found(wanted, held.frames["accounts"])
        if foreign and not held.requests and not self._library.offline:
            found, foreign = _found(wanted, rows.connections(renew=True).frames["accounts"])
        if foreign:
            raise NotFoundError(f"Company {scope.company_id} has no account {', '.join(sorted(foreign))}.")
        return found

    def update_usage(
        self, usage: Given, /, company: Given | None = None, **changes: Unpack[UsageChanges]
    ) -> pd.DataFrame:
        """Correct a usage record; what is left out stays as it is. Demand cannot be corrected.

        Parameters
        ----------
        usage
            A usage id, or a row of :meth:`usage`.
        company
            Its company, as a check; the record itself says whose it is.
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
            Also where the end would lie before the start, and for the usage of another company.
        NotFoundError
            Also where the API has no such path: it is an assumption of ours.
        """
        sent = body(USAGE_FIELDS, changes)
        usage_id = named(usage, USAGE).text
        self._must_be_online()
        record = fetch(self._library.session, "usage.get", usage_id=usage_id)
        if record.get("timeOfUse"):
            raise InvalidRequestError(
                f"{usage_id} is one of several records by time of use that are one row here, and one alone cannot be"
                " corrected.",
                advice='Connect with version="v2.2", where they are one record.',
            )
        start, end = (str(sent.get(name) or record.get(name) or "")[:10] for name in ("startDate", "endDate"))
        if start and end and end < start:
            raise InvalidRequestError(f"{usage_id}: its end, {end}, would lie before its start, {start}.")
        owner = (record.get("document") or {}).get("company")
        owner = owner.get("id") if isinstance(owner, dict) else owner
        scope = resolve(self._library, owner if company is None else company)
        if owner not in (None, scope.company_id):
            raise InvalidRequestError(f"{usage_id} is usage of company {owner}, not of {scope.company_id}.")
        scope = replace(scope, requests=scope.requests + 1)
        answer = self._send("usage.update", {"usage_id": usage_id}, scope, "documents", "usage", "meters", json=sent)
        return self._made("usage", answer, scope, "usage.get")


def _found(wanted: list[Named], accounts: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the ids of the accounts that were named, each once, and what names none."""
    ids: dict[str, None] = {}
    missing = []
    for each in wanted:
        try:
            ids[str(one(each, ACCOUNT, accounts)["account_id"])] = None
        except NotFoundError:
            missing.append(each.text)
    return list(ids), missing
