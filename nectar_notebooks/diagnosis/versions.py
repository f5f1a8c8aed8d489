"""The tables of two versions of the API compared: what a migration to the newer one changes.

Pure: frames in, a comparison out. `schema.versions` says what each version lacks, so that documented differences are
told apart from unexpected ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.diagnosis.report import html_table
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.tables import TABLES, TEXT
from nectar_notebooks.schema.versions import LACKING, LACKING_ROWS, SHAPES, Shape, lacking

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VersionComparison", "compare_frames"]


@dataclass(frozen=True, repr=False)
class VersionComparison:
    """The tables of two versions of the API, compared for the same bills.

    Attributes
    ----------
    old, new : str
        The versions.
    rows : DataFrame
        One row per table: table, old_rows, new_rows, equal (rows with the same values in every column that both
        versions have), different, only_old, only_new.
    columns : DataFrame
        One row per column that differs, or that a version is known to lack: table, column, lacking_in (missing if no
        difference is expected), different (rows).
    shapes : tuple of Shape
        What is written differently on the wire, for code that reads it directly; empty if no migration is documented.
    expected : bool
        Whether the versions differ only where they are known to.
    """

    old: str
    new: str
    rows: pd.DataFrame
    columns: pd.DataFrame
    shapes: tuple[Shape, ...]

    @property
    def expected(self) -> bool:
        """True when the versions differ only where they are known to."""
        silent = set(LACKING_ROWS[self.old]) | set(LACKING_ROWS[self.new])
        rows = self.rows[~self.rows["table"].isin(silent)]
        return not rows[["different", "only_old", "only_new"]].to_numpy().any()

    @property
    def verdict(self) -> str:
        """The comparison in one sentence."""
        if self.expected:
            return f"{self.old} and {self.new} say the same of every row, but for what a version lacks."
        return f"{self.old} and {self.new} differ where they should not: see rows and columns."

    def to_dict(self) -> dict[str, object]:
        """Return the comparison as JSON values."""
        return {
            "old": self.old,
            "new": self.new,
            "expected": self.expected,
            "rows": self.rows.to_dict("records"),
            "columns": self.columns.astype(object).where(self.columns.notna(), None).to_dict("records"),
            "shapes": [shape._asdict() for shape in self.shapes],
        }

    def __repr__(self) -> str:
        parts = [self.verdict, self.rows.to_string(index=False)]
        if len(self.columns):
            parts.append(self.columns.to_string(index=False, na_rep="-"))
        if self.shapes:
            parts.append("On the wire:")
            parts += [
                f"  {shape.what}\n    {self.old}: {shape.older}\n    {self.new}: {shape.newer}" for shape in self.shapes
            ]
        whole = "\n\n".join(parts[:3]) + ("\n\n" + "\n".join(parts[3:]) if parts[3:] else "")
        return "\n".join(map(printable, whole.split("\n")))

    def _repr_html_(self) -> str:
        shapes = [[escape(cell) for cell in shape] for shape in self.shapes]
        wire = f"<p>On the wire:</p>{html_table(('', self.old, self.new), shapes)}" if shapes else ""
        tables = "".join(
            html_table(
                tuple(frame.columns), [[escape(_cell(cell)) for cell in row] for row in frame.itertuples(index=False)]
            )
            for frame in (self.rows, self.columns)
            if len(frame)
        )
        return f"<p><strong>{escape(self.verdict)}</strong></p>{tables}{wire}"


def compare_frames(
    old_frames: Mapping[str, pd.DataFrame], new_frames: Mapping[str, pd.DataFrame], *, old: str, new: str
) -> VersionComparison:
    """Compare the tables of two versions row by row, matched by each table's key.

    Parameters
    ----------
    old_frames, new_frames : mapping of str to DataFrame
        Tables by name; those in both are compared.
    old, new : str
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``.

    Returns
    -------
    VersionComparison
    """
    known = lacking(old, new)
    rows, columns = [], []
    for name, table in TABLES.items():
        if name not in old_frames or name not in new_frames:
            continue
        one, other, only_old, only_new = _matched(old_frames[name], new_frames[name], table.key)
        differs = pd.DataFrame({column: _differs(one[column], other[column]) for column in table.names})
        unknown = [column for column in table.names if column not in known.get(name, ())]
        different = int(differs[unknown].any(axis="columns").sum())
        rows.append(
            (name, len(old_frames[name]), len(new_frames[name]), len(one) - different, different, only_old, only_new)
        )
        for column in table.names:
            where = [version for version in (old, new) if column in LACKING[version].get(name, ())]
            count = int(differs[column].sum())
            if count or where:
                columns.append((name, column, ", ".join(where) or np.nan, count))
    return VersionComparison(
        old,
        new,
        pd.DataFrame(rows, columns=["table", "old_rows", "new_rows", "equal", "different", "only_old", "only_new"]),
        pd.DataFrame(columns, columns=["table", "column", "lacking_in", "different"]).astype({"lacking_in": TEXT}),
        SHAPES.get(old, ()) if new == "v2.2" else (),
    )


def _matched(
    one: pd.DataFrame, other: pd.DataFrame, key: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame, int, int]:
    """Return the rows of both with the same key, side by side, and how many are only in one of them."""
    left, right = (frame.assign(_nth=frame.groupby(list(key), dropna=False).cumcount()) for frame in (one, other))
    keys = [*key, "_nth"]  # repeated keys are matched in order
    places = (
        left[keys]
        .assign(_left=range(len(left)))
        .merge(right[keys].assign(_right=range(len(right))), on=keys, how="inner")
    )
    found = one.iloc[places["_left"]].reset_index(drop=True), other.iloc[places["_right"]].reset_index(drop=True)
    return *found, len(one) - len(places), len(other) - len(places)


def _differs(one: pd.Series, other: pd.Series) -> pd.Series:
    """Return row by row whether two columns differ; missing equals missing."""
    missing = one.isna().to_numpy(), other.isna().to_numpy()
    same = (one == other).fillna(False).to_numpy(dtype=bool)
    return pd.Series(np.where(missing[0] | missing[1], missing[0] != missing[1], ~same))


def _cell(value: object) -> str:
    return "-" if value != value else str(value)
