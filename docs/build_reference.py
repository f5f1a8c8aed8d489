"""Write docs/reference.md from the data model, so that the page and the frames cannot differ: `make docs`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import nectar_notebooks as nn
from nectar_notebooks.schema.statuses import STATUSES, Status
from nectar_notebooks.schema.tables import DTYPES, OTHER_TABLES, TABLES, Column, Table

PAGE = Path(__file__).resolve().parent / "reference.md"

_HEAD = """\
# Reference of the tables

<!-- Written by docs/build_reference.py from nectar_notebooks/schema: change it there, then `make docs`. -->

Every noun of the client returns a frame with exactly these columns, in this order and of these types, also
when it is empty. `{key}` marks the columns that identify a row. The last column names the API field a value comes
from; *derived* means that this package computes it, as the meaning says. Several fields are tried in order.

What is missing is NaN, NaT or NA; never 0, never an empty text. Days are civil dates without a time zone,
timestamps are in UTC.

| kind | dtype |
|---|---|
{dtypes}

{contents}
"""

_VERBS = """\
What changes something, or fetches a file. In brackets is what may be left out. Each returns the row it made or changed,
with the columns of its noun, and drops from the cache what it changed: the next noun sees it. What cannot be sent is
refused before anything is, with an `InvalidRequestError`; a wrong id is a `NotFoundError` or `PermissionDeniedError`. A
change or a deletion is repeated after a broken connection, a creation is sent once: after a `NetworkError` or a
`ServerError` look whether it was made before you repeat it. `help(nectar.create_site)` says more of each."""


def page() -> str:
    """Return the reference as Markdown."""
    dtypes = "\n".join(f"| {kind} | `{dtype}` |" for kind, dtype in DTYPES.items())
    tables = TABLES | OTHER_TABLES
    contents = "\n".join(f"- [{name}](#{name}): {_start(table.meaning)}" for name, table in tables.items())
    head = _HEAD.format(dtypes=dtypes, contents=contents, key="🔑")
    return "\n".join([head, *map(_table, tables.values()), _statuses(), _names()])


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
    def after(status: Status) -> str:
        return ", ".join(f"`{one}`" + "*" * (one in status.assumed) for one in status.followed_by) or "-"

    rows = "\n".join(
        f"| {status.family} | `{status.name}` | {_cell(status.meaning)} | {_cell(status.next_step)} | {after(status)} |"
        for status in STATUSES.values()
    )
    return (
        "## Connection statuses\n\nThe value set of `connections.status`; `family` and `needs_customer` follow. "
        "As data: `nn.statuses`. Transitions with a star are assumed.\n\n"
        f"| family | status | meaning | what to do | may be followed by |\n|---|---|---|---|---|\n{rows}\n"
    )


def _names() -> str:
    """Return every public name with the first sentence of what it says of itself."""
    public = {name: getattr(nn, name) for name in nn.__all__}
    nouns, verbs = _methods(verbs=False), _methods(verbs=True)
    return (
        "## Names\n\nWhat `import nectar_notebooks as nn` offers; `help(nn.connect)` says more of each.\n\n"
        f"{_named('nn', public)}\n## Methods of Nectar\n\nWhat `nn.connect()` returns.\n\n{_named('nectar', nouns)}"
        f"\n## A portfolio\n\n`nectar.portfolio(company)`: its tables are attributes, such as `portfolio.bills`.\n\n"
        f"{_named('portfolio', {name: getattr(nn.Portfolio, name) for name in _OF_A_PORTFOLIO})}"
        f"\n## Pictures\n\n{_named('nn.plots', _offered(nn.plots))}"
        f"\n## Files\n\n{_named('nn.exports', _offered(nn.exports))}"
        f"\n## Verbs of Nectar\n\n{_VERBS}\n\n{_called(verbs)}"
    )


_OF_A_PORTFOLIO = ("bill", "site", "meter", "account", "connection", "company", "named")


def _methods(*, verbs: bool) -> dict[str, Callable[..., object]]:
    return {
        name: getattr(nn.Nectar, name)
        for family in nn.Nectar.__mro__
        for name, member in vars(family).items()
        if not name.startswith("_") and inspect.isfunction(member) and family.__name__.endswith("Verbs") == verbs
    }


def _called(verbs: dict[str, Callable[..., object]]) -> str:
    """Return each verb with how it is called: what has a default may be left out."""
    rows = ""
    for name, verb in verbs.items():
        shown = []
        for parameter in list(inspect.signature(verb).parameters.values())[1:]:
            stars = {parameter.VAR_KEYWORD: "**", parameter.VAR_POSITIONAL: "*"}.get(parameter.kind, "")
            named = "=" if parameter.kind is parameter.KEYWORD_ONLY else ""
            optional = parameter.default is not parameter.empty or stars
            shown.append(f"[{stars}{parameter.name}{named}]" if optional else f"{stars}{parameter.name}{named}")
        rows += f"| `{name}` | `{', '.join(shown)}` | {_cell(_sentence(verb))} |\n"
    return f"| nectar. | takes | |\n|---|---|---|\n{rows}"


def _offered(module: ModuleType) -> dict[str, object]:
    return {name: getattr(module, name) for name in module.__all__}


def _named(owner: str, members: dict[str, object]) -> str:
    rows = "".join(f"| `{name}` | {_cell(_sentence(member))} |\n" for name, member in members.items())
    return f"| {owner}. | |\n|---|---|\n{rows}"


def _sentence(member: object) -> str:
    text = " ".join((inspect.getdoc(member) or "").split("\n\n")[0].split())
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text).replace("``", "`")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    tables = [*TABLES.values(), *OTHER_TABLES.values()]
    print(f"{PAGE.name}: {len(tables)} tables, {sum(len(table.columns) for table in tables)} columns")
    return 0


if __name__ == "__main__":
    sys.exit(main())
