"""The explorer of bills on small books: every number by hand, every odd text escaped, every state said."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
from controls import control, fill, labelled, page, place, press, rows
from dashboards.small_books import ALPHA, FORMULA, SmallBooks, books, many
from dashboards.small_office import LONG
from ipywidgets.widgets.widget import _instances as live_controls

import nectar_notebooks as nn
from nectar_notebooks import BillExplorer
from nectar_notebooks.client.refreshing import Change
from nectar_notebooks.errors import InvalidRequestError, NotFoundError, ServerError

Opened = Callable[..., BillExplorer]


@pytest.fixture
def explorer(opened: Opened) -> BillExplorer:
    return opened(BillExplorer, SmallBooks())


def words(markup: str) -> str:
    """Return what a reader reads, in one line."""
    parts: list[str] = []

    class Reading(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "img"), "text became an element"
            assert not [name for name, _ in attrs if name.startswith("on")]

        def handle_data(self, data: str) -> None:
            parts.append(data)

    Reading().feed(markup)
    return re.sub(r"\s+", " ", " ".join(parts))


def read(explorer: BillExplorer) -> str:
    """Return what a reader reads in the explorer, in one line."""
    return words(page(explorer))


# What a bill says.


def test_who_pays_by_hand(explorer: BillExplorer) -> None:
    explorer.bill = "b"
    rows = explorer.attribution.set_index(["line_item_id", "meter_id"])["amount"]
    assert rows.to_dict() == pytest.approx(
        {
            ("b:0", "e1"): 540.0, ("b:0", "e2"): 360.0, ("b:1", "e1"): 42.0, ("b:1", "e2"): 28.0,
            ("b:2", np.nan): 12.5, ("b:3", np.nan): 3.0, (np.nan, np.nan): 14.5,
        },
        nan_ok=True,
    )  # fmt: skip
    shown = read(explorer)
    for said in (
        "in proportion to the bill's other charges",
        "nobody: not the cost of energy",
        "no meter found",
        "difference to the bill's total",
        "540.00 USD 60.00% usage energy charge: by share of usage",
    ):
        assert said in shown
    facts = read(explorer)
    for said in (
        "City Light, 21 Feb 2024", "15 Jan 2024 to 14 Feb 2024", "Current charges 1,000.00 USD",
        "Total to pay 1,040.00 USD", "Meters pay 970.00 USD", "Finance 12.50 USD", "Unattributed 3.00 USD",
        "Residual 14.50 USD", "INV-7", "100-1", "flagged for review",
    ):  # fmt: skip
        assert said in facts


def test_months_by_hand(explorer: BillExplorer) -> None:
    explorer.bill, explorer.side = "b", "months"
    months = explorer.months
    used = months[months["quantity"].eq("usage") & months["meter_id"].eq("e1")]
    assert used["month"].dt.strftime("%Y-%m").tolist() == ["2024-01", "2024-02"]
    assert used["value"].tolist() == pytest.approx([6000 * 17 / 31, 6000 * 14 / 31])
    paid = months[months["quantity"].eq("cost") & months["meter_id"].eq("e1")]
    assert paid.groupby("month")["value"].sum().round(6).tolist() == [319.16, 262.84]
    shown = read(explorer)
    assert "17 days of 31 in Jan 2024; 14 days of 31 in Feb 2024." in shown  # the band, for who cannot see it
    assert "together cost 987.50 USD, finance 12.50 USD, Electricity 10,000 kWh" in shown


def test_another_convention_and_what_it_moves(explorer: BillExplorer) -> None:
    explorer.bill, explorer.side = "b", "what moves"
    assert "Nothing moves yet" in read(explorer)
    assert explorer.moved.empty
    explorer.convention = "exclusive"  # 30 days: 17 in January, 13 in February
    moved = explorer.moved.set_index(["quantity", "meter_id", "month"])
    january = moved.loc[("usage", "e1", pd.Timestamp("2024-01-01"))]
    assert january[["before", "after", "difference"]].tolist() == pytest.approx(
        [6000 * 17 / 31, 3400.0, 3400.0 - 6000 * 17 / 31]
    )
    assert moved.groupby("quantity")["difference"].sum().abs().max() < 1e-9  # nothing is lost, it only moves
    assert "+109.6774 kWh" in read(explorer)
    explorer.convention = "midday"  # half a day at each end: 16.5 of 30
    moved = explorer.moved.set_index(["quantity", "meter_id", "month"])
    assert moved.loc[("usage", "e1", pd.Timestamp("2024-01-01")), "after"] == pytest.approx(3300.0)
    explorer.convention = "inclusive"
    assert explorer.moved.empty


def test_occupancy_moves_usage_and_then_charges(explorer: BillExplorer) -> None:
    explorer.bill = "b"
    explorer.occupancy = "all"  # north is occupied by 60 %: 3,600 to 4,000 kWh
    rows = explorer.attribution.set_index(["line_item_id", "meter_id"])["amount"]
    assert rows[("b:0", "e1")], rows[("b:0", "e2")] == (426.32, 473.68)
    explorer.side = "meters"
    shown = read(explorer)
    assert "6,000 3,600 kWh estimated; occupancy 60 %" in shown
    used = explorer.moved.query("quantity == 'usage'")
    assert set(used["meter_id"]) == {"e1"}
    assert used["difference"].sum() == pytest.approx(-2400.0)
    explorer.occupancy = "connection"  # its connection asks for it
    assert explorer.moved.query("quantity == 'usage'")["difference"].sum() == pytest.approx(-2400.0)


@pytest.mark.parametrize(
    ("bill", "reason"), [("a", "superseded by bill b"), ("c", "account not tracked")], ids=["revised", "not tracked"]
)
def test_a_bill_in_no_total_says_why(explorer: BillExplorer, bill: str, reason: str) -> None:
    explorer.bill = bill
    assert f"This bill is in no total: {reason}" in read(explorer)
    assert explorer.attribution["method"].tolist() == ["left out"]
    assert explorer.months.empty
    explorer.side = "months"
    assert "Nothing of this bill falls into a month." in read(explorer)
    assert f"no: {reason.split(' by ')[0]}" in words(explorer.snapshot())


def test_an_uploaded_bill_without_an_account_and_another_currency(explorer: BillExplorer) -> None:
    explorer.account = "no account"
    assert explorer.bills["bill_id"].tolist() == ["euro", "bare"]
    explorer.bill = "euro"
    facts = read(explorer)
    assert "Account none is known" in facts
    assert "Meters pay 80.50 EUR" in facts
    assert explorer.usage["usage"].isna().all()
    explorer.side = "months"
    shown = read(explorer)
    assert "Gas: natural gas usage 31 – CCF" in shown  # a missing usage is no 0
    assert "cost 80.50 EUR" in shown


def test_a_bill_that_says_next_to_nothing(explorer: BillExplorer) -> None:
    explorer.bill = "bare"
    assert "Unknown utility" in read(explorer)
    for side, said in (
        ("who pays", "no charge to share out"),
        ("line items", "The API gives no line items for this bill."),
        ("meters", "No usage stands on this bill."),
        ("months", "there is no band to draw"),
    ):
        explorer.side = side
        assert said in read(explorer)
    assert explorer.frame.empty


def test_names_of_markup_and_great_length(explorer: BillExplorer) -> None:
    explorer.bill = "euro"
    static = explorer.snapshot()
    assert "<script>" not in static
    assert "<img" not in static
    said = words(static)
    assert "<img src=x onerror=alert(1)>" in said
    assert LONG[:40] in said
    shown = words(place(explorer, "Who pays: the amounts").value)
    assert LONG[:20] in shown
    assert LONG not in shown  # cut, with its whole in the title
    explorer.company = "Beta <&> Co"
    assert "Beta &lt;&amp;&gt; Co" in explorer.snapshot()


# Finding a bill.


def test_each_picker_narrows_the_next(explorer: BillExplorer) -> None:
    assert explorer.company == "alpha"
    assert explorer.bills["bill_id"].tolist() == ["euro", "b", "a", "c", "bare"]
    assert explorer.bill == "euro"
    explorer.site = "North"
    assert (explorer.site, explorer.bill) == ("north", "b")
    assert explorer.bills["bill_id"].tolist() == ["b", "a"]
    assert control(explorer, "Account").options == ("100-1",)
    assert control(explorer, "Meter").options == ("E-1, electricity", "E-2, electricity")
    explorer.meter = "E-2"
    assert explorer.bills["bill_id"].tolist() == ["b"]
    explorer.account = "400-<4>"  # not at North: the site gives way
    assert (explorer.site, explorer.account, explorer.meter, explorer.bill) == (None, "D", None, "c")
    explorer.account = None
    assert len(explorer.bills) == 5
    explorer.site = {"site_id": "south"}
    assert explorer.bills["bill_id"].tolist() == ["euro", "b", "c"]
    explorer.bill = "a"  # not at South: all are shown again
    assert (explorer.site, explorer.bill, len(explorer.bills)) == (None, "a", 5)


def test_a_person_at_the_controls(explorer: BillExplorer) -> None:
    fill(explorer, "Site", "North")
    assert explorer.bill == "b"
    fill(explorer, "Find", "900.00")
    assert explorer.bills["bill_id"].tolist() == ["a"]
    fill(explorer, "Find", "inv-7")
    assert explorer.bills["bill_id"].tolist() == ["b"]
    fill(explorer, "Find", "nothing is called so")
    assert explorer.bill is None
    assert not labelled(explorer, "Save these rows"), "no bill is shown"
    assert "No bill fits" in words(explorer.snapshot())
    with pytest.raises(InvalidRequestError, match="No bill is shown"):
        _ = explorer.frame
    press(explorer, "Clear")
    assert (explorer.site, len(explorer.bills)) == (None, 5)
    rows(explorer)[3].click()
    assert explorer.bill == "c"
    fill(explorer, "Days", "midday")
    assert explorer.convention == "midday"
    fill(explorer, "Company", "beta")
    assert (explorer.company, explorer.bill, explorer.convention) == ("beta", "w", "midday")


def test_what_is_not_there_is_said_and_nothing_changes(explorer: BillExplorer) -> None:
    explorer.bill = "b"
    for name, wrong, error, said in (
        ("bill", "zz", NotFoundError, "No bill here is called 'zz'"),
        ("site", "Nowhere", NotFoundError, "No site here is called 'Nowhere'"),
        ("meter", "E-9", NotFoundError, "No meter"),
        ("company", "Nobody", NotFoundError, "No company"),
        ("convention", "half", InvalidRequestError, "inclusive, exclusive, midday"),
        ("occupancy", "some", InvalidRequestError, "disabled, all, connection"),
        ("side", "back", InvalidRequestError, "who pays, line items"),
    ):
        with pytest.raises(error, match=said):
            setattr(explorer, name, wrong)
    assert (explorer.bill, explorer.site, explorer.company, explorer.side) == ("b", None, "alpha", "who pays")


def test_companies_without_bills_and_keys_without_companies(explorer: BillExplorer, opened: Opened) -> None:
    explorer.company = "Empty"
    assert explorer.bill is None
    assert "This company has no bill yet." in words(explorer.snapshot())
    assert repr(explorer) == "BillExplorer: 0 bills"
    alone = opened(BillExplorer, SmallBooks(), "Beta <&> Co")
    assert repr(alone) == "BillExplorer: 1 bill"
    assert not labelled(alone, "Company")
    client = SmallBooks()
    client.held = []
    none = opened(BillExplorer, client)
    assert none.company is None
    assert "The key sees no company" in words(none.snapshot())
    assert none.refresh() is True


# Shown, saved, failing.


def test_three_ways_to_be_shown(explorer: BillExplorer) -> None:
    explorer.bill = "b"
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert bundle["text/plain"] == "BillExplorer: 5 bills, 2 in no total"
    static = words(bundle["text/html"])
    for said in ("Bills: Alpha", "Data of 15 Jan 2026, 06:00 UTC", "Who pays", "Line items", "Meters", "Months"):
        assert said in static
    assert "What moves" not in static
    explorer.convention = "exclusive"
    assert "What moves" in words(explorer.snapshot())


def test_every_control_has_a_label_and_none_is_left_behind(opened: Opened) -> None:
    explorer = opened(BillExplorer, SmallBooks())
    waiting, labelled = [explorer.widget], 0
    while waiting:
        one = waiting.pop()
        if one.layout.display != "none":
            waiting += getattr(one, "children", ())
            if isinstance(one, widgets.ToggleButtons):
                assert [tip.removeprefix("Show of this bill: ") for tip in one.tooltips] == [
                    label for label, _ in one.options
                ]
            elif isinstance(one, (widgets.Button, widgets.Dropdown, widgets.Combobox, widgets.Text)):
                assert one.description
                labelled += 1
    assert labelled > 10
    number = len(live_controls)
    for _ in range(3):
        for bill in ("b", "euro", "bare"):
            explorer.bill = bill
        explorer.convention = "exclusive"
        explorer.company = "beta"
        explorer.company, explorer.convention = "alpha", "inclusive"
    assert len(live_controls) == number


def test_the_side_shown_is_saved_and_calculates_nothing(explorer: BillExplorer, tmp_path: Path) -> None:
    explorer.bill, explorer.side = "b", "line items"
    written = explorer.export(tmp_path / "bill.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["line_item_id"] for row in rows] == ["b:0", "b:1", "b:2", "b:3"]
    assert rows[0]["description"] == f"'{FORMULA}"
    assert explorer.export(tmp_path / "bill.xlsx").read_bytes()[:2] == b"PK"
    press(explorer, "Save these rows")
    assert 'download="bill.csv"' in page(explorer)
    explorer.side = "who pays"
    assert "download=" not in page(explorer)  # they held rows that are not shown any more
    assert explorer.frame["meter"].dropna().unique().tolist() == ["E-1", "E-2"]


def test_what_was_shown_stays_when_the_api_fails(opened: Opened) -> None:
    client = SmallBooks()
    explorer = opened(BillExplorer, client)
    explorer.bill = "b"
    rows = explorer.attribution
    client.fault = ServerError("The API answered 500.", status_code=500)
    assert explorer.refresh() is False
    assert "The API answered 500." in explorer.message
    assert "What you see is 3 hours old, of 15 Jan 2026, 06:00 UTC" in explorer.message
    assert "press Refresh to try again" in explorer.message
    explorer.company = "beta"
    assert explorer.company == "alpha"
    assert control(explorer, "Company").value == "alpha"
    assert "The other company could not be read" in explorer.message
    pd.testing.assert_frame_equal(explorer.attribution, rows)
    explorer.convention = "exclusive"  # what is held can still be counted in another way
    assert len(explorer.moved)
    client.fault = None
    assert explorer.refresh() is True
    assert client.refreshed == ["alpha"]
    assert (explorer.message, explorer.bill, explorer.convention) == ("", "b", "exclusive")


def test_a_way_that_cannot_be_counted_changes_nothing(opened: Opened) -> None:
    absurd = {**ALPHA, "sites": [{"site_id": "north", "name": "North", "occupancy_percent": 160.0}]}
    explorer = opened(BillExplorer, SmallBooks(books(absurd)))
    explorer.bill = "b"
    rows = explorer.attribution
    explorer.occupancy = "all"
    assert "outside 0 to 100 at north" in explorer.message
    assert (explorer.occupancy, control(explorer, "Occupancy").value) == ("disabled", "disabled")
    pd.testing.assert_frame_equal(explorer.attribution, rows)


def test_what_an_event_brought_is_shown_by_itself(opened: Opened) -> None:
    client = SmallBooks()
    explorer = opened(BillExplorer, client)
    explorer.bill = "b"
    client.held[0] = books({**ALPHA, "bills": [*ALPHA["bills"], {**ALPHA["bills"][2], "bill_id": "new"}]})
    for watcher in client.watchers:
        watcher(Change("alpha", "bills"))
    assert "new" in explorer.bills["bill_id"].tolist()
    assert explorer.bill == "b"


# The numbers are the methodology's.


@pytest.fixture(scope="module")
def nectar() -> nn.Nectar:
    return nn.connect(sandbox=nn.Sandbox(seed=3, sites=4, months=8))


@pytest.mark.parametrize(("convention", "occupancy"), [("inclusive", "disabled"), ("midday", "all")])
def test_its_numbers_are_those_of_explain_attribute_and_monthly(
    nectar: nn.Nectar, opened: Opened, convention: str, occupancy: str
) -> None:
    company = nectar.companies()["name"].iloc[0]
    portfolio = nectar.portfolio(company)
    explorer = opened(BillExplorer, nectar, company)
    explorer.convention, explorer.occupancy = convention, occupancy
    counting = portfolio.bills[portfolio.bills["counts"]]["bill_id"]
    assert set(explorer.bills["bill_id"]) == set(portfolio.bills["bill_id"])

    for bill in counting.iloc[:: len(counting) // 4]:
        explorer.bill = bill
        told = nn.explain(portfolio, bill=bill, occupancy=occupancy)
        pd.testing.assert_frame_equal(explorer.attribution, told)
        month = explorer.months["month"].iloc[0]
        pieces = nn.explain(portfolio, month=month, convention=convention, occupancy=occupancy)
        mine = explorer.months[explorer.months["month"].eq(month)].drop(columns="month").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, pieces[pieces["bill_id"].eq(bill)].reset_index(drop=True))
    if occupancy == "disabled":
        plain = nn.attribute(
            portfolio.line_items, portfolio.usage, portfolio.meters, portfolio.demand,
            line_item_accounts=portfolio.line_item_accounts, demand_usage=portfolio.demand_usage,
            bills=portfolio.bills,
        )  # fmt: skip
        of_bill = plain[plain["bill_id"].eq(explorer.bill)].reset_index(drop=True)
        pd.testing.assert_frame_equal(explorer.attribution[of_bill.columns], of_bill)

    pieces = []
    for explorer.bill in counting:
        pieces.append(explorer.months)
    whole = pd.concat(pieces)
    months = nn.monthly(portfolio, convention, occupancy=occupancy)
    for quantity, unit in (("usage", "unit"), ("cost", "currency"), ("finance", "currency")):
        mine = whole[whole["quantity"].eq(quantity)].groupby(["month", "unit"])["value"].sum()
        his = months[months[quantity].notna()].groupby(["month", unit])[quantity].sum()
        pd.testing.assert_series_equal(mine, his, check_names=False, rtol=1e-9)


def test_five_thousand_bills_at_hand(opened: Opened) -> None:
    client = SmallBooks(many(5_000))
    explorer = opened(BillExplorer, client)
    assert len(explorer.bills) == 5_000
    for side in ("who pays", "months"):
        explorer.side = side
        for number in (4_000, 17, 2_500):
            explorer.bill = f"b-{number}"
            assert explorer.attribution["amount"].sum() == pytest.approx(1000.0)
