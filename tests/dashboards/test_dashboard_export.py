"""Rows of a dashboard as files: what is saved is what is shown. The files themselves: tests/exports."""

from __future__ import annotations

import csv
import io
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from controls import page, press
from dashboards.small_office import SmallOffice

from nectar_notebooks import ConnectionDashboard
from nectar_notebooks.dashboards.export import download_links
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.exports import csv_bytes


def test_the_dashboard_saves_the_rows_it_shows(
    office: SmallOffice, opened: Callable[..., object], tmp_path: Path
) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.filters = {"needs_customer": True}
    written = dashboard.export(tmp_path / "broken.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["connection_id"] for row in rows] == ["k3", "k2"]
    assert dashboard.export(tmp_path / "broken.XLSX").read_bytes()[:2] == b"PK"
    with pytest.raises(InvalidRequestError, match=r"End its name in \.csv, \.xlsx or \.parquet"):
        dashboard.export(tmp_path / "broken.txt")
    dashboard.filters = None
    with pytest.raises(InvalidRequestError, match="already exists"):
        dashboard.export(tmp_path / "broken.csv")
    assert dashboard.export(tmp_path / "broken.csv", overwrite=True).read_text(encoding="utf-8-sig") != written


def test_links_hold_the_files_and_go_when_the_rows_change(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(ConnectionDashboard, office)
    press(dashboard, "Save these rows")
    links = page(dashboard)
    assert 'download="connections.csv"' in links
    assert 'download="connections.xlsx"' in links
    dashboard.filters = {"text": "gas"}
    assert "download=" not in page(dashboard)


def test_links_hold_what_is_saved() -> None:
    frame = pd.DataFrame({"provider": ["=1+1"], "usage": [-1.5]})
    contents = re.findall(r'base64,([^"]+)"', str(download_links(frame, "x")))
    assert b64decode(contents[0]) == csv_bytes(frame)
    assert pd.read_excel(io.BytesIO(b64decode(contents[1]))).to_dict("list") == {"provider": ["=1+1"], "usage": [-1.5]}
