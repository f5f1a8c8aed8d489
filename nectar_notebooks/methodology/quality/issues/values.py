"""Findings about single values: repeated ids, infinities, missing values, periods and dates that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import TEXT, factorize, text
from nectar_notebooks.methodology.net_metering import directions
from nectar_notebooks.methodology.quality.issues.evidence import day_text, lenient_numbers
from nectar_notebooks.methodology.time.spans import MISSING_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_notebooks.methodology.quality.issues.evidence import Evidence

__all__ = ["values"]

#: A yearly bill, with some days of grace.
_LONGEST: Final = 400


def values(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Yield the findings of this family."""
    yield from _repeated(evidence)
    start, end = evidence.period
    live = evidence.live
    dated = evidence.dated & (start != MISSING_DAY)
    backward = np.flatnonzero(dated & (end < start))
    yield evidence.of_usage(
        "non_positive_period",
        backward,
        [f"begins on {day_text(start[row])} and ends on {day_text(end[row])}" for row in backward],
    )
    outside = evidence.span.misses(start.astype("datetime64[D]"), end.astype("datetime64[D]"))
    odd = dated & (end >= start) & (outside | (end - start >= _LONGEST))
    rows = np.flatnonzero(odd)
    yield evidence.of_usage(
        "absurd_date",
        rows,
        [f"{day_text(start[row])} to {day_text(end[row])}: {end[row] - start[row] + 1:,} days" for row in rows],
    )
    endless = np.flatnonzero(live & np.isinf(evidence.values))
    yield evidence.of_usage("infinite_value", endless, ["the usage is infinite" for _ in endless])
    yield from _missing(evidence)
    yield from _export_signs(evidence)


def _repeated(evidence: Evidence) -> Iterator[pd.DataFrame]:
    again = np.flatnonzero(evidence.repeated)
    yield evidence.of_usage("duplicate_id", again, ["this usage_id stands on an earlier row" for _ in again])
    if evidence.bills is not None:
        code = evidence.bill_code("bills")
        number = np.bincount(code[code >= 0], minlength=len(evidence.bill_names))
        codes = np.flatnonzero(number > 1)
        words = [f"the bill stands on {number[code]} rows of bills" for code in codes]
        yield evidence.of_bills("duplicate_id", codes, words)
    tables = {"line_items": "line_item_id", "meters": "meter_id"}
    for name, key in tables.items():
        table = getattr(evidence, name)
        if table is None or key not in table:
            continue
        doubled = text(table, key)[(table[key].duplicated() & table[key].notna()).to_numpy()]
        for value, number in doubled.value_counts().sort_index().items():
            words = [f"{key} {value} stands on {number + 1} rows of {name}"]
            yield evidence.found("duplicate_id", words, meter_id=[value] if key == "meter_id" else None)


def _missing(evidence: Evidence) -> Iterator[pd.DataFrame]:
    start, _ = evidence.period
    lacks = {"usage": np.isnan(evidence.values), "start_date": start == MISSING_DAY}
    if "unit" in evidence.usage:
        lacks["unit"] = evidence.usage["unit"].isna().to_numpy()
    any_missing = evidence.live & np.logical_or.reduce(list(lacks.values()))
    rows = np.flatnonzero(any_missing)
    found = [f"no {' and no '.join(name for name, lack in lacks.items() if lack[row])}" for row in rows.tolist()]
    yield evidence.of_usage("missing_value", rows, found)
    lines = evidence.line_items
    if lines is None or "amount" not in lines:
        return
    amount = lenient_numbers(lines, "amount")
    bill = evidence.bill_code("line_items")
    counts = np.append(evidence.bill_counts, False)[bill]
    for kind, lack, word in (
        ("missing_value", np.isnan(amount), "without an amount"),
        ("infinite_value", np.isinf(amount), "with an infinite amount"),
    ):
        number = np.bincount(bill[lack & counts], minlength=len(evidence.bill_names))
        codes = np.flatnonzero(number)
        yield evidence.of_bills(kind, codes, [f"{number[code]} line items {word}" for code in codes])


def _export_signs(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Find export records whose sign is not that of their meter's others, and meters that export below zero."""
    usage, meters = evidence.usage, evidence.meters
    if meters is not None and "net_metering" in meters:
        said = text(usage, "net_metering")
        of_meter = text(meters, "net_metering").set_axis(text(meters, "meter_id").to_numpy())
        own = of_meter[of_meter.index.notna() & ~of_meter.index.duplicated()].reindex(text(usage, "meter_id"))
        usage = usage.assign(net_metering=said.fillna(pd.Series(own.to_numpy(), said.index, dtype=TEXT)))
    exported, _ = directions(usage)
    sign = np.sign(np.nan_to_num(evidence.values))
    rows = np.flatnonzero(evidence.live & exported & (sign != 0))
    meter, names = factorize(usage.iloc[rows], "meter_id")
    less = np.bincount(meter + 1, sign[rows] < 0, len(names) + 1)[meter + 1]
    more = np.bincount(meter + 1, sign[rows] > 0, len(names) + 1)[meter + 1]
    wrong = np.where(less > more, 1.0, -1.0)
    odd = rows[(sign[rows] == wrong) & (np.where(wrong > 0, less, more) > 0)]
    words = [f"exports {evidence.values[row]:,.10g}, against the sign of its meter's other records" for row in odd]
    yield evidence.of_usage("export_sign", odd, words)
    below = (meter >= 0) & (less > more)
    begin = np.flatnonzero(below & (sign[rows] < 0))
    begin = begin[np.lexsort((evidence.period[0][rows[begin]], meter[begin]))]
    first = begin[np.diff(meter[begin], prepend=-1) != 0]
    words = [f"{less[place]:g} export records are negative; positive is exported energy" for place in first]
    yield evidence.of_usage("export_sign", rows[first], words)
    alone = rows[(sign[rows] < 0) & (meter < 0) & ~np.isin(rows, odd)]
    yield evidence.of_usage("export_sign", alone, ["an export below zero; positive is exported energy" for _ in alone])
