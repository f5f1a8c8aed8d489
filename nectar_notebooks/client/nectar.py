"""`Nectar`: nouns that return DataFrames of fixed columns and dtypes.

Every noun of a bill is answered from one generation of the company's tables, so that what two nouns say of
one bill fits together. Names are resolved in `scope`, questions answered in `filters`; what is fetched and
kept is the library's work.
"""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from nectar_notebooks.cache import Company
from nectar_notebooks.client.bills import BillNouns
from nectar_notebooks.client.checking import Checks
from nectar_notebooks.client.core import only
from nectar_notebooks.client.correcting import CorrectingVerbs
from nectar_notebooks.client.dates import Day, Window
from nectar_notebooks.client.downloading import DownloadingVerbs
from nectar_notebooks.client.filters import checked_commodity
from nectar_notebooks.client.inviting import InvitingVerbs
from nectar_notebooks.client.renewing import changed_bills, refresh, refresh_kept
from nectar_notebooks.client.scope import resolve
from nectar_notebooks.client.uploading import UploadingVerbs
from nectar_notebooks.client.writing import ObjectVerbs
from nectar_notebooks.errors import OfflineError
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.accounts import UnknownStateWarning, name_states, unknown_states
from nectar_notebooks.schema.naming import Given
from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["Nectar"]


class Nectar(BillNouns, InvitingVerbs, ObjectVerbs, CorrectingVerbs, UploadingVerbs, DownloadingVerbs, Checks):
    """The API as tables; made by :func:`nectar_notebooks.connect`.

    Every noun returns a DataFrame with the columns and dtypes of the table of that name, also when it is
    empty. ``frame.attrs["nectar"]`` says when its rows were fetched, from where and at what cost.

    ``company``, ``site`` and ``connection`` are an id, an external id, a name, or a row (Series, one-row
    frame, namedtuple). With one visible company, or with a site or connection, ``company`` may be left out.

    The nouns of a bill take one set of filters. ``start`` and ``end`` are days, both counted, or months
    meaning all of them; ``by`` says what they are compared with: ``"service_period"`` (any day of service
    inside), ``"bill_date"``, ``"created"`` or ``"updated"`` (UTC). A usage row is chosen by itself; a bill by
    its usage, by its own period where it has none, or by its own dates; everything else by its bill.

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

    def companies(self) -> pd.DataFrame:
        """Return the companies this key sees."""
        held = self._library.companies()
        return self._marked(held.frames["companies"], held, "companies", None)

    def sites(self, company: Given | None = None) -> pd.DataFrame:
        """Return a company's sites, archived ones too."""
        scope = resolve(self._library, company)
        held = Company(self._library, scope.company_id).company()
        return self._marked(held.frames["sites"], held, "sites", scope)

    def connections(self, company: Given | None = None) -> pd.DataFrame:
        """Return a company's connections with the status, family and age of each."""
        return self._walked("connections", resolve(self._library, company))

    def accounts(self, company: Given | None = None, *, connection: Given | None = None) -> pd.DataFrame:
        """Return the accounts behind a company's connections, or behind one of them."""
        scope = resolve(self._library, company, connection=connection)
        accounts = self._walked("accounts", scope)
        if scope.connection_id is None:
            return accounts
        return only(accounts, accounts["connection_id"] == scope.connection_id)

    def meters(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return a company's meters: those that its usage rows and accounts name."""
        scope = resolve(self._library, company, site)
        wanted = checked_commodity(commodity)
        meters = self._of_portfolio("meters", scope, None)
        if scope.site_id is not None:
            meters = only(meters, meters["site_id"] == scope.site_id)
        return meters if wanted is None else only(meters, meters["commodity"] == wanted)

    def identifiers(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return the numbers by which a company's meters are known."""
        scope = resolve(self._library, company, site)
        meters = self.meters(scope.company_id, site=site, commodity=commodity)
        identifiers = self._of_portfolio("identifiers", scope, None)
        return only(identifiers, identifiers["meter_id"].isin(set(meters["meter_id"])))

    def intervals(
        self, connection: Given, company: Given | None = None, *, start: Day | None = None, end: Day | None = None
    ) -> pd.DataFrame:
        """Return the smart-meter readings behind a connection (beta); days are UTC, and choose by its start."""
        window = Window.of(start, end)
        scope = resolve(self._library, company, connection=connection)
        rows, connection_id = Company(self._library, scope.company_id), str(scope.connection_id)
        held = self._resumable(
            lambda: self.intervals(connection, company, start=start, end=end), lambda: rows.intervals(connection_id)
        )
        intervals = self._marked(held.frames["intervals"], held, "intervals", scope)
        return intervals if window.open else only(intervals, window.contains(intervals["start"]))

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
