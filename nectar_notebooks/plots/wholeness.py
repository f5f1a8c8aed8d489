"""Which months of a picture are whole: bars of the others are drawn open, and a key says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.patches import Patch

from nectar_notebooks.plots.style import INK, QUIET

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.plots.picture import Picture

__all__ = ["COVERED", "SPOT", "WHOLE", "add_key", "open_bar"]

#: What says how much of a month its bills cover.
COVERED: Final = ("days_covered", "days_in_month")
#: Below this share of covered days a bar is drawn open: the share from which `nn.completeness` calls a month complete.
WHOLE: Final = 0.97
#: Delivered or hauled on a day: their records do not cover months, and need not.
SPOT: Final = ("FUEL", "WASTE")


def add_key(picture: Picture, drawn: pd.DataFrame, whole: pd.DataFrame) -> None:
    """Write below the picture what an open bar is, where one of the bars `drawn` is open."""
    if not whole.where(drawn.notna(), other=True).all(axis=None):
        picture.legend(handles=[open_bar()], loc="outside lower left", fontsize=8, labelcolor=QUIET)


def open_bar() -> Patch:
    """Return the entry of a key that says what an open bar is."""
    return Patch(facecolor="white", edgecolor=INK, label=f"open bar: bills cover less than {WHOLE:.0%} of the days")
