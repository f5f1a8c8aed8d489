"""Findings that show when a meter's records are laid along time.

Overlaps, duplicates, shared boundary days, estimated runs; and gaps, which are the rows of `holes`.
Records follow each other within one meter, subtype, direction of net metering and exclusion. Hauled
commodities may come twice a day; of them only equal records are found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import factorize, flags, has_word, text
from nectar_notebooks.methodology.keys import places_in
from nectar_notebooks.methodology.quality.issues.evidence import day_text
from nectar_notebooks.methodology.time.calendar import boundary_days, series_of
from nectar_notebooks.methodology.time.spans import MISSING_DAY, in_order, neighbours
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_notebooks.methodology.quality.issues.evidence import Evidence
    from nectar_notebooks.methodology.time.spans import Neighbours, Truth, Whole

__all__ = ["along_time", "beside"]

#: More days than any calendar of four-digit years holds.
_SPAN = 1 << 23
_HALF_CENT = 0.005


def along_time(evidence: Evidence, estimated_run: int, cancelled: Truth) -> Iterator[pd.DataFrame]:
    """Yield the findings of this family; records of a bill that is `cancelled`, or cancels one, cover no days."""
    start, end = evidence.period
    live = evidence.live & ~np.append(cancelled, False)[evidence.bill_code("usage")]
    series = np.where(live & (start != MISSING_DAY) & (end >= start), series_of(evidence.usage), -1)
    row = neighbours(series, start, end, evidence.usage, "usage_id")
    earlier, later = row.pairs()
    shared_days = end[earlier] - start[later] + 1
    hauled = has_word(evidence.usage, "commodity", HAULED)[later]
    equal = (start[earlier] == start[later]) & (end[earlier] == end[later])
    boundary, rule = boundary_days((start, end), earlier, later, hauled)
    yield from _gaps(evidence)
    yield from _shared(evidence, series[later], (earlier, later), boundary, ~hauled, rule=rule)
    doubled = (shared_days > 0) & ~boundary & (equal | ~hauled)
    yield from _doubled(evidence, earlier[doubled], later[doubled], hauled[doubled])
    yield from _estimated(evidence, series, row, estimated_run)


def _gaps(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Write each hole down, with the bills before and after it."""
    found = evidence.holes
    if not len(found):
        return
    usage = evidence.usage
    start, end = evidence.period
    meter, names = factorize(usage, "meter_id")
    of_hole = places_in(found["meter_id"], names, distinct=True)
    taken = np.zeros(len(names) + 1, dtype=bool)
    taken[of_hole] = True
    taken[-1] = False
    rows = np.flatnonzero(evidence.live & (start != MISSING_DAY) & (end >= start) & taken[meter])
    first, last = (found[name].to_numpy().astype("datetime64[D]").astype("int64") for name in ("first_day", "last_day"))
    after = beside(rows, meter[rows], start[rows], usage, of_hole, last, following=True)
    before = beside(rows, meter[rows], end[rows], usage, of_hole, first, following=False)
    bills, records = (text(usage, name) for name in ("bill_id", "usage_id"))
    yield evidence.found(
        "gap",
        _gap_words(first, last, found),
        **{name: found[name] for name in ("site_id", "account_id", "meter_id")},
        bill_id=bills.array.take(after, allow_fill=True),
        other_bill_id=bills.array.take(before, allow_fill=True),
        usage_id=records.array.take(after, allow_fill=True),
        start_date=first,
        end_date=last,
    )


def beside(
    rows: Whole,
    meter: Whole,
    day: Whole,
    usage: pd.DataFrame,
    of_hole: Whole,
    edge: Whole,
    *,
    following: bool,
) -> Whole:
    """Return the row of each hole's meter that begins next after it, or ended last before it; -1 where none does.

    `rows` are those looked at, `meter` and `day` theirs.
    """
    key = meter * _SPAN + day + _SPAN // 2
    order = in_order(key, lambda places: text(usage.iloc[rows[places]], "usage_id").fillna("").to_numpy(dtype=object))
    wanted = of_hole * _SPAN + edge + _SPAN // 2
    place = np.searchsorted(key[order], wanted, side="right") - (0 if following else 1)
    known = (of_hole >= 0) & (place >= 0) & (place < len(order))
    place = np.where(known, place, 0)
    if not len(order):
        return np.full(len(of_hole), -1)
    return np.where(known & (meter[order][place] == of_hole), rows[order][place], -1)


def _gap_words(first: Whole, last: Whole, found: pd.DataFrame) -> list[str]:
    hauled = has_word(found, "commodity", HAULED).tolist()
    spans = (np.datetime_as_string(day.astype("datetime64[D]")).tolist() for day in (first, last))
    days, bills = (last - first + 1).tolist(), found["bills_expected"].tolist()
    return [
        (
            f"no delivery from {begin} to {end}"
            if lorry
            else f"{number} days from {begin} to {end} are on no bill of this meter"
        )
        + (f", about {missing} bills" if missing > 1 else "")
        for lorry, begin, end, number, missing in zip(hauled, *spans, days, bills, strict=True)
    ]


def _shared(
    evidence: Evidence,
    series: Whole,
    pairs: tuple[Whole, Whole],
    boundary: Truth,
    periodic: Truth,
    *,
    rule: bool,
) -> Iterator[pd.DataFrame]:
    """Sum up shared boundary days: once for the frame where they are the rule, else once a meter."""
    start, end = evidence.period
    earlier, later = pairs
    number, total = int(boundary.sum()), int(periodic.sum())
    if rule:
        yield evidence.found(
            "shared_boundary_days",
            [
                f"{number} of {total} neighbouring periods share their boundary day: the data counts days from "
                "start to the day before end, so that convention='exclusive' fits"
            ],
            start_date=[start[later[boundary]].min()],
            end_date=[end[earlier[boundary]].max()],
        )
        return
    table = pd.DataFrame({"series": series, "row": later, "day": start[later], "shared": boundary})[periodic]
    groups = table.groupby("series")
    counts = groups["shared"].agg(["sum", "size"])
    mine = table[table["shared"]].groupby("series").agg(row=("row", "first"), a=("day", "min"), b=("day", "max"))
    counts = counts.loc[mine.index]
    found = [
        f"{shared} of {pairs} neighbouring periods of this meter share their boundary day"
        for shared, pairs in zip(counts["sum"], counts["size"], strict=True)
    ]
    rows = mine["row"].to_numpy(dtype=np.int64)
    facts = {"start_date": mine["a"].tolist(), "end_date": mine["b"].tolist()}
    yield evidence.of_usage("shared_boundary_days", rows, found, **facts, bill_id=None, usage_id=None)


def _doubled(evidence: Evidence, earlier: Whole, later: Whole, hauled: Truth) -> Iterator[pd.DataFrame]:
    """Tell apart what two records of the same days are: duplicate bills, duplicate usage, an overlap."""
    start, end = evidence.period
    code = evidence.bill_code("usage")
    both = end[earlier] - start[later] + 1
    both = np.minimum(both, end[later] - start[later] + 1)
    shorter = np.minimum(end[earlier] - start[earlier], end[later] - start[later]) + 1
    equal = (start[earlier] == start[later]) & (end[earlier] == end[later])
    same_usage = evidence.values[earlier] == evidence.values[later]
    accounts = evidence.account_of_bill
    left, right = accounts.reindex(code[earlier]).to_numpy(), accounts.reindex(code[later]).to_numpy()
    two_accounts = (left != right) & ~pd.isna(left) & ~pd.isna(right)
    two_bills = (code[earlier] != code[later]) & (code[earlier] >= 0) & (code[later] >= 0)
    bills = two_bills & ~two_accounts & (both * 2 > shorter) & (~hauled | same_usage)
    records = equal & same_usage & ~bills
    yield from _duplicate_bills(evidence, earlier[bills], later[bills], (equal & same_usage)[bills])
    yield from _pairs(evidence, "duplicate_usage", earlier[records], later[records], both[records])
    rest = ~bills & ~records & ~hauled
    yield from _pairs(evidence, "overlap", earlier[rest], later[rest], both[rest])


def _duplicate_bills(evidence: Evidence, earlier: Whole, later: Whole, same: Truth) -> Iterator[pd.DataFrame]:
    """One finding for each pair of bills, however many meters they share: equal ones, and others."""
    if not len(later):
        return
    code = evidence.bill_code("usage")
    start, end = evidence.period
    pairs = pd.DataFrame(
        {"a": code[earlier], "b": code[later], "row": later, "first": start[later], "last": end[later], "same": same}
    )
    grouped = pairs.groupby(["a", "b"], sort=False)
    rows = grouped["row"].first().to_numpy(dtype=np.int64)
    keys = grouped["row"].size().reset_index(name="records")
    names = evidence.bill_names
    others = names.iloc[keys["a"]].to_numpy()
    first, last = grouped["first"].min().to_numpy(), grouped["last"].max().to_numpy()
    found = [
        f"{records} of its usage records, {day_text(a)} to {day_text(b)}, cover days and meters that bill {other} "
        "covers too"
        for records, a, b, other in zip(keys["records"], first, last, others, strict=True)
    ]
    single = keys["records"].to_numpy() == 1
    meter = text(evidence.usage.iloc[rows], "meter_id").where(single).to_numpy()
    usage = text(evidence.usage.iloc[rows], "usage_id").where(single).to_numpy()
    a, b = (keys[name].to_numpy() for name in ("a", "b"))
    size = np.bincount(code[evidence.live & (code >= 0)], minlength=len(names))
    equal = (grouped["same"].sum().to_numpy() == size[a]) & (size[a] == size[b])
    equal &= np.abs(evidence.charges[a] - evidence.charges[b]) < _HALF_CENT
    utility = evidence.of_bill("utility").fillna("").to_numpy()
    equal &= utility[a] == utility[b]
    repeated = [
        f"equals bill {other} in dates, usage ({number} records) and charges ({charged:,.2f})"
        for number, other, charged in zip(keys["records"], others, evidence.charges[b], strict=True)
    ]
    for kind, chosen, words in (("repeated_bill", equal, repeated), ("potential_duplicate", ~equal, found)):
        at = np.flatnonzero(chosen)
        if len(at):
            yield evidence.of_usage(
                kind,
                rows[at],
                [words[place] for place in at],
                other_bill_id=others[at],
                start_date=first[at],
                end_date=last[at],
                meter_id=meter[at],
                usage_id=usage[at],
            )


def _pairs(evidence: Evidence, kind: str, earlier: Whole, later: Whole, both: Whole) -> Iterator[pd.DataFrame]:
    if not len(later):
        return
    start, end = evidence.period
    names = text(evidence.usage, "usage_id")
    units = text(evidence.usage, "unit").fillna("")
    found = []
    for a, b, number in zip(earlier.tolist(), later.tolist(), both.tolist(), strict=True):
        span = f"{day_text(start[a])} to {day_text(end[a])}"
        if kind == "duplicate_usage":
            usage = f"{evidence.values[b]:,.10g} {units.iloc[b]}".rstrip()
            found.append(f"{usage} from {span} stands in record {names.iloc[a]} too")
        else:
            found.append(f"{number} days are in record {names.iloc[a]} ({span}) too")
    old = text(evidence.usage.iloc[earlier], "bill_id").to_numpy()
    yield evidence.of_usage(kind, later, found, other_bill_id=old)


def _estimated(evidence: Evidence, series: Whole, row: Neighbours, least: int) -> Iterator[pd.DataFrame]:
    """One finding for each run of at least `least` estimated records of one series."""
    estimated = flags(evidence.usage, "estimated", "usage", missing=False)[row.order]
    if not estimated.any():
        return
    codes = series[row.order]
    begins = estimated.copy()
    begins[1:] &= ~(estimated[:-1] & (codes[1:] == codes[:-1]))
    run = np.cumsum(begins)[estimated]
    rows = row.order[estimated]
    sizes = np.bincount(run)[1:]
    heads = np.flatnonzero(np.diff(run, prepend=0))
    long = np.flatnonzero(sizes >= least)
    if not len(long):
        return
    start, end = evidence.period
    first = rows[heads[long]]
    last = rows[heads[long] + sizes[long] - 1]
    found = [
        f"{number} records in a row are estimated, from {day_text(start[a])} to {day_text(end[b])}"
        for number, a, b in zip(sizes[long].tolist(), first.tolist(), last.tolist(), strict=True)
    ]
    yield evidence.of_usage("estimated_run", first, found, end_date=end[last])
