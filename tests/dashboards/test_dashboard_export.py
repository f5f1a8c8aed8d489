"""Rows for a spreadsheet: nothing in them is calculated, and they can be read back."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from small_office import SmallOffice

from nectar_notebooks import ConnectionDashboard
from nectar_notebooks.dashboards.export import csv_bytes, download_links, excel_bytes, save
from nectar_notebooks.errors import InvalidRequestError

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"]
HARMLESS = ["plain", "a=b", "1-2", ""]
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def frame() -> pd.DataFrame:
    texts = DANGEROUS + HARMLESS
    return pd.DataFrame({"text": texts, "number": [-1.5, *([None] * (len(texts) - 1))], "=head": [True] * len(texts)})


def test_a_formula_is_text_in_csv(frame: pd.DataFrame) -> None:
    rows = list(csv.reader(io.StringIO(csv_bytes(frame).decode("utf-8-sig"), newline="")))
    assert [row[0] for row in rows[1:]] == [f"'{text}" for text in DANGEROUS] + HARMLESS
    assert rows[1][1] == "-1.5"  # a number is a number
    assert rows[2][1] == ""
    assert rows[0][2] == "'=head"


def test_a_formula_is_text_in_excel(frame: pd.DataFrame) -> None:
    with zipfile.ZipFile(io.BytesIO(excel_bytes(frame, "rows & more"))) as file:
        sheet = ET.fromstring(file.read("xl/worksheets/sheet1.xml"))
        book = ET.fromstring(file.read("xl/workbook.xml"))
    assert not list(sheet.iter(f"{MAIN}f"))
    cells = [row.findall(f"{MAIN}c") for row in sheet.iter(f"{MAIN}row")]
    assert [row[0].get("t") for row in cells] == ["inlineStr"] * len(cells)
    assert cells[1][0].find(f"{MAIN}is/{MAIN}t").text == "=1+1"
    assert cells[1][1].find(f"{MAIN}v").text == "-1.5"
    assert len(cells[2][1]) == 0
    assert next(book.iter(f"{MAIN}sheet")).get("name") == "rows & more"


def test_the_same_rows_give_the_same_bytes(frame: pd.DataFrame) -> None:
    assert excel_bytes(frame, "rows") == excel_bytes(frame, "rows")


def test_the_dashboard_saves_the_rows_it_shows(
    office: SmallOffice, opened: Callable[..., object], tmp_path: Path
) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.filters = {"needs_customer": True}
    written = dashboard.export(tmp_path / "broken.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["connection_id"] for row in rows] == ["k2", "k3"]
    assert dashboard.export(tmp_path / "broken.XLSX").read_bytes()[:2] == b"PK"
    with pytest.raises(InvalidRequestError, match=r"end its name in \.csv or \.xlsx"):
        dashboard.export(tmp_path / "broken.txt")


def test_links_hold_the_files_and_go_when_the_rows_change(office: SmallOffice, opened: Callable[..., object]) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard._saving._prepare.click()
    links = dashboard._saving._links.value
    assert 'download="connections.csv"' in links
    assert 'download="connections.xlsx"' in links
    dashboard.filters = {"text": "gas"}
    assert dashboard._saving._links.value == ""


def test_save_and_links_agree(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert save(frame, tmp_path / "x.csv", "x").read_bytes() == csv_bytes(frame)
    assert download_links(frame, "x").count("<a ") == 2
