"""The connection dashboard driven as a notebook and a person do: state read and set, pages, three ways to be shown."""

from __future__ import annotations

from collections.abc import Callable
from statistics import quantiles
from time import thread_time

import pandas as pd
import pytest
from controls import control, fill, labelled, page, place, press, rows
from dashboards.small_office import MARKUP, SmallOffice
from ipywidgets.widgets.widget import _instances as live_controls

from nectar_notebooks import ConnectionDashboard
from nectar_notebooks.dashboards.filters import Filters
from nectar_notebooks.errors import InvalidRequestError, NotFoundError, ServerError

Opened = Callable[..., ConnectionDashboard]


def buttons(dashboard: ConnectionDashboard) -> list[str]:
    """Return the names on the page."""
    return [row.tooltip for row in rows(dashboard)]


def controls_of(dashboard: ConnectionDashboard, *labels: str) -> list[object]:
    """Return what stands in the controls."""
    return [control(dashboard, label).value for label in labels]


def test_setting_filters_drives_controls_and_rows(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.filters = {"family": "customer", "text": "gas", "company": "Acme"}
    assert dashboard.filters == Filters(family="customer", text="gas", company="Acme")
    assert dashboard.frame["connection_id"].tolist() == ["k2"]
    assert buttons(dashboard) == ["River Gas"]
    assert controls_of(dashboard, "Family", "Find", "Company") == ["customer", "gas", "c1"]
    dashboard.filters = None
    assert len(dashboard.frame) == 7
    assert controls_of(dashboard, "Family", "Find", "Company") == ["", "", ""]


def test_a_person_at_the_controls_sets_the_filters(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    fill(dashboard, "Needs the customer", True)
    fill(dashboard, "Owner", "bo@acme.example")
    assert dashboard.filters == Filters(needs_customer=True, owner="bo@acme.example")
    assert dashboard.frame["connection_id"].tolist() == ["k3"]
    press(dashboard, "Clear filters")
    assert dashboard.filters == Filters()
    fill(dashboard, "No bill for days", 63)
    assert set(dashboard.frame["connection_id"]) == {"k4", "k5", "k6", "k7"}


def test_the_site_filter_finds_the_logins_behind_its_meters(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    assert "usage" not in office.asked  # the first view reads no bills
    dashboard.filters = {"site": "<Yard>"}
    assert set(dashboard.frame["connection_id"]) == {"k2", "k3"}
    dashboard.filters = {"site": "s1"}
    assert set(dashboard.frame["connection_id"]) == {"k1", "k2"}


def test_filters_that_fit_nothing_here_change_nothing(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.filters = {"text": "gas"}
    for wrong, error in (
        ({"colour": 1}, InvalidRequestError),
        ({"company": "Nobody"}, NotFoundError),
        ({"site": "x"}, NotFoundError),
    ):
        with pytest.raises(error):
            dashboard.filters = wrong
    assert dashboard.filters == Filters(text="gas")
    dashboard.filters = {"text": "nothing is called so"}
    assert dashboard.frame.empty
    assert "No connection fits these filters" in dashboard.snapshot()


def test_the_selected_connection_by_id_row_or_name(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    assert dashboard.selected is None
    assert not labelled(dashboard, "Make a link"), "nothing of a connection is shown"
    dashboard.selected = "River Gas"
    assert dashboard.selected == "k2"
    assert "River Gas" in place(dashboard, "Next step").value
    dashboard.selected = dashboard.frame.iloc[0]
    assert dashboard.selected == "k3"
    with pytest.raises(InvalidRequestError, match="'City Light' fits 2 connections"):
        dashboard.selected = "City Light"
    with pytest.raises(NotFoundError, match="No connection here is called 'nobody'"):
        dashboard.selected = "nobody"
    assert dashboard.selected == "k3"
    dashboard.selected = None
    assert not labelled(dashboard, "Make a link")


def test_the_detail_says_what_the_issue_asks_for(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.selected = "k2"
    page = dashboard.snapshot()
    for words in (
        "since 4 Dec 2025 (42 days)",
        "The provider refused the password; collection is paused.",
        "Send a reconnect invitation to the owner of the login.",
        "8 Jan 2026, 00:00 UTC",
        "Wrong password.",
        "30 Nov 2025 (46 days ago), the latest of 3 accounts",
        "30 Nov 2025, 12.50 USD",
        "About 1 in 1 hole of 1 meter, 1 Nov 2025 to 30 Nov 2025",
        "22 of 23 months complete; partly billed: Nov 2025.",
        "not tracked",
        "G-3",
        "Website down, from 9 Nov 2025 to 25 Nov 2025",
    ):
        assert words in page, words


def test_pages_turn_and_rows_are_pressed(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office, page_size=3)
    assert buttons(dashboard) == [MARKUP, "River Gas", "https://portal.example/login"]
    third = rows(dashboard)[2]
    press(dashboard, "Next")
    press(dashboard, "Next")
    assert buttons(dashboard) == ["City Light"]
    assert control(dashboard, "Next").disabled
    rows(dashboard)[0].click()
    assert dashboard.selected == "k6"
    third.click()  # not on this page any more: a press that came late
    assert dashboard.selected == "k6"
    dashboard.selected = "k2"
    assert "Page 1 of 3" in page(dashboard)


def test_bills_are_read_when_asked_for_and_until_then_it_is_said(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    assert not {"usage", "bills", "meters"} & set(office.asked)
    assert dashboard.frame["missing_bills"].isna().all()
    assert "not read yet" in dashboard.snapshot()
    order = dashboard.frame["connection_id"].tolist()
    press(dashboard, "Count missing bills")
    assert dashboard.frame["connection_id"].tolist() == order, "what was shown stays where it was"
    assert dashboard.frame["missing_bills"].sum() == 8
    assert "not read yet" not in dashboard.snapshot()
    assert not labelled(dashboard, "Count missing bills")


@pytest.mark.parametrize("change", [{"selected": "k1"}, {"order": "missing bills"}, {"filters": {"no_bill_for": 1}}])
def test_what_needs_bills_reads_them(office: SmallOffice, opened: Opened, change: dict[str, object]) -> None:
    dashboard = opened(ConnectionDashboard, office)
    for name, value in change.items():
        setattr(dashboard, name, value)
    assert "about 8 bills missing at 3 sites" in repr(dashboard)


def test_bills_that_cannot_be_read_are_no_guess(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    office.fault = ServerError("The API answered 500.")
    assert dashboard.read_bills() is False
    assert "could not be read" in dashboard.message
    assert dashboard.frame["missing_bills"].isna().all()
    office.fault = None
    assert dashboard.read_bills() is True
    assert dashboard.frame["missing_bills"].sum() == 8


def test_orders(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.order = "missing bills"
    assert dashboard.frame["connection_id"].tolist()[:2] == ["k7", "k2"]
    fill(dashboard, "reversed", True)
    assert dashboard.frame["missing_bills"].tolist()[:2] == [0, 1]
    with pytest.raises(InvalidRequestError):
        dashboard.order = "colour"


@pytest.mark.parametrize("number", [0, 1])
def test_no_connection_and_one(office: SmallOffice, opened: Opened, number: int) -> None:
    for name in ("connections", "accounts", "status_history"):
        office.tables[name] = office.tables[name].head(number)
    dashboard = opened(ConnectionDashboard, office)
    assert len(dashboard.frame) == number
    assert repr(dashboard) == f"ConnectionDashboard: {'no connections' if number == 0 else '1 connection'}"
    assert dashboard.frame.columns[0] == "connection_id"
    if number:
        dashboard.selected = dashboard.frame.iloc[0]
    assert dashboard.refresh()
    assert dashboard._repr_mimebundle_()["text/html"]


def test_one_company(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office, "Acme")
    assert set(dashboard.frame["company"]) == {"Acme"}
    assert "Connections: Acme" in dashboard.snapshot()
    assert not labelled(dashboard, "Company")


def test_three_ways_to_be_shown_and_the_same_twice(office: SmallOffice, opened: Opened) -> None:
    first, second = opened(ConnectionDashboard, office), opened(ConnectionDashboard, SmallOffice())
    bundles = []
    for dashboard in (first, second):
        dashboard.selected = "k3"
        bundles.append(dashboard._repr_mimebundle_())
    assert set(bundles[0]) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    for kind in ("text/html", "text/plain"):
        assert bundles[0][kind] == bundles[1][kind]
    line = bundles[0]["text/plain"]
    assert line == "ConnectionDashboard: 7 connections, 2 need the customer, about 8 bills missing at 3 sites"
    assert "<script" not in bundles[0]["text/html"]
    assert " id=" not in bundles[0]["text/html"]


def test_only_controls_and_html(office: SmallOffice, opened: Opened) -> None:
    before = set(live_controls)
    opened(ConnectionDashboard, office)
    names = {type(live_controls[key]).__name__ for key in set(live_controls) - before}
    assert "Output" not in names
    assert names <= {
        "HTML", "HTMLStyle", "HBox", "VBox", "Layout", "Button", "ButtonStyle", "Dropdown", "Combobox", "Text",
        "TextStyle", "Checkbox", "CheckboxStyle", "BoundedIntText", "IntProgress", "ProgressStyle",
        "DescriptionStyle",
    }  # fmt: skip


def test_every_control_has_a_label(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.selected = "k2"
    waiting, labels = [dashboard.widget], []
    while waiting:
        one = waiting.pop()
        if one.layout.display == "none":
            continue
        waiting += getattr(one, "children", ())
        if type(one).__name__ not in ("HTML", "HBox", "VBox"):
            labels.append(one.description)
    assert len(labels) > 20
    assert all(labels)


def test_interactions_make_no_controls_and_close_takes_all_away(office: SmallOffice) -> None:
    before = len(live_controls)
    dashboard = ConnectionDashboard(office, page_size=3)
    dashboard.selected = "k1"
    made = len(live_controls)
    for number in range(30):
        dashboard.filters = {"text": "c"} if number % 2 else {}
        dashboard.selected = f"k{number % 7 + 1}"
        control(dashboard, "Next" if number % 2 else "Back").click()
    assert len(live_controls) == made
    dashboard.close()
    assert len(live_controls) == before


def test_the_frame_is_a_copy(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    frame = dashboard.frame
    frame.loc[:, "status"] = "X"
    assert "X" not in set(dashboard.frame["status"])
    assert isinstance(dashboard.frame, pd.DataFrame)


def test_five_thousand_connections_at_hand(office: SmallOffice, opened: Opened) -> None:
    connections, accounts = office.tables["connections"], office.tables["accounts"]
    many = connections.iloc[[number % 6 for number in range(5_000)]].reset_index(drop=True)
    many["connection_id"] = [f"c{number}" for number in range(5_000)]
    behind = accounts.iloc[[number % 7 for number in range(20_000)]].reset_index(drop=True)
    behind["account_id"] = [f"n{number}" for number in range(20_000)]
    behind["connection_id"] = [f"c{number // 4}" for number in range(20_000)]
    office.tables |= {"connections": many, "accounts": behind}
    dashboard = opened(ConnectionDashboard, office)
    assert len(dashboard.frame) == 5_000
    dashboard.selected = "c1"  # reads the bills, once
    taken, turn = [], control(dashboard, "Next")
    for number in range(60):
        start = thread_time()
        if number % 3 == 0:
            dashboard.filters = {"family": "customer", "text": f"{number}"} if number % 2 else {"status": "PENDING"}
        elif number % 3 == 1:
            dashboard.selected = f"c{number * 80}"
        else:
            turn.click()
        taken.append(thread_time() - start)
    assert quantiles(taken, n=20)[-1] < 0.05, "95 of 100 take less than 50 ms of Python's time"
