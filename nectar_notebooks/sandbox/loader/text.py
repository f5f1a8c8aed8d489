"""From a bills file to rows of cells with their line numbers: encoding, delimiter, half a file.

What the cells mean is decided in `columns` and after it.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from nectar_notebooks.errors import BillsFileError
from nectar_notebooks.limits import MB, Limits, how_to_raise, read_regular_file

__all__ = ["Row", "read_rows"]

_ADVICE = "Export the line items of your billing system as CSV and try again."
_DELIMITERS = (",", ";", "\t", "|")
_OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an Excel file",
}


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one record and the line of the file on which it starts."""

    line: int
    cells: list[str]


def read_rows(path: Path) -> list[Row]:
    """Return the records of a delimited text file, empty lines left out.

    Raises
    ------
    BillsFileError
        Not there, not readable, empty, no text, or cut off in the middle of a record.
    """
    text = _text(path)
    delimiter = max(_DELIMITERS, key=lambda mark: text[: text.find("\n") + 1 or None].count(mark))
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            stripped = [" ".join(cell.split()) for cell in cells]
            if any(stripped):
                rows.append(Row(line, stripped))
            line = reader.line_num + 1
    except csv.Error as problem:
        raise BillsFileError(
            f"The bills file {path.name} cannot be read from line {line} on: {problem}.", advice=_ADVICE
        ) from problem
    if not rows:
        raise BillsFileError(f"The bills file {path.name} is empty.", advice=_ADVICE)
    widest = max(len(row.cells) for row in rows)
    if len(rows) > 1 and len(rows[-1].cells) < widest and not text.endswith(("\n", "\r")):
        raise BillsFileError(
            f"The bills file {path.name} ends in the middle of line {rows[-1].line}: it was not written to its end.",
            advice=_ADVICE,
        )
    return rows


def _text(path: Path) -> str:
    largest = Limits().found_in(os.environ.get).bills_mb
    try:
        data = read_regular_file(path, largest * MB)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise BillsFileError(
            f"The bills file {path} cannot be read: {reason}.", advice="Check the path and that you may read it."
        ) from problem
    if len(data) > largest * MB:
        raise BillsFileError(
            f"The bills file {path.name} has more than {largest:g} MB.", advice=how_to_raise("bills_mb")
        )
    for start, kind in _OTHER_FILES.items():
        if data.startswith(start):
            raise BillsFileError(f"The bills file {path.name} is {kind}, not a CSV file.", advice=_ADVICE)
    if not data.strip():
        raise BillsFileError(f"The bills file {path.name} is empty.", advice=_ADVICE)
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(ord(mark) < 32 and mark not in "\t\n\r\f" for mark in text):
            return text
    raise BillsFileError(f"The bills file {path.name} is not text.", advice=_ADVICE)
