"""Write docs/reference.md from the data model, so that the page and the frames cannot differ: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from nectar_notebooks.schema.statuses import STATUSES
from nectar_notebooks.schema.tables import DTYPES, TABLES, Column, Table

PAGE = Path(__file__).resolve().parent / "reference.md"

_HEAD = """\
# Reference of the tables

<!-- Written by docs/build_reference.py from nectar_notebooks/schema: change it there, then `make docs`. -->

Every noun of the client returns a frame with exactly these columns, in this order and of these types, also
when it is empty. `{key}` marks the columns that identify a row. The last column names the API field a value comes
from; *derived* means that the toolkit computes it, as the meaning says. Several fields are tried in order.

What is missing is NaN, NaT or NA; never 0, never an empty text. Days are civil dates without a time zone,
timestamps are in UTC.

| kind | dtype |
|---|---|
{dtypes}

{contents}
"""


def page() -> str:
    """Return the reference as Markdown."""
    dtypes = "\n".join(f"| {kind} | `{dtype}` |" for kind, dtype in DTYPES.items())
    contents = "\n".join(f"- [{name}](#{name}): {_start(table.meaning)}" for name, table in TABLES.items())
    head = _HEAD.format(dtypes=dtypes, contents=contents, key="🔑")
    return "\n".join([head, *map(_table, TABLES.values()), _statuses()])


def _start(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _table(table: Table) -> str:
    rows = "\n".join(_row(column, column.name in table.key) for column in table.columns)
    return (
        f"## {table.name}\n\n{table.meaning}\n\n"
        f"| column | kind | unit | meaning | API field |\n|---|---|---|---|---|\n{rows}\n"
    )


def _row(column: Column, key: bool) -> str:
    source = ", ".join(f"`{path}`" for path in column.source) or "*derived*"
    name = f"`{column.name}`{' 🔑' if key else ''}"
    return f"| {name} | {column.kind} | {_cell(column.unit)} | {_cell(column.meaning)} | {source} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _statuses() -> str:
    rows = "\n".join(
        f"| {status.family} | `{status.name}` | {_cell(status.meaning)} | {_cell(status.next_step)} |"
        for status in STATUSES.values()
    )
    return (
        "## Connection statuses\n\nThe value set of `connections.status`; `family` and `needs_customer` follow from it.\n\n"
        f"| family | status | meaning | what to do |\n|---|---|---|---|\n{rows}\n"
    )


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"{PAGE.name}: {len(TABLES)} tables, {sum(len(table.columns) for table in TABLES.values())} columns")
    return 0


if __name__ == "__main__":
    sys.exit(main())
