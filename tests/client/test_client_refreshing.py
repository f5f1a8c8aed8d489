"""Refreshes by changes alone equal a full fetch, and cost next to nothing when nothing changed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from client.hand_written_api import document, usage

TODAY = "2026-01-15T08:00:00Z"


def assert_like_a_full_fetch(join, nectar, tmp_path: Path) -> None:
    fresh = join(cache_dir=tmp_path / "fresh").portfolio()
    for name, frame in nectar.portfolio():
        pd.testing.assert_frame_equal(frame, getattr(fresh, name), obj=name)


def test_nothing_changed_costs_at_most_three_requests_a_resource(api, join, clock) -> None:
    nectar = join()
    before = nectar.portfolio()
    api.take_log()
    clock.advance(days=2)
    report = nectar.refresh()
    asked = [path.split("?")[0] for path in api.take_log()]
    assert asked.count("/v2.2/document/company/c1") == 3
    assert asked.count("/v2.2/usage/company/c1") == 2
    assert max(asked.count(path) for path in asked) <= 3
    assert report["requests"].tolist() == [len(asked) - 1]
    for name, frame in nectar.portfolio():
        pd.testing.assert_frame_equal(frame, getattr(before, name), obj=name)
    assert nectar.bills().attrs["nectar"]["fetched"] == "2026-01-17T09:00:00+00:00"


def test_changes_are_asked_for_from_a_day_before_the_watermark(api, join, clock) -> None:
    """UTC days cut at midnight: a row that was updated on the day of the walk, after it, would slip through."""
    nectar = join()
    nectar.portfolio()
    for _ in range(2):
        api.take_log()
        clock.advance(days=2)
        nectar.refresh()
    asked = [path.split("?")[1] for path in api.take_log() if "UPDATED_DATE" in path]
    assert len(asked) == 3
    assert all("startDate=2026-01-16&" in question for question in asked), "the refresh before began on the 17th"


def test_new_revised_and_deleted_bills_come_through(api, join, clock, tmp_path) -> None:
    nectar = join()
    nectar.portfolio()
    clock.advance(days=1)
    documents, rows, gone = (api.state[name]["c1"] for name in ("documents", "usage", "deleted"))
    documents.append({**document("b900", "2026-01-10", "a1", "9.00", ["u900"]), "created": TODAY, "updated": TODAY})
    rows.append(
        {**usage("u900", "b900", "m1", "s1", "2026-01-01", "2026-01-09", "7"), "created": TODAY, "updated": TODAY}
    )
    documents[5].update(updated=TODAY, totalCharges="77.00", revisedDocumentId="b900")
    deleted = documents.pop(7)
    gone.append({**deleted, "updated": TODAY})
    del rows[7]
    api.take_log()
    nectar.refresh()
    asked = [path.split("?")[0] for path in api.take_log()]
    assert asked.count("/v2.2/document/company/c1") == 3, "changes alone, not the list"
    bills = nectar.bills().set_index("bill_id")
    assert "b900" in bills.index
    assert "b007" not in bills.index
    assert bills.loc["b005", "total_charges"] == 77.0
    assert not bills.loc["b005", "counts"]
    assert "u007" not in set(nectar.usage()["usage_id"])
    assert_like_a_full_fetch(join, nectar, tmp_path)
    changes = nectar.changes("2026-01-15").set_index("bill_id")["change"].to_dict()
    assert changes == {"b900": "new", "b005": "revised", "b007": "deleted"}


def test_a_deletion_that_moves_no_date_is_noticed_by_the_total(api, join, clock, tmp_path) -> None:
    nectar = join()
    nectar.portfolio()
    clock.advance(days=1)
    del api.state["documents"]["c1"][3]
    del api.state["usage"]["c1"][3]
    nectar.refresh()
    assert "b003" not in set(nectar.bills()["bill_id"])
    assert_like_a_full_fetch(join, nectar, tmp_path)


def test_a_bill_read_again_into_other_rows_loses_the_old_ones(api, join, clock, tmp_path) -> None:
    nectar = join()
    nectar.portfolio()
    clock.advance(days=1)
    documents, rows = api.state["documents"]["c1"], api.state["usage"]["c1"]
    documents[4].update(updated=TODAY, usageData=[{"id": "u904"}])
    documents[4]["demandMeters"][0]["usageDataIds"] = ["u904"]
    rows[4] = {**rows[4], "id": "u904", "updated": TODAY, "usage": "5"}
    api.take_log()
    nectar.refresh()
    assert sum("/usage/company/" in path for path in api.take_log()) == 2, "no need to walk the list"
    assert_like_a_full_fetch(join, nectar, tmp_path)


def test_after_seven_days_the_whole_list_is_walked(api, join, clock) -> None:
    nectar = join()
    nectar.portfolio()
    for _ in range(4):
        clock.advance(days=2)
        api.take_log()
        nectar.refresh()
    asked = [path for path in api.take_log() if path.startswith("/v2.2/document/company/c1")]
    assert any("page=2" in path for path in asked)


def test_stale_rows_are_refreshed_by_changes_too(api, join, clock) -> None:
    nectar = join()
    nectar.bills()
    clock.advance(days=2)
    api.take_log()
    nectar.bills()
    assert not any("page=2" in path for path in api.take_log())


def test_a_moved_meter_is_read_again(api, join, clock, tmp_path) -> None:
    nectar = join()
    nectar.portfolio()
    clock.advance(days=1)
    api.state["meters"]["m1"]["site"] = "s2"
    for row in api.state["usage"]["c1"]:
        if row["meter"] == "m1":
            row.update(site={"id": "s2", "name": "x"}, updated=TODAY)
    nectar.refresh()
    assert nectar.meters().set_index("meter_id").loc["m1", "site_id"] == "s2"
    assert_like_a_full_fetch(join, nectar, tmp_path)


def test_a_status_that_changed_stays_in_the_history(api, join, clock) -> None:
    nectar = join()
    nectar.connections()
    clock.advance(days=2)
    nectar.connections()
    api.state["connections"]["c1"][0].update(status="PASSWORD_INCORRECT", statusFirstSeenTime="2026-01-18T00:00:00Z")
    clock.advance(days=2)
    nectar.connections()
    history = nectar.status_history()
    assert history["status"].tolist() == ["CONNECTED", "PASSWORD_INCORRECT"]
    assert history["seen"].dt.day.tolist() == [15, 19]


def test_changes_need_the_network(join) -> None:
    join().bills()
    with pytest.raises(Exception, match="Offline"):
        join(offline=True).changes("2026-01-01")
