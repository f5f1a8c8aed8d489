"""The closer look: meters, usage and bills, folded at once into what a detail shows and how many bills are missing.

No large table stays in memory: of usage the months with bills and the holes, of bills the latest of each account. What
is read of each company stays apart, so that one can be read again without the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.coverage import Coverage, covered, joined
from nectar_notebooks.dashboards.reading import Look, LookPart, Reader, day_of, together
from nectar_notebooks.methodology.quality.completeness import refuse_names, unknown_names
from nectar_notebooks.schema.portfolio import Portfolio
from nectar_notebooks.schema.tables import TABLES
from nectar_notebooks.tables import empty

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Closer", "CloserPart", "closer_look", "places"]

_OF_BILLS: Final = ["bill_id", "utility", "bill_date", "total_charges", "currency", "counts"]
_OF_METERS: Final = ["meter_id", "site_id", "account_id", "commodity", "primary_identifier", "tracked"]


@dataclass(frozen=True, slots=True)
class CloserPart:
    """What a closer look keeps of one company: months with bills, meters, each account's latest bill and service.

    `unknown` are the names in `expected` that nothing of the company has; None where it has no meter and no usage.
    """

    coverage: Coverage
    meters: pd.DataFrame
    last_bills: pd.DataFrame
    last_service: pd.Series
    unknown: frozenset[str] | None


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
    last_service : Series
        The last day of service that a bill of an account covers, by account_id.
    missing : Series
        How many bills are missing (`bills_expected` of the holes), by account_id, 0 where none is; accounts of which
        no meter is known are not in it.
    meters_at, covered_at : mapping
        Positions of an account's rows in `meters` and in `coverage`.
    parts : mapping
        What each company brought, by its id.
    """

    coverage: Coverage
    meters: pd.DataFrame
    last_bills: pd.DataFrame
    last_service: pd.Series
    missing: pd.Series
    meters_at: Mapping[str, NDArray[np.intp]]
    covered_at: Mapping[str, NDArray[np.intp]]
    parts: Mapping[str, CloserPart]


def closer_look(
    nectar: Reader,
    look: Look,
    kept: Mapping[str, CloserPart] | None = None,
    expected: str | Mapping[str, str] | None = None,
) -> Closer:
    """Read meters, usage and bills of the companies of a first look, but for those `kept` whose month is not over."""
    month = pd.Timestamp(look.today).to_period("M").to_timestamp()
    good: dict[str, CloserPart] = {one: part for one, part in (kept or {}).items() if part.coverage.months[-1] == month}
    parts = {
        one: good[one] if one in good else _of_company(nectar, one, part, look, expected)
        for one, part in look.parts.items()
    }
    nowhere = [part.unknown for part in parts.values() if part.unknown is not None]
    refuse_names(frozenset.intersection(*nowhere) if nowhere else ())
    coverage = joined([part.coverage for part in parts.values()], look.today)
    meters = together((part.meters for part in parts.values()), "meters", _OF_METERS)
    bills = together((part.last_bills for part in parts.values()), "bills", ["account_id", *_OF_BILLS])
    at_meters, at_coverage = places(meters["account_id"]), places(coverage.meters["account_id"])
    service = [part.last_service for part in parts.values() if len(part.last_service)]
    return Closer(
        coverage,
        meters,
        bills.set_index("account_id"),
        pd.concat(service) if service else pd.Series(dtype="datetime64[us]"),
        _missing(coverage),
        at_meters,
        at_coverage,
        parts,
    )


def _missing(coverage: Coverage) -> pd.Series:
    """Return how many bills each account misses, as the holes of its meters say."""
    known = pd.Index(coverage.meters["account_id"].dropna().unique())
    return coverage.holes.groupby("account_id")["bills_expected"].sum().reindex(known, fill_value=0).astype("int64")


def places(keys: pd.Series) -> dict[str, NDArray[np.intp]]:
    """Return at which positions each key stands, so that one is found without looking at all."""
    return {str(key): np.asarray(found) for key, found in keys.groupby(keys).indices.items()}


def _of_company(
    nectar: Reader, company_id: str, part: LookPart, look: Look, expected: str | Mapping[str, str] | None
) -> CloserPart:
    usage, meters = nectar.usage(company_id), nectar.meters(company_id)
    links = nectar.bill_accounts(company_id)[["bill_id", "account_id"]]
    of_meter = meters.drop_duplicates("meter_id").set_index("meter_id")["account_id"]
    account = usage["meter_id"].map(of_meter).astype(meters["account_id"].dtype)
    # Bills tell the account of those records alone whose meter has none.
    asked = links[links["bill_id"].isin(usage.loc[account.isna(), "bill_id"])] if account.isna().any() else links[:0]
    told = {
        "companies": look.companies[look.companies["company_id"] == company_id],
        "sites": part.sites,
        "connections": part.connections,
        "accounts": part.accounts,
        "meters": meters,
        "usage": usage,
        "bill_accounts": asked,
    }
    # What is missing is asked of the same tables as a portfolio has: the number is the same.
    portfolio = Portfolio(**{name: told[name] if name in told else empty(name) for name in TABLES}, as_of=None)
    unknown = unknown_names(expected, usage, meters)
    if isinstance(expected, Mapping):  # one company's utility may be another's unknown name
        expected = {name: word for name, word in expected.items() if name not in unknown}
    coverage = covered(portfolio, today=day_of(usage, nectar.clock), until=look.today, expected=expected)
    bills = _last_bills(nectar.bills(company_id)[_OF_BILLS], links)
    told_of = frozenset(unknown) if len(meters) or len(usage) else None
    return CloserPart(coverage, meters[_OF_METERS], bills, _last_service(usage, account, asked), told_of)


def _last_service(usage: pd.DataFrame, account: pd.Series, links: pd.DataFrame) -> pd.Series:
    """Return the last day that a counting record covers, by the account of its meter, else of its bill."""
    if len(links):
        pairs = links.dropna().drop_duplicates()
        alone = pairs[~pairs["bill_id"].duplicated(keep=False)].set_index("bill_id")["account_id"]
        account = account.fillna(usage["bill_id"].map(alone).astype(account.dtype))
    days = usage["end_date"].where(usage["counts"].fillna(True).astype(bool))
    return days.groupby(account).max().dropna().astype("datetime64[us]")


def _last_bills(bills: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return the latest counting bill of each account, one row each."""
    counting = bills[bills["counts"].fillna(True).astype(bool) & bills["bill_date"].notna()]
    linked = links[links["account_id"].notna()].merge(counting, on="bill_id", how="inner")
    latest = linked.sort_values(["bill_date", "bill_id"], kind="stable").drop_duplicates("account_id", keep="last")
    return latest[["account_id", *_OF_BILLS]].reset_index(drop=True)
