"""Which months should have bills and which have none, as methodology.md words it: days as sets. Slow on purpose.

Imports nothing of the package. A book is a dict of lists of dicts: `records` (`meter`, `start`, `end`; those that
count, with a usage), `meters` (`id`, `account`, `site`, `commodity`, `tracked`), `accounts` (`id`, `begins`,
`status`) and `sites` (`id`, `archived`).
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
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


class Company:
    """What is known of a company's meters on a day."""

    def __init__(self, book, today, grace=45, expected="monthly"):
        self.book, self.today, self.grace = book, today, grace
        self.every, self.usual = EVERY[expected]
        self.account = {row["id"]: row for row in book["accounts"]}
        self.site = {row["id"]: row for row in book["sites"]}

    def records(self, meter):
        return [row for row in self.book["records"] if row["meter"] == meter["id"]]

    def first(self, meter):
        return min((row["start"] for row in self.records(meter)), default=None)

    def last(self, meter):
        return max((row["end"] for row in self.records(meter)), default=None)

    def covered(self, meter):
        """Every day on a bill, and single days between two bills."""
        found = set()
        for row in self.records(meter):
            found |= days_of(row["start"], row["end"])
        return found | {day for day in {one + DAY for one in found} if day + DAY in found}

    def begins(self, meter):
        account = self.account.get(meter["account"])
        told = account["begins"] if account else None
        return told or self.first(meter)

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
        if self.replaced(meter):
            ends.append(self.last(meter))
        return min(ends)

    def replaced(self, meter):
        if not self.records(meter):
            return False
        place = "account" if meter["account"] else "site"
        alike = [
            other
            for other in self.book["meters"]
            if other["id"] != meter["id"] and all(other[name] == meter[name] for name in (place, "commodity"))
        ]
        return any(
            self.first(other) > self.first(meter)
            and abs((self.first(other) - self.last(meter)).days) <= REPLACED_WITHIN
            and self.last(other) > self.last(meter)
            for other in alike
            if self.records(other)
        )

    def expected_days(self, meter, month):
        begins, ends = self.begins(meter), self.ends(meter)
        if begins is None or ends is None:
            return set()
        return {day for day in month_days(month) if begins <= day <= ends}

    def due(self, month):
        """Whether the bills of a month, or of its quarter or year, should have come."""
        at = (month.year * 12 + month.month - 1) // self.every * self.every + self.every
        over = date(at // 12, at % 12 + 1, 1) - DAY
        return (self.today - over).days >= self.grace

    def status(self, meter, month, least_share=Fraction("0.97")):
        covered = self.covered(meter) & month_days(month)
        expected = self.expected_days(meter, month)
        if meter["commodity"] in HAULED:
            return self.hauled_status(meter, month, bool(covered), bool(expected))
        if not expected:
            return "complete" if covered else "not_required"
        share = Fraction(len(covered & expected), len(expected))
        if covered & expected and share >= least_share:
            return "complete"
        if covered & expected:
            return "partly_billed"
        return "missing" if self.due(month) else "future"

    def hauled_status(self, meter, month, touched, required):
        """Presence is enough: one pickup in the month."""
        if touched:
            return "complete"
        if not required:
            return "not_required"
        return "missing" if self.due(month) else "future"

    def holes(self, meter, first, last):
        """Runs of expected days that no bill covers, up to the last day that is due: (first, last, bills)."""
        lengths = [(row["end"] - row["start"]).days + 1 for row in self.records(meter)]
        usual = median(lengths) if len(lengths) >= 3 else self.usual
        run, found = [], []
        covered = self.covered(meter)
        for month in [*months(first, last), None]:
            for day in sorted(self.expected_days(meter, month)) if month and self.due(month) else []:
                if day not in covered:
                    if run and day != run[-1] + DAY:
                        found.append(run)
                        run = []
                    run.append(day)
        if run:
            found.append(run)
        return [(run[0], run[-1], max(1, round(Fraction(len(run)) / Fraction(usual)))) for run in found]
