"""Frames as files for a spreadsheet: CSV and Excel, in which no text can act as a formula.

A text that a spreadsheet would take for a formula gets an apostrophe in CSV; in Excel it is stored as text, which
is never calculated. The Excel file is written here, with fixed times, so that the same rows give the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

from nectar_notebooks.dashboards.html import Markup, element, join, missing
from nectar_notebooks.errors import InvalidRequestError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["csv_bytes", "download_links", "excel_bytes", "save"]

#: How a cell begins that a spreadsheet calculates; tab and line ends are stripped by some before they look.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PARTS: Final = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="' + _EXCEL + '.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as CSV in UTF-8 with a mark that spreadsheets look for; missing values are empty."""
    safe = frame.copy()
    for name in safe.columns:
        if isinstance(safe[name].dtype, pd.StringDtype) or safe[name].dtype == object:
            safe[name] = safe[name].map(_harmless, na_action="ignore")
    safe.columns = [_harmless(name) for name in safe.columns]
    return b"\xef\xbb\xbf" + safe.to_csv(index=False, lineterminator="\r\n").encode()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value


def excel_bytes(frame: pd.DataFrame, sheet: str) -> bytes:
    """Return `frame` as one sheet of an Excel workbook; texts are texts, whatever they begin with."""
    lines = ["".join(_cell(str(name)) for name in frame.columns)]
    lines += ["".join(map(_cell, row)) for row in frame.astype(object).itertuples(index=False)]
    rows = "".join(f"<row>{line}</row>" for line in lines)
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts = {
        **_PARTS,
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
        f'relationships"><sheets><sheet name={quoteattr(sheet)} sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), head + content)
    return buffer.getvalue()


def _cell(value: object) -> str:
    if missing(value) or value is pd.NaT:
        return "<c/>"
    if isinstance(value, (bool, int, float)) or hasattr(value, "dtype"):
        if isinstance(value, bool):
            return f'<c t="b"><v>{int(value)}</v></c>'
        return f"<c><v>{value}</v></c>"
    words = value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
    # Marks that XML cannot hold are left out.
    legal = "".join(one for one in words if one in "\t\n\r" or " " <= one <= "\ud7ff" or one >= "\ue000")
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(legal)}</t></is></c>'


def download_links(frame: pd.DataFrame, name: str) -> Markup:
    """Return links that save `frame` from the browser, as CSV and as Excel."""
    files = {
        "CSV": (f"{name}.csv", "text/csv", csv_bytes(frame)),
        "Excel": (f"{name}.xlsx", _EXCEL, excel_bytes(frame, name)),
    }
    links = [
        element(
            "a",
            f"Save {len(frame):,} rows as {word}",
            download=file,
            href=f"data:{kind};base64,{b64encode(content).decode()}",
            style="margin-right:16px;text-decoration:underline;color:inherit",
        )
        for word, (file, kind, content) in files.items()
    ]
    return element("div", join(links), style="font-size:13px;padding:4px 0")


def save(frame: pd.DataFrame, path: str | PathLike[str], sheet: str) -> Path:
    """Write `frame` to a file, as CSV or Excel by the ending of its name, and return the path.

    Raises
    ------
    InvalidRequestError
        Another ending.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise InvalidRequestError(f"{target.name} says no kind of file: end its name in .csv or .xlsx.")
    target.write_bytes(csv_bytes(frame) if kind == ".csv" else excel_bytes(frame, sheet))
    return target
