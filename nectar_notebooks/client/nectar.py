"""`Nectar`: nouns that return DataFrames of fixed columns and dtypes.

Every noun of a bill is answered from one generation of the company's tables, so that what two nouns say of
one bill fits together. Names are resolved in `scope`, questions answered in `filters`; what is fetched and
kept is the library's work.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Never

import pandas as pd

from nectar_notebooks.cache import Company
from nectar_notebooks.client.bills import BillNouns
from nectar_notebooks.client.checking import Checks
from nectar_notebooks.client.core import only
from nectar_notebooks.client.correcting import CorrectingVerbs
from nectar_notebooks.client.describing import noun
from nectar_notebooks.client.filters import refuse
from nectar_notebooks.client.inviting import InvitingVerbs
from nectar_notebooks.client.refreshing import changed_bills, refresh, refresh_kept
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.client.transfers import DownloadingVerbs, UploadingVerbs
from nectar_notebooks.client.writing import ObjectVerbs
from nectar_notebooks.errors import OfflineError
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.accounts import UnknownStateWarning, name_states, unknown_states
from nectar_notebooks.schema.dates import Day
from nectar_notebooks.schema.filters import Commodity, Filters
from nectar_notebooks.schema.naming import Given, Several
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Nectar"]


class Nectar(BillNouns, InvitingVerbs, ObjectVerbs, CorrectingVerbs, UploadingVerbs, DownloadingVerbs, Checks):
    """The API as tables; made by :func:`nectar_notebooks.connect`.

    Every noun returns a DataFrame with the columns and dtypes of the table of that name, also when it is
    empty. ``frame.attrs["nectar"]`` says when its rows were fetched, from where and at what cost.

    ``company``, ``site`` and ``connection`` are an id, an external id, a name, or a row (Series, one-row
    frame, namedtuple). With one visible company, or with a site or connection, ``company`` may be left out.

    The nouns of a bill take one set of filters. ``site`` and ``commodity`` are one or several. ``start`` and ``end``
    are days, both counted, or months (``"2025-01"``), quarters (``"2025-Q1"``) or years (``"2025"``) meaning all of
    them; ``by`` says what they are compared with: ``"service_period"`` (any day of service inside), ``"bill_date"``,
    ``"created"`` or ``"updated"`` (UTC). A usage row is chosen by itself; a bill by its usage, by its own period where
    it has none, or by its own dates; everything else by its bill.
    Sites, connections, accounts, meters and identifiers take ``site``, ``connection`` and ``commodity``, and are chosen
    by the meters they have; days mean nothing for them and are refused.

    Parameters
    ----------
    library : Library
    place : str
        Where the rows come from, in words: environment, host and version.
    key : str
        Which key, in words: its fingerprint and where it was found; never the key.

    Attributes
    ----------
    last_fetch : dict
        What ``frame.attrs["nectar"]`` of the latest noun says.

    Raises
    ------
    NotFoundError
        By every noun: nothing is called so; the message names what is near.
    InvalidRequestError
        By every noun: a name that fits several, several companies and none named, a malformed date.
    OfflineError
        By every noun when offline: what was asked for was never fetched.
    InterruptedWalkError
        By every noun: the walk broke in the middle; ``resume()`` goes on.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect("local")
    >>> list(nectar.companies().columns[:2])
    ['company_id', 'name']
    """

    def ping(self) -> dict[str, Any]:
        """Ask whether the key is accepted; return what the API says of itself (not documented)."""
        if self._library.offline:
            raise OfflineError("Offline, and a ping is nothing but a request.", advice="Call without offline=True.")
        answer = self._library.session.call("ping").json()
        return answer if isinstance(answer, dict) else {}

    @noun
    def companies(self) -> pd.DataFrame:
        """Return the companies this key sees."""
        held = self._library.companies()
        return self._marked(held.frames["companies"], held, "companies", None)

    @noun
    def sites(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        commodity: Commodity | None = None,
        **days: Never,
    ) -> pd.DataFrame:
        """Return a company's sites, archived ones too; those with a meter of the connection or commodity."""
        filters, scope = self._objects_asked("sites", company, site, connection, commodity, days)
        if filters.connection_id or filters.commodities:
            return self._of_portfolio("sites", scope, filters)
        held = Company(self._library, scope.company_id).company()
        sites = self._marked(held.frames["sites"], held, "sites", scope)
        return only(sites, sites["site_id"].isin(filters.site_ids)) if filters.site_ids else sites

    @noun
    def connections(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        commodity: Commodity | None = None,
        **days: Never,
    ) -> pd.DataFrame:
        """Return a company's connections with status, family and age; those that bill a site or commodity."""
        filters, scope = self._objects_asked("connections", company, site, connection, commodity, days)
        return self._behind_logins("connections", scope, filters)

    @noun
    def accounts(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        commodity: Commodity | None = None,
        **days: Never,
    ) -> pd.DataFrame:
        """Return the accounts behind a company's connections, or one of them; or with meters of a site or commodity."""
        filters, scope = self._objects_asked("accounts", company, site, connection, commodity, days)
        return self._behind_logins("accounts", scope, filters)

    @noun
    def meters(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        commodity: Commodity | None = None,
        **days: Never,
    ) -> pd.DataFrame:
        """Return a company's meters: those that its usage rows and accounts name."""
        filters, scope = self._objects_asked("meters", company, site, connection, commodity, days)
        return self._of_portfolio("meters", scope, filters)

    @noun
    def identifiers(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        commodity: Commodity | None = None,
        **days: Never,
    ) -> pd.DataFrame:
        """Return the numbers by which a company's meters are known."""
        filters, scope = self._objects_asked("identifiers", company, site, connection, commodity, days)
        return self._of_portfolio("identifiers", scope, filters)

    def _objects_asked(
        self,
        noun: str,
        company: Given | None,
        site: Several | None,
        connection: Given | None,
        commodity: Commodity | None,
        days: Mapping[str, object],
    ) -> tuple[Filters, Scope]:
        refuse(noun, days)
        filters = Filters.of(commodity=commodity)
        scope = resolve(self._library, company, connection=connection, sites=site)
        return scope.within(filters), scope

    def _behind_logins(self, noun: str, scope: Scope, filters: Filters) -> pd.DataFrame:
        if filters.site_ids or filters.commodities:  # which only meters tell
            return self._of_portfolio(noun, scope, filters)
        rows = self._walked(noun, scope)
        if filters.connection_id is None:
            return rows
        return only(rows, rows["connection_id"] == filters.connection_id)

    @noun
    def intervals(
        self, connection: Given, company: Given | None = None, *, start: Day | None = None, end: Day | None = None
    ) -> pd.DataFrame:
        """Return the smart-meter readings behind a connection (beta); days are UTC, and choose by its start."""
        filters = Filters.of(start, end)
        scope = resolve(self._library, company, connection=connection)
        rows, connection_id = Company(self._library, scope.company_id), str(scope.connection_id)
        held = self._resumable(
            lambda: self.intervals(connection, company, start=start, end=end), lambda: rows.intervals(connection_id)
        )
        intervals = self._marked(held.frames["intervals"], held, "intervals", scope)
        return intervals if filters.any_day else only(intervals, filters.contains(intervals["start"]))

    def portfolio(self, company: Given | None = None) -> Portfolio:
        """Return every table of a company, of one generation, joined by their ``_id`` keys.

        Accounts in a state that nobody knows count; a warning names these states, and ``unknown_states`` in
        ``accounts.attrs["nectar"]``.
        ``as_of`` of it is when the API gave the oldest answer that went into it: of rows from the cache, when they were
        last asked for. Where the API sends no date that can be meant, it is this client's clock, and a warning says so.
        """
        scope = resolve(self._library, company)
        rows = Company(self._library, scope.company_id)
        held = self._resumable(lambda: self.portfolio(scope.company_id), rows.portfolio)
        frames = {name: self._marked(frame, held, name, scope) for name, frame in held.frames.items()}
        states = name_states(unknown_states(frames["accounts"]["status"].dropna()))
        if states:
            frames["accounts"].attrs["nectar"]["unknown_states"] = states
            warnings.warn(states, UnknownStateWarning, stacklevel=2)
        self.last_fetch |= {"noun": "portfolio", "rows": sum(len(frame) for frame in frames.values())}
        if not held.given.by_api:
            warnings.warn(
                f"Not every answer of {self.address} had a Date header that can be meant: as_of of the portfolio is by"
                " this client's clock. Give today= where days are counted, if that clock may be wrong.",
                UserWarning,
                stacklevel=2,
            )
        return Portfolio(**frames, as_of=pd.Timestamp(held.given.at))

    def refresh(self, company: Given | None = None) -> pd.DataFrame:
        """Ask for what changed, whatever the age of what is kept: of one company, or of all that are kept.

        Returns
        -------
        DataFrame
            company_id, bills, usage, requests, walked: one row a company, with what it cost and when its
            bills were last walked whole (changes alone are asked for at most seven days long).
        """
        if company is not None:
            return refresh(self._library, [resolve(self._library, company).company_id])
        visible = self._library.companies(renew=True).frames["companies"]["company_id"]
        return refresh_kept(self._library, visible)

    def changes(self, since: Day, company: Given | None = None) -> pd.DataFrame:
        """Ask which bills are new, revised or deleted since a UTC day.

        Returns
        -------
        DataFrame
            bill_id, change (new, revised, deleted), utility, bill_date, created, updated, superseded_by.
        """
        return changed_bills(self._library, resolve(self._library, company).company_id, since)

    def status_history(self, company: Given | None = None) -> pd.DataFrame:
        """Return the statuses of a company's connections as they were seen, in order; no network.

        Returns
        -------
        DataFrame
            connection_id, seen, status, since, error.
        """
        return Company(self._library, resolve(self._library, company).company_id).status_history()

    def __repr__(self) -> str:
        return printable(f"Nectar({self._place}; {self._key})")
