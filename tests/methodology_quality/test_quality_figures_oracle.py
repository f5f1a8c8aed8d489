"""Load factor, intensity and low reads against the slow second reading, on random records and months."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import quality as oracle

import nectar_notebooks as nn
from nectar_notebooks.methodology.quality.anomalies.find import anomalies

KWH = {"kWh": Fraction(1), "MWh": Fraction(1000)}
KW = {"kW": Fraction(1), "MW": Fraction(1000)}
DAY = timedelta(days=1)
SQUARE_FOOT = Fraction("0.09290304")


@st.composite
def readings(draw):
    """Draw bills of two meters, one after the other, and readings of which each has some of their records."""
    records = []
    for meter in "MN":
        day, steps = date(2024, 1, 3), draw(st.sampled_from([[0], [1], [0, 1, 4]]))
        for number in range(draw(st.integers(0, 5))):
            end = day + draw(st.sampled_from([0, 28, 30])) * DAY
            about = {"meter": meter, "start": day, "end": end, "export": draw(st.sampled_from([False] * 4 + [True]))}
            usage, unit = draw(st.integers(0, 60_000)), draw(st.sampled_from(["kWh", "kWh", "kWh", "MWh", "CCF"]))
            records.append({**about, "id": f"{meter}{number}", "usage": Fraction(usage), "unit": unit})
            day = end + draw(st.sampled_from(steps)) * DAY
    found = []
    for number in range(draw(st.integers(1, 4))):
        start = date(2024, 1, 3) + draw(st.integers(0, 90)) * DAY
        found.append(
            {
                "id": f"d{number}",
                "start": start,
                "end": start + draw(st.sampled_from([-2, 0, 28, 30])) * DAY,
                "demand": draw(st.sampled_from([0, 20, 90])),
                "unit": draw(st.sampled_from(["kW", "kW", "MW", "kVA"])),
                "records": draw(st.lists(st.sampled_from(records), max_size=3, unique_by=lambda one: one["id"]))
                if records
                else [],
            }
        )
    return records, found


@settings(max_examples=60, deadline=None)
@given(drawn=readings(), asked=st.sampled_from([None, None, "inclusive", "exclusive", "midday"]))
def test_load_factors_equal_the_oracle(drawn, asked):
    records, given_ = drawn
    usage = pd.DataFrame(
        [
            {
                "usage_id": row["id"],
                "bill_id": "b",
                "meter_id": row["meter"],
                "commodity": "ELECTRICITY",
                "usage": float(row["usage"]),
                "unit": row["unit"],
                "start_date": row["start"],
                "end_date": row["end"],
                "net_metering": "EXPORT" if row["export"] else "IMPORT",
            }
            for row in records
        ],
        columns=[
            *("usage_id", "bill_id", "meter_id", "commodity", "usage", "unit"),
            *("start_date", "end_date", "net_metering"),
        ],
    )
    demand = pd.DataFrame(
        [
            {
                "demand_id": row["id"],
                "bill_id": "b",
                "start_date": row["start"],
                "end_date": row["end"],
                "demand": float(row["demand"]),
                "unit": row["unit"],
            }
            for row in given_
        ]
    )
    pairs = pd.DataFrame(
        [(row["id"], record["id"]) for row in given_ for record in row["records"]],
        columns=["demand_id", "usage_id"],
        dtype="str",
    )
    result = nn.load_factor(demand, usage, pairs, convention=asked)
    convention = asked or oracle.counts_days(records)
    assert result.attrs["nectar"]["convention"] == convention
    for row, said in zip(given_, result.to_dict("records"), strict=True):
        factor, reason = oracle.load_factor(row, row["records"], convention, KWH, KW)
        assert (said["reason"] if pd.notna(said["reason"]) else "").startswith(reason or "")
        assert pd.isna(said["reason"]) == (reason is None)
        if factor is None:
            assert pd.isna(said["load_factor"])
        else:
            assert said["load_factor"] == pytest.approx(float(factor), rel=1e-12, abs=1e-12)


def test_a_load_factor_by_hand():
    reading = {"start": date(2024, 4, 1), "end": date(2024, 5, 1), "demand": 50, "unit": "kW"}
    record = {"meter": "M", "export": False, "usage": Fraction(18000), "unit": "kWh"}
    assert oracle.load_factor(reading, [record], "exclusive", KWH, KW) == (Fraction(1, 2), None)
    sold = {**record, "export": True, "usage": Fraction(9000)}
    assert oracle.load_factor(reading, [record, sold], "exclusive", KWH, KW)[0] == Fraction(1, 4)
    assert oracle.load_factor(reading, [record] * 3, "exclusive", KWH, KW) == (Fraction(3, 2), "above 1")


@st.composite
def years(draw):
    """Draw 2024 of a site: a meter that another follows, each both ways, and perhaps a plant of its own."""
    records = []
    swap = date(2024, draw(st.integers(2, 11)), draw(st.integers(1, 28)))
    gap = draw(st.sampled_from([-10, 0, 0, 3, 31, 40]))
    spans = [("old", "ELECTRICITY", date(2024, 1, 1), swap), ("new", "ELECTRICITY", swap + gap * DAY, None)]
    if draw(st.booleans()):
        spans.append(("roof", "SOLAR", date(2024, 1, draw(st.sampled_from([1, 20]))), None))
    for meter, commodity, day, last in spans:
        unit = draw(st.sampled_from(["kWh", "MWh"]))
        while day < (last or date(2025, 1, 1)):
            end = min(day + draw(st.sampled_from([27, 30, 60])) * DAY, (last or date(2025, 1, 1)) - DAY)
            ways = [False, True] if commodity == "ELECTRICITY" and draw(st.booleans()) else [False]
            for export in ways:
                about = {"meter": meter, "commodity": commodity, "start": day, "end": end, "unit": unit}
                records.append({**about, "export": export, "usage": Fraction(draw(st.integers(1, 9000)))})
            day = end + DAY
    return records


@settings(max_examples=40, deadline=None)
@given(records=years(), area=st.integers(1, 5000), told=st.sampled_from(["m²", "ft²"]), wanted=st.sampled_from("mf"))
def test_intensity_equals_the_oracle(records, area, told, wanted):
    usage = pd.DataFrame(
        [
            {
                "usage_id": f"u{number}",
                "bill_id": f"b{number}",
                "meter_id": row["meter"],
                "site_id": "S",
                "commodity": row["commodity"],
                "usage": float(row["usage"]),
                "unit": row["unit"],
                "start_date": row["start"],
                "end_date": row["end"],
                "net_metering": "EXPORT" if row["export"] else None,
            }
            for number, row in enumerate(records)
        ]
    )
    sites = pd.DataFrame({"site_id": ["S"], "area": [float(area)], "area_unit": [told]})
    area_unit = {"m": "m²", "f": "ft²"}[wanted]
    row = nn.intensity(nn.calendarize(usage), sites, unit="kWh", area_unit=area_unit, end="2024-12").iloc[0]
    year, covered = oracle.site_energy(records, KWH, 366)
    assert row["days_covered"] == covered
    if year is None:
        assert pd.isna(row["intensity"])
        assert "under eleven months" in row["reason"]
        return
    assert row["usage_twelve_months"] == pytest.approx(float(year), rel=1e-9, abs=1e-6)
    size = Fraction(area)
    if told != area_unit:
        size = size * SQUARE_FOOT if area_unit == "m²" else size / SQUARE_FOOT
    assert row["intensity"] == pytest.approx(float(year / size), rel=1e-9, abs=1e-9)
    assert row["intensity_unit"] == f"kWh/{area_unit}"


def test_a_swap_by_hand():
    first = {"meter": "a", "commodity": "ELECTRICITY", "start": date(2024, 1, 1), "end": date(2024, 6, 30)}
    record = {**first, "unit": "kWh", "usage": Fraction(1820), "export": False}
    later = {**record, "meter": "b", "start": date(2024, 7, 1), "end": date(2024, 12, 31), "usage": Fraction(1840)}
    assert oracle.site_energy([record, later], KWH, 366) == (3660, 366)
    sold = {**later, "export": True, "usage": Fraction(660)}
    assert oracle.site_energy([record, later, sold], KWH, 366) == (3000, 366)
    assert oracle.site_energy([record], KWH, 366) == (None, 182)


@st.composite
def falling(draw):
    """Draw two to four years of a steady meter, billed in part here and there, with lows from the second year on."""
    months, costs = {}, {}
    at = 2020 * 12 + draw(st.integers(0, 11))
    size, next_low, run = draw(st.integers(16, 44)), 12 + draw(st.integers(0, 9)), 0
    for number in range(size):
        month = date((at + number) // 12, (at + number) % 12 + 1, 1)
        length = calendar.monthrange(month.year, month.month)[1]
        days = draw(st.sampled_from([length] * 5 + [20, 10]))
        rate = draw(st.integers(80, 120))
        if number >= next_low and run < 2 and (run == 0 or draw(st.booleans())):
            rate, run = draw(st.sampled_from([0, 1, 15])), run + 1
        elif run:
            rate = draw(st.sampled_from([rate, 400]))
            next_low, run = number + 4 + draw(st.integers(0, 9)), 0
        months[month] = Fraction(rate * days), days, length
        costs[month] = months[month][0] * draw(st.sampled_from([2, 3])) / 16
    return months, costs


@settings(max_examples=60, deadline=None)
@given(drawn=falling())
def test_low_reads_and_catch_ups_equal_the_oracle(drawn):
    months, costs = drawn
    frame = pd.DataFrame(
        [
            {
                "meter_id": "M",
                "site_id": "S",
                "commodity": "ELECTRICITY",
                "unit": "kWh",
                "month": pd.Timestamp(month),
                "usage": float(usage),
                "days_covered": float(days),
                "cost": float(costs[month]),
                "currency": "USD",
            }
            for month, (usage, days, _) in months.items()
        ]
    )
    result = anomalies(frame)
    ours = result[result["kind"].isin(["zero_read", "collapsed_read", "catch_up"])]
    said = {row["month"].date(): row for row in ours.to_dict("records")}
    wanted = oracle.lows(months, 0.8, 0.5, 3)
    assert {month: row["kind"] for month, row in said.items()} == {month: kind for month, (kind, _) in wanted.items()}
    for month, (_, baseline) in wanted.items():
        usage, days, length = months[month]
        stake = abs(usage - baseline)
        assert said[month]["baseline"] == pytest.approx(float(baseline), rel=1e-9)
        assert said[month]["units_at_stake"] == pytest.approx(float(stake), rel=1e-9)
        money = stake * oracle.price_before(months, costs, month)
        assert said[month]["money_at_stake"] == pytest.approx(float(money), rel=1e-9)
        assert said[month]["partly_billed"] == (100 * days < 97 * length)


def test_lows_by_hand():
    months = {date(2022 + at // 12, at % 12 + 1, 1): (Fraction(3000), 30, 30) for at in range(22)}
    months[date(2023, 5, 1)] = Fraction(0), 30, 30
    months[date(2023, 6, 1)] = Fraction(0), 10, 30  # not judged: a third of its days
    months[date(2023, 7, 1)] = Fraction(6200), 30, 30
    assert oracle.lows(months, 0.8, 0.5, 3) == {
        date(2023, 5, 1): ("zero_read", 3000),
        date(2023, 7, 1): ("catch_up", 3000),
    }
    costs = {month: usage / 10 for month, (usage, _, _) in months.items()}
    assert oracle.price_before(months, costs, date(2023, 5, 1)) == Fraction(1, 10)
