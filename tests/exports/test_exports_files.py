"""Any frame as a file: read back by other hands, nothing in it is calculated, nothing is overwritten unasked."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.exports import csv_bytes, excel_bytes, save

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", '=HYPERLINK("http://x","y")']
HARMLESS = ["plain", "a=b", "1-2", "#N/A", "", "Zoë ⚡"]


@pytest.fixture
def frame() -> pd.DataFrame:
    texts = DANGEROUS + HARMLESS
    return pd.DataFrame({"text": texts, "number": [-1.5, *([None] * (len(texts) - 1))], "=head": [True] * len(texts)})


def sheet(content: bytes) -> openpyxl.worksheet.worksheet.Worksheet:
    return openpyxl.load_workbook(io.BytesIO(content)).active


def test_a_formula_is_text_in_csv(frame: pd.DataFrame) -> None:
    rows = list(csv.reader(io.StringIO(csv_bytes(frame).decode("utf-8-sig"), newline="")))
    assert [row[0] for row in rows[1:]] == [f"'{text}" for text in DANGEROUS] + HARMLESS
    assert rows[1][1] == "-1.5"  # a number is a number
    assert rows[2][1] == ""
    assert rows[0][2] == "'=head"


def test_a_formula_is_text_in_excel_also_once_it_is_edited(frame: pd.DataFrame) -> None:
    rows = list(sheet(excel_bytes(frame)).iter_rows())
    assert not [cell for row in rows for cell in row if cell.data_type in "fe"]
    read = [(row[0].value, row[0].quotePrefix) for row in rows[1:]]
    wanted = [(text.replace("\r", "\n"), True) for text in DANGEROUS] + [(text or None, False) for text in HARMLESS]
    assert read == wanted
    assert rows[0][2].value == "=head"
    assert (rows[1][1].value, rows[1][1].data_type) == (-1.5, "n")
    assert rows[2][1].value is None


def test_dates_and_numbers_keep_their_kind() -> None:
    frame = pd.DataFrame(
        {
            "day": pd.array(["2024-02-29", None], dtype="datetime64[us]"),
            "moment": pd.Series(["2024-03-10T01:30:00-05:00", None]).pipe(pd.to_datetime, utc=True),
            "count": pd.array([3, None], dtype="Int64"),
            "flag": pd.array([False, None], dtype="boolean"),
            "mixed": [Decimal("1.25"), date(2024, 1, 2)],
            "old": pd.array(["1899-12-31", None], dtype="datetime64[us]"),
        }
    )
    first, second = list(sheet(excel_bytes(frame)).iter_rows(min_row=2))
    assert first[0].value == pd.Timestamp("2024-02-29")
    assert first[0].number_format == "yyyy-mm-dd"
    assert first[1].value == pd.Timestamp("2024-03-10 06:30")
    assert "UTC" in first[1].number_format
    assert (first[2].value, first[3].value, first[4].value) == (3, False, 1.25)
    assert (second[4].value, first[5].value) == (pd.Timestamp("2024-01-02"), "1899-12-31")
    assert [cell.value for cell in second[:4]] == [None] * 4
    line = csv_bytes(frame).decode("utf-8-sig").splitlines()[1]
    assert line == "2024-02-29,2024-03-10 06:30:00+00:00,3,False,1.25,1899-12-31"


@pytest.mark.parametrize("rows", [0, 1, 5_000])
@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_every_row_is_read_back(rows: int, ending: str, tmp_path: Path) -> None:
    cents = np.random.default_rng(7).integers(-1_000_000, 1_000_000, rows)
    frame = pd.DataFrame({"meter_id": [f"meter {row}" for row in range(rows)], "cost": cents / 100, "currency": "USD"})
    path = save(frame, tmp_path / "new folder" / f"rows.{ending}")
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}[ending](path)
    assert list(read.columns) == ["meter_id", "cost", "currency"]
    assert read["meter_id"].tolist() == frame["meter_id"].tolist()
    assert sum(round(value * 100) for value in read["cost"]) == cents.sum()


def test_sheets_of_long_and_equal_names_are_all_there() -> None:
    name = "Monthly usage and cost: sites 1/2 [all of them]"
    book = openpyxl.load_workbook(
        io.BytesIO(excel_bytes({name: pd.DataFrame({"a": [1]}), name.upper(): pd.DataFrame()}))
    )
    assert len(book.sheetnames) == len({title.lower() for title in book.sheetnames}) == 2
    assert all(len(title) <= 31 for title in book.sheetnames)
    assert book.worksheets[0]["A2"].value == 1


def test_a_long_text_is_an_error_in_excel_and_whole_in_csv() -> None:
    frame = pd.DataFrame({"extra": ["x" * 32_768]})
    with pytest.raises(DataError, match=r"column extra has a text of 32,768 characters.*CSV"):
        excel_bytes(frame)
    assert len(csv_bytes(frame)) > 32_768
    with pytest.raises(DataError, match="infinite"):
        excel_bytes(pd.DataFrame({"usage": [float("inf")]}))
    assert sheet(excel_bytes(pd.DataFrame({"name": ["a\x00b\x1bc"]})))["A2"].value == "abc"


def test_a_named_index_comes_along_and_another_does_not(tmp_path: Path) -> None:
    frame = pd.DataFrame({"usage": [1.0, 2.0]}, index=pd.Index(["a", "b"], name="meter"))
    assert csv_bytes(frame).decode("utf-8-sig").splitlines()[0] == "meter,usage"
    assert csv_bytes(frame.rename_axis(None)).decode("utf-8-sig").splitlines()[0] == "usage"
    assert list(pd.read_parquet(save(frame, tmp_path / "x.parquet")).columns) == ["meter", "usage"]
    with pytest.raises(DataError, match="two columns called 'meter'"):
        csv_bytes(frame.assign(meter=1))


def test_nothing_is_overwritten_unasked(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("mine")
    with pytest.raises(InvalidRequestError, match=r"rows\.csv already exists.*overwrite=True \(--force"):
        save(frame, path)
    assert path.read_text() == "mine"
    assert save(frame, path, overwrite=True).read_bytes() == csv_bytes(frame)
    with pytest.raises(InvalidRequestError, match=r"End its name in \.csv, \.xlsx or \.parquet"):
        save(frame, tmp_path / "rows.txt")
    with pytest.raises(DataError):
        save(pd.DataFrame({"usage": [float("inf")]}), tmp_path / "rows.xlsx")
    with pytest.raises(DataError, match="Parquet cannot hold"):
        save(pd.DataFrame({"a": [1, "x"]}, dtype=object), tmp_path / "rows.parquet")
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]


def test_the_same_rows_give_the_same_bytes_and_the_frame_stays(frame: pd.DataFrame) -> None:
    before = frame.copy(deep=True)
    assert excel_bytes(frame) == excel_bytes(frame)
    assert csv_bytes(frame) == csv_bytes(frame)
    pd.testing.assert_frame_equal(frame, before)
