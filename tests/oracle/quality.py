"""A second, slow reading of the quality rules: days as sets, fractions, plain loops.

Written from the methodology alone; imports nothing of the package. Records are plain dictionaries.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from statistics import median

DAY = timedelta(days=1)


def days_of(first, last):
    """Every civil day from first to last, both counted."""
    return [first + DAY * place for place in range((last - first).days + 1)]


def month_of(day):
    return day.replace(day=1)


def next_month(month):
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months_between(first, last):
    month, found = month_of(first), []
    while month <= last:
        found.append(month)
        month = next_month(month)
    return found


def coverage(records, key, first, last):
    """Distinct days and records of each entity and month: {(entity, month): (days, records)}.

    A single day between two records counts as covered.
    """
    found = {}
    for entity in {record[key] for record in records}:
        mine = [record for record in records if record[key] == entity]
        covered = set()
        for record in mine:
            covered |= set(days_of(record["start"], record["end"]))
        covered |= {day + DAY for day in covered if day + 2 * DAY in covered}
        for month in months_between(first, last):
            inside = set(days_of(month, next_month(month) - DAY))
            touching = [1 for record in mine if inside & set(days_of(record["start"], record["end"]))]
            found[entity, month] = (len(covered & inside), len(touching))
    return found


def last_due(lengths, today, grace=45):
    """The last day of the last month whose bill should be there; bills longer than a month have that much longer."""
    day = today - grace * DAY
    month = Fraction("30.4375")
    if len(lengths) >= 3 and 2 * sum(length > month * Fraction("1.2") for length in lengths) > len(lengths):
        day -= ceil(Fraction(median(lengths)) - month) * DAY
    return day if next_month(month_of(day)) == day + DAY else month_of(day) - DAY


def gaps(records, today):
    """Runs of days, from the first day of a meter to the last that is due, that no record covers, but single ones."""
    found = []
    for meter in sorted({record["meter"] for record in records}):
        mine = [record for record in records if record["meter"] == meter]
        covered = set()
        for record in mine:
            covered |= set(days_of(record["start"], record["end"]))
        covered |= {day + DAY for day in covered if day + 2 * DAY in covered}
        due = last_due([(record["end"] - record["start"]).days + 1 for record in mine], today)
        run = []
        for day in [*days_of(min(covered), due), None]:
            if day is None or day in covered:
                if run:
                    found.append((meter, run[0], run[-1]))
                run = []
            else:
                run.append(day)
    return found


def split_change(now, before):
    """Price, volume and days of a change in cost, each (cost, usage, days) as fractions."""
    (c1, u1, d1), (c0, u0, d0) = ([Fraction(str(value)) for value in side] for side in (now, before))
    p1, p0, q1, q0 = c1 / u1, c0 / u0, u1 / d1, u0 / d0
    price = (p1 - p0) * (u1 + u0) / 2
    volume = (p1 + p0) / 2 * (q1 - q0) * (d1 + d0) / 2
    days = (p1 + p0) / 2 * (d1 - d0) * (q1 + q0) / 2
    assert price + volume + days == c1 - c0
    return price, volume, days


def twelve_months(usage, covered, year, hauled=False):
    """Usage brought to twelve months by (month, days) of one site and commodity; None under eleven months.

    Of rows of one month the longest says how many days there are: where their days lie is not told.
    """
    if hauled:
        return usage
    days = {}
    for month, number in covered:
        days[month] = max(days.get(month, 0), Fraction(number))
    whole = sum(days.values())
    return None if whole < year - 31 else usage * year / whole


def heating(month):
    return month.month in (10, 11, 12, 1, 2, 3)


def spikes(values, rise, least, lasting):
    """Spikes and changes of regime of one series {month: value}: two lists of months."""
    rise = Fraction(str(rise))
    found, regimes = [], []
    run, since = [], None
    for month in months_between(min(values), max(values)):
        oldest = date(month.year - 2, month.month, 1)
        base = [
            Fraction(values[other])
            for other in values
            if oldest <= other < month
            and heating(other) == heating(month)
            and other not in run
            and (since is None or other >= since)
        ]
        mean = sum(base) / len(base) if base else None
        high = month in values and len(base) >= least and mean > 0 and Fraction(values[month]) > mean * (1 + rise)
        if not high:
            found += run
            run = []
            continue
        run.append(month)
        if len(run) == lasting:
            regimes.append(run[0])
            since, run = run[0], []
    return sorted(found + run), regimes


def filled(rows):
    """What is added to each month of one series: {month: (days, usage)}; rows {month: (usage, days)}."""
    found = {}
    for month in months_between(min(rows), max(rows)):
        length = (next_month(month) - month).days
        _, covered = rows.get(month, (None, 0))
        lacking = length - covered
        before = rows.get(date(month.year - 1, month.month, 1))
        whole = 100 * covered >= 97 * length  # from 97 % of its days on a month lacks nothing
        before_length = (next_month(date(month.year - 1, month.month, 1)) - date(month.year - 1, month.month, 1)).days
        if not whole and before is not None and before[0] is not None and 0 < before_length <= 2 * before[1]:
            found[month] = (lacking, Fraction(str(before[0])) / before[1] * lacking)
    return found
