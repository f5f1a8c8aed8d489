"""What counts, what does not and why; and where a bill came from."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology import completeness
from nectar_notebooks.schema.accounts import unknown_states
from nectar_notebooks.tables import build, empty, fill_counts, resolve_bill_accounts


def accounts(**fields: dict) -> list[dict]:
    return [{"id": account_id, **values} for account_id, values in fields.items()]


def company(documents: list[dict], account_rows: list[dict], meter_accounts: dict[str, str] | None = None) -> dict:
    """Build a company's frames from rows written by hand."""
    frames = build("documents", documents)
    connection = {"id": "cn-1", "accounts": account_rows}
    frames |= build("connections", [connection])
    meters = frames["meters"]
    frames["meters"] = meters.assign(
        account_id=meters["meter_id"].map(meter_accounts or {}).astype(meters["account_id"].dtype)
    )
    frames["bill_accounts"] = resolve_bill_accounts(
        *(frames[name] for name in ("bills", "line_items", "line_item_accounts", "usage", "meters", "accounts"))
    )
    return frames


def bill(bill_id: str, *, account: str | list[str] | None = None, meter: str | None = None, **more: object) -> dict:
    listed = [account] if isinstance(account, str) else account or []
    usage = {"id": f"u-{bill_id}", "startDate": "2026-01-01", "usage": "1", "meter": meter}
    return {"id": bill_id, "lineItems": [{"totalCharge": "1", "accountIds": listed}], "usageData": [usage], **more}


def reasons(frames: dict, name: str, key: str) -> dict:
    frame = frames[name]
    assert frame["counts"].dtype == pd.BooleanDtype()
    assert (frame["counts"] == frame["counts_reason"].isna()).all()
    return frame.set_index(key)["counts_reason"].replace({np.nan: None}).to_dict()


def test_a_superseded_bill_takes_its_usage_and_charges_with_it() -> None:
    frames = fill_counts(
        company([bill("d1", revisedDocumentId="d2"), bill("d2", revisedDocumentId="d3"), bill("d3"), bill("d4")], [])
    )
    assert reasons(frames, "bills", "bill_id") == {"d1": "superseded", "d2": "superseded", "d3": None, "d4": None}
    assert reasons(frames, "usage", "usage_id") == {
        "u-d1": "superseded",
        "u-d2": "superseded",
        "u-d3": None,
        "u-d4": None,
    }
    assert reasons(frames, "line_items", "bill_id") == reasons(frames, "bills", "bill_id")


def test_a_bill_superseded_by_one_that_is_not_there_is_superseded_all_the_same() -> None:
    frames = fill_counts(company([bill("d1", revisedDocumentId="elsewhere")], []))
    assert reasons(frames, "bills", "bill_id") == {"d1": "superseded"}


@pytest.mark.parametrize(
    "links",
    [{"a": "a"}, {"a": "b", "b": "a"}, {"x": "a", "a": "b", "b": "c", "c": "a"}],
)
def test_a_circle_of_revisions_names_its_bills(links: dict[str, str]) -> None:
    frames = company([bill(key, revisedDocumentId=value) for key, value in links.items()], [])
    with pytest.raises(DataError, match="circle") as caught:
        fill_counts(frames)
    circle = caught.value.message.partition(": ")[2].rstrip(".").split(" → ")
    assert circle[0] == circle[-1]
    assert set(circle) == set(links) - {"x"}


def test_a_long_chain_is_no_circle() -> None:
    chain = [bill(f"d{n}", revisedDocumentId=f"d{n + 1}") for n in range(3000)]
    frames = fill_counts(company([*chain, bill("d3000")], []))
    assert frames["bills"]["counts"].sum() == 1


def test_accounts_known_not_to_count() -> None:
    rows = accounts(
        good={"status": "PULL_COMPLETED", "trackingStatus": "ENABLED"},
        onboarded={"status": "ONBOARDED"},
        unset={"trackingStatus": "UNSET"},
        unknown={"status": "SOMETHING_NEW"},
        bare={},
        not_duplicate={"isDuplicated": "false"},
        detected={"status": "DETECTED"},
        untracked={"status": "CUSTOMER_NOT_TRACKED"},
        disabled={"trackingStatus": "DISABLED"},
        older={"isTracked": False},
        duplicate={"isDuplicated": "good", "status": "DETECTED"},
    )
    frames = fill_counts(company([bill(f"d-{row['id']}", account=row["id"]) for row in rows], rows))
    expected = {
        "detected": "detected account",
        "untracked": "account not tracked",
        "disabled": "account not tracked",
        "older": "account not tracked",
        "duplicate": "duplicate account",
    }
    assert reasons(frames, "accounts", "account_id") == {row["id"]: expected.get(row["id"]) for row in rows}
    assert reasons(frames, "bills", "bill_id") == {f"d-{row['id']}": expected.get(row["id"]) for row in rows}
    assert reasons(frames, "usage", "usage_id") == {f"u-d-{row['id']}": expected.get(row["id"]) for row in rows}


def test_a_bill_of_several_accounts_counts_as_long_as_one_does() -> None:
    rows = accounts(good={}, detected={"status": "DETECTED"}, off={"trackingStatus": "DISABLED"})
    documents = [
        bill("both", account=["detected", "good"], meter="m-good"),
        bill("none", account=["off", "detected"]),
        bill("foreign", account=["not-in-the-list", "detected"]),
    ]
    documents[0]["lineItems"].append({"totalCharge": "2", "accountIds": ["detected"]})
    documents[0]["usageData"].append({"id": "u-2", "meter": "m-detected"})
    frames = fill_counts(company(documents, rows, {"m-good": "good", "m-detected": "detected"}))
    assert reasons(frames, "bills", "bill_id") == {"both": None, "none": "account not tracked", "foreign": None}
    assert reasons(frames, "line_items", "line_item_id") == {
        "both:0": None,
        "both:1": "detected account",
        "none:0": "account not tracked",
        "foreign:0": None,
    }
    assert reasons(frames, "usage", "usage_id")["u-2"] == "detected account"
    assert reasons(frames, "usage", "usage_id")["u-both"] is None


def test_nothing_and_frames_unchanged() -> None:
    names = ("accounts", "bills", "usage", "line_items", "bill_accounts", "meters", "line_item_accounts")
    frames = {name: empty(name) for name in names}
    filled = fill_counts(frames)
    for name in names:
        assert filled[name].dtypes.to_dict() == empty(name).dtypes.to_dict()
    frames = company([bill("d1", account="a", revisedDocumentId="d2")], accounts(a={}))
    before = {name: frame.copy() for name, frame in frames.items()}
    filled = fill_counts(frames)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])
        assert filled[name].dtypes.to_dict() == empty(name).dtypes.to_dict()


# --- where bills came from


def resolved(documents: list[dict], account_rows: list[dict], meter_accounts: dict, walked=None) -> list[list]:
    frames = company(documents, account_rows, meter_accounts)
    relation = resolve_bill_accounts(
        *(frames[name] for name in ("bills", "line_items", "line_item_accounts", "usage", "meters", "accounts")),
        walked=walked,
    )
    assert relation.dtypes.to_dict() == empty("bill_accounts").dtypes.to_dict()
    return relation.astype(object).where(relation.notna(), None).to_numpy().tolist()


def test_line_items_first_then_meters_then_the_connections_list() -> None:
    walked = pd.DataFrame({"connection_id": ["cn-1", "cn-1", "cn-9"], "bill_id": ["by-walk", "by-line", "by-walk"]})
    rows = resolved(
        [
            bill("by-walk", meter="m-unknown"),
            bill("by-line", account=["a", "b"], meter="m-b"),
            bill("by-meter", meter="m-b"),
            bill("lost"),
            bill("uploaded", jobId="j-1"),
            bill("uploaded-and-named", account="loose", jobId="j-1"),
        ],
        accounts(a={}, b={}),
        {"m-b": "b"},
        walked,
    )
    assert rows[:7] == [
        ["by-walk", None, "cn-1", "walk", None],
        ["by-walk", None, "cn-9", "walk", None],
        ["by-line", "a", "cn-1", "line_item", None],
        ["by-line", "b", "cn-1", "line_item", None],
        ["by-meter", "b", "cn-1", "meter", None],
        rows[5],
        rows[6],
    ]
    assert rows[5][:4] == ["lost", None, None, None]
    assert "No line item names an account" in rows[5][4]
    assert rows[6][:4] == ["uploaded", None, None, None]
    assert "Uploaded" in rows[6][4]
    assert rows[7:] == [["uploaded-and-named", "loose", None, "line_item", None]]


def test_an_account_on_two_lines_and_two_meters_is_one_row() -> None:
    document = bill("d", account="a", meter="m")
    document["lineItems"] *= 3
    assert resolved([document], accounts(a={}), {"m": "a"}) == [["d", "a", "cn-1", "line_item", None]]


def test_no_bills() -> None:
    assert resolved([], [], {}) == []


# --- periods and states


def test_a_period_that_cannot_be_does_not_count_and_its_charges_do() -> None:
    documents = [bill("d1"), bill("d2"), bill("d3"), bill("d4", revisedDocumentId="d1"), bill("d5")]
    for document, (start, end) in zip(
        documents,
        [
            ("2024-02-01", "2024-01-31"),
            ("2024-02-01", "9999-12-31"),
            ("1970-01-01", None),
            ("2024-02-01", "9999-12-31"),
            ("2024-02-01", "2027-12-31"),
        ],
        strict=True,
    ):
        document["usageData"][0] |= {"startDate": start, "endDate": end}
    frames = fill_counts(company(documents, []), today=date(2026, 1, 15))
    outside = "period outside 1990-01-01 to 2027-12-31"
    assert reasons(frames, "usage", "usage_id") == {
        "u-d1": "period ends before it starts",
        "u-d2": outside,
        "u-d3": outside,
        "u-d4": "superseded",
        "u-d5": None,
    }
    assert reasons(frames, "bills", "bill_id") == {"d1": None, "d2": None, "d3": None, "d4": "superseded", "d5": None}
    assert frames["line_items"]["counts"].tolist() == [True, True, True, False, True]
    wide = fill_counts(company(documents, []), plausible=("1960-01", "9999-12-31"))
    assert wide["usage"]["counts"].tolist() == [False, True, True, False, True]


def test_documented_states_in_the_spellings_of_the_platform() -> None:
    rows = accounts(
        a={"status": "Duplicate"},
        b={"status": "INACTIVE"},
        c={"status": "Old account"},
        d={"status": "Needs pull"},
        e={"status": "ONBOARDING"},
        f={"status": "Customer not tracked"},
        g={"status": "detected"},
    )
    frames = fill_counts(company([bill(f"d-{row['id']}", account=row["id"]) for row in rows], rows))
    assert reasons(frames, "accounts", "account_id") == {
        "a": "duplicate account",
        "b": "inactive account",
        "c": None,
        "d": None,
        "e": None,
        "f": "account not tracked",
        "g": "detected account",
    }
    assert frames["usage"]["counts"].sum() == 3


@pytest.mark.parametrize("state", ["OLD 2", "OLD_ACCOUNT_2", "Duplicate 2", "INACTIVE1", "2DETECTED"])
def test_a_state_with_a_digit_is_another_state_that_nobody_knows(state: str) -> None:
    """Accounts count but those known not to: a state beside the documented ones counts, is named, and has not ended."""
    rows = accounts(a={"status": state}, b={"status": "ONBOARDED"})
    frames = fill_counts(company([bill(f"d-{row['id']}", account=row["id"]) for row in rows], rows))
    assert reasons(frames, "accounts", "account_id") == {"a": None, "b": None}
    assert frames["usage"]["counts"].all()
    assert unknown_states(frames["accounts"]["status"]) == {state: 1}
    usage = pd.DataFrame({"meter_id": ["M"], "account_id": ["a"], "start_date": ["2024-01-01"],
                          "end_date": ["2024-01-31"], "usage": [1.0]})  # fmt: skip
    later = completeness(usage, accounts=frames["accounts"], end="2024-03", today="2024-06-01")
    assert later["status"].tolist() == ["complete", "missing", "missing"]
