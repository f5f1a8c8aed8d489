"""The findings of a diagnosis, check by check: for a terminal, a notebook, a program.

Holds texts and decides nothing. Text from the API is untrusted: made printable for terminals, escaped in HTML.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final, Literal

from nectar_notebooks.printing import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["Check", "Diagnosis", "html_table", "text_table"]

Result = Literal["ok", "wrong", "note", "not asked"]

_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, result and finding, and what to check first if it failed."""

    check: str
    result: Result
    finding: str
    check_first: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "check", printable(self.check))
        object.__setattr__(self, "finding", printable(self.finding))
        object.__setattr__(self, "check_first", tuple(map(printable, self.check_first)))


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What :func:`nectar_notebooks.diagnose` found.

    Attributes
    ----------
    checks : tuple of Check
        In the order they were made.
    companies : tuple of (str, str)
        Id and name of every company that the key can see.

    Examples
    --------
    >>> found = Diagnosis((Check("ping", "wrong", "v2.2 does not accept the key.", ("Copy it whole.",)),))
    >>> found
    Something is wrong: ping.
    <BLANKLINE>
    wrong      ping
               v2.2 does not accept the key.
               1. Copy it whole.
    """

    checks: tuple[Check, ...]
    companies: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the checks that failed."""
        return tuple(one.check for one in self.checks if one.result == "wrong")

    @property
    def frame(self) -> pd.DataFrame:
        """The checks as a table: check, result, finding, check_first (numbered steps)."""
        import pandas as pd

        return pd.DataFrame(
            [(one.check, one.result, one.finding, " ".join(_numbered(one.check_first))) for one in self.checks],
            columns=["check", "result", "finding", "check_first"],
        )

    def to_dict(self) -> dict[str, object]:
        """Return the diagnosis as JSON values, without keys."""
        return {
            "ok": self.ok,
            "checks": [
                {"check": one.check, "result": one.result, "finding": one.finding, "check_first": list(one.check_first)}
                for one in self.checks
            ],
            "companies": [{"company_id": company_id, "name": name} for company_id, name in self.companies],
        }

    @property
    def verdict(self) -> str:
        """The diagnosis in one sentence."""
        return "Nothing is wrong." if self.ok else f"Something is wrong: {', '.join(self.wrong)}."

    def __repr__(self) -> str:
        lines = [self.verdict, ""]
        for one in self.checks:
            lines.append(f"{one.result:<10} {one.check}")
            for text in (one.finding, *_numbered(one.check_first)):
                lines += textwrap.wrap(text, _WIDTH, initial_indent=" " * 11, subsequent_indent=" " * 11)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        for one in self.checks:
            steps = "".join(f"<li>{escape(step)}</li>" for step in one.check_first)
            finding = escape(one.finding) + (f"<br>Check first, in this order:<ol>{steps}</ol>" if steps else "")
            result = escape(one.result)
            rows.append((escape(one.check), f"<strong>{result}</strong>" if one.result == "wrong" else result, finding))
        return f"<p><strong>{escape(self.verdict)}</strong></p>{html_table(('check', 'result', 'finding'), rows)}"


def html_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a left-aligned HTML table; cells are HTML already, headers are escaped."""
    left = ' style="text-align: left; vertical-align: top"'
    head = "".join(f'<th scope="col"{left}>{escape(name)}</th>' for name in headers)
    body = "".join("<tr>" + "".join(f"<td{left}>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a text table, each column as wide as its widest cell.

    Examples
    --------
    >>> print(text_table(["key", "accepted"], [["new", "yes"]]))
    key  accepted
    new  yes
    """
    lines = [[printable(cell) for cell in line] for line in (headers, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headers))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _numbered(steps: Sequence[str]) -> list[str]:
    return [f"{number}. {step}" for number, step in enumerate(steps, 1)]
