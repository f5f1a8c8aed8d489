"""The rows of a look at connections: in an order, narrowed by filters, found by name, with what belongs to each.

Frames only; what is shown of them is the dashboard's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_notebooks.dashboards.closer import places
from nectar_notebooks.dashboards.connections_view import connection_frame, counts_by_family
from nectar_notebooks.dashboards.filters import filtered, in_order, search_texts
from nectar_notebooks.errors import InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from nectar_notebooks.dashboards.closer import Closer
    from nectar_notebooks.dashboards.filters import Filters
    from nectar_notebooks.dashboards.reading import Look

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

    def check(self, wanted: Filters) -> None:
        """Refuse filters that name a company or a site that is not here."""
        known = {
            "company": (self.frame["company_id"], self.frame["company"]),
            "site": (self._look.sites["site_id"], self._look.sites["name"]),
        }
        for name, columns in known.items():
            value = getattr(wanted, name)
            if value is not None and not any(column.eq(value).any() for column in columns):
                raise NotFoundError(f"No {name} here is called {value!r}.", advice="Check the name, or give its id.")

    def meant(self, given: str | pd.Series | Mapping[str, Any]) -> str:
        """Return the id of the connection that an id, an external id, a provider or a row names."""
        wanted = given if isinstance(given, str) else str(given["connection_id"])
        for name in ("connection_id", "external_id", "provider"):
            rows = self.frame[self.frame[name] == wanted]
            if len(rows) == 1:
                return str(rows["connection_id"].iloc[0])
            if len(rows) > 1:
                ids = ", ".join(rows["connection_id"].head(5))
                raise InvalidRequestError(f"{wanted!r} fits {len(rows)} connections: say which by its id: {ids}.")
        raise NotFoundError(f"No connection here is called {wanted!r}.", advice="See dashboard.frame['connection_id'].")

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
