"""Readiness: each rule of CalTRACK 2 and ENERGY STAR on the side it accepts and on the side it rejects."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.quality.issues import issues
from nectar_notebooks.methodology.quality.readiness import readiness
from nectar_notebooks.methodology.time.calendarize import calendarize


def chain(lengths, start=date(2023, 1, 1), **columns):
    """Records that follow each other without a gap, of so many days each."""
    rows, day = [], start
    for place, length in enumerate(lengths):
        end = day + timedelta(days=length - 1)
        rows.append((f"u{place:02}", "M", day.isoformat(), end.isoformat(), 10.0))
        day = end + timedelta(days=1)
    frame = pd.DataFrame(rows, columns=["usage_id", "meter_id", "start_date", "end_date", "usage"])
    return frame.assign(**{"commodity": "ELECTRICITY", **columns})


def rules(frame, consumer):
    result = readiness(frame, consumers=[consumer])
    return list(zip(result["rule"], result["usage_id"].fillna(""), strict=True))


YEAR = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_twelve_calendar_months_are_ready_for_both():
    assert len(readiness(chain(YEAR))) == 0


@pytest.mark.parametrize(("length", "rejected"), [(24, "too_short"), (25, None), (35, None), (36, "too_long")])
def test_lengths_of_monthly_periods(length, rejected):
    told = rules(chain([30] * 13 + [length]), "CalTRACK 2")
    assert told == ([(rejected, "u13")] if rejected else [])


def test_today_decides_which_periods_can_be():
    """Records of 2050 are read as of 2050 whatever the machine's date is; as of 2024 they cannot be."""
    records = chain(YEAR, start=date(2049, 1, 1))
    assert len(readiness(records, today="2050-02-01")) == 0
    early = readiness(records, today="2024-02-01")
    assert early.attrs["nectar"]["left_out"] == 12


def test_records_of_one_day_in_a_row_share_no_day():
    """A missing or equal end is a record of one day: none is left out, and none is on two records."""
    one = chain([1] * 40)
    for records in (one, one.assign(end_date=None)):
        assert readiness(records).attrs["nectar"]["convention"] == "inclusive"
        assert "shared_boundary_days" not in set(issues(records, today="2023-03-01")["kind"])
        for convention in ("inclusive", "exclusive", "midday"):
            months = calendarize(records.assign(unit="kWh"), convention)
            assert months[["usage", "days_covered", "days_overlapped"]].values.tolist() == [[310, 31, 0], [90, 9, 0]]
    # twice the same day is a day billed twice, no boundary
    again = pd.concat([one, one.assign(usage_id=one["usage_id"] + "b")], ignore_index=True)
    told = issues(again, today="2023-03-01")
    assert set(told["kind"]) == {"duplicate_usage"}
    assert len(told) == 40
    assert readiness(again).attrs["nectar"]["convention"] == "inclusive"
    # to the next day, and the next from there: the end is the next one's start
    to_next = one.assign(end_date=one["start_date"].shift(-1))
    assert readiness(to_next).attrs["nectar"]["convention"] == "exclusive"


@pytest.mark.parametrize(("length", "rejected"), [(60, False), (70, False), (71, True)])
def test_bimonthly_meters_may_have_seventy_days(length, rejected):
    told = rules(chain([60] * 6 + [length]), "CalTRACK 2")
    # Without the long period 294 of the last 365 days are left, which is no baseline either.
    assert told == ([("baseline", ""), ("too_long", "u06")] if rejected else [])


def test_estimated_reads_merge_into_the_next_actual_one():
    lengths = [30] * 14
    one = [place == 5 for place in range(14)]
    assert rules(chain(lengths, estimated=one), "CalTRACK 2") == []
    two = [place in (5, 6) for place in range(14)]
    assert rules(chain(lengths, estimated=two), "CalTRACK 2")[-1] == ("estimated", "u07")
    last = [place == 13 for place in range(14)]
    assert ("estimated", "u13") in rules(chain(lengths, estimated=last), "CalTRACK 2")


def test_zero_electricity_counts_as_missing_and_zero_gas_does_not():
    usage = [10.0] * 13 + [0.0]
    assert rules(chain([30] * 14, usage=usage), "CalTRACK 2") == [("zero_electricity", "u13")]
    assert rules(chain([30] * 14, usage=usage, commodity="GAS"), "CalTRACK 2") == []
    assert rules(chain([30] * 14, usage=[*usage[:-1], None]), "CalTRACK 2") == [("missing_usage", "u13")]


def test_the_baseline_needs_329_of_its_365_days():
    exact = chain([33] * 9 + [32])
    assert sum([33] * 9 + [32]) == 329
    assert rules(exact, "CalTRACK 2") == []
    short = chain([33] * 8 + [32, 32])
    result = readiness(short, consumers=["CalTRACK 2"])
    assert result["rule"].tolist() == ["baseline"]
    assert result["why"][0].startswith("usable periods cover 328 of the 365 days")
    assert pd.isna(result["usage_id"][0])


def test_energy_star_rejects_gaps_and_overlaps_but_not_a_shared_day():
    months = chain(YEAR)
    assert rules(months.drop(5), "ENERGY STAR") == [("year", ""), ("gap", "u06")]
    shared = months.copy()
    shared.loc[3, "end_date"] = shared.loc[4, "start_date"]
    assert rules(shared, "ENERGY STAR") == []
    shared.loc[3, "end_date"] = "2023-05-02"
    result = readiness(shared, consumers=["ENERGY STAR"])
    assert result["why"].tolist() == ["2 days are in record u03 too"]


def test_a_year_is_twelve_full_calendar_months():
    assert rules(chain(YEAR[:11]), "ENERGY STAR") == [("year", "")]
    # 13 periods from the middle of a month hold twelve full months, 12 do not.
    assert rules(chain([30] * 12, start=date(2023, 1, 15)), "ENERGY STAR") == [("year", "")]
    assert rules(chain([31] * 13, start=date(2023, 1, 15)), "ENERGY STAR") == []


def test_delivered_fuel_belongs_to_its_month():
    deliveries = chain([1], commodity="FUEL", unit="gal (US)")
    assert len(readiness(deliveries)) == 0


def test_rows_that_do_not_count_are_left_out():
    result = readiness(chain(YEAR).assign(counts=[True] * 11 + [False], counts_reason="superseded"))
    assert result.attrs["nectar"]["left_out: superseded"] == 1
    assert "year" in result["rule"].tolist()


def shared(lengths, start=date(2023, 1, 1), **columns):
    """Records each of which ends on the day on which the next begins: so many days to the day before."""
    frame = chain(lengths, start, **columns)
    end = pd.to_datetime(frame["end_date"]) + pd.Timedelta(days=1)
    return frame.assign(end_date=end.dt.strftime("%Y-%m-%d"))


@pytest.mark.parametrize(("length", "rejected"), [(24, "too_short"), (25, None), (35, None), (36, "too_long")])
def test_lengths_are_counted_as_the_records_count_them(length, rejected):
    frame = shared([30] * 13 + [length])
    result = readiness(frame, consumers=["CalTRACK 2"])
    assert result["rule"].tolist() == ([rejected] if rejected else [])
    assert result.attrs["nectar"]["convention"] == "exclusive"
    told = readiness(frame, consumers=["CalTRACK 2"], convention="inclusive")
    assert told["rule"].tolist() == (["too_long"] if length >= 35 else [])  # one day more of each
    assert readiness(frame, consumers=["CalTRACK 2"], convention="midday")["rule"].tolist() == result["rule"].tolist()


def test_the_convention_of_the_records_is_that_of_the_most():
    one = shared([30] * 2).assign(meter_id="N", usage_id=["v0", "v1"])
    assert readiness(pd.concat([chain([30] * 13), one])).attrs["nectar"]["convention"] == "inclusive"
    assert readiness(chain([30])).attrs["nectar"]["convention"] == "inclusive"
    with pytest.raises(InvalidRequestError, match="convention='noon' is not known"):
        readiness(chain([30]), convention="noon")


@pytest.mark.parametrize(
    ("commodity", "asked"), [("ELECTRICITY", 1), ("GAS", 1), ("WATER", 0), ("SEWER", 0), ("STEAM", 0)]
)
def test_caltrack_is_asked_of_electricity_and_gas_alone(commodity, asked):
    frame = chain([30] * 13 + [36], commodity=commodity)
    assert len(readiness(frame, consumers=["CalTRACK 2"])) == asked


def test_empty_frames_and_wrong_arguments():
    assert len(readiness(chain([]))) == 0
    with pytest.raises(InvalidRequestError, match="no consumer known here"):
        readiness(chain(YEAR), consumers=["EnergyCAP"])
    with pytest.raises(DataError, match="lacks the column usage"):
        readiness(chain(YEAR).drop(columns="usage"))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 75), st.booleans(), st.sampled_from([0.0, 5.0, None])), min_size=1, max_size=15),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_is_irrelevant_and_nothing_is_mutated(rows, random):
    frame = chain([row[0] for row in rows], estimated=[row[1] for row in rows], usage=[row[2] for row in rows])
    before = frame.copy(deep=True)
    result = readiness(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(readiness(frame.sample(frac=1, random_state=random.randrange(2**32))), result)
