"""Pieces of HTML that the dashboards are put together from: everything given to them is text and is escaped.

Inline styles only, so that a piece looks the same in JupyterLab, light or dark, and still reads where styles are
stripped: colours never carry what words do not say. No scripts, no ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.plots.style import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "FAMILIES",
    "LONGEST",
    "NONE",
    "Family",
    "Markup",
    "chip",
    "count",
    "day",
    "definitions",
    "element",
    "family_of",
    "join",
    "missing",
    "notice",
    "status_words",
    "table",
    "text",
    "tile",
    "title",
]

#: What stands where a value is missing.
NONE: Final = "–"
#: Longer texts are cut in tables; their whole stands in the title and in the detail.
LONGEST: Final = 60

_SHORT: Final = 16
_FAINT: Final = "1px solid rgba(127,127,127,.35)"


class Markup(str):
    """Text that is markup already and is not escaped again; made by this package only."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Family:
    """How a family of statuses is called and coloured: ink on paper has a contrast of at least 7 to 1."""

    label: str
    ink: str
    paper: str
    strong: str


#: In the order in which they are shown: what needs somebody comes first.
FAMILIES: Final[dict[str, Family]] = {
    "customer": Family("Needs the customer", "#7a1a0e", "#fde3de", "#c8371f"),
    "website": Family("Provider's website", "#5c3f00", "#fdf0c4", "#d19a00"),
    "system": Family("Company inactive", "#333c47", "#e4e7ec", "#7b8794"),
    "unknown": Family("Unknown status", "#45257c", "#ebe2fb", "#8458c9"),
    "healthy": Family("Healthy", "#0f4a2a", "#d8f1e2", "#2f9e62"),
}


def family_of(name: object) -> Family:
    """Return how a family is shown; one that is missing or new is unknown."""
    return FAMILIES.get(str(name), FAMILIES["unknown"])


def missing(value: object) -> bool:
    """Say whether a single value is missing."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def text(value: object, longest: int | None = None) -> Markup:
    """Return a value as escaped text; a missing one as a dash, a long one cut with its whole as title.

    Examples
    --------
    >>> text("<b>Meter</b> & more")
    '&lt;b&gt;Meter&lt;/b&gt; &amp; more'
    """
    if isinstance(value, Markup):
        return value
    if missing(value):
        return Markup(NONE)
    whole = _printable(str(value))
    if longest is None or len(whole) <= longest:
        return Markup(escape(whole))
    return element("span", Markup(escape(whole[: longest - 1] + "…")), title=whole)


def _printable(value: str) -> str:
    # Marks that turn the direction of what follows would reach beyond their cell.
    return "".join(one for one in value if one.isprintable() or one in "\n\t")


def element(name: str, *inside: object, style: str = "", **attributes: str) -> Markup:
    """Return an element; what is inside is escaped unless it is :class:`Markup`."""
    marks = {**attributes, "style": style} if style else attributes
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in marks.items())
    return Markup(f"<{name}{given}>{''.join(text(one) for one in inside)}</{name}>")


def join(parts: Iterable[Markup], between: str = "") -> Markup:
    """Return pieces of markup one after the other."""
    return Markup(between.join(parts))


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> count(1, "bill"), count(2_000, "bill")
    ('1 bill', '2,000 bills')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def day(moment: object) -> str:
    """Return a day or a moment as a civil day, or a dash."""
    if not isinstance(moment, pd.Timestamp):
        return NONE
    return f"{moment.day} {moment:%b %Y}"


def status_words(status: object) -> str:
    """Return a status in words.

    Examples
    --------
    >>> status_words("MFA_TOKEN_EXPIRED"), status_words("URL_INACCESSIBLE")
    ('MFA token expired', 'URL inaccessible')
    """
    if not isinstance(status, str) or not status:
        return "No status"
    said = words(status)
    first, _, rest = said.partition(" ")
    return f"{first.upper()} {rest}" if first in ("Mfa", "Url") else said


def chip(status: object, family: object) -> Markup:
    """Return a status in words on the colour of its family."""
    look = family_of(family)
    label = status_words(status)
    return element(
        "span",
        text(label, 40),
        style=f"display:inline-block;padding:1px 8px;border-radius:9px;color:{look.ink};background:{look.paper};"
        "font-size:12px;line-height:18px;white-space:nowrap",
    )


def tile(family: str, number: int, change: int | None) -> Markup:
    """Return a tile: how many connections are in a family, and how many more or fewer than at the last look."""
    look = family_of(family)
    since = [] if change is None else [element("div", _change(change), style="font-size:12px")]
    return element(
        "div",
        element("div", look.label, style="font-size:12px"),
        element("div", f"{number:,}", style="font-size:26px;line-height:32px;font-weight:600"),
        *since,
        style=f"display:inline-block;vertical-align:top;box-sizing:border-box;min-width:158px;margin:0 8px 8px 0;"
        f"padding:8px 12px;line-height:18px;border-radius:6px;border-left:5px solid {look.strong};color:{look.ink};"
        f"background:{look.paper}",
    )


def _change(change: int) -> str:
    if change == 0:
        return "as at the last look"
    return f"{abs(change):,} {'more' if change > 0 else 'fewer'} than at the last look"


def title(words_: str, level: int = 3) -> Markup:
    """Return a heading."""
    size = {2: 18, 3: 15, 4: 13}[level]
    return element(f"h{level}", words_, style=f"margin:8px 0 4px 0;font-size:{size}px;line-height:1.3;font-weight:600")


def definitions(facts: Mapping[str, object]) -> Markup:
    """Return names and values in two columns."""
    rows = [
        element(
            "tr",
            element(
                "th",
                name,
                scope="row",
                style="text-align:left;font-weight:400;padding:2px 14px 2px 0;vertical-align:top;white-space:nowrap;"
                "opacity:.8",
            ),
            element("td", value, style="text-align:left;padding:2px 0;overflow-wrap:anywhere"),
        )
        for name, value in facts.items()
    ]
    return element(
        "table", element("tbody", join(rows)), style="border-collapse:collapse;font-size:13px;line-height:1.4;margin:0"
    )


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    caption: str,
    numbers: frozenset[str] = frozenset(),
    empty: str = "Nothing here.",
) -> Markup:
    """Return a table with a caption for who cannot see it; texts are cut, numbers stand to the right."""

    def cell(name: str, value: object, tag: str) -> Markup:
        side = "right" if name in numbers else "left"
        style = f"text-align:{side};padding:3px 12px 3px 0;border-bottom:{_FAINT};vertical-align:top"
        if tag == "th":
            return element("th", name, scope="col", style=f"{style};font-weight:600;white-space:nowrap")
        said = text(value, LONGEST)
        # Dates and numbers stay in one line; texts may take two.
        return element("td", said, style=f"{style};white-space:nowrap" if len(said) <= _SHORT else style)

    body = [
        element("tr", join(cell(name, value, "td") for name, value in zip(columns, row, strict=True))) for row in rows
    ]
    if not body:
        return element("p", empty, style="margin:4px 0;font-size:13px")
    return element(
        "table",
        element("caption", caption, style="text-align:left;font-size:12px;opacity:.8;padding:2px 0"),
        element("thead", element("tr", join(cell(name, None, "th") for name in columns))),
        element("tbody", join(body)),
        style="border-collapse:collapse;font-size:13px;line-height:1.4;margin:0 0 6px 0",
    )


def notice(words_: str, kind: str = "customer") -> Markup:
    """Return a sentence in a box: what went wrong (customer), what to know (website), what worked (healthy)."""
    look = family_of(kind)
    return element(
        "div",
        words_,
        role="status",
        style=f"padding:6px 12px;margin:4px 0;border-radius:6px;border-left:5px solid {look.strong};color:{look.ink};"
        f"background:{look.paper};font-size:13px;line-height:1.4;overflow-wrap:anywhere",
    )
