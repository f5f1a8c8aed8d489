"""Bills and usage in a third of their size: what repeats from bill to bill is stored once, as a template.

A record's JSON text is mostly the same in every bill of an account: field names, nulls, addresses, descriptions. So it
is cut into a template with a hole for each value that moves, and the values. Templates are shared rows of a table;
SQLite's own ``printf`` puts a record together again where it is read, at the speed of reading it whole.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any, Final

from nectar_notebooks.sandbox.model import stored, value_text

__all__ = ["BRIEF", "CHILDREN", "USAGE", "Cut", "Templates"]

#: Stands for a hole while a record is written as JSON; ends up as ``%s``.
_HOLE: Final = "\x00hole\x00"
_WRITTEN: Final = stored(_HOLE)


class Cut:
    """Where one kind of text is cut: which fields move from record to record.

    Parameters
    ----------
    column : str
        The column that names the template; the values stand in `column` followed by a number.
    moving : str
        Names of the moving fields, at any depth, separated by spaces.
    most : int
        How many values may be cut out; further ones stay in the template.
    """

    def __init__(self, column: str, moving: str, most: int) -> None:
        self.column = column
        self.moving = frozenset(moving.split())
        self.columns = tuple(f"{column}{number}" for number in range(most))

    def text(self, alias: str) -> str:
        """Return the SQL of the whole text of a row."""
        values = ", ".join(f"{alias}.{column}" for column in self.columns)
        return f"printf((SELECT t.text FROM templates t WHERE t.seq = {alias}.{self.column}), {values})"

    def apart(self, record: dict[str, Any]) -> tuple[str, list[str | None]]:
        """Return the template and the values of a record, as many as there are columns."""
        values: list[str | None] = []
        text = stored(self._cut(record, values)).replace("%", "%%").replace(_WRITTEN, "%s")
        return text, values + [None] * (len(self.columns) - len(values))

    def _cut(self, record: dict[str, Any], values: list[str | None]) -> dict[str, Any]:
        """Return a copy with holes; asked a hundred thousand times for a large portfolio, hence so plain."""
        left, most, moving = dict(record), len(self.columns), self.moving
        for name, item in record.items():
            if name in moving:
                if len(values) < most:
                    values.append(value_text(item))
                    left[name] = _HOLE
            elif type(item) is list and item and type(item[0]) is dict:
                left[name] = [self._cut(inner, values) for inner in item]
        return left


BRIEF: Final = Cut(
    "brief",
    "id created updated url auditTrailUrl fileName jobId invoiceId billDate startDate dueDate totalCharges"
    " currentCharges previousCloseBalance afterPreviousTotalPayment afterPreviousCharges afterPreviousCredits"
    " currentOpenBalance credits taxCharges interestCharges revisedDocumentId",
    22,
)
CHILDREN: Final = Cut(
    "children", "totalCharge rate quantity startDate endDate demandUsage usageDataIds isEstimated", 40
)
USAGE: Final = Cut(
    "body",
    "id created updated startDate endDate usage isEstimated currentReading previousReading billedDemand"
    " netMeteringGeneratedKwh netMeteringGridImportKwh netMeteringGridExportKwh",
    24,
)


class Templates:
    """The stored templates: a text in, the number of its row out."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the row of a template, stored if it is new."""
        number = self._known.get(text)
        if number is None:
            digest = hashlib.sha256(text.encode()).hexdigest()[:32]
            self._db.execute("INSERT OR IGNORE INTO templates (digest, text) VALUES (?, ?)", (digest, text))
            row = self._db.execute("SELECT seq FROM templates WHERE digest = ?", (digest,)).fetchone()
            number = self._known[text] = int(row[0])
        return number

    def forget(self) -> None:
        """Forget what was stored: it was taken back, or cleared."""
        self._known.clear()
