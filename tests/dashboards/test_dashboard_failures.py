"""Dashboards that stay open while the API fails: a served embedded sandbox that goes away, fails or refuses the key."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from controls import control, labelled, page, place, press

import nectar_notebooks as nn
from nectar_notebooks import ConnectionDashboard

pytestmark = pytest.mark.served

Opened = Callable[..., ConnectionDashboard]


@pytest.fixture
def sandbox() -> nn.Sandbox:
    return nn.Sandbox(seed=5, sites=4, months=6)


def joined(sandbox: nn.Sandbox, url: str, folder: Path, key: str | None = None) -> nn.Nectar:
    return nn.connect("local", base_url=url, key=key or sandbox.key, cache_dir=folder, clock=sandbox.clock)


def test_a_refresh_takes_up_what_changed(sandbox: nn.Sandbox, tmp_path: Path, opened: Opened) -> None:
    with sandbox.serve(0, fixed_key=True) as served:
        dashboard = opened(ConnectionDashboard, joined(sandbox, served.url, tmp_path))
        healthy = dashboard.frame.query("status == 'CONNECTED'")["connection_id"]
        sandbox.advance(days=1)
        broken = sandbox.scenario("bad_login", connection=healthy.iloc[0])
        assert dashboard.refresh() is True
        row = dashboard.frame.set_index("connection_id").loc[broken]
        assert row["status"] == "PASSWORD_INCORRECT"
        assert "1 more than at the last look" in dashboard.snapshot()
        dashboard.selected = broken
        assert "Connected" in place(dashboard, "Statuses over time").value  # it is known what it was before


@pytest.mark.fault
def test_an_api_that_went_away_leaves_the_last_good_rows(sandbox: nn.Sandbox, tmp_path: Path, opened: Opened) -> None:
    with sandbox.serve(0, fixed_key=True) as served:
        dashboard = opened(ConnectionDashboard, joined(sandbox, served.url, tmp_path))
        rows = dashboard.frame
    sandbox.clock.advance(seconds=3 * 3600)
    assert dashboard.refresh() is False
    pd.testing.assert_frame_equal(dashboard.frame, rows)
    assert "3 hours old" in dashboard.message
    assert "press Refresh to try again" in dashboard.message
    labels = [type(one).__name__ for one in labelled(dashboard, "Refresh")]
    assert labels == ["Button"], "the progress of the refresh is not shown any more"
    assert not control(dashboard, "Refresh").disabled
    dashboard.filters = {"family": "healthy"}
    assert set(dashboard.frame["family"]) == {"healthy"}
    assert dashboard.message in dashboard.snapshot().replace("&#x27;", "'")
    with sandbox.serve(served.port, fixed_key=True):
        assert dashboard.refresh() is True
    assert dashboard.message == ""


def test_an_api_that_answers_500(sandbox: nn.Sandbox, tmp_path: Path, opened: Opened) -> None:
    with sandbox.serve(0, fixed_key=True) as served:
        dashboard = opened(ConnectionDashboard, joined(sandbox, served.url, tmp_path))
        rows = dashboard.frame
        sandbox.faults.add(status=500, times=1000)
        assert dashboard.refresh() is False
        pd.testing.assert_frame_equal(dashboard.frame, rows)
        assert "500" in dashboard.message
        sandbox.faults.clear()
        assert dashboard.refresh() is True


@pytest.mark.fault
def test_a_key_that_expires_in_the_middle(sandbox: nn.Sandbox, tmp_path: Path, opened: Opened) -> None:
    key = sandbox.create_key("production", expires=sandbox.clock.now() + timedelta(hours=1))
    with sandbox.serve(0, fixed_key=True) as served:
        dashboard = opened(ConnectionDashboard, joined(sandbox, served.url, tmp_path, key))
        rows = dashboard.frame
        sandbox.clock.advance(seconds=7200)
        press(dashboard, "Refresh")
        pd.testing.assert_frame_equal(dashboard.frame, rows)
        assert "make a new dashboard with one that is valid" in dashboard.message
        assert "2 hours old" in dashboard.message
        assert key not in dashboard.message


def test_bills_that_cannot_be_read_are_said_once(sandbox: nn.Sandbox, tmp_path: Path, opened: Opened) -> None:
    with sandbox.serve(0, fixed_key=True) as served:
        dashboard = opened(ConnectionDashboard, joined(sandbox, served.url, tmp_path))
    dashboard.selected = dashboard.frame["connection_id"].iloc[0]
    assert "Bills and meters could not be read" in dashboard.message
    assert dashboard.frame["provider"].iloc[0] in place(dashboard, "Next step").value.replace("&amp;", "&")
    dashboard.selected = dashboard.frame["connection_id"].iloc[1]
    with sandbox.serve(served.port, fixed_key=True):
        assert dashboard.refresh() is True
        assert re.search("months complete|No meter is known", page(dashboard))
