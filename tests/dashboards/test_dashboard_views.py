"""The view functions against the small office: every number by hand, every odd text escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from dashboards.small_office import LONG, MARKUP, SmallOffice

from nectar_notebooks.dashboards import connection_detail as detail
from nectar_notebooks.dashboards.closer import Closer, closer_look
from nectar_notebooks.dashboards.connections_view import (
    COLUMNS,
    connection_frame,
    counts_by_family,
    family_changes,
    headline,
    page_table,
    tiles,
)
from nectar_notebooks.dashboards.filters import Filters, filtered, in_order, search_texts
from nectar_notebooks.dashboards.html import FAMILIES, element, text
from nectar_notebooks.dashboards.reading import Look, first_look
from nectar_notebooks.errors import InvalidRequestError


@pytest.fixture
def look(office: SmallOffice) -> Look:
    return first_look(office)


@pytest.fixture
def closer(office: SmallOffice, look: Look) -> Closer:
    return closer_look(office, look)


@pytest.fixture
def frame(look: Look, closer: Closer) -> pd.DataFrame:
    return connection_frame(look, closer)


class Elements(HTMLParser):
    """Elements that a browser would make, and whether every one is closed."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []
        self.handlers: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def chosen(frame: pd.DataFrame, look: Look, **asked: object) -> list[str]:
    return filtered(frame, Filters.of(asked), search_texts(frame, look.accounts))["connection_id"].tolist()


def test_a_row_for_each_connection_with_all_columns(frame: pd.DataFrame) -> None:
    assert tuple(frame.columns) == COLUMNS
    assert frame["connection_id"].tolist() == ["k1", "k2", "k3", "k4", "k5", "k6", "k7"]
    assert frame["company"].tolist() == ["Acme"] * 5 + ["Beta <&> Co"] * 2


def test_missing_bills_are_those_of_the_holes_behind_a_login(frame: pd.DataFrame) -> None:
    missing = frame.set_index("connection_id")["missing_bills"]
    assert missing["k1"] == 1  # March 2025, between two bills
    assert missing["k2"] == 1  # November of one meter: December is not due for another month
    assert missing["k3"] == 0
    assert missing["k7"] == 6  # June to November
    assert pd.isna(missing["k4"])  # not known is not 0
    assert pd.isna(missing["k6"])


def test_the_last_service_is_that_of_the_bills_whatever_the_accounts_say(
    office: SmallOffice, frame: pd.DataFrame
) -> None:
    served = frame.set_index("connection_id")["last_service"]
    told = served.dropna().dt.strftime("%Y-%m-%d").to_dict()
    assert told == {"k1": "2025-12-31", "k2": "2025-11-30", "k3": "2025-12-31", "k7": "2025-05-31"}
    for said in (None, "2019-01-31", "2026-01-14"):
        office.tables["accounts"]["last_service_date"] = pd.Series(said, index=range(8), dtype="datetime64[us]")
        look = first_look(office)
        pd.testing.assert_frame_equal(connection_frame(look, closer_look(office, look)), frame)


def test_before_bills_are_read_nothing_is_guessed(look: Look) -> None:
    frame = connection_frame(look)
    assert frame[["last_service", "days_without_bill", "missing_bills"]].isna().all(axis=None)
    assert "missing" not in headline(frame)
    shown = page_table(frame, with_company=False, read=False, caption="all")
    assert shown.count("not read yet") == 2 * len(frame)


def test_ages_and_accounts(frame: pd.DataFrame) -> None:
    rows = frame.set_index("connection_id")
    assert rows.loc["k2", "days_in_status"] == 42
    assert rows.loc["k2", "days_without_bill"] == 46
    assert (rows.loc["k2", "accounts"], rows.loc["k2", "accounts_tracked"]) == (3, 2)
    assert pd.isna(rows.loc["k5", "days_in_status"])
    assert (rows.loc["k6", "accounts"], rows.loc["k6", "accounts_tracked"]) == (0, 0)


def test_an_unknown_status_is_kept_and_asks_support(frame: pd.DataFrame) -> None:
    row = frame.set_index("connection_id").loc["k5"]
    assert (row["status"], row["family"]) == ("HALF_BROKEN_NEWLY", "unknown")
    assert row["next_step"] == "Ask Nectar's support."


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, ["k1", "k2", "k3", "k4", "k5", "k6", "k7"]),
        ({"company": "c2"}, ["k6", "k7"]),
        ({"company": "Acme", "family": "healthy"}, ["k1"]),
        ({"status": "WEBSITE_DOWN"}, ["k4"]),
        ({"provider": "City Light"}, ["k1", "k6"]),
        ({"owner": "bo@acme.example"}, ["k3", "k5"]),
        ({"needs_customer": True}, ["k2", "k3"]),
        ({"no_bill_for": 46}, ["k2", "k4", "k5", "k6", "k7"]),  # those that never had one are without one
        ({"no_bill_for": 47}, ["k4", "k5", "k6", "k7"]),
        ({"text": "RIVER"}, ["k2"]),
        ({"text": "200-3"}, ["k2"]),  # the number of an account
        ({"text": "wrong pass"}, ["k2"]),
        ({"text": "<script>"}, ["k3"]),
        ({"text": ".*"}, []),  # text, not a pattern
        ({"family": "customer", "owner": "ann@acme.example"}, ["k2"]),
    ],
)
def test_filters(frame: pd.DataFrame, look: Look, asked: dict[str, object], ids: list[str]) -> None:
    assert chosen(frame, look, **asked) == ids


def test_what_filters_cannot_mean_is_said() -> None:
    with pytest.raises(InvalidRequestError, match="no filter 'colour': there are company, family"):
        Filters.of({"colour": "red"})
    with pytest.raises(InvalidRequestError, match="no number of days"):
        Filters.of({"no_bill_for": "long"})
    with pytest.raises(InvalidRequestError, match="There is no order 'size'"):
        in_order(pd.DataFrame(), "size")


def test_orders_put_what_needs_somebody_first_and_what_is_missing_last(frame: pd.DataFrame) -> None:
    def order(name: str, *, reverse: bool = False) -> list[str]:
        return frame.loc[in_order(frame, name, reverse=reverse), "connection_id"].tolist()

    assert order("what needs somebody") == ["k3", "k2", "k4", "k7", "k5", "k1", "k6"]
    assert order("since")[-1] == "k5"
    assert order("since", reverse=True)[0] == "k6"
    assert order("since", reverse=True)[-1] == "k5"
    assert order("missing bills")[:3] == ["k7", "k2", "k1"]
    assert order("provider")[-1] == "k4"


def test_families_are_counted_and_compared_with_the_look_before(look: Look, frame: pd.DataFrame) -> None:
    assert counts_by_family(frame["family"]) == {"customer": 2, "website": 1, "system": 1, "unknown": 1, "healthy": 2}
    # Seen before these rows were fetched: k1 and k2 connected, k3 waiting for its customer.
    assert family_changes(look) == {"customer": 1, "website": 1, "system": 1, "unknown": 1, "healthy": 0}
    shown = tiles(counts_by_family(frame["family"]), family_changes(look))
    assert "1 more than at the last look" in shown
    assert "as at the last look" in shown


def test_a_first_look_has_nothing_to_compare_with(office: SmallOffice) -> None:
    seen = office.tables["status_history"]
    office.tables["status_history"] = seen[seen["seen"] >= pd.Timestamp("2026-01-15", tz="UTC")]
    look = first_look(office)
    assert family_changes(look) is None
    assert "last look" not in tiles(counts_by_family(look.connections["family"]), None)


def test_the_headline_counts(frame: pd.DataFrame, closer: Closer) -> None:
    assert headline(frame, closer) == "7 connections, 2 need the customer, about 8 bills missing at 3 sites"
    assert headline(frame) == "7 connections, 2 need the customer"
    assert headline(frame.head(1)) == "1 connection"
    assert headline(frame.head(0)) == "no connections"


def test_markup_of_others_is_text_everywhere(look: Look, closer: Closer, frame: pd.DataFrame) -> None:
    row = frame.set_index("connection_id", drop=False).loc["k3"]
    accounts = look.accounts[look.accounts["connection_id"] == "k3"]
    spans = detail.past_statuses(look.history[look.history["connection_id"] == "k3"], row)
    pieces = [
        page_table(frame, with_company=True, read=True, caption=MARKUP),
        detail.heading(row),
        detail.facts(row, closer, accounts, spans, look.today),
        detail.account_table(accounts, closer),
        detail.meter_table(accounts, closer),
        detail.bills_by_month(row, accounts, closer),
        detail.status_timeline(row, spans, closer.coverage.months, look.today),
    ]
    for piece in pieces:
        seen = Elements(piece)
        assert not {"script", "img", "b", "u3", "i"} & set(seen.names) - {"b"}, piece
        assert not seen.handlers
        assert not seen.open
    assert "&lt;script&gt;" in pieces[0]
    assert "300-&lt;i&gt;1&lt;/i&gt;" in pieces[3]
    assert "W-&lt;5&gt;" in pieces[4]


def test_a_name_of_255_characters_is_cut_and_whole_in_its_title(frame: pd.DataFrame) -> None:
    shown = page_table(frame, with_company=False, read=True, caption="all")
    assert len(LONG) == 255
    assert f'title="{LONG}"' in shown
    assert re.search(r">Very long provider name x{10,40}…<", shown)


def test_a_connection_without_a_provider_is_called_by_its_address(frame: pd.DataFrame) -> None:
    assert "https://portal.example/login" in page_table(
        frame[frame["connection_id"] == "k4"], with_company=False, read=True, caption=""
    )


def test_marks_that_turn_text_around_are_left_out() -> None:
    assert text("safe\u202egnp.exe") == "safegnp.exe"
    assert element("p", "a\x00b") == "<p>ab</p>"


def test_past_statuses_are_spans_and_flapping_is_said(look: Look, frame: pd.DataFrame) -> None:
    row = frame.set_index("connection_id", drop=False).loc["k2"]
    spans = detail.past_statuses(look.history[look.history["connection_id"] == "k2"], row)
    assert spans[["status", "family"]].values.tolist() == [
        ["CONNECTED", "healthy"],
        ["WEBSITE_DOWN", "website"],
        ["CONNECTED", "healthy"],
        ["PASSWORD_INCORRECT", "customer"],
    ]
    days = ["2025-01-01", "2025-11-09", "2025-11-25", "2025-12-04"]
    assert spans["start"].dt.strftime("%Y-%m-%d").tolist() == days
    assert spans["end"].dt.strftime("%Y-%m-%d").tolist()[:3] == days[1:]
    assert pd.isna(spans["end"].iloc[3])
    told = detail.facts(row, None, look.accounts.head(0), spans, look.today)
    assert "The status changed 3 times within 90 days." in told


def test_a_status_nobody_saw_before_is_known_from_the_row(look: Look, frame: pd.DataFrame) -> None:
    row = frame.set_index("connection_id", drop=False).loc["k4"]
    spans = detail.past_statuses(look.history.head(0), row)
    assert spans["status"].tolist() == ["WEBSITE_DOWN"]
    assert detail.past_statuses(look.history.head(0), row.copy().replace({"WEBSITE_DOWN": None})).empty


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_ink_can_be_read_on_its_paper(name: str) -> None:
    assert _contrast(FAMILIES[name].ink, FAMILIES[name].paper) >= 7
