"""calendarize and daily: the vectors of the methodology, conventions, coverage, bad input."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology import calendarize, daily

COLUMNS = [
    *("meter_id", "site_id", "commodity", "subtype", "unit", "currency", "month", "usage", "cost", "days_covered"),
    *("days_in_month", "days_overlapped", "estimated_share", "bills", "first_day", "last_day"),
]


def bills(*rows: tuple, **more: object) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["meter_id", "start_date", "end_date", "usage"])
    return frame.assign(unit="kWh", **more)


def by_month(result: pd.DataFrame, column: str = "usage") -> dict[str, float]:
    return {f"{month:%Y-%m}": value for month, value in zip(result["month"], result[column], strict=True)}


def test_the_documented_example() -> None:
    result = calendarize(bills(("m", "2024-01-15", "2024-02-14", 3100)))
    assert by_month(result) == {"2024-01": 1700.0, "2024-02": 1400.0}
    assert by_month(result, "days_covered") == {"2024-01": 17, "2024-02": 14}
    assert by_month(result, "days_in_month") == {"2024-01": 31, "2024-02": 29}


def test_two_bills_meet_in_january() -> None:
    result = calendarize(bills(("m", "2023-12-21", "2024-01-20", 10_000), ("m", "2024-01-21", "2024-02-18", 9_000)))
    assert by_month(result)["2024-01"] == pytest.approx(6451.6129 + 3413.7931, abs=1e-4)
    assert by_month(result)["2024-01"] == pytest.approx(9865.4060, abs=1e-4)
    assert by_month(result, "bills") == {"2023-12": 1, "2024-01": 2, "2024-02": 1}


def test_january_has_31_days() -> None:
    result = calendarize(bills(("m", "2024-01-01", "2024-01-31", 62)))
    assert (result.loc[0, "days_covered"], result.loc[0, "usage"]) == (31, 62)


@pytest.mark.parametrize("end", [None, "2024-03-09"])
@pytest.mark.parametrize("convention", ["inclusive", "exclusive", "midday"])
def test_a_missing_or_equal_end_is_one_day(end: str | None, convention: str) -> None:
    result = calendarize(bills(("m", "2024-03-09", end, 24)), convention)
    assert len(result) == 1
    row = result.iloc[0]
    assert (row["usage"], row["days_covered"]) == (24, 1)
    assert (row["first_day"], row["last_day"]) == (pd.Timestamp("2024-03-09"), pd.Timestamp("2024-03-09"))


def test_conventions_move_energy_between_months() -> None:
    # 30 January to 2 February: inclusive 2 + 2 of 4 days, exclusive 2 + 1 of 3, midday 1.5 + 1.5 of 3
    usage = bills(("m", "2024-01-30", "2024-02-02", 120))
    assert by_month(calendarize(usage, "inclusive")) == {"2024-01": 60, "2024-02": 60}
    assert by_month(calendarize(usage, "exclusive")) == {"2024-01": 80, "2024-02": 40}
    assert by_month(calendarize(usage, "midday")) == {"2024-01": 60, "2024-02": 60}
    usage = bills(("m", "2024-01-29", "2024-02-02", 120))
    assert by_month(calendarize(usage, "inclusive")) == pytest.approx({"2024-01": 72, "2024-02": 48})
    assert by_month(calendarize(usage, "exclusive")) == {"2024-01": 90, "2024-02": 30}
    assert by_month(calendarize(usage, "midday")) == {"2024-01": 75, "2024-02": 45}
    assert by_month(calendarize(usage, "midday"), "days_covered") == {"2024-01": 2.5, "2024-02": 1.5}


def test_a_shared_day_is_kept_and_shown_or_given_to_the_later_bill() -> None:
    usage = bills(("m", "2024-01-01", "2024-01-11", 110), ("m", "2024-01-11", "2024-01-31", 210))
    kept = calendarize(usage).iloc[0]
    assert (kept["usage"], kept["days_covered"], kept["days_overlapped"]) == (320, 31, 1)
    later = daily(usage, shared_day="later").set_index("day")["usage"]
    assert later["2024-01-10"] == 11  # 110 over ten days, no longer eleven
    assert later["2024-01-11"] == 10
    assert calendarize(usage, shared_day="later").iloc[0]["days_overlapped"] == 0
    for convention in ("exclusive", "midday"):
        assert calendarize(usage, convention).iloc[0]["days_overlapped"] == 0


def test_a_day_covered_three_times_is_one_overlapped_day() -> None:
    usage = bills(*[("m", "2024-05-03", "2024-05-03", 1)] * 3, ("m", "2024-05-04", "2024-05-05", 1))
    row = calendarize(usage).iloc[0]
    assert (row["days_covered"], row["days_overlapped"], row["usage"]) == (3, 1, 4)


def test_overlaps_of_other_meters_are_none() -> None:
    result = calendarize(bills(("a", "2024-05-01", "2024-05-31", 1), ("b", "2024-05-01", "2024-05-31", 1)))
    assert result["days_overlapped"].tolist() == [0, 0]


def test_cost_goes_by_largest_remainder_and_ties_to_the_earlier_month() -> None:
    # 0.01 over two equal halves; 100.00 over 11 + 31 + 18 days; a credit by its absolute value
    usage = bills(
        ("a", "2024-01-31", "2024-02-01", 1),
        ("b", "2023-12-21", "2024-02-18", 1),
        ("c", "2024-01-31", "2024-02-01", 1),
        cost=[0.01, 100.0, -0.03],
        currency="USD",
    )
    result = calendarize(usage).set_index("meter_id")["cost"]
    assert result["a"].tolist() == [0.01, 0.0]
    assert result["b"].tolist() == [18.33, 51.67, 30.0]  # 18.333, 51.667, 30.0 exactly
    assert result["c"].tolist() == [-0.02, -0.01]


@pytest.mark.parametrize(
    ("currency", "cost", "expected"),
    [
        ("JPY", 101.0, [51.0, 50.0]),
        ("KWD", 0.005, [0.003, 0.002]),
        ("USD", 0.0101, [0.0051, 0.0050]),  # the finest decimal seen
        ("XYZ", 0.01, [0.01, 0.0]),
    ],
)
def test_cents_are_the_currencys(currency: str, cost: float, expected: list[float]) -> None:
    usage = bills(("m", "2024-01-31", "2024-02-01", 1), cost=cost, currency=currency)
    assert calendarize(usage)["cost"].tolist() == expected


def test_the_finest_decimal_is_the_bills() -> None:
    usage = bills(
        ("m", "2024-01-31", "2024-02-01", 1),
        ("m", "2024-01-31", "2024-02-01", 1),
        cost=[0.01, 0.0001],
        currency="USD",
        bill_id="b",
    )
    assert calendarize(usage)["cost"].tolist() == [0.0051, 0.005]


def test_nothing_is_summed_across_subtypes_units_and_currencies() -> None:
    usage = bills(*[("m", "2024-01-01", "2024-01-31", 1)] * 4, cost=1.0).assign(
        subtype=["POTABLE_WATER", "WASTEWATER", "WASTEWATER", "WASTEWATER"],
        unit=["kgal (US)", "kgal (US)", "CCF", "CCF"],
        currency=["USD", "USD", "USD", "CAD"],
    )
    result = calendarize(usage)
    assert len(result) == 4
    assert result["days_overlapped"].tolist() == [0, 0, 0, 0]


def test_missing_usage_is_not_zero_and_covers_nothing() -> None:
    unknown = ("m", "2024-02-11", "2024-02-29", None)
    usage = bills(("m", "2024-01-01", "2024-01-31", None), ("m", "2024-02-01", "2024-02-10", 5), unknown)
    result = calendarize(usage)
    assert np.isnan(result.loc[0, "usage"])
    assert result["days_covered"].tolist() == [0, 10]
    assert result.loc[1, "usage"] == 5
    assert pd.isna(result.loc[0, "first_day"])
    assert result.loc[1, "last_day"] == pd.Timestamp("2024-02-10")
    assert result["cost"].isna().all()
    assert result.attrs["nectar"]["rows_without_value"] == 2


def test_records_without_a_date_stay_visible() -> None:
    result = calendarize(bills(("m", None, None, 7), ("m", "2024-01-01", "2024-01-31", 3)))
    assert result["usage"].tolist() == [3, 7]
    assert result["month"].isna().tolist() == [False, True]
    assert result.attrs["nectar"]["rows_without_date"] == 1
    assert daily(bills(("m", None, None, 7)))["usage"].tolist() == [7]


def test_rows_that_do_not_count_are_left_out_and_reported() -> None:
    usage = bills(*[("m", "2024-01-01", "2024-01-31", 10)] * 4).assign(
        counts=[True, False, False, None], counts_reason=[None, "superseded", "duplicate account", None]
    )
    result = calendarize(usage)
    assert result["usage"].tolist() == [20]
    report = result.attrs["nectar"]
    assert report["left_out"] == 2
    assert report["left_out: superseded"] == 1
    assert report["left_out: duplicate account"] == 1


def test_estimated_days() -> None:
    usage = bills(("m", "2024-01-01", "2024-01-10", 1), ("m", "2024-01-11", "2024-01-31", 1)).assign(
        estimated=[True, False]
    )
    assert calendarize(usage).loc[0, "estimated_share"] == pytest.approx(10 / 31)
    assert np.isnan(calendarize(usage.drop(columns="estimated")).loc[0, "estimated_share"])


@pytest.mark.parametrize("commodity", ["WASTE", "FUEL"])
def test_a_delivery_belongs_to_its_day(commodity: str) -> None:
    usage = bills(("m", "2024-01-20", "2024-02-19", 8), commodity=commodity, cost=31.0, currency="USD")
    row = calendarize(usage)
    assert (row["usage"].tolist(), row["cost"].tolist(), row["days_covered"].tolist()) == ([8], [31], [1])
    assert len(calendarize(usage, spot=())) == 2


def test_frames_read_by_hand() -> None:
    """Text dates, text numbers, date objects, number ids, no optional column."""
    usage = pd.DataFrame(
        {
            "meter_id": [7, 7],
            "start_date": [dt.date(2024, 1, 15), "2024-02-15"],
            "end_date": ["2024-02-14", ""],
            "usage": ["3100", "31"],
            "unit": ["kWh", "kWh"],
        }
    ).replace("", None)
    result = calendarize(usage)
    assert list(result.columns) == COLUMNS
    assert result["meter_id"].tolist() == ["7", "7"]
    assert by_month(result) == {"2024-01": 1700, "2024-02": 1431}


def test_a_spring_clock_change_moves_nothing() -> None:
    usage = bills(("m", "2024-03-31", "2024-04-01", 48))
    usage["start_date"] = pd.to_datetime(usage["start_date"]).dt.tz_localize("Europe/Berlin")
    usage["end_date"] = pd.to_datetime(usage["end_date"]).dt.tz_localize("Europe/Berlin")
    assert by_month(calendarize(usage)) == {"2024-03": 24, "2024-04": 24}


def test_text_of_two_time_zones_keeps_its_civil_days() -> None:
    """As a provider writes them, on both sides of a clock change, beside a day without a time."""
    rows = [("2024-03-01T00:00:00-05:00", "2024-03-31T00:00:00-04:00"), ("2024-04-01", "2024-04-30T23:59:59.5Z")]
    usage = pd.DataFrame(rows, columns=["start_date", "end_date"]).assign(
        meter_id="m", usage=[310.0, 300.0], unit="kWh"
    )
    result = calendarize(usage)
    assert result["days_covered"].tolist() == [31, 30]
    assert result["usage"].tolist() == pytest.approx([310, 300])
    moments = [pd.Timestamp(text) for text in ("2024-03-01T00:00-05:00", "2024-04-01T00:00-04:00")]
    mixed = usage.assign(start_date=pd.Series(moments, dtype=object), end_date=["2024-03-31", "2024-04-30"])
    assert calendarize(mixed)["days_covered"].tolist() == [31, 30]


@pytest.mark.parametrize("values", [[True, False], [True, 310.0], pd.array([True, None], dtype="boolean")])
def test_true_is_no_quantity(values: object) -> None:
    usage = pd.DataFrame({"meter_id": "m", "start_date": "2024-01-01", "end_date": "2024-01-31", "unit": "kWh"}, [0, 1])
    with pytest.raises(DataError, match="usage is no number in meter_id m"):
        calendarize(usage.assign(usage=values))


def test_empty_frames_have_the_same_columns_and_dtypes() -> None:
    usage = bills(("m", "2024-01-15", "2024-02-14", 3100), cost=1.0, currency="USD")
    full, empty = calendarize(usage), calendarize(usage.iloc[:0])
    assert len(empty) == 0
    assert full.dtypes.tolist() == empty.dtypes.tolist()
    assert list(empty.columns) == COLUMNS
    assert list(daily(usage.iloc[:0]).columns) == list(daily(usage).columns)


@pytest.mark.parametrize("column", ["meter_id", "start_date", "end_date", "usage", "unit"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(DataError, match=column):
        calendarize(bills(("m", "2024-01-15", "2024-02-14", 3100)).drop(columns=column))


@pytest.mark.parametrize("spread", [calendarize, daily])
def test_a_period_that_cannot_be_is_left_out_and_reported(spread: object) -> None:
    usage = bills(
        ("m", "2024-01-15", "2024-02-14", 1),
        ("m", "2024-03-15", "2024-03-14", 2),
        ("m", "2024-03-15", "9999-12-31", 4),
        ("m", "1970-01-01", None, 8),
        ("m", "0001-01-01", "2024-03-14", 16),
    )
    result = spread(usage, plausible=("1990-01", "2030-12"))
    assert result["usage"].sum() == pytest.approx(1)
    told = {name: value for name, value in result.attrs["nectar"].items() if name.startswith("left_out")}
    assert told == {
        "left_out": 4,
        "left_out: period ends before it starts": 1,
        "left_out: period outside 1990-01-01 to 2030-12-31": 3,
    }


def test_the_days_that_periods_may_have_are_an_argument() -> None:
    usage = bills(("m", "1985-01-15", "1985-02-14", 31), ("m", "2024-01-15", "2024-02-14", 31))
    assert calendarize(usage)["usage"].sum() == 31
    assert calendarize(usage, plausible=("1980-01", None))["usage"].sum() == 62
    assert calendarize(usage, plausible=(None, "2023-12-31")).empty
    with pytest.raises(InvalidRequestError, match="pair of days"):
        calendarize(usage, plausible="1980-01")
    with pytest.raises(InvalidRequestError, match="lies after"):
        calendarize(usage, plausible=("2024-01", "2023-12"))


def test_a_row_left_out_for_its_period_counts_again_where_its_days_may_be() -> None:
    usage = bills(("m", "1985-01-15", "1985-02-14", 31), ("n", "1985-01-15", "1985-02-14", 31)).assign(
        counts=False, counts_reason=["period outside 1990-01-01 to 2027-12-31", "superseded"]
    )
    assert calendarize(usage)["usage"].sum() == 0
    assert calendarize(usage, plausible=("1980-01", None))["usage"].sum() == pytest.approx(31)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("usage", "1,000", "no number"), ("start_date", "01/02/2024", "no date"), ("usage", np.inf, "infinite")],
)
def test_what_cannot_be_read_is_named(column: str, value: object, words: str) -> None:
    usage = bills(("m", "2024-01-15", "2024-02-14", 1)).astype(object)
    usage.loc[0, column] = value
    with pytest.raises(DataError, match=words):
        calendarize(usage)


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "values",
    [[20240115, 20240214], [20240115.0, np.nan], [1705276800, 1707868800], [True, False], ["2024-01-15", 45337]],
    ids=["digits", "with a gap", "seconds", "flags", "one among texts"],
)
def test_numbers_are_no_dates(name: str, values: list[object]) -> None:
    """They may be digits of a day, seconds, or a spreadsheet's count of days: none is guessed."""
    usage = bills(("m", "2024-01-15", "2024-02-14", 1), ("n", "2024-01-15", "2024-02-14", 1)).astype(object)
    usage[name] = pd.Series(values, dtype=object if isinstance(values[0], str) else None)
    with pytest.raises(DataError, match=f"calendarize: {name} is a number, not a date, in meter_id [mn]") as caught:
        calendarize(usage)
    assert "%Y%m%d" in str(caught.value)


def test_a_column_without_any_date_is_no_column_of_numbers() -> None:
    usage = bills(("m", "2024-01-15", "2024-02-14", 31)).assign(end_date=np.nan)
    assert calendarize(usage)["days_covered"].tolist() == [1.0]


def test_unknown_words_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="inclusive or exclusive or midday"):
        calendarize(bills(("m", "2024-01-15", "2024-02-14", 1)), "half")
    with pytest.raises(InvalidRequestError, match="shared_day"):
        calendarize(bills(("m", "2024-01-15", "2024-02-14", 1)), shared_day="earlier")


def test_absurd_dates_cost_no_memory() -> None:
    usage = bills(("a", "0201-01-01", "0201-01-31", 1), *[(f"m{i}", "2024-01-01", "2024-01-31", 1) for i in range(500)])
    usage.loc[len(usage)] = ["z", "9999-12-01", "9999-12-31", 1, "kWh"]
    assert calendarize(usage)["usage"].sum() == pytest.approx(500)
    assert len(daily(usage)) == 500 * 31
    assert calendarize(usage, plausible=("0001-01-01", "9999-12-31"))["usage"].sum() == pytest.approx(502)


def test_days_of_a_bill_carry_the_odd_cents_first() -> None:
    result = daily(bills(("m", "2024-01-30", "2024-02-01", 3), cost=1.0, currency="USD"))
    assert result["cost"].tolist() == [0.34, 0.33, 0.33]
    assert result["day"].tolist() == list(pd.date_range("2024-01-30", "2024-02-01"))
    midday = daily(bills(("m", "2024-01-30", "2024-02-01", 4), cost=1.0, currency="USD"), "midday")
    assert (midday["usage"].tolist(), midday["cost"].tolist()) == ([1, 2, 1], [0.25, 0.5, 0.25])
    assert midday["days_covered"].tolist() == [0.5, 1, 0.5]


def test_attributed_charges_cover_a_day_once() -> None:
    """Ten charges of one bill are not ten overlapping bills."""
    charges = pd.DataFrame(
        {
            "line_item_id": ["b:0", "b:1", "c:0"],
            "bill_id": ["b", "b", "c"],
            "meter_id": "m",
            "start_date": ["2024-01-01", "2024-01-01", "2024-01-31"],
            "end_date": ["2024-01-31", "2024-01-31", "2024-02-29"],
            "amount": [10.0, 5.0, 30.0],
            "currency": "USD",
        }
    )
    result = calendarize(charges)
    assert result["cost"].tolist() == [16.0, 29.0]
    assert (result["bills"].tolist(), result["days_covered"].tolist()) == ([2, 1], [31, 29])
    assert result["days_overlapped"].tolist() == [1, 0]
    assert result["usage"].isna().all()
