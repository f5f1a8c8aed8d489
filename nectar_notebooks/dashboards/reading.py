"""What the dashboards read of the client: a first look that is cheap, and a closer one that needs the bills.

The first look takes connections, accounts and the kept history of statuses: a few small tables. The closer one
takes meters, usage and bills, and folds them at once into what a detail shows, so that no large table stays in
memory. Both are whole or raise: what a dashboard holds is never half old and half new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.coverage import Coverage, covered
from nectar_notebooks.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from nectar_notebooks.client.resolving import Given
    from nectar_notebooks.clock import Clock

__all__ = ["Closer", "Look", "Reader", "closer_look", "first_look", "places"]

_OF_USAGE: Final = [
    "usage_id", "meter_id", "site_id", "commodity", "utility", "start_date", "end_date", "usage", "counts",
]  # fmt: skip
_OF_BILLS: Final = ["bill_id", "utility", "bill_date", "total_charges", "currency", "counts"]


class Reader(Protocol):
    """What the dashboards ask of a client."""

    @property
    def clock(self) -> Clock:
        """Where the time comes from."""

    def companies(self) -> pd.DataFrame:
        """Companies the key sees."""

    def sites(self, company: Given | None = None) -> pd.DataFrame:
        """Sites of a company."""

    def connections(self, company: Given | None = None) -> pd.DataFrame:
        """Its connections."""

    def accounts(self, company: Given | None = None) -> pd.DataFrame:
        """Accounts behind them."""

    def meters(self, company: Given | None = None) -> pd.DataFrame:
        """Meters of a company."""

    def usage(self, company: Given | None = None) -> pd.DataFrame:
        """Usage of its meters."""

    def bills(self, company: Given | None = None) -> pd.DataFrame:
        """Its bills."""

    def bill_accounts(self, company: Given | None = None) -> pd.DataFrame:
        """Which account each bill came from."""

    def status_history(self, company: Given | None = None) -> pd.DataFrame:
        """Statuses as they were seen."""

    def refresh(self, company: Given | None = None) -> pd.DataFrame:
        """Ask for what changed."""


@dataclass(frozen=True, slots=True)
class Look:
    """A first look: tables of one company or all, when the oldest of them was fetched, and the day of the look."""

    companies: pd.DataFrame
    sites: pd.DataFrame
    connections: pd.DataFrame
    accounts: pd.DataFrame
    history: pd.DataFrame
    fetched: datetime
    today: date


@dataclass(frozen=True, slots=True)
class Closer:
    """A closer look: which months have bills, the meters, and the latest bill of each account.

    Attributes
    ----------
    coverage : Coverage
    meters : DataFrame
        meter_id, site_id, account_id, commodity, primary_identifier, tracked.
    last_bills : DataFrame
        bill_id, utility, bill_date, total_charges, currency, by account_id.
    meters_at, covered_at : mapping
        Positions of an account's rows in `meters` and in `coverage`.
    """

    coverage: Coverage
    meters: pd.DataFrame
    last_bills: pd.DataFrame
    meters_at: Mapping[str, NDArray[np.intp]]
    covered_at: Mapping[str, NDArray[np.intp]]


def first_look(nectar: Reader, company: Given | None = None) -> Look:
    """Read connections, accounts and the history of statuses of one company, or of all."""
    companies = nectar.companies()
    fetched = [_fetched(companies)]
    sites, connections, accounts, history = [], [], [], []
    for one in companies["company_id"] if company is None else [company]:
        connections.append(nectar.connections(one))
        accounts.append(nectar.accounts(one))
        sites.append(nectar.sites(one))
        history.append(nectar.status_history(one))
        fetched.append(_fetched(connections[-1]))
        if company is not None:
            companies = companies[companies["company_id"] == connections[-1].attrs["nectar"]["company_id"]]
    known = [moment for moment in fetched if moment is not None]
    return Look(
        companies.reset_index(drop=True),
        _together(sites, "sites"),
        _together(connections, "connections"),
        _together(accounts, "accounts"),
        _together(history, None),
        min(known) if known else nectar.clock.now(),
        nectar.clock.today(),
    )


def closer_look(nectar: Reader, look: Look, step: Callable[[], None] | None = None) -> Closer:
    """Read meters, usage and bills of the companies of a first look; `step` is called after each of them."""
    meters, usage, bills, links = [], [], [], []
    for company_id in look.companies["company_id"]:
        meters.append(nectar.meters(company_id))
        usage.append(nectar.usage(company_id)[_OF_USAGE])
        bills.append(nectar.bills(company_id)[_OF_BILLS])
        links.append(nectar.bill_accounts(company_id)[["bill_id", "account_id"]])
        if step is not None:
            step()
    all_meters = _together(meters, "meters")
    coverage = covered(
        _together(usage, "usage", _OF_USAGE),
        meters=all_meters,
        accounts=look.accounts,
        sites=look.sites,
        today=look.today,
    )
    return Closer(
        coverage,
        all_meters[["meter_id", "site_id", "account_id", "commodity", "primary_identifier", "tracked"]],
        _last_bills(_together(bills, "bills", _OF_BILLS), _together(links, "bill_accounts", ["bill_id", "account_id"])),
        places(all_meters["account_id"]),
        places(coverage.meters["account_id"]),
    )


def places(keys: pd.Series) -> dict[str, NDArray[np.intp]]:
    """Return at which positions each key stands, so that one is found without looking at all."""
    return {str(key): np.asarray(found) for key, found in keys.groupby(keys).indices.items()}


def _last_bills(bills: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return the latest counting bill of each account, one row each, by account_id."""
    counting = bills[bills["counts"].fillna(True).astype(bool) & bills["bill_date"].notna()]
    joined = links[links["account_id"].notna()].merge(counting, on="bill_id", how="inner")
    latest = joined.sort_values(["bill_date", "bill_id"], kind="stable").drop_duplicates("account_id", keep="last")
    return latest.set_index("account_id").drop(columns="counts")


def _fetched(frame: pd.DataFrame) -> datetime | None:
    told = frame.attrs.get("nectar", {}).get("fetched")
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def _together(frames: Iterable[pd.DataFrame], table: str | None, columns: list[str] | None = None) -> pd.DataFrame:
    """Return frames of one table below each other; of none, the table's columns."""
    given = list(frames)
    # Empty frames say nothing about dtypes: leaving them out keeps those of the others.
    filled = [frame for frame in given if len(frame)] or given[:1]
    if filled:
        whole = pd.concat(filled, ignore_index=True)
        whole.attrs = {}
        return whole
    if table is None:
        return pd.DataFrame(columns=["connection_id", "seen", "status", "since", "error"])
    return pd.DataFrame(columns=columns or list(TABLES[table].names))
