"""The table of anomalies: its columns, how numbers are written in it, and the order of its rows.

Findings are laid out and ordered here; what is found is decided in `series` and `bills`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import TEXT

__all__ = ["COLUMNS", "NECTAR", "OURS", "ordered", "plain", "table"]

NECTAR: Final = "Nectar"
OURS: Final = "ours"

#: Whose rule a kind of anomaly is.
_RULE: Final = {
    "usage_spike": NECTAR,
    "cost_spike": NECTAR,
    "late_fee": NECTAR,
    "high_demand": NECTAR,
    "usage_regime": OURS,
    "cost_regime": OURS,
    "zero_read": OURS,
    "collapsed_read": OURS,
    "catch_up": OURS,
}
_IDS: Final = ("site_id", "meter_id", "commodity", "subtype", "unit", "currency", "bill_id")
_NUMBERS: Final = ("value", "baseline", "change", "units_at_stake", "money_at_stake")
COLUMNS: Final = (
    "kind", "rule", *_IDS, "month", "value", "baseline", "change", "months", "units_at_stake", "money_at_stake",
    "partly_billed", "found",
)  # fmt: skip


def plain(value: float) -> str:
    """Write a number with at most two decimals, as a person would."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def table(kind: str, found: list[str], **facts: object) -> pd.DataFrame:
    """Lay findings of one kind out in the columns of the result; what is not given is missing."""
    size = len(found)
    columns = {}
    for name in COLUMNS:
        given = {"kind": [kind] * size, "rule": [_RULE[kind]] * size, "found": found}.get(name, facts.get(name))
        if name == "month":
            columns[name] = pd.Series(given if given is not None else [None] * size, dtype="datetime64[us]")
        elif name == "months":
            columns[name] = pd.Series(given if given is not None else [None] * size, dtype="Int64")
        elif name == "partly_billed":
            columns[name] = pd.Series(given if given is not None else [None] * size, dtype="boolean")
        elif name in _NUMBERS:
            columns[name] = pd.Series(given if given is not None else np.nan, index=range(size), dtype="float64")
        else:
            columns[name] = pd.Series(given if given is not None else [None] * size, dtype=object).astype(TEXT)
    return pd.DataFrame(columns)


def ordered(found: pd.DataFrame) -> pd.DataFrame:
    """Return findings with the most at stake first.

    Money comes first, currency by currency, because amounts of two currencies do not compare; then what has
    units only, unit by unit; then the rest.
    """
    money, units = found["money_at_stake"], found["units_at_stake"]
    known = money.notna()
    keyed = found.assign(
        rank=np.select([known, units.notna()], [0, 1], 2),
        pocket=found["currency"].where(known, found["unit"]),
        stake=-money.where(known, units),
    )
    names = ["rank", "pocket", "stake", "kind", "site_id", "month", "bill_id", "meter_id", "found"]
    sorted_ = keyed.sort_values(names, kind="stable", ignore_index=True)
    return sorted_[list(COLUMNS)]
