"""Findings about what belongs together: bill and account, record and meter, unit and commodity.

Units are told apart by what they measure (`units.kind`); how they convert is not looked at here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import factorize, text
from nectar_notebooks.methodology.units import kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_notebooks.methodology.quality.issues.evidence import Evidence
    from nectar_notebooks.methodology.time.spans import Whole

__all__ = ["MEASURES", "matching"]

_ELECTRIC: Final = ("energy", "apparent energy", "reactive energy", "power", "apparent power", "reactive power")

#: What a commodity's usage can be measured in; a commodity that is not listed takes any unit.
MEASURES: Final[dict[str, tuple[str, ...]]] = {
    "ELECTRICITY": _ELECTRIC,
    "SOLAR": _ELECTRIC,
    "GAS": ("energy", "volume", "mass"),
    "WATER": ("volume",),
    "SEWER": ("volume",),
    "DISTRICT": ("energy", "mass", "volume", "power"),
    "STEAM": ("energy", "mass"),
    "CHILLED_WATER": ("energy", "volume", "power"),
    "HOT_WATER": ("energy", "volume", "power"),
    "WASTE": ("mass", "volume", "containers"),
    "FUEL": ("volume", "mass", "energy"),
    "REFRIGERANT": ("mass",),
}


def matching(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Yield the findings of this family."""
    yield from _unmatched(evidence)
    yield from _mismatch(evidence)
    yield from _no_meter(evidence)
    yield from _units(evidence)
    yield from _currencies(evidence)


def _unmatched(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Find bills that no relation row places on an account."""
    if evidence.bills is None or evidence.bill_accounts is None:
        return
    lone = (evidence.bill_row >= 0) & evidence.bill_counts & evidence.account_of_bill.isna().to_numpy()
    codes = np.flatnonzero(lone)
    if not len(codes):
        return
    relation = evidence.bill_accounts
    told = text(relation, "reason").set_axis(evidence.bill_code("bill_accounts")).dropna()
    reasons = told[~told.index.duplicated()].reindex(codes).fillna("")
    found = [f"belongs to no account: {reason}".removesuffix(": ") for reason in reasons]
    yield evidence.of_bills("unmatched_account", codes, found)


def _mismatch(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Find bills whose meter belongs to an account that the bill does not name."""
    if evidence.meters is None or evidence.bill_accounts is None or "account_id" not in evidence.meters:
        return
    if not {"account_id", "via"} <= set(evidence.bill_accounts.columns):
        return
    relation = evidence.bill_accounts
    told = (text(relation, "via") == "line_item").to_numpy(dtype=bool) & relation["account_id"].notna().to_numpy()
    bill = evidence.bill_code("bill_accounts")
    told &= bill >= 0
    both = pd.concat([text(relation, "account_id")[told], text(evidence.meters, "account_id")], ignore_index=True)
    accounts, names = pd.factorize(both)
    named, of_meter = accounts[: int(told.sum())], accounts[int(told.sum()) :]
    usage_meter, meter_names = factorize(evidence.usage, "meter_id")
    ids = text(evidence.meters, "meter_id")
    first = np.flatnonzero(~ids.duplicated().to_numpy())
    place = pd.Index(ids.iloc[first]).get_indexer(pd.Index(meter_names))
    meter_account = np.where(place < 0, -1, np.append(of_meter[first], -1)[place])
    account = np.append(meter_account, -1)[usage_meter]
    code = evidence.bill_code("usage")
    spoken = np.full(len(evidence.bill_names) + 1, -1, dtype=np.int64)
    spoken[bill[told]] = named
    # Most bills name one account, which is the meter's: only the others are looked up.
    rows = np.flatnonzero(evidence.live & (account >= 0) & (spoken[code] >= 0) & (spoken[code] != account))
    if not len(rows):
        return
    width = len(names) + 1
    wrong = rows[~np.isin(code[rows] * width + account[rows], bill[told] * width + named)]
    found = [f"its meter belongs to account {names[account[row]]}, which the bill does not name" for row in wrong]
    if found:
        own = evidence.account_of_bill.iloc[code[wrong]].to_numpy()
        yield evidence.of_usage("account_meter_mismatch", wrong, found, account_id=own)


def _no_meter(evidence: Evidence) -> Iterator[pd.DataFrame]:
    rows = np.flatnonzero(evidence.live & evidence.usage["meter_id"].isna().to_numpy())
    if len(rows):
        yield evidence.of_usage("no_meter", rows, ["belongs to no meter" for _ in rows])


def _units(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Find units foreign to their commodity, once a meter and unit, and meters that change their unit."""
    if "unit" not in evidence.usage:
        return
    meter, meters = factorize(evidence.usage, "meter_id")
    unit, units = factorize(evidence.usage, "unit")
    commodity, commodities = factorize(evidence.usage, "commodity")
    allowed = np.ones((len(commodities) + 1, len(units) + 1), dtype=bool)
    for place, name in enumerate(units):
        measured = kind(name)
        for row, what in enumerate(commodities):
            allowed[row, place] = measured is not None and measured in MEASURES.get(what, (measured,))
        allowed[-1, place] = measured is not None
    width = len(units) + 1
    key = meter * width + unit
    wrong = np.flatnonzero(evidence.live & (unit >= 0) & ~allowed[commodity, unit])
    if len(wrong):
        keys, group, number = np.unique(key[wrong], return_inverse=True, return_counts=True)
        found = []
        for name, count in zip(units.iloc[keys % width], number.tolist(), strict=True):
            measured = kind(name)
            what = "is no unit of the API" if measured is None else f"measures {measured}"
            found.append(f"{count} records in {name}, which {what}")
        yield evidence.of_usage("foreign_unit", _first_rows(evidence, wrong, group), found)
    known = key[evidence.live & (meter >= 0) & (unit >= 0)]
    pairs = np.flatnonzero(np.bincount(known, minlength=1))
    several = np.flatnonzero(np.bincount(pairs // width, minlength=len(meters)) > 1)
    if len(several):
        names = units.tolist()
        first = np.searchsorted(pairs, several * width)
        last = np.searchsorted(pairs, several * width + width)
        found = [
            f"records in {', '.join(names[pair % width] for pair in pairs[a:b])}"
            for a, b in zip(first.tolist(), last.tolist(), strict=True)
        ]
        rows = np.flatnonzero(evidence.live & np.isin(meter, several))
        taken = _first_rows(evidence, rows, np.searchsorted(several, meter[rows]))
        yield evidence.of_usage("mixed_units", taken, found, bill_id=None, usage_id=None)


def _first_rows(evidence: Evidence, rows: Whole, group: Whole) -> Whole:
    """Return the earliest record of each group, by date, then by id."""
    order = pd.DataFrame(
        {
            "group": group,
            "start": evidence.period[0][rows],
            "name": text(evidence.usage.iloc[rows], "usage_id").to_numpy(),
            "row": rows,
        }
    ).sort_values(["group", "start", "name"])
    return order.drop_duplicates("group")["row"].to_numpy(dtype=np.int64)


def _currencies(evidence: Evidence) -> Iterator[pd.DataFrame]:
    if evidence.bills is None or "currency" not in evidence.bills:
        return
    known = np.flatnonzero((evidence.bill_row >= 0) & evidence.bill_counts)
    accounts = evidence.account_of_bill.iloc[known].to_numpy()
    money = text(evidence.bills, "currency").iloc[evidence.bill_row[known]].to_numpy()
    pairs = pd.DataFrame({"account": accounts, "money": money}).dropna().drop_duplicates()
    several = pairs[pairs["account"].duplicated(keep=False)].sort_values(["account", "money"])
    lists = several.groupby("account")["money"].agg(", ".join)
    if len(lists):
        yield evidence.found(
            "mixed_currencies", [f"bills in {names}" for names in lists], account_id=lists.index.tolist()
        )
