"""The rows of a look at connections: in an order, narrowed by filters, found by name, with what belongs to each.

Frames only; what is shown of them is the dashboard's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nectar_notebooks.dashboards.closer import places
from nectar_notebooks.dashboards.connections_view import connection_frame, counts_by_family
from nectar_notebooks.dashboards.filters import filtered, in_order, search_texts
from nectar_notebooks.schema.naming import COMPANY, CONNECTION, SITE, find

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.dashboards.closer import Closer
    from nectar_notebooks.dashboards.filters import Filters
    from nectar_notebooks.dashboards.reading import Look
    from nectar_notebooks.schema.naming import Given

__all__ = ["ConnectionRows"]


class ConnectionRows:
    """One row for each connection of a look.

    Attributes
    ----------
    frame : DataFrame
        All rows, in the present order, with `connections_view.COLUMNS`.
    families : dict
        How many connections each family has.
    closer : Closer or None
        What was read of bills.
    """

    def __init__(self, look: Look, closer: Closer | None, order: str, *, reverse: bool) -> None:
        self._look = look
        self.closer = closer
        self.frame = connection_frame(look, closer)
        self.families = counts_by_family(self.frame["family"])
        self._texts = search_texts(self.frame, look.accounts)
        self._history_at = places(look.history["connection_id"])
        self._accounts_at = places(look.accounts["connection_id"])
        self.sort(order, reverse=reverse)

    def sort(self, order: str, *, reverse: bool) -> None:
        """Bring the rows into an order once, so that a filter only leaves rows out."""
        ordered = in_order(self.frame, order, reverse=reverse)
        self._texts = self._texts.loc[ordered].reset_index(drop=True)
        self.frame = self.frame.loc[ordered].reset_index(drop=True)

    def chosen(self, filters: Filters) -> pd.DataFrame:
        """Return the rows that the filters let through; which logins are behind a site is known from bills."""
        behind = set() if filters.site is None or self.closer is None else self._behind(filters.site, self.closer)
        return filtered(self.frame, filters, self._texts, behind).reset_index(drop=True)

    def _behind(self, site: str, closer: Closer) -> set[str]:
        sites, accounts = self._look.sites, self._look.accounts
        ids = sites["site_id"][sites["site_id"].eq(site) | sites["name"].eq(site)]
        at = closer.meters["account_id"][closer.meters["site_id"].isin(ids)].dropna()
        return set(accounts["connection_id"][accounts["account_id"].isin(at)])

    def known(self, wanted: Filters) -> Filters:
        """Return filters with the id of the company and the site that they name, or the name where that was given."""
        for name, kind, frame in (("company", COMPANY, self._look.companies), ("site", SITE, self._look.sites)):
            given = getattr(wanted, name)
            if given is not None:
                key = find(given, kind, frame, where="here")
                said = given if isinstance(given, str) and frame["name"].eq(given).any() else key
                wanted = replace(wanted, company=said) if kind is COMPANY else replace(wanted, site=said)
        return wanted

    def meant(self, given: Given) -> str:
        """Return the id of the connection that an id, an external id, a user name, a provider or a row names."""
        return find(given, CONNECTION, self.frame, where="here")

    def row(self, connection_id: str | None) -> pd.Series | None:
        """Return the row of a connection, if it is here."""
        rows = self.frame[self.frame["connection_id"] == connection_id]
        return rows.iloc[0] if len(rows) else None

    def accounts(self, connection_id: str) -> pd.DataFrame:
        """Return the accounts behind a connection."""
        return self._look.accounts.take(self._accounts_at.get(connection_id, []))

    def history(self, connection_id: str) -> pd.DataFrame:
        """Return the statuses of a connection as they were seen."""
        return self._look.history.take(self._history_at.get(connection_id, []))
