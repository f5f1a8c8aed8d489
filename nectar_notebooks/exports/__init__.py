"""Exports to files: any frame, a portfolio's tables, the monthly result, ENERGY STAR's upload.

``save`` writes any frame as CSV, Excel or Parquet; ``table``, ``monthly`` and ``portfolio_manager`` select what to
export and list what is left out. Nothing here computes: the numbers come from the methodology.
"""

from nectar_notebooks.exports.files import csv_bytes, excel_bytes, free, save
from nectar_notebooks.exports.portfolio_manager import portfolio_manager
from nectar_notebooks.exports.selection import Export, monthly, table

__all__ = ["Export", "csv_bytes", "excel_bytes", "free", "monthly", "portfolio_manager", "save", "table"]


def __dir__() -> list[str]:
    return sorted(__all__)
