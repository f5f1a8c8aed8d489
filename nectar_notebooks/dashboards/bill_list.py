"""The bills of a portfolio as a list: one row each, and which belong to a site, an account or a meter.

Pure functions from frames to frames; the portfolio's own tables decide what belongs to what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nectar_notebooks.methodology.monthly import Prepared
    from nectar_notebooks.schema.portfolio import Portfolio

    Places = NDArray[np.intp]

__all__ = ["COLUMNS", "NO_ACCOUNT", "BillList", "bill_list"]

#: Columns of the list.
COLUMNS: Final = (
    "bill_id", "utility", "invoice_id", "bill_date", "start_date", "end_date", "accounts", "site", "sites", "meters",
    "current_charges", "total_charges", "currency", "flagged", "counts", "counts_reason",
)  # fmt: skip

#: What stands for the account of a bill that has none, such as an uploaded one.
NO_ACCOUNT: Final = "no account"

#: Names that stand in one cell.
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class BillList:
    """The bills, the newest first, and where in them the bills of each site, account and meter stand."""

    frame: pd.DataFrame
    texts: list[str]
    places: Mapping[str, Mapping[str, Places]]

    def narrowed(self, asked: Mapping[str, str | None], words: str = "") -> pd.DataFrame:
        """Return the bills of a `site`, `account` and `meter` (their ids; None leaves one open) that hold `words`."""
        keep = np.ones(len(self.frame), dtype=bool)
        for name, key in asked.items():
            if key is not None:
                at = np.zeros(len(self.frame), dtype=bool)
                at[self.places[name].get(key, [])] = True
                keep &= at
        wanted = words.strip().casefold()
        if wanted:
            keep &= np.fromiter((wanted in one for one in self.texts), dtype=bool, count=len(self.texts))
        return self.frame[keep].reset_index(drop=True)

    def among(self, name: str, bills: pd.DataFrame) -> set[str]:
        """Return the ids of the sites, accounts or meters that some of `bills` belong to."""
        at = set(np.flatnonzero(self.frame["bill_id"].isin(bills["bill_id"])).tolist())
        return {key for key, places in self.places[name].items() if not at.isdisjoint(places.tolist())}


def bill_list(portfolio: Portfolio, ready: Prepared) -> BillList:
    """Return the list of a portfolio's bills; `ready` says which count, and where meters stand."""
    bills = ready.bills
    usage = ready.usage[["bill_id", "meter_id", "site_id", "start_date", "end_date"]]
    met = pd.concat(
        [usage[["bill_id", "meter_id", "site_id"]], ready.charges[["bill_id", "meter_id", "site_id"]]],
        ignore_index=True,
    )
    sites, meters = (_pairs(met["bill_id"], met[name]) for name in ("site_id", "meter_id"))
    links = portfolio.bill_accounts
    accounts = _pairs(links["bill_id"], links["account_id"])
    frame = bills.reindex(columns=[name for name in COLUMNS if name in bills])
    spans = usage.groupby("bill_id")[["start_date", "end_date"]].agg({"start_date": "min", "end_date": "max"})
    ids = bills["bill_id"]
    spans = spans.reindex(ids).set_axis(bills.index)
    frame["start_date"], frame["end_date"] = spans["start_date"].fillna(bills["start_date"]), spans["end_date"]
    frame["accounts"] = _joined(ids, accounts, portfolio.accounts, "account_id", "account_number")
    frame["site"] = _joined(ids, sites, portfolio.sites, "site_id", "name")
    for name, pairs in (("sites", sites), ("meters", meters)):
        frame[name] = pairs.groupby("bill_id").size().reindex(ids, fill_value=0).to_numpy(dtype="int64")
    frame = frame[list(COLUMNS)].sort_values(
        ["bill_date", "bill_id"], ascending=[False, True], na_position="last", kind="stable", ignore_index=True
    )
    place = pd.Series(frame.index, index=frame["bill_id"])
    found = {
        name: _standing(pairs, place) for name, pairs in (("site", sites), ("account", accounts), ("meter", meters))
    }
    without = ~frame["bill_id"].isin(accounts["bill_id"]).to_numpy(dtype=bool)
    if without.any():
        found["account"][NO_ACCOUNT] = np.flatnonzero(without)
    return BillList(frame, _texts(frame), found)


def _pairs(bills: pd.Series, keys: pd.Series) -> pd.DataFrame:
    """Return which bill has which key, each pair once."""
    return pd.DataFrame({"bill_id": bills, "key": keys}).dropna().drop_duplicates()


def _joined(ids: pd.Series, pairs: pd.DataFrame, table: pd.DataFrame, key: str, name: str) -> pd.Series:
    """Return what each bill's sites or accounts are called, the first of them by alphabet; an id has no name."""
    names = table.set_index(key)[name]
    told = pairs.assign(name=pairs["key"].map(names).fillna(pairs["key"])).sort_values("name", kind="stable")
    rank = told.groupby("bill_id").cumcount()
    nth = [
        told[rank.eq(place)].set_index("bill_id")["name"].reindex(ids).set_axis(ids.index).astype(TEXT)
        for place in range(_SHOWN)
    ]
    said = nth[0]
    for one in nth[1:]:
        said = said.where(one.isna(), said + ", " + one)
    left = told.groupby("bill_id").size().reindex(ids, fill_value=0).set_axis(ids.index) - _SHOWN
    return said.where(left <= 0, said + " and " + left.astype(TEXT) + " more")


def _standing(pairs: pd.DataFrame, place: pd.Series) -> dict[str, Places]:
    at = pairs["bill_id"].map(place)
    known = at.notna()
    rows, keys = at[known].to_numpy(dtype=np.intp), pairs["key"][known].reset_index(drop=True)
    return {str(key): np.sort(rows[found]) for key, found in keys.groupby(keys).indices.items()}


def _texts(frame: pd.DataFrame) -> list[str]:
    """Return what each bill can be found by, in small letters."""
    columns = [frame[name].fillna("").str.casefold() for name in ("utility", "invoice_id", "accounts", "site")]
    amounts = frame["current_charges"].map(lambda amount: f"{amount:,.2f} {amount:.2f}", na_action="ignore").fillna("")
    days = frame["bill_date"].dt.strftime("%Y-%m-%d").fillna("")
    return [" ".join(map(str, row)) for row in zip(frame["bill_id"], days, amounts, *columns, strict=True)]
