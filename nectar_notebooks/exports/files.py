"""Frames as CSV, Excel and Parquet files, in which no text acts as a formula; never overwrites a file unasked.

In CSV, text that a spreadsheet would evaluate gets an apostrophe; in Excel it is stored as text, which is never
evaluated, even after editing. The same rows give the same bytes. What the frames hold is decided elsewhere.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.exports.cells import acts_as_formula, flat, harmless, plain_days, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

    from nectar_notebooks.exports.cells import Value

__all__ = ["ENDINGS", "csv_bytes", "excel_bytes", "free", "save", "written"]

#: The supported formats, by suffix.
ENDINGS: Final = (".csv", ".xlsx", ".parquet")

#: Rows of an Excel sheet, including the header.
_MOST_ROWS: Final = 1_048_576
_SHEET_NAME: Final = 31
_UTC: Final = 'yyyy-mm-dd hh:mm:ss "UTC"'
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MOMENT: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
#: Rows used to measure a column's width.
_SAMPLE: Final = 200


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as CSV in UTF-8 with a byte order mark, for spreadsheets; missing values are empty.

    Civil dates are written as 2024-01-31, timestamps with their offset.

    Examples
    --------
    >>> csv_bytes(pd.DataFrame({"name": ["=1+1"], "usage": [-1.5]})).decode("utf-8-sig").splitlines()
    ['name,usage', "'=1+1,-1.5"]
    """
    safe = flat(frame)
    columns: dict[str, pd.Series] = {}
    for name in safe.columns.tolist():
        column = safe[name]
        if plain_days(column):
            columns[name] = column.dt.strftime("%Y-%m-%d")
        elif not pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_datetime64_any_dtype(column.dtype):
            columns[name] = column.astype(object).map(
                lambda value: harmless(value) if isinstance(value, str) else value, na_action="ignore"
            )
    safe = safe.assign(**columns).rename(columns=harmless)
    return b"\xef\xbb\xbf" + safe.to_csv(index=False, lineterminator="\r\n").encode()


def excel_bytes(frames: pd.DataFrame | Mapping[str, pd.DataFrame], sheet: str = "rows") -> bytes:
    """Return frames as an Excel workbook, one sheet each; text stays text, whatever it begins with.

    Parameters
    ----------
    frames : DataFrame or mapping of DataFrame
        One frame, or frames by sheet name.
    sheet : str
        Sheet name for a single frame; names are cut to the 31 characters that Excel allows.

    Raises
    ------
    DataError
        More rows than fit in a sheet, or a value that a cell cannot hold.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    taken: set[str] = set()
    for name, frame in (frames if isinstance(frames, Mapping) else {sheet: frames}).items():
        _fill(book.create_sheet(_sheet_name(name, taken)), flat(frame))
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_times(buffer)


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return `name` as a valid sheet name not in `taken`, and add it there."""
    base = re.sub(r"[\[\]:*?/\\]", " ", name).strip(" '")[:_SHEET_NAME] or "rows"
    short, number = base, 1
    while short.lower() in taken:
        number += 1
        short = f"{base[: _SHEET_NAME - len(str(number)) - 1]} {number}"
    taken.add(short.lower())
    return short


def _fill(sheet: WriteOnlyWorksheet, table: pd.DataFrame) -> None:
    """Write a frame to an empty sheet, with a frozen header row and columns as wide as their content."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    if len(table) >= _MOST_ROWS:
        raise DataError(
            f"{len(table):,} rows are more than the {_MOST_ROWS - 1:,} that fit in an Excel sheet.",
            advice="Save them as CSV or Parquet, or select a shorter period.",
        )
    columns = [values(table[name]) for name in table.columns]
    sheet.freeze_panes = "A2"
    for place, (name, column) in enumerate(zip(table.columns, columns, strict=True), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = _width(str(name), column)
    heads = [_text_cell(sheet, str(name)) for name in table.columns]
    for head in heads:
        head.font = Font(bold=True)
        head.alignment = Alignment(wrap_text="\n" in head.value, vertical="top")
    sheet.append(heads)
    for row in zip(*columns, strict=True):
        sheet.append([_cell(sheet, value) for value in row])


def _width(name: str, column: Sequence[Value]) -> float:
    longest = max((len(str(value)) for value in column[:_SAMPLE] if value is not None), default=0)
    return min(max(*map(len, name.split("\n")), longest, 6) + 2, 48)


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> Value | WriteOnlyCell:
    """Return the cell for a value, marked as text if openpyxl would take it for a formula or an error code."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ERROR_CODES

    if isinstance(value, str):
        return _text_cell(sheet, value) if acts_as_formula(value) or value in ERROR_CODES else value
    if isinstance(value, datetime) and value.tzinfo is not None:
        cell = WriteOnlyCell(sheet, value.astimezone(UTC).replace(tzinfo=None))
        cell.number_format = _UTC
        return cell
    return value


def _text_cell(sheet: WriteOnlyWorksheet, text: str) -> WriteOnlyCell:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    if acts_as_formula(text):
        cell.quotePrefix = True  # else Excel evaluates it once the cell is edited
    return cell


def _without_times(book: io.BytesIO) -> bytes:
    """Return the workbook without its creation time, so that the same rows give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(book) as made, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as kept:
        for part in sorted(made.namelist()):
            content = made.read(part)
            if part == "docProps/core.xml":
                content = _MOMENT.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            info = zipfile.ZipInfo(part, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            kept.writestr(info, content)
    return buffer.getvalue()


def save(frame: pd.DataFrame, path: str | PathLike[str], sheet: str = "rows", *, overwrite: bool = False) -> Path:
    """Write any frame to a file, as CSV, Excel or Parquet by its suffix, and return the path.

    Parameters
    ----------
    frame : DataFrame
        A named index becomes columns.
    path : path
        Ends in .csv, .xlsx or .parquet; its folder is created if missing.
    sheet : str
        Sheet name of an Excel file.
    overwrite : bool
        Whether an existing file may be replaced. The old file stays until the new one is complete.

    Raises
    ------
    InvalidRequestError
        Another suffix, or the file exists and `overwrite` is not set.
    DataError
        The frame has something that the file format cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> save(pd.DataFrame({"usage": [1.0]}), f"{folder}/usage.csv").name
    'usage.csv'
    """
    target = free(path, overwrite=overwrite)
    kind = target.suffix.lower()
    if kind == ".csv":
        return written(target, csv_bytes(frame))
    if kind == ".xlsx":
        return written(target, excel_bytes(frame, sheet))
    return written(target, _parquet_bytes(frame))


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa

    buffer = io.BytesIO()
    try:
        flat(frame).to_parquet(buffer, index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"Parquet cannot hold this frame: {error}", advice="Give each column values of one type."
        ) from error
    return buffer.getvalue()


def free(path: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """Return the path if a file may be written there.

    Raises
    ------
    InvalidRequestError
        A suffix that is not in `ENDINGS`, or the file exists and may not be replaced.
    """
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        raise InvalidRequestError(
            f"The suffix of {target.name} is not a supported file format.",
            advice=f"End its name in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.",
        )
    if target.exists() and not overwrite:
        raise InvalidRequestError(
            f"{target} already exists and was not changed.",
            advice="Choose another name, or replace it with overwrite=True (--force on the command line).",
        )
    return target


def written(target: Path, content: bytes) -> Path:
    """Write a file completely or not at all, and return its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as part:
        part.write_bytes(content)
        part.replace(target)
    return target


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)
