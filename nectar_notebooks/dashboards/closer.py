"""The closer look: meters, usage and bills, folded at once into what a detail shows.

No large table stays in memory: of usage the months with bills, of bills the latest of each account. What is read of
each company stays apart, so that one can be read again without the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.coverage import EXPECTED, Coverage, covered, joined
from nectar_notebooks.dashboards.reading import Look, LookPart, Reader, together

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

__all__ = ["Closer", "CloserPart", "closer_look", "places"]

_OF_USAGE: Final = [
    "usage_id", "meter_id", "site_id", "commodity", "utility", "start_date", "end_date", "usage", "counts",
]  # fmt: skip
_OF_BILLS: Final = ["bill_id", "utility", "bill_date", "total_charges", "currency", "counts"]
_OF_METERS: Final = ["meter_id", "site_id", "account_id", "commodity", "primary_identifier", "tracked"]


@dataclass(frozen=True, slots=True)
class CloserPart:
    """What a closer look keeps of one company: months with bills, meters, and a row for each account's latest bill."""

    coverage: Coverage
    meters: pd.DataFrame
    last_bills: pd.DataFrame


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
    parts : mapping
        What each company brought, by its id.
    """

    coverage: Coverage
    meters: pd.DataFrame
    last_bills: pd.DataFrame
    meters_at: Mapping[str, NDArray[np.intp]]
    covered_at: Mapping[str, NDArray[np.intp]]
    parts: Mapping[str, CloserPart]


def closer_look(
    nectar: Reader,
    look: Look,
    kept: Mapping[str, CloserPart] | None = None,
    expected: str | Mapping[str, str] = EXPECTED,
) -> Closer:
    """Read meters, usage and bills of the companies of a first look, but for those `kept` whose month is not over."""
    month = pd.Timestamp(look.today).to_period("M").to_timestamp()
    good: dict[str, CloserPart] = {one: part for one, part in (kept or {}).items() if part.coverage.months[-1] == month}
    parts = {
        one: good[one] if one in good else _of_company(nectar, one, part, look.today, expected)
        for one, part in look.parts.items()
    }
    coverage = joined([part.coverage for part in parts.values()], look.today)
    meters = together((part.meters for part in parts.values()), "meters", _OF_METERS)
    bills = together((part.last_bills for part in parts.values()), "bills", ["account_id", *_OF_BILLS])
    at_meters, at_coverage = places(meters["account_id"]), places(coverage.meters["account_id"])
    return Closer(coverage, meters, bills.set_index("account_id"), at_meters, at_coverage, parts)


def places(keys: pd.Series) -> dict[str, NDArray[np.intp]]:
    """Return at which positions each key stands, so that one is found without looking at all."""
    return {str(key): np.asarray(found) for key, found in keys.groupby(keys).indices.items()}


def _of_company(
    nectar: Reader, company_id: str, look: LookPart, today: date, expected: str | Mapping[str, str]
) -> CloserPart:
    meters = nectar.meters(company_id)
    coverage = covered(
        nectar.usage(company_id)[_OF_USAGE],
        meters=meters,
        accounts=look.accounts,
        sites=look.sites,
        today=today,
        expected=expected,
    )
    links = nectar.bill_accounts(company_id)[["bill_id", "account_id"]]
    return CloserPart(coverage, meters[_OF_METERS], _last_bills(nectar.bills(company_id)[_OF_BILLS], links))


def _last_bills(bills: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Return the latest counting bill of each account, one row each."""
    counting = bills[bills["counts"].fillna(True).astype(bool) & bills["bill_date"].notna()]
    linked = links[links["account_id"].notna()].merge(counting, on="bill_id", how="inner")
    latest = linked.sort_values(["bill_date", "bill_id"], kind="stable").drop_duplicates("account_id", keep="last")
    return latest[["account_id", *_OF_BILLS]].reset_index(drop=True)
