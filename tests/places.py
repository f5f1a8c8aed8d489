"""Where things lie: the project's root and, beside the project, the real bills."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
REAL_BILLS = PROJECT.parent / "shared" / "data" / "fnsb" / "bills.csv"
