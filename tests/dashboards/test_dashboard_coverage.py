"""Months with bills: codes, grids and holes of the small office, by hand; the dashboard on top of them."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
from controls import fill, page, shown
from dashboards.small_office import SmallOffice

from nectar_notebooks import CoverageDashboard
from nectar_notebooks.dashboards.closer import closer_look
from nectar_notebooks.dashboards.coverage import COMPLETE, FUTURE, MISSING, NOT_REQUIRED, PART, runs
from nectar_notebooks.dashboards.reading import first_look
from nectar_notebooks.dashboards.svg import months_in_words, strip
from nectar_notebooks.errors import DataError, InvalidRequestError, NotFoundError, ServerError

MONTHS = [str(month) for month in pd.period_range("2024-01", "2026-01", freq="M")]


def states(dashboard: CoverageDashboard, name: str) -> dict[str, str]:
    """Return the states of a row that are not complete, by month."""
    rows = dashboard.frame[dashboard.frame["name"] == name]
    assert rows["month"].dt.strftime("%Y-%m").tolist() == MONTHS
    odd = rows[rows["state"] != "complete"]
    return dict(zip(odd["month"].dt.strftime("%Y-%m"), odd["state"], strict=True))


def test_a_meter_misses_the_months_without_a_bill(office: SmallOffice) -> None:
    coverage = closer_look(office, first_look(office)).coverage
    assert [f"{month:%Y-%m}" for month in coverage.months] == MONTHS
    codes = dict(zip(coverage.meters["meter_id"], coverage.codes.tolist(), strict=True))
    assert codes["m1"] == [COMPLETE] * 14 + [MISSING] + [COMPLETE] * 9 + [FUTURE]
    assert codes["m3"] == [COMPLETE] * 22 + [MISSING] + [FUTURE] * 2  # December is not due yet
    assert codes["m5"] == [COMPLETE] * 24 + [FUTURE]


def test_a_site_is_partly_billed_where_one_of_its_meters_is(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, office)
    assert states(dashboard, "Mill") == {
        "2025-03": "partly_billed",
        "2025-12": "partly_billed",
        "2026-01": "future",
    }
    assert states(dashboard, "<Yard>") == {
        "2025-11": "partly_billed",
        "2025-12": "partly_billed",
        "2026-01": "future",
    }
    gone = [f"2025-{month:02d}" for month in range(6, 12)]
    assert states(dashboard, "Shed") == {**dict.fromkeys(gone, "missing"), "2025-12": "future", "2026-01": "future"}


def with_fuel(office: SmallOffice) -> SmallOffice:
    """Make the Shed's meter an oil tank: deliveries in January, July and December 2025, of one day each."""
    office.tables["meters"].loc[lambda rows: rows["meter_id"] == "m8", "commodity"] = "FUEL"
    usage = office.tables["usage"]
    days = pd.to_datetime(["2025-01-10", "2025-07-02", "2025-12-09"]).astype("datetime64[us]")
    tank = usage[usage["meter_id"] == "m8"].head(3).assign(commodity="FUEL", start_date=days, end_date=days)
    office.tables["usage"] = pd.concat([usage[usage["meter_id"] != "m8"], tank], ignore_index=True)
    return office


def test_fuel_need_not_be_delivered_every_month(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, with_fuel(office))
    assert "missing" not in states(dashboard, "Shed").values()
    assert dashboard.frame["name"].drop_duplicates().tolist()[-1] == "Shed"
    assert dashboard.refresh()
    assert "missing" not in states(dashboard, "Shed").values()


def test_how_often_bills_are_expected_is_an_argument(office: SmallOffice, opened: Callable[..., object]) -> None:
    quarterly = opened(CoverageDashboard, with_fuel(office), expected={"FUEL": "quarterly"})
    for _ in range(2):
        lacking = [month for month, state in states(quarterly, "Shed").items() if state == "missing"]
        assert lacking == ["2025-04", "2025-05", "2025-06"]
        assert quarterly.refresh()
    monthly = opened(CoverageDashboard, office, expected="monthly")
    assert list(states(monthly, "Shed").values()).count("missing") == 9
    for wrong in ("weekly", {"FUEL": "weekly"}):
        with pytest.raises(InvalidRequestError, match="'weekly' is not known"):
            CoverageDashboard(office, expected=wrong)


def test_a_name_that_no_company_knows_is_refused(office: SmallOffice, opened: Callable[..., object]) -> None:
    """A utility of one company may be named beside another company's; one that none has is told."""
    usage = office.tables["usage"]
    of_one = usage["meter_id"] == "m8"
    office.tables["usage"] = usage.assign(utility=np.where(of_one, "Old Power", "City Light"))
    yearly = opened(CoverageDashboard, office, expected={"old power": "yearly"})
    assert "missing" not in states(yearly, "Shed").values()
    with pytest.raises(DataError, match="expected names 'New Power'"):
        CoverageDashboard(office, expected={"New Power": "yearly"})


def test_rows_with_the_most_holes_come_first(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, office)
    assert dashboard.frame["name"].drop_duplicates().tolist() == ["Shed", "<Yard>", "Mill"]
    assert repr(dashboard) == "CoverageDashboard: 3 sites, Jan 2024 to Jan 2026, about 8 bills missing at 3 sites"


def test_a_hole_says_which_bill_since_when_and_because_of_which_connection(
    office: SmallOffice, opened: Callable[..., object]
) -> None:
    dashboard = opened(CoverageDashboard, office)
    dashboard.selected = ("<Yard>", "2025-11")
    assert dashboard.selected == ("s2", "2025-11")
    (row,) = dashboard.hole.to_dict("records")
    assert (row["meter"], row["account"], row["provider"]) == ("G-3", "200-2", "River Gas")
    assert f"{row['first_day']:%Y-%m-%d} {row['last_day']:%Y-%m-%d}" == "2025-11-01 2025-11-30"
    assert (row["days"], row["bills_expected"]) == (30, 1)
    assert f"{row['last_bill']:%Y-%m-%d}" == "2025-10-31"
    assert row["cause"] == "The login does not work since 4 Dec 2025 (password incorrect)."
    page = dashboard.snapshot()
    assert "&lt;Yard&gt;: Nov 2025<" in page
    assert "About 1 bill missing in 1 hole that reaches into this month" in page
    assert "The login does not work since 4 Dec 2025" in page


def test_a_hole_older_than_the_fault_is_not_blamed_on_it(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, office, by="account")
    dashboard.selected = ("City Light · 100-1", "2025-03")
    (row,) = dashboard.hole.to_dict("records")
    assert row["cause"] == "The login works (connected): the provider issued no bill, or it was not found."
    connections = office.tables["connections"]
    connections.loc[0, ["status", "family", "status_since"]] = [
        "PASSWORD_INCORRECT",
        "customer",
        pd.Timestamp("2025-12-01", tz="UTC"),
    ]
    again = opened(CoverageDashboard, office, by="account")
    again.selected = ("a1", "2025-03")
    assert again.hole["cause"].tolist() == [
        "The hole is older than what the login has now (password incorrect since 1 Dec 2025)."
    ]


def test_pressing_a_hole_selects_it(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, office)
    presses = [one for one in shown(dashboard) if isinstance(one, widgets.Button)]
    holes = [press for press in presses if press.tooltip.endswith(("bills missing", "partly billed"))]
    assert [press.tooltip for press in holes][:2] == [
        "Shed, Jun 2025 to Nov 2025: bills missing",
        "<Yard>, Nov 2025: partly billed",
    ]
    assert len(holes) == 3, "what is not due yet is no hole"
    holes[0].click()
    assert dashboard.selected == ("s3", "2025-06")
    assert dashboard.hole["status"].tolist() == ["COMPANY_INACTIVE"]


def test_rows_can_be_narrowed_and_exchanged(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, office)
    fill(dashboard, "Find", "mil")
    assert dashboard.frame["name"].unique().tolist() == ["Mill"]
    assert repr(dashboard).endswith("1 site, Jan 2024 to Jan 2026, about 1 bill missing at 1 site")
    fill(dashboard, "Find", "")
    dashboard.by = "account"
    assert sorted(dashboard.frame["account_id"].unique()) == ["a1", "a2", "a3", "a5", "a8"]
    fill(dashboard, "Only with bills missing", True)
    assert sorted(dashboard.frame["account_id"].unique()) == ["a1", "a3", "a8"]
    assert repr(dashboard).endswith("about 8 bills missing at 3 sites")


def test_holes_before_the_months_shown_are_counted_and_said(office: SmallOffice, opened: Callable[..., object]) -> None:
    usage = office.tables["usage"]
    first = pd.Timestamp("2022-01-01")
    early = usage[usage["meter_id"] == "m2"].head(1).assign(usage_id="early", start_date=first, end_date=first)
    early["end_date"] = pd.Timestamp("2022-12-31")
    office.tables["usage"] = pd.concat([usage, early.astype(usage.dtypes)], ignore_index=True)
    line = repr(opened(CoverageDashboard, office))
    assert line.endswith("about 20 bills missing at 3 sites, 12 of them before Jan 2024")


def test_a_cell_that_is_none_is_said(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, office, "Acme")
    with pytest.raises(NotFoundError, match="No site here is called 'Shed'"):
        dashboard.selected = ("Shed", "2025-12")
    for guessed in ("soon", "March", "12/01/2025"):
        with pytest.raises(InvalidRequestError, match="is no date"):
            dashboard.selected = ("Mill", guessed)
    with pytest.raises(InvalidRequestError, match="the months are 2024-01 to 2026-01"):
        dashboard.selected = ("Mill", "1999-01")
    with pytest.raises(InvalidRequestError, match="say 'site' or 'account'"):
        dashboard.by = "meter"
    dashboard.selected = ("Mill", "2025-01")
    assert dashboard.hole.empty
    assert "nothing is missing in Jan 2025" in page(dashboard)


def test_no_bills_at_all_is_no_error(office: SmallOffice, opened: Callable[..., object]) -> None:
    for name in ("usage", "bills", "bill_accounts", "meters", "accounts", "connections", "sites"):
        office.tables[name] = office.tables[name].head(0)
    dashboard = opened(CoverageDashboard, office)
    assert dashboard.frame.empty
    assert repr(dashboard) == "CoverageDashboard: no sites with meters"


def test_a_refresh_that_fails_leaves_the_grid(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(CoverageDashboard, office)
    before = dashboard.frame
    office.fault = ServerError("The API answered 500.")
    assert dashboard.refresh() is False
    pd.testing.assert_frame_equal(dashboard.frame, before)
    assert "3 hours old" in dashboard.message
    office.fault = None
    assert dashboard.refresh() is True
    assert dashboard.message == ""


def test_a_strip_says_in_words_what_it_shows() -> None:
    months = pd.DatetimeIndex(["2025-09-01", "2025-10-01", "2025-11-01", "2025-12-01", "2026-01-01"])
    codes = np.array([NOT_REQUIRED, COMPLETE, MISSING, PART, FUTURE], dtype=np.int8)
    words = "1 of 3 months complete; missing: Nov 2025; partly billed: Dec 2025."
    assert months_in_words(codes, months) == words
    drawn = strip(codes, months, "<Mill>")
    assert "<title>Months with bills: &lt;Mill&gt;</title>" in drawn
    assert f"<desc>{words}</desc>" in drawn
    assert drawn.count("<rect") == 5
    assert months_in_words(np.array([FUTURE], dtype=np.int8), months[:1]) == "No month is expected to have bills."
    assert runs(codes[:0]) == []


def test_the_snapshot_is_the_same_twice(office: SmallOffice, opened: Callable[..., object]) -> None:
    first, second = opened(CoverageDashboard, office), opened(CoverageDashboard, SmallOffice())
    assert first.snapshot() == second.snapshot()
    assert "<script" not in first.snapshot()
    first.by = "account"
    assert repr(first).startswith("CoverageDashboard: 5 accounts")
