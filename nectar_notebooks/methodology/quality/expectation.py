"""Which bills are expected of each meter, and which of the days they should cover no bill covers.

The one definition of *missing*: `completeness` shows it by month, `holes` as runs of days, and everything else reads
those two. What is known of a meter is gathered in `register`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.counting import count_periods
from nectar_notebooks.methodology.frames import choose, counted, factorize, left_out, numbers, text
from nectar_notebooks.methodology.keys import expand, group_keys
from nectar_notebooks.methodology.quality.register import Tables, meter_register
from nectar_notebooks.methodology.time.calendar import boundary_days
from nectar_notebooks.methodology.time.spans import (
    MISSING_DAY,
    day_of_month,
    in_order,
    month_of,
    records_in_months,
    service_days,
    without_repeats,
)
from nectar_notebooks.schema.periods import Span
from nectar_notebooks.schema.values import COMMODITIES, HAULED

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from nectar_notebooks.methodology.time.spans import Truth, Whole

__all__ = [
    "EVER",
    "EXPECTED",
    "REASONS",
    "SEASONAL",
    "Outlook",
    "check_expected",
    "deliveries",
    "outlook",
    "refuse_names",
    "unknown_names",
    "usual_days",
]

#: How often a bill is expected, in months; a season counts a year's winter as one.
EXPECTED: Final = {"monthly": 1, "quarterly": 3, "yearly": 12, "seasonal": 0}
SEASONAL: Final = EXPECTED["seasonal"]
#: What is expected where nobody says.
_DEFAULT: Final = {"fuel": "seasonal"}
_ALL: Final = ""
_WORDS: Final = tuple(EXPECTED)
_DAYS: Final = {1: 30.4375, 3: 91.3125, 12: 365.25, SEASONAL: 365.25}
_SPANS: Final = sorted(_DAYS)
_EPOCH: Final = date(1970, 1, 1).toordinal()
#: More days than any calendar of four-digit years holds, so that one number holds an entity and a day.
_SPAN: Final = 1 << 23
#: A day beyond every calendar.
EVER: Final = int(np.iinfo(np.int32).max)
#: Within how many days another meter takes over from one that is replaced.
_SWAP: Final = 35
#: From which multiple of the expected days on a meter's own bills are longer than expected.
_LONGER: Final = 1.2
#: From how many periods on a meter's own length is its usual one.
_USUAL: Final = 3

REASONS: Final = (
    None,
    "before collection starts",
    "before the first record",
    "the site is archived",
    "the account does not count",
    "the meter is not tracked",
    "the account is old: nothing after its last bill",
    "the meter was replaced",
    "nothing says since when",
    "no delivery is expected in summer",
    "its bills cover a part of the days",
    "a meter of it is missing",
)
(
    EARLY, UNSEEN, ARCHIVED, NOT_COUNTED, UNTRACKED, ENDED, REPLACED, UNKNOWN, SUMMER, PART, ONE_MISSING,
) = range(1, 12)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of each meter, and what is there; days are numbers, meters are rows of `register`.

    Attributes
    ----------
    register : DataFrame
        One row a meter.
    records : tuple
        Meter, first and last day of each record that covers days.
    pieces : tuple
        The same as disjoint pieces; one day that no record covers, at a bill's edge, is covered here.
    inside : tuple
        The part of the pieces that is expected.
    begin, stop, due : array
        First and last day expected of each meter, and the last of them whose bill should be there by now.
    why_begin, why_stop : array
        Places in `REASONS`.
    every : array
        After how many months a bill is expected.
    hauled : array
        Whether deliveries are expected instead of days.
    shared : bool
        Whether a bill ends on the day on which the next begins, as a rule.
    beyond : bool
        Whether records cover days that are not expected.
    left_out : dict
        How many records cover nothing, by reason.
    """

    register: pd.DataFrame
    records: tuple[Whole, Whole, Whole]
    pieces: tuple[Whole, Whole, Whole]
    inside: tuple[Whole, Whole, Whole]
    begin: Whole
    stop: Whole
    due: Whole
    why_begin: Whole
    why_stop: Whole
    every: Whole
    hauled: Truth
    shared: bool
    beyond: bool
    left_out: dict[str, int]


def outlook(
    usage: pd.DataFrame, tables: Tables, expected: str | Mapping[str, str] | None, today: int, grace: int
) -> Outlook:
    """Return what is expected of the meters of usage records and the tables beside them."""
    usage = count_periods(usage, Span.of(today=date.fromordinal(today + _EPOCH)))
    first, last = service_days(usage, "usage")
    rows, out = _present(usage, first)
    rows, code, register = meter_register(usage, rows, first, last, tables)
    hauled = register["commodity"].isin(HAULED).to_numpy(dtype=bool)
    every = _every(expected, register, hauled, usage)
    replaced, successor = _swapped(register)
    begin, why_begin = _begin(register, successor)
    stop, why_stop = _stop(register, replaced)
    begin = np.where(why_begin == UNKNOWN, EVER, begin)
    never = np.where(register["counts"], 0, NOT_COUNTED)
    stop, why_stop = np.where(never > 0, -EVER, stop), np.where(never > 0, never, why_stop)
    records = (code, first[rows], last[rows])
    pieces, shared = _mended(*without_repeats(*records), records, hauled)
    inside = _edges(pieces, begin, stop)
    beyond = bool((pieces[1] < begin[pieces[0]]).any() or (pieces[2] > stop[pieces[0]]).any())
    return Outlook(
        register, records, pieces, inside, begin, stop, _due(every, hauled, records, today - grace),
        why_begin, why_stop, every, hauled, shared, beyond, out,
    )  # fmt: skip


def check_expected(expected: str | Mapping[str, str] | None) -> dict[str, str]:
    """Return `expected` of `completeness` as words by folded name; a word for all stands under no name.

    Raises
    ------
    InvalidRequestError
        A word that is not known, or one name with two words.
    """
    if expected is None:
        return {}
    if not isinstance(expected, (str, Mapping)):
        raise InvalidRequestError(
            f"expected={expected!r} is neither a word nor a mapping of words.",
            advice='Give "monthly", or one word for each commodity or utility: {"WATER": "quarterly"}.',
        )
    given = [(_ALL, expected)] if isinstance(expected, str) else [*expected.items()]
    words: dict[str, str] = {}
    for name, word in given:
        where = "expected" if name == _ALL else f"expected[{name!r}]"
        folded = _fold(word)
        words_before = words.setdefault(_fold(name), choose(where, folded if folded in EXPECTED else word, _WORDS))
        if words_before != folded:
            raise InvalidRequestError(f"{where} is {words_before!r} and {folded!r}.", advice="Name it once.")
    return words


def unknown_names(expected: str | Mapping[str, str] | None, usage: pd.DataFrame, meters: pd.DataFrame) -> list[str]:
    """Return the names in `expected` that are no commodity, and no commodity or utility of these tables."""
    if expected is None or isinstance(expected, str):
        return []
    known = {_fold(name) for name in COMMODITIES}
    for table, column in ((meters, "commodity"), (usage, "commodity"), (usage, "utility")):
        if not known.issuperset(map(_fold, expected)):
            known |= {_fold(name) for name in text(table, column).dropna().unique()}
    return [name for name in expected if _fold(name) not in known]


def refuse_names(unknown: Collection[str]) -> None:
    """Raise `InvalidRequestError` where there are `unknown_names`."""
    if unknown:
        raise InvalidRequestError(
            f"expected names {', '.join(sorted(map(repr, unknown)))}: no commodity, and no utility of these records.",
            advice="Name a commodity, as ELECTRICITY, or a utility as the column utility of the usage writes it.",
        )


def _fold(name: object) -> str:
    """Return a name or word as it is compared: in any case, with single spaces."""
    return " ".join(str(name).split()).casefold()


def _every(
    expected: str | Mapping[str, str] | None, register: pd.DataFrame, hauled: Truth, usage: pd.DataFrame
) -> Whole:
    """Return after how many months each meter's next bill is expected."""
    given = check_expected(expected)
    refuse_names(unknown_names(expected, usage, register) if len(register) else [])
    every = np.full(len(register), EXPECTED[given.get(_ALL, "monthly")])
    for column, names in (("commodity", {} if _ALL in given else _DEFAULT), ("commodity", given), ("utility", given)):
        code, values = factorize(register, column)
        told = np.array([*(EXPECTED.get(names.get(_fold(value), ""), -1) for value in values), -1])[code]
        every = np.where(told < 0, every, told)
    wrong = (every == SEASONAL) & ~hauled
    if wrong.any():
        commodity = register["commodity"].array[int(np.flatnonzero(wrong)[0])]
        raise InvalidRequestError(
            f"expected='seasonal' is for deliveries ({', '.join(HAULED)}), not for {commodity}.",
            advice='Say it of the commodity alone, as expected={"FUEL": "seasonal"}.',
        )
    return every


def _present(usage: pd.DataFrame, first: Whole) -> tuple[Whole, dict[str, int]]:
    """Return the rows that cover days, and how many do not, by reason."""
    kept = counted(usage, "usage")
    out = left_out(usage, kept, "does not count")
    bare = {"start_date is missing": first == MISSING_DAY}
    if "usage" in usage.columns:
        bare["usage is missing"] = np.isnan(numbers(usage, "usage", "usage"))
    for reason, rows in bare.items():
        number = int((kept & rows).sum())
        if number:
            out[reason] = number
        kept = kept & ~rows
    return np.flatnonzero(kept), out


def _begin(register: pd.DataFrame, successor: Truth) -> tuple[Whole, Whole]:
    """Return the first day expected of each meter: its account's start, else its first record, else another start."""
    starts, seen, others = (register[name].to_numpy() for name in ("starts", "seen", "others_start"))
    told = (starts != MISSING_DAY) & ~successor
    begin = np.where(told, starts, np.where(seen != MISSING_DAY, seen, others))
    unknown = np.where(begin == MISSING_DAY, UNKNOWN, EARLY)
    return begin, np.where(told, EARLY, np.where(seen != MISSING_DAY, UNSEEN, unknown))


def _stop(register: pd.DataFrame, replaced: Truth) -> tuple[Whole, Whole]:
    """Return the last day expected of each meter, and why none is after it."""
    last = register["last"].to_numpy()
    known = register["account_id"].notna().to_numpy()
    account, _ = pd.factorize(register["account_id"])
    of_account = np.full(int(account.max(initial=-1)) + 2, MISSING_DAY)
    np.maximum.at(of_account, account[known], last[known])
    archived = register["archived"].to_numpy()
    stop, why = np.full(len(register), EVER), np.zeros(len(register), dtype=np.int64)
    for reason, day, holds in (
        (ARCHIVED, archived, archived != MISSING_DAY),
        (UNTRACKED, last, ~register["tracked"].to_numpy(dtype=bool)),
        (ENDED, of_account[account], register["ended"].to_numpy(dtype=bool)),
        (REPLACED, last, replaced),
    ):
        earlier = holds & (day < stop)
        stop, why = np.where(earlier, np.maximum(day, -EVER), stop), np.where(earlier, reason, why)
    return stop, why


def _swapped(register: pd.DataFrame) -> tuple[Truth, Truth]:
    """Say which meters another of their account (else site), commodity and subtype replaced, and which are such."""
    seen, last = register["seen"].to_numpy(), register["last"].to_numpy()
    account = register["account_id"]
    place = ("account " + account).where(account.notna(), "site " + register["site_id"])
    known = np.flatnonzero((seen != MISSING_DAY) & place.notna().to_numpy())
    replaced, successor = np.zeros(len(register), dtype=bool), np.zeros(len(register), dtype=bool)
    if not len(known):
        return replaced, successor
    group, _ = group_keys(register.iloc[known].assign(place=place.iloc[known]), ("place", "commodity", "subtype"))
    several = np.bincount(group)[group] > 1
    known, group = known[several], group[several]
    key = group * _SPAN + seen[known] + _SPAN // 2
    order = np.argsort(key, kind="stable")
    # The meters of the group that are seen after this one, about when its records end.
    base = group * _SPAN + _SPAN // 2
    begin = np.searchsorted(key[order], base + np.maximum(last[known] - _SWAP, seen[known] + 1))
    end = np.searchsorted(key[order], base + last[known] + _SWAP, side="right")
    owner, other = expand(begin, np.maximum(end - begin, 0))
    old, new = known[owner], known[order[other]]
    lasting = last[new] > last[old]
    replaced[old[lasting]] = True
    successor[new[lasting]] = True
    return replaced, successor


def _due(every: Whole, hauled: Truth, records: tuple[Whole, Whole, Whole], day: int) -> Whole:
    """Return of each meter the last day of the last month, quarter, year or season that ended on `day` or before.

    A meter whose own bills are longer than what is expected, such as one billed every two months, has that much longer.
    """
    code, first, last = records
    asked = np.array([_DAYS[span] for span in _SPANS])[np.searchsorted(_SPANS, every)]
    number = np.bincount(code, minlength=len(every))
    long = np.bincount(code[last - first + 1 > _LONGER * asked[code]], minlength=len(every))
    slow = np.flatnonzero((2 * long > number) & (number >= _USUAL) & ~hauled)
    days = np.full(len(every), day)
    if len(slow):
        days[slow] -= np.ceil(usual_days(records, every, slow) - asked[slow]).astype(np.int64)
    month = month_of(days + 1)
    months = np.where(every == SEASONAL, 12, every)
    ends = np.where(every == SEASONAL, 3, 0)  # a season ends with March
    return day_of_month((month - ends) // months * months + ends) - 1


def _mended(
    code: Whole, first: Whole, last: Whole, records: tuple[Whole, Whole, Whole], hauled: Truth
) -> tuple[tuple[Whole, Whole, Whole], bool]:
    """Close holes of one day between pieces, and say whether neighbours share their boundary day as a rule."""
    next_one = np.append(np.where(code[1:] == code[:-1], first[1:], MISSING_DAY), MISSING_DAY)[: len(code)]
    closed = np.where((next_one == last + 2) & ~hauled[code], last + 1, last)
    return (code, first, closed), _share(*records, hauled)


def _share(code: Whole, first: Whole, last: Whole, hauled: Truth) -> bool:
    """Say whether most neighbouring records of the meters share their boundary day."""
    order = in_order(code * _SPAN + first + _SPAN // 2, lambda places: last[places])  # whatever the order of rows
    same = code[order][1:] == code[order][:-1]
    later = order[1:][same]
    return boundary_days((first, last), order[:-1][same], later, hauled[code[later]])[1]


def _edges(pieces: tuple[Whole, Whole, Whole], begin: Whole, stop: Whole) -> tuple[Whole, Whole, Whole]:
    """Return the part of the pieces between a meter's first and last day, its edges closed by one day."""
    code, first, last = pieces
    first, last = np.maximum(first, begin[code]), np.minimum(last, stop[code])
    kept = first <= last
    code, first, last = code[kept], first[kept], last[kept]
    head = np.ones(len(code), dtype=bool)
    head[1:] = code[1:] != code[:-1]
    tail = np.append(head[1:], True)[: len(code)]
    first = np.where(head & (first == begin[code] + 1), first - 1, first)
    last = np.where(tail & (last == stop[code] - 1), last + 1, last)
    return code, first, last


def deliveries(view: Outlook, rows: Whole, months: Whole) -> tuple[Truth, Truth, Truth]:
    """Return, for hauled meters and months, which are expected, whether its period has a delivery, and is whole.

    `rows` are meters of `view`, `months` a run of months; a period is whole where the meter is expected all through it;
    of a month a part is enough.
    """
    low, high = int(months[0]) // 12 * 12 - 12, int(months[-1]) // 12 * 12 + 24
    wide = np.arange(low, high)
    number = np.full(len(view.register), -1)
    number[rows] = np.arange(len(rows))
    code, first, last = view.records
    mine = number[code] >= 0
    shape = (len(rows), len(wide))
    touched = records_in_months(number[code[mine]], first[mine], last[mine], shape, low) > 0
    begin, stop = view.begin[rows][:, None], view.stop[rows][:, None]
    starts, ends = day_of_month(wide), day_of_month(wide + 1) - 1
    expected = (ends >= begin) & (starts <= stop)
    whole = (starts >= begin) & (ends <= stop) | (view.every[rows] == 1)[:, None]
    present = np.zeros(shape, dtype=bool)
    for span in np.unique(view.every[rows]):
        these = view.every[rows] == span
        inside, period = np.ones(len(wide), dtype=bool), wide // max(int(span), 1)
        if span == SEASONAL:
            inside, period = (wide % 12 >= 9) | (wide % 12 < 3), (wide + 3) // 12
            expected[these] &= inside
        edges = np.flatnonzero(np.diff(period, prepend=period[0] - 1))
        sizes = np.diff(np.append(edges, len(wide)))
        has = np.logical_or.reduceat((touched & inside)[these], edges, axis=1)
        all_of = np.logical_and.reduceat((whole | ~inside)[these], edges, axis=1)
        present[these], whole[these] = np.repeat(has, sizes, axis=1), np.repeat(all_of, sizes, axis=1)
    taken = slice(int(months[0]) - low, int(months[-1]) - low + 1)
    return expected[:, taken], present[:, taken], whole[:, taken]


def usual_days(records: tuple[Whole, Whole, Whole], every: Whole, meters: Whole) -> npt.NDArray[np.float64]:
    """Return how many days a bill of each of `meters` usually covers: its own median, else what is expected."""
    code, first, last = records
    wanted = np.zeros(len(every), dtype=bool)
    wanted[meters] = True
    mine = wanted[code]
    lengths = pd.Series(last[mine] - first[mine] + 1).groupby(code[mine])
    own = lengths.median()[lengths.size() >= _USUAL].reindex(meters).to_numpy(dtype=np.float64)
    return np.where(np.isnan(own), np.array([_DAYS[int(span)] for span in every[meters]], dtype=np.float64), own)
