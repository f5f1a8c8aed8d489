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


def counts_days(records):
    """How a reading's days count: "exclusive" where most neighbours of a meter share their boundary day alone.

    A record's neighbour is the earlier one that was first to reach as far as any before it.
    """
    shared = pairs = 0
    for meter in {(record["meter"], record["export"]) for record in records}:
        mine = sorted((one["start"], one["end"]) for one in records if (one["meter"], one["export"]) == meter)
        for place, other in enumerate(mine[1:], 1):
            one = max(mine[:place], key=lambda period: period[1])
            pairs += 1
            shared += one[1] == other[0] and one != other
    return "exclusive" if 2 * shared > pairs else "inclusive"


def load_factor(reading, records, convention, kwh, kw):
    """Load factor of a reading by the records that belong to it, and the first word of why there is none.

    `kwh` and `kw` say what one unit is; units they do not know have no such figure. Exports are subtracted.
    """
    if not records:
        return None, "no usage record"
    if any(record["unit"] not in kwh for record in records):
        return None, "usage is not known"
    if reading["unit"] not in kw:
        return None, "demand is not known"
    if reading["demand"] <= 0:
        return None, "demand is not positive"
    if reading["end"] < reading["start"]:
        return None, "no positive period"
    energy = sum(
        (-abs(record["usage"]) if record["export"] else record["usage"]) * kwh[record["unit"]] for record in records
    )
    days = (reading["end"] - reading["start"]).days + 1
    if convention != "inclusive" and days > 1:
        days -= 1
    factor = energy / (reading["demand"] * kw[reading["unit"]] * days * 24)
    return factor, "above 1" if factor > 1 else None


def site_energy(records, kwh, year):
    """Net energy of a site brought to a year by the days on which any meter of a commodity has a bill, and those days.

    None where a commodity has fewer days than eleven months.
    """
    total, least = Fraction(0), None
    for commodity in {record["commodity"] for record in records}:
        mine = [record for record in records if record["commodity"] == commodity]
        covered = set().union(*(days_of(record["start"], record["end"]) for record in mine))
        net = sum((-1 if record["export"] else 1) * record["usage"] * kwh[record["unit"]] for record in mine)
        whole = twelve_months(net, _by_month(covered), year)
        least = len(covered) if least is None else min(least, len(covered))
        total = None if total is None or whole is None else total + whole
    return total, least


def _by_month(covered):
    return [(month, sum(month_of(day) == month for day in covered)) for month in {month_of(day) for day in covered}]


def lows(months, fall, rise, least):
    """Low reads and catch-ups of one meter, {month: (kind, baseline)}, of {month: (usage, days covered, days)}.

    Months of which less than half is billed are not judged and are no baseline; days are compared. A catch-up is
    the first read after the lows that is as low no more. Wants other years to tell a habit by.
    """
    fall, rise = Fraction(str(fall)), Fraction(str(rise))
    rates = {month: usage / days for month, (usage, days, length) in months.items() if 2 * days >= length}
    found, fallen_from, lowered = {}, None, False  # the level before the lows; whether the month before is one
    for month in sorted(rates):
        oldest = date(month.year - 2, month.month, 1)
        base = [
            rate
            for other, rate in rates.items()
            if oldest <= other < month and heating(other) == heating(month) and other not in found
        ]
        known = len(base) >= least and sum(base) > 0
        mean = sum(base) / len(base) if known else fallen_from
        if mean is None:
            continue
        habit = [rate for other, rate in rates.items() if other in near_years(month) and other not in found]
        low = rates[month] < (1 - fall) * mean
        if low and (all(rates[month] < (1 - fall) * rate for rate in habit) if known else lowered):
            found[month] = "zero_read" if rates[month] == 0 else "collapsed_read", mean * months[month][1]
            fallen_from, lowered = mean if fallen_from is None else fallen_from, True
            continue
        lowered = False
        if fallen_from is None or rates[month] < (1 - fall) * fallen_from:
            continue
        highest = max([mean, *(rates[other] for other in rates if other != month and other.month == month.month)])
        if rates[month] > (1 + rise) * highest:
            found[month] = "catch_up", mean * months[month][1]
        fallen_from = None
    return found


def near_years(month):
    """The same month of the two years before and after, and the months beside these."""
    at = month.year * 12 + month.month - 1
    return {
        date(place // 12, place % 12 + 1, 1)
        for year in (-2, -1, 1, 2)
        for place in range(at + 12 * year - 1, at + 12 * year + 2)
    }


def price_before(months, costs, month):
    """What a unit cost in the two years before a month, by the months that are judged."""
    oldest = date(month.year - 2, month.month, 1)
    used = [one for one, (_, days, length) in months.items() if oldest <= one < month and 2 * days >= length]
    return sum(costs[one] for one in used) / sum(months[one][0] for one in used)
