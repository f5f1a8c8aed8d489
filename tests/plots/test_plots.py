"""Pictures: what is drawn is what the frame says, nothing is mixed, nothing depends on who draws."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

import nectar_notebooks as nn
from nectar_notebooks import plots
from nectar_notebooks.errors import DataError
from nectar_notebooks.plots.style import CHARGES, COMMODITIES, Fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

    Draw = Callable[..., plots.Picture]


def meter_months(*rows: tuple[object, ...]) -> pd.DataFrame:
    names = [
        "meter_id",
        "commodity",
        "subtype",
        "unit",
        "currency",
        "month",
        "usage",
        "cost",
        "days_covered",
        "days_in_month",
    ]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(month=pd.to_datetime(frame["month"]))


MONTHLY = meter_months(
    ("m1", "ELECTRICITY", "USAGE", "kWh", "USD", "2025-01", 100.0, 20.0, 31, 31),
    ("m2", "ELECTRICITY", "USAGE", "kWh", "USD", "2025-01", 50.0, 12.5, 31, 31),
    ("m1", "ELECTRICITY", "USAGE", "kWh", "USD", "2025-03", 80.0, 16.0, 10, 31),
    ("m3", "ELECTRICITY", "USAGE", "MWh", "CAD", "2025-01", 2.0, 300.0, 31, 31),
    ("m4", "WATER", "POTABLE_WATER", "gal (US)", "USD", "2025-01", 700.0, 5.0, 31, 31),
    ("m5", "WATER", "WASTEWATER", "gal (US)", "USD", "2025-01", 700.0, 9.0, 31, 31),
    ("m6", "GAS", None, "CCF", "USD", "2025-02", 60.0, None, 28, 28),
)

CHARGED = pd.DataFrame(
    [
        ("m1", "s1", "ELECTRICITY", "SUPPLY", 600.0, "usage_share"),
        ("m1", "s1", "ELECTRICITY", "TAX", 60.5, "proportional"),
        ("m2", "s2", "ELECTRICITY", "SUPPLY", 400.0, "usage_share"),
        ("m2", "s2", "ELECTRICITY", "CREDIT", -50.0, "proportional"),
        (None, None, None, "LATE_FEE", 12.0, "finance"),
        (None, None, None, "RESIDUAL", 0.01, "residual"),
    ],
    columns=["meter_id", "site_id", "commodity", "charge_type", "amount", "method"],
).assign(bill_id="b1", currency="USD", subtype=None)


def bars(axis: Axes) -> list[Rectangle]:
    return [patch for container in axis.containers for patch in container]


def test_usage_has_a_panel_per_commodity_kind_and_unit_and_never_mixes_them() -> None:
    picture = plots.monthly_usage(MONTHLY)
    assert list(picture.frame.columns) == [
        "Electricity, MWh",
        "Electricity, kWh",
        "Gas, CCF",
        "Water: potable water, gal (US)",
        "Water: wastewater, gal (US)",
    ]
    assert [axis.get_title(loc="left") for axis in picture.axes] == list(picture.frame.columns)
    assert picture.frame.loc["2025-01-01", "Electricity, kWh"] == 150.0
    assert picture.frame.loc["2025-01-01", "Water: wastewater, gal (US)"] == 700.0


def test_a_month_without_usage_is_missing_and_has_no_bar() -> None:
    picture = plots.monthly_usage(MONTHLY)
    kwh = picture.frame["Electricity, kWh"]
    assert kwh.index.tolist() == list(pd.to_datetime(["2025-01-01", "2025-02-01", "2025-03-01"]))
    assert kwh.isna().tolist() == [False, True, False]
    heights = [bar.get_height() for bar in bars(picture.axes[1])]
    assert heights[0] == 150.0
    assert pd.isna(heights[1])
    assert heights[2] == 80.0


def test_a_month_covered_in_part_is_drawn_open_and_the_key_says_so() -> None:
    picture = plots.monthly_usage(MONTHLY)
    first, _, last = bars(picture.axes[1])
    assert first.get_facecolor() != last.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert "less than 97%" in picture.legends[0].get_texts()[0].get_text()
    whole = plots.monthly_usage(MONTHLY[MONTHLY["days_covered"] == MONTHLY["days_in_month"]])
    assert whole.legends == []


def test_what_is_hauled_on_a_day_needs_no_covered_month() -> None:
    hauled = MONTHLY.tail(1).assign(commodity="WASTE", unit="tons (US)", days_covered=1)
    assert plots.monthly_usage(hauled).legends == []


def test_days_may_be_nullable_integers() -> None:
    days = {"days_covered": "Int64", "days_in_month": "Int64"}
    assert plots.monthly_usage(MONTHLY.astype(days)).svg() == plots.monthly_usage(MONTHLY).svg()


def test_cost_has_a_panel_per_currency_and_keeps_unknown_cost_missing() -> None:
    picture = plots.monthly_cost(MONTHLY)
    assert list(picture.frame.columns) == ["Electricity, CAD", "Electricity, USD", "Water, USD"]
    assert [axis.get_ylabel() for axis in picture.axes] == ["CAD per month", "USD per month"]
    assert picture.frame.loc["2025-01-01", "Electricity, USD"] == 32.5
    assert picture.frame.loc["2025-01-01", "Water, USD"] == 14.0
    assert picture.frame.loc["2025-02-01"].isna().all()


def test_a_month_covered_in_part_has_an_open_bar_of_cost_as_it_has_of_usage() -> None:
    picture = plots.monthly_cost(MONTHLY)
    electricity = picture.axes[1].containers[0]
    first, _, last = (bar.get_facecolor() for bar in electricity)
    assert first != last == (1.0, 1.0, 1.0, 1.0)
    assert "less than 97%" in picture.legends[0].get_texts()[0].get_text()
    assert picture.frame.loc["2025-03-01", "Electricity, USD"] == 16.0
    key = picture.axes[1].get_legend()
    assert key.get_patches()[-1].get_facecolor() == first, "the key shows the commodity's colour"


@pytest.mark.parametrize(
    "rows",
    [
        MONTHLY[MONTHLY["days_covered"] == MONTHLY["days_in_month"]],
        MONTHLY.drop(columns="days_covered"),
        MONTHLY.assign(days_covered=0, usage=None),  # charges alone: their bills came
        MONTHLY.assign(commodity="FUEL", days_covered=1),
    ],
)
def test_a_cost_whose_month_is_whole_is_not_drawn_open(rows: pd.DataFrame) -> None:
    picture = plots.monthly_cost(rows)
    assert picture.legends == []
    assert all(bar.get_facecolor() != (1.0, 1.0, 1.0, 1.0) for axis in picture.axes for bar in bars(axis))


def test_a_bill_is_drawn_to_the_cent_with_what_no_meter_pays_below() -> None:
    meters = pd.DataFrame({"meter_id": ["m1", "m2"], "primary_identifier": ["E-100", None]})
    sites = pd.DataFrame({"site_id": ["s1", "s2"], "name": ["Mill", "Yard"]})
    picture = plots.bill_charges(CHARGED, meters=meters, sites=sites)
    assert picture.frame["site"].tolist() == ["Mill", "Yard", "no meter", "no meter"]
    assert picture.frame["meter"].tolist() == ["E-100", "m2", "Finance", "Residual"]
    assert picture.frame["total"].tolist() == [660.5, 350.0, 12.0, 0.01]
    assert "1,022.51 USD" in picture.description
    widths = sum(bar.get_width() for bar in bars(picture.axes[0]))
    assert widths == pytest.approx(1022.51)


def test_a_bill_that_nobody_pays_is_drawn_too() -> None:
    sites = pd.DataFrame({"site_id": ["s1"], "name": ["Mill"]})
    picture = plots.bill_charges(CHARGED.tail(1), sites=sites)
    assert picture.frame[["site", "meter"]].to_numpy().tolist() == [["no meter", "Residual"]]


def test_every_total_of_a_bill_stands_inside_the_picture() -> None:
    picture = plots.bill_charges(CHARGED)
    picture.draw_without_rendering()
    right = picture.axes[0].get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right for text in picture.axes[0].texts)


def test_two_currencies_are_never_added() -> None:
    mixed = CHARGED.assign(currency=["USD", "CAD", *["USD"] * 4])
    with pytest.raises(DataError, match="CAD and USD"):
        plots.bill_charges(mixed)


def test_more_meters_than_fit_are_folded_in_the_picture_and_whole_in_the_frame() -> None:
    many = pd.concat([CHARGED.iloc[:1].assign(meter_id=f"m{n}", site_id=f"s{n}") for n in range(100)])
    picture = plots.bill_charges(many)
    assert len(picture.frame) == 100
    labels = [label.get_text() for label in picture.axes[0].get_yticklabels()]
    assert len(labels) == 60
    assert "41 more" in labels[-1]
    assert sum(bar.get_width() for bar in bars(picture.axes[0])) == pytest.approx(60_000.0)


@pytest.mark.parametrize(
    ("draw", "rows", "says"),
    [
        (plots.monthly_usage, MONTHLY, "No usage to draw"),
        (plots.monthly_cost, MONTHLY, "No cost to draw"),
        (plots.bill_charges, CHARGED, "No charges to draw"),
    ],
)
def test_nothing_to_draw_says_what_is_missing(draw: Draw, rows: pd.DataFrame, says: str) -> None:
    nothing = draw(rows.iloc[:0])
    assert nothing.description.startswith(says)
    assert says in nothing.svg()
    assert len(draw(rows.iloc[:1]).frame) == 1


@pytest.mark.parametrize("draw", [plots.monthly_usage, plots.monthly_cost, plots.bill_charges])
def test_a_frame_of_something_else_is_refused_with_its_missing_columns(draw: Draw) -> None:
    with pytest.raises(DataError, match=r"needs the columns .* Pass the r"):
        draw(pd.DataFrame({"month": []}))


@pytest.mark.parametrize("draw", [plots.monthly_usage, plots.monthly_cost, plots.bill_charges])
def test_a_portfolio_in_place_of_a_frame_is_refused_with_what_to_give(draw: Callable[..., object]) -> None:
    nothing = nn.Portfolio(*[pd.DataFrame()] * (len(fields(nn.Portfolio)) - 1))
    with pytest.raises(DataError, match=r"from a DataFrame, not from a Portfolio\. Pass the r"):
        draw(nothing)


def test_a_frame_is_not_changed_by_drawing_it() -> None:
    before = MONTHLY.copy(deep=True)
    plots.monthly_usage(MONTHLY)
    plots.monthly_cost(MONTHLY)
    pd.testing.assert_frame_equal(MONTHLY, before)


def test_the_same_frame_gives_the_same_bytes_whatever_the_order_of_rows_and_the_users_style() -> None:
    svg, png = plots.bill_charges(CHARGED).svg(), plots.bill_charges(CHARGED).png()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": "mine"}):
        shuffled = plots.bill_charges(CHARGED.iloc[::-1])
        assert shuffled.svg() == svg
        assert shuffled.png() == png
        assert mpl.rcParams["font.size"] == 30
    assert "<dc:date>" not in svg


def test_an_svg_is_titled_described_and_escaped() -> None:
    picture = plots.bill_charges(CHARGED, title="Mill & <b>Yard</b>")
    root = ET.fromstring(picture.svg())
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert root.findtext("svg:title", namespaces=space) == "Mill & <b>Yard</b>"
    assert root.findtext("svg:desc", namespaces=space) == picture.description


def test_names_with_dollar_signs_are_shown_as_they_are() -> None:
    sites = pd.DataFrame({"site_id": ["s1", "s2"], "name": ["Cash $ & Carry $", "$x^2$"]})
    picture = plots.bill_charges(CHARGED, sites=sites)
    texts = ["".join(text.itertext()) for text in ET.fromstring(picture.svg()).iter("{http://www.w3.org/2000/svg}text")]
    assert any(text.startswith("Cash $ & Carry $") for text in texts)
    assert any(text.startswith("$x^2$") for text in texts)


def test_a_notebook_shows_the_picture_and_one_line_of_text() -> None:
    data, metadata = plots.monthly_usage(MONTHLY)._repr_mimebundle_()
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert image.width == 2 * metadata["image/png"]["width"]
    assert data["text/plain"].startswith("Picture: Monthly usage by commodity.")
    assert "\n" not in data["text/plain"]


def test_saving_makes_the_folder_and_takes_the_kind_from_the_name(tmp_path: Path) -> None:
    picture = plots.monthly_cost(MONTHLY)
    assert picture.save(tmp_path / "new" / "cost.png").read_bytes().startswith(b"\x89PNG")
    assert picture.save(tmp_path / "cost.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize("fills", [COMMODITIES, CHARGES])
def test_every_fill_differs_without_colour(fills: Mapping[str, Fill]) -> None:
    assert len({fill.hatch for fill in fills.values()}) == len(fills)


def test_pyplot_stays_out() -> None:
    code = "import sys, nectar_notebooks.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
