"""Which months should have bills and which have none, as methodology.md words it: days as sets. Slow on purpose.

Imports nothing of the package. A book is a dict of lists of dicts: `records` (`meter`, or None with `account` and
`commodity`; `start`, `end`; those that count, with a usage), `meters` (`id`, `account`, `site`, `commodity`,
`tracked`), `accounts` (`id`, `begins`, `connection_begins`, `status`) and `sites` (`id`, `archived`).
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil
from statistics import median

DAY = timedelta(days=1)
HAULED = ("WASTE", "FUEL")
SILENT = ("DETECTED", "DUPLICATE", "INACTIVE", "CUSTOMER_NOT_TRACKED")
NEVER_ENDS = date(9000, 1, 1)
REPLACED_WITHIN = 35
#: Months between two bills, and what a bill covers where a meter has too few of its own to tell.
EVERY = {"monthly": (1, Fraction("30.4375")), "quarterly": (3, Fraction("91.3125")), "yearly": (12, Fraction("365.25"))}


def days_of(first, last):
    return {first + DAY * place for place in range((last - first).days + 1)}


def next_month(month):
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_days(month):
    return days_of(month, next_month(month) - DAY)


def months(first, last):
    month, found = first.replace(day=1), []
    while month <= last:
        found.append(month)
        month = next_month(month)
    return found


def once(method):
    """Ask a method once for each meter."""

    def asked(self, meter):
        key = method.__name__, meter["id"]
        if key not in self.known:
            self.known[key] = method(self, meter)
        return self.known[key]

    return asked


class Company:
    """What is known of a company's meters on a day."""

    def __init__(self, book, today, grace=45, expected=None):
        self.book, self.today, self.grace = book, today, grace
        self.asked = expected
        self.known = {}
        self.account = {row["id"]: row for row in book["accounts"]}
        self.site = {row["id"]: row for row in book["sites"]}

    @once
    def records(self, meter):
        """Return its own records, and what its account used of its commodity without naming a meter."""
        lent = meter["account"], meter["commodity"]
        return [
            row
            for row in self.book["records"]
            if row["meter"] == meter["id"] or (row["meter"] is None and (row["account"], row["commodity"]) == lent)
        ]

    @once
    def first(self, meter):
        return min((row["start"] for row in self.records(meter)), default=None)

    @once
    def last(self, meter):
        return max((row["end"] for row in self.records(meter)), default=None)

    @once
    def billed(self, meter):
        """Every day on a bill, and single days between two bills."""
        found = set()
        for row in self.records(meter):
            found |= days_of(row["start"], row["end"])
        return found | {day for day in {one + DAY for one in found} if day + DAY in found}

    @once
    def covered(self, meter):
        """Days on a bill; one day beside it, the first or the last that is expected, is a bill's edge too."""
        found, begins, ends = self.billed(meter), self.begins(meter), self.ends(meter)
        if begins is None or ends is None:
            return found
        inside = {day for day in found if begins <= day <= ends}
        edges = {begins} if begins + DAY in inside else set()
        return found | edges | ({ends} if ends - DAY in inside else set())

    @once
    def begins(self, meter):
        """An account's own start, but not of a meter that took over; a connection's only without a record."""
        account = self.account.get(meter["account"])
        told = account["begins"] if account else None
        if told and not any(self.follows(meter, other) for other in self.book["meters"]):
            return told
        return self.first(meter) or (account["connection_begins"] if account else None)

    @once
    def ends(self, meter):
        """Last day on which a bill is expected; None where none ever is."""
        account, site = self.account.get(meter["account"]), self.site.get(meter["site"])
        ends = [NEVER_ENDS]
        if account and account["status"] in SILENT:
            return None
        if site and site["archived"]:
            ends.append(site["archived"])
        if account and account["status"] == "OLD_ACCOUNT":
            neighbours = [other for other in self.book["meters"] if other["account"] == meter["account"]]
            lasts = [self.last(other) for other in neighbours if self.records(other)]
            if not lasts:
                return None
            ends.append(max(lasts))
        if not meter["tracked"]:
            if not self.records(meter):
                return None
            ends.append(self.last(meter))
        if any(self.follows(other, meter) for other in self.book["meters"]):
            ends.append(self.last(meter))
        return min(ends)

    def follows(self, later, earlier):
        """Whether a meter of the same account (else site) and commodity begins about when another ends, and lasts."""
        place = "account" if later["account"] else "site"
        if later["id"] == earlier["id"] or any(later[name] != earlier[name] for name in (place, "commodity")):
            return False
        if not self.records(later) or not self.records(earlier):
            return False
        return (
            self.first(later) > self.first(earlier)
            and abs((self.first(later) - self.last(earlier)).days) <= REPLACED_WITHIN
            and self.last(later) > self.last(earlier)
        )

    def expected_days(self, meter, month):
        begins, ends = self.begins(meter), self.ends(meter)
        if begins is None or ends is None:
            return set()
        return {day for day in month_days(month) if begins <= day <= ends}

    def often(self, meter):
        """How often a bill of a meter is expected: a word of EVERY, or "seasonal"."""
        return self.asked or ("seasonal" if meter["commodity"] == "FUEL" else "monthly")

    @once
    def lengths(self, meter):
        return [(row["end"] - row["start"]).days + 1 for row in self.records(meter)]

    @once
    def patience(self, meter):
        """Days after a month until its bill is due: more for a meter whose bills are longer than what is expected."""
        lengths = self.lengths(meter)
        if meter["commodity"] in HAULED or len(lengths) < 3:
            return self.grace
        usual = EVERY[self.often(meter)][1]
        long = [length for length in lengths if length > Fraction("1.2") * usual]
        return self.grace + (ceil(Fraction(median(lengths)) - usual) if 2 * len(long) > len(lengths) else 0)

    def period(self, meter, month):
        """The months in which one bill or delivery is expected, of which this month is one."""
        at = month.year * 12 + month.month - 1
        if self.often(meter) == "seasonal":
            begin, number = (at - 9) // 12 * 12 + 9, 6  # October to March
        else:
            number = EVERY[self.often(meter)][0]
            begin = at // number * number
        return [date(place // 12, place % 12 + 1, 1) for place in range(begin, begin + number)]

    def due(self, meter, month):
        """Whether the bills of a month, or of its quarter, year or season, should have come."""
        over = next_month(self.period(meter, month)[-1]) - DAY
        return (self.today - over).days >= self.patience(meter)

    def status(self, meter, month, least_share=Fraction("0.97")):
        covered = self.covered(meter) & month_days(month)
        expected = self.expected_days(meter, month)
        if meter["commodity"] in HAULED:
            return self.hauled_status(meter, month)
        if not expected:
            return "complete" if covered else "not_required"
        share = Fraction(len(covered & expected), len(expected))
        if covered & expected and share >= least_share:
            return "complete"
        if covered & expected:
            return "partly_billed"
        return "missing" if self.due(meter, month) else "future"

    def delivered(self, meter, month):
        return bool(self.billed(meter) & month_days(month))

    def hauled_status(self, meter, month):
        """Presence is enough: one pickup or delivery in the month, quarter, year or season."""
        if self.delivered(meter, month):
            return "complete"
        period = self.period(meter, month)
        if month not in period or not self.expected_days(meter, month):
            return "not_required"
        if any(self.delivered(meter, other) for other in period):
            return "complete" if month <= self.today else "future"
        whole = all(self.expected_days(meter, other) == month_days(other) for other in period)
        if not whole and len(period) > 1:
            return "not_required"
        return "missing" if self.due(meter, month) else "future"

    def of_site(self, members, month, least_share=Fraction("0.97")):
        """The status of meters together: by their days summed, and never complete with a meter that is missing."""
        states = [self.status(meter, month) for meter in members]
        if {"complete", "partly_billed"} & set(states):
            if members[0]["commodity"] in HAULED:
                return "complete" if set(states) <= {"complete", "not_required"} else "partly_billed"
            expected = [self.expected_days(meter, month) for meter in members]
            there = sum(len(self.covered(meter) & days) for meter, days in zip(members, expected, strict=True))
            enough = there >= least_share * sum(map(len, expected))
            return "complete" if enough and "missing" not in states else "partly_billed"
        return next(word for word in ("missing", "future", "not_required") if word in states)

    def shares_days(self):
        """Whether most neighbouring bills share their boundary day alone, one ending as the next begins."""
        pairs = []
        for meter in self.book["meters"]:
            periods = sorted((row["start"], row["end"]) for row in self.records(meter))
            if meter["commodity"] not in HAULED:
                pairs += [one[1] == other[0] and one != other for one, other in pairwise(periods)]
        return 2 * sum(pairs) > len(pairs)

    def holes(self, meter, first, last):
        """Runs of expected days that no bill covers, up to the last day that is due: (first, last, bills)."""
        if meter["commodity"] in HAULED:
            return self.missed(meter, first, last)
        lengths = self.lengths(meter)
        usual = median(lengths) if len(lengths) >= 3 else EVERY[self.often(meter)][1]
        covered = self.covered(meter)
        lacking = [
            day
            for month in months(first, last)
            if self.due(meter, month)
            for day in sorted(self.expected_days(meter, month))
            if day not in covered
        ]
        found = [(run[0], run[-1]) for run in runs(lacking, lambda day: day + DAY)]
        if self.shares_days():
            found = [
                (begin - DAY if begin > self.begins(meter) and begin - DAY in covered else begin, end)
                for begin, end in found
            ]
        return [(begin, end, max(1, round(Fraction((end - begin).days + 1) / Fraction(usual)))) for begin, end in found]

    def missed(self, meter, first, last):
        """Runs of months whose period lacks its delivery, and one delivery for each period."""
        lacking = [month for month in months(first, last) if self.status(meter, month) == "missing"]
        size = len(self.period(meter, first))
        return [
            (run[0], next_month(run[-1]) - DAY, ceil(Fraction(len(run), size))) for run in runs(lacking, next_month)
        ]


def runs(ordered, following):
    found = []
    for one in ordered:
        if found and following(found[-1][-1]) == one:
            found[-1].append(one)
        else:
            found.append([one])
    return found
