"""Pictures of coverage, waterfalls, a bill's months, anomalies and intensity: drawn is what the frame says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

import nectar_notebooks as nn
from nectar_notebooks import plots
from nectar_notebooks.errors import DataError
from nectar_notebooks.plots.style import told_apart

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.text import Text

LONG = [f"Distribution Center Number {number} of the Northern and Western Region" for number in range(45)]
SITES = pd.DataFrame({"site_id": [f"s{number}" for number in range(45)], "name": LONG})


def coverage_rows(sites: int, status: str = "complete") -> pd.DataFrame:
    months = pd.date_range("2024-01-01", periods=4, freq="MS")
    return pd.DataFrame(
        [
            {"site_id": f"s{site}", "commodity": "ELECTRICITY", "utility": "Light", "month": month, "status": status,
             "share_covered": 1.0 if status == "complete" else 0.0}
            for site in range(sites)
            for month in months
        ]
    )  # fmt: skip


COVERED = coverage_rows(3)
COVERED.loc[1, ["status", "share_covered"]] = ["missing", None]
COVERED.loc[2, "share_covered"] = 0.25
COVERED.loc[4, ["status", "share_covered"]] = ["not_required", None]
COVERED.loc[11, ["status", "share_covered"]] = ["future", None]

CHARGED = pd.DataFrame(
    [
        ("m1", "s1", "ELECTRICITY", "SUPPLY", 600.0, "usage"),
        ("m2", "s1", "GAS", "SUPPLY", 150.0, "usage"),
        ("m3", "s2", "ELECTRICITY", "SUPPLY", 300.0, "usage"),
        ("m3", "s2", "ELECTRICITY", "CREDIT", -350.0, "proportional"),
        (None, None, None, "LATE_FEE", 12.0, "finance"),
    ],
    columns=["meter_id", "site_id", "commodity", "charge_type", "amount", "method"],
).assign(currency="USD")

BILL = pd.DataFrame(
    {
        "meter_id": "m1", "commodity": "ELECTRICITY", "start_date": "2024-01-15", "end_date": "2024-02-14",
        "usage": [3100.0], "unit": "kWh", "cost": 31.0, "currency": "USD",
    }
)  # fmt: skip
MONTHS_OF_BILL = nn.calendarize(BILL)

MONTHLY = pd.DataFrame(
    {
        "site_id": "s1", "commodity": "WATER", "subtype": "POTABLE_WATER", "unit": "kgal (US)",
        "month": pd.date_range("2024-04-01", periods=6, freq="MS"), "usage": [10.0, 10.0, 10.0, 10.0, 26.0, 10.0],
    }
)  # fmt: skip
FOUND = nn.anomalies(MONTHLY)

INTENSE = pd.DataFrame(
    {
        "site_id": ["s1", "s2", "s3", "s1", "s4"],
        "commodity": ["GAS", "GAS", "GAS", "ELECTRICITY", "GAS"],
        "subtype": [None, None, None, "USAGE", None],
        "intensity": [2.0, 5.0, 3.0, 100.0, None],
        "intensity_unit": ["thm (US)/m²", "thm (US)/m²", "thm (US)/m²", "kWh/m²", None],
    }
)


def draw_anomalies(rows: pd.DataFrame) -> plots.Picture:
    return plots.anomalies(MONTHLY, rows)


DRAWN = [
    (plots.coverage, COVERED, "No coverage to draw"),
    (plots.bill_waterfall, CHARGED, "No charges to draw"),
    (plots.bill_months, MONTHS_OF_BILL, "No months to draw"),
    (draw_anomalies, FOUND, "Nothing stands out"),
    (plots.intensity, INTENSE, "No intensity to draw"),
]


def labels(axis: Axes) -> list[str]:
    return [label.get_text() for label in axis.get_yticklabels()]


def inside(picture: plots.Picture, texts: list[Text]) -> bool:
    picture.draw_without_rendering()
    width, height = picture.bbox.size
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    return all(box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1 for box in boxes)


def test_coverage_says_share_missing_and_not_required() -> None:
    picture = plots.coverage(COVERED, sites=SITES)
    frame = picture.frame
    assert frame.iloc[0].tolist() == [1.0, 0.0, 0.25, 1.0]
    assert pd.isna(frame.iloc[1, 0])
    assert pd.isna(frame.iloc[2, 3])
    axis = picture.axes[0]
    assert axis.get_title(loc="left") == "Electricity; Light"  # what all rows share stands once
    offsets = [mark.get_offsets().tolist() for mark in axis.collections[1:]]
    marks = {places[0][0]: len(places) for places in offsets if places}
    assert marks == {1.5: 1, 0.5: 1, 3.5: 1}  # a cross, a dot and a stroke, each in the month it is about
    key = [text.get_text() for text in picture.legends[0].get_texts()]
    assert key[2:] == ["missing: no bill, and there should be one", "not required", "not due yet"]


def test_forty_sites_of_long_names_stay_apart_and_inside_the_picture() -> None:
    picture = plots.coverage(coverage_rows(40), sites=SITES)
    shown = labels(picture.axes[0])
    assert len(set(shown)) == len(shown) == 40
    assert all(len(label) <= 30 and "…" in label for label in shown)
    assert inside(picture, picture.axes[0].get_yticklabels())


def test_more_rows_than_fit_leave_the_whole_ones_out_and_say_so() -> None:
    many = pd.concat([coverage_rows(45), coverage_rows(45, "missing").assign(commodity="GAS")], ignore_index=True)
    picture = plots.coverage(many)
    assert len(picture.frame) == 90
    assert len(labels(picture.axes[0])) == 60
    assert sum("Gas" in label for label in labels(picture.axes[0])) == 45
    assert "60 of 90, those with the most missing months" in picture.axes[0].get_title(loc="left")


def test_two_sites_of_one_name_are_two_rows() -> None:
    picture = plots.coverage(coverage_rows(2), sites=SITES.assign(name="Mill"))
    assert labels(picture.axes[0]) == ["Mill", "Mill"]
    assert picture.frame.index.tolist() == ["Mill", "Mill"]  # as words: the ids that tell them apart are not shown


def test_a_waterfall_falls_from_the_bill_to_nothing() -> None:
    picture = plots.bill_waterfall(CHARGED, sites=SITES)
    frame = picture.frame
    assert frame["amount"].tolist() == [600.0, 150.0, -50.0, 12.0]
    assert frame["begins"].tolist() == [712.0, 112.0, -38.0, 12.0]
    assert frame["ends"].tolist() == [112.0, -38.0, 12.0, 0.0]
    bars = [bar for container in picture.axes[0].containers for bar in container]
    assert [bar.get_width() for bar in bars] == [712.0, -600.0, -150.0, 50.0, -12.0]
    assert picture.axes[0].get_xlabel() == "USD"
    bracket = [text.get_text() for text in picture.axes[0].texts][-1]
    assert bracket.endswith("\n750.00")
    assert inside(picture, picture.axes[0].texts)


def test_neighbouring_sites_differ_in_greyscale() -> None:
    _, first, _, second, nobody = (bar for each in plots.bill_waterfall(CHARGED).axes[0].containers for bar in each)
    light = [
        sum(weight * part for weight, part in zip((0.3, 0.59, 0.11), to_rgb(bar.get_facecolor()), strict=True))
        for bar in (first, second)
    ]
    assert abs(light[0] - light[1]) > 0.25
    assert len({bar.get_hatch() for bar in (first, second, nobody)}) == 3


def test_a_bill_of_credits_and_two_meters_of_one_number_are_drawn() -> None:
    refund = CHARGED.assign(amount=-CHARGED["amount"])
    assert plots.bill_waterfall(refund).frame["ends"].iloc[-1] == 0.0
    meters = pd.DataFrame({"meter_id": ["m1", "m2"], "primary_identifier": "E-1"})
    same = CHARGED.iloc[:2].assign(commodity="GAS")
    assert plots.bill_waterfall(same, meters=meters).frame["amount"].tolist() == [600.0, 150.0]
    with pytest.raises(DataError, match="CAD and USD"):
        plots.bill_waterfall(CHARGED.assign(currency=["USD", "CAD", "USD", "USD", "USD"]))


def test_what_no_meter_pays_is_not_folded_away() -> None:
    paying = [CHARGED.iloc[:1].assign(meter_id=f"m{n}", site_id=f"s{n}") for n in range(80)]
    many = pd.concat([*paying, CHARGED.tail(1)])
    picture = plots.bill_waterfall(many)
    assert labels(picture.axes[0])[-2:] == ["other sites  ·  22 more", "Finance"]
    assert picture.frame["amount"].sum() == 80 * 600 + 12


def test_a_bills_months_are_as_wide_as_their_days() -> None:
    picture = plots.bill_months(MONTHS_OF_BILL)
    whole, january, february = [bar for container in picture.axes[0].containers for bar in container]
    assert [bar.get_width() for bar in (whole, january, february)] == [31.0, 17.0, 14.0]
    texts = [text.get_text() for text in picture.axes[0].texts]
    assert texts == [
        "2024-01-15 to 2024-02-14:  3,100 kWh,  31.00 USD",
        "Jan 2024\n17 days\n1,700 kWh\n17.00 USD",
        "Feb 2024\n14 days\n1,400 kWh\n14.00 USD",
    ]
    assert picture.frame[["days", "usage", "cost"]].values.tolist() == [[17.0, 1700.0, 17.0], [14.0, 1400.0, 14.0]]


def test_words_that_do_not_fit_stand_beside_their_piece() -> None:
    rows = pd.DataFrame(
        {
            "meter_id": ["m1", "m2"], "start_date": ["2023-01-31", "2024-01-02"], "end_date": ["2024-02-01", None],
            "usage": [3670.0, 5.0], "unit": "kWh",
        }
    )  # fmt: skip
    picture = plots.bill_months(nn.calendarize(rows))
    assert inside(picture, picture.axes[0].texts)
    assert labels(picture.axes[0]) == ["m1", "m2"]


def test_a_spike_is_marked_on_its_series_with_its_baseline() -> None:
    picture = plots.anomalies(MONTHLY, FOUND, sites=SITES)
    assert picture.frame[["month", "kind", "value", "baseline"]].values.tolist() == [
        [pd.Timestamp("2024-08-01"), "usage_spike", 26.0, 10.0]
    ]
    axis = picture.axes[0]
    assert axis.get_title(loc="left") == "Distribution Cent…d Western Region  ·  Water: potable water"
    assert axis.get_ylabel() == "kgal (US)"
    assert [text.get_text() for text in axis.texts] == ["+160%"]
    baseline, marker = axis.lines[0], axis.lines[1]
    assert set(baseline.get_ydata()) == {10.0}
    assert marker.get_xdata().tolist() == [4]


def test_low_reads_are_marked_on_their_meter_and_months_billed_in_part_are_open() -> None:
    months = pd.date_range("2023-01-01", periods=21, freq="MS")
    one = pd.DataFrame({"month": months, "usage": [100.0] * 18 + [0.0, 250.0, 55.0], "meter_id": "m1"})
    two = pd.DataFrame({"month": months, "usage": [900.0] * 21, "meter_id": "m2"})
    rows = pd.concat([one, two], ignore_index=True).assign(
        site_id="s1", commodity="ELECTRICITY", subtype="USAGE", unit="kWh"
    )
    rows["days_in_month"] = rows["days_covered"] = rows["month"].dt.days_in_month
    rows.loc[20, "days_covered"] = 17
    picture = plots.anomalies(rows, nn.anomalies(rows))
    assert picture.frame[["series", "month", "kind", "change", "partly_billed"]].values.tolist() == [
        [
            "s1  ·  m1  ·  Electricity",
            pd.Timestamp("2024-08-01"),
            "catch_up",
            pytest.approx(1.4545, abs=1e-4),
            False,
        ],
        ["s1  ·  m1  ·  Electricity", pd.Timestamp("2024-07-01"), "zero_read", -1.0, False],
    ]
    axis = picture.axes[0]
    assert [text.get_text() for text in axis.texts] == ["+145%", "-100%"]
    bars = [bar.get_facecolor()[:3] for bar in axis.containers[0]]
    assert [place for place, colour in enumerate(bars) if colour == (1.0, 1.0, 1.0)] == [20]
    key = [text.get_text() for text in picture.legends[0].get_texts()]
    assert key[:2] == ["zero read", "catch-up after low reads"]
    assert any(words.startswith("open bar: bills cover less than") for words in key)


def test_findings_on_bills_are_counted_and_series_beyond_twelve_too() -> None:
    fee = FOUND.assign(kind="late_fee", site_id=pd.Series([None], dtype=FOUND["site_id"].dtype))
    both = plots.anomalies(MONTHLY, pd.concat([FOUND, fee], ignore_index=True))
    assert "not drawn: 1 finding on bills" in [text.get_text() for text in both.legends[0].get_texts()]
    assert plots.anomalies(MONTHLY, fee).description == "Nothing stands out but 1 bill."
    many = pd.concat([MONTHLY.assign(site_id=f"s{number}") for number in range(15)], ignore_index=True)
    picture = plots.anomalies(many, nn.anomalies(many))
    assert len(picture.frame) == 15
    assert len(picture.axes) == 12
    assert "not drawn: 3 more series" in [text.get_text() for text in picture.legends[0].get_texts()]


def test_sites_are_ranked_by_series_and_those_without_an_intensity_counted() -> None:
    picture = plots.intensity(INTENSE, sites=SITES.assign(name=SITES["site_id"].str.upper()))
    assert [axis.get_title(loc="left") for axis in picture.axes] == ["Electricity, kWh/m²", "Gas, thm (US)/m²"]
    assert labels(picture.axes[1]) == ["S2", "S3", "S1"]
    assert picture.axes[1].get_title(loc="right") == "- - -  median 3"
    assert picture.get_supxlabel() == "Not shown: 1 site without an intensity."
    assert plots.intensity(INTENSE.tail(1)).description.endswith("1 site without a floor area or usage.")


@pytest.mark.parametrize(("draw", "rows", "says"), DRAWN)
def test_an_empty_frame_and_one_row_are_drawn(
    draw: Callable[[pd.DataFrame], plots.Picture], rows: pd.DataFrame, says: str
) -> None:
    nothing = draw(rows.iloc[:0])
    assert nothing.description.startswith(says)
    assert says in nothing.svg()
    assert len(draw(rows.iloc[:1]).frame) == 1


@pytest.mark.parametrize(("draw", "rows", "says"), DRAWN)
def test_the_same_rows_give_the_same_bytes_in_any_order_and_style(
    draw: Callable[[pd.DataFrame], plots.Picture], rows: pd.DataFrame, says: str
) -> None:
    before = rows.copy(deep=True)
    svg, png = draw(rows).svg(), draw(rows).png()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": "mine"}):
        assert draw(rows.iloc[::-1]).svg() == svg
        assert draw(rows.iloc[::-1]).png() == png
    assert "<dc:date>" not in svg
    assert says not in svg
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize(
    "draw", [plots.coverage, plots.bill_waterfall, plots.bill_months, plots.intensity, draw_anomalies]
)
def test_a_frame_of_something_else_is_refused(draw: Callable[[pd.DataFrame], plots.Picture]) -> None:
    with pytest.raises(DataError, match=r"needs the columns .* Pass the r"):
        draw(pd.DataFrame({"nothing": []}))


def test_names_are_cut_where_they_differ() -> None:
    names = ["A Very Long Name 1 Of The Same Words", "A Very Long Name 2 Of The Same Words", "short"]
    short = told_apart(names, 20)
    assert short["short"] == "short"
    assert len(set(short.values())) == 3
    assert all(len(text) <= 20 for text in short.values())
    twins = [f"{'x' * 30} {number} {'y' * 30}" for number in (1, 2)]
    assert len(set(told_apart(twins, 20).values())) == 2
