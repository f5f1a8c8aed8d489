"""What the older versions of the API lack, and what a migration to v2.2 changes: one place for both.

`docs/fidelity.md` is held to it, and so is the test that the three versions give frames that are equal everywhere
else. What rows look like on the wire stands here in words only: reading them is the work of `tables`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["LACKING", "LACKING_ROWS", "SHAPES", "Shape", "lacking"]

#: Columns that a version cannot fill, by table. ``usage.extra`` holds what one version says and the others do not.
LACKING: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "v2.2": {"usage": ("extra",)},
    "v2.1": {"demand": ("demand_type", "description"), "time_of_use": ("description",)},
    "v2.0": {"usage": ("extra",), "time_of_use": ("description",)},
}

#: Tables of which a version has no rows at all.
LACKING_ROWS: Final[dict[str, tuple[str, ...]]] = {"v2.2": (), "v2.1": (), "v2.0": ("demand", "demand_usage")}


class Shape(NamedTuple):
    """One thing that is written differently on the wire, for code that reads it without this package."""

    what: str
    older: str
    newer: str


_TIME_OF_USE: Final = Shape(
    "time of use",
    "a usage row for each period, told apart by timeOfUse; their sum is the record",
    "one usage row with the total, and timeOfUseBreakdown of it: never added to it",
)
_POWER_QUALITY: Final = Shape(
    "power quality",
    "apparent and reactive energy and power factor on usage rows of electricity (undocumented names)",
    "not documented: ask before you count on it",
)

#: What a migration to v2.2 changes, by the version one comes from.
SHAPES: Final[dict[str, tuple[Shape, ...]]] = {
    "v2.1": (
        _TIME_OF_USE,
        Shape(
            "demand",
            "usage rows among the others, in units of power",
            "demandMeters of the bill, with type, description and the usage records they belong to",
        ),
        _POWER_QUALITY,
        Shape("base URL", "ends in /v2.1", "ends in /v2.2"),
    ),
    "v2.0": (
        _TIME_OF_USE,
        Shape("demand", "none", "demandMeters of the bill"),
        Shape(
            "usage of one bill",
            "/usage/document/{id} selects by USAGE_PERIOD unless dateType says otherwise",
            "by BILL_DATE, as every other list",
        ),
        Shape("base URL", "ends in /v2", "ends in /v2.2"),
    ),
}


def lacking(*versions: str) -> dict[str, frozenset[str]]:
    """Return the columns that at least one of these versions lacks, by table.

    Examples
    --------
    >>> sorted(lacking("v2.2", "v2.1")["demand"])
    ['demand_type', 'description']
    """
    found: dict[str, frozenset[str]] = {}
    for version in versions:
        for table, columns in LACKING[version].items():
            found[table] = found.get(table, frozenset()) | frozenset(columns)
    return found
