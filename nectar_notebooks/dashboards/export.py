"""Links by which a browser saves the rows a dashboard shows. The files themselves are written by `exports`."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from nectar_notebooks.dashboards.html import Markup, element, join
from nectar_notebooks.exports import csv_bytes, excel_bytes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["download_links"]

_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
