"""Which months are fully billed: the bars of the others are drawn open, and a legend says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.patches import Patch

from nectar_notebooks.plots.style import INK, QUIET
from nectar_notebooks.schema.periods import WHOLE

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.plots.picture import Picture

__all__ = ["COVERED", "add_key", "open_bar"]

#: The columns that say how much of a month is covered by bills.
COVERED: Final = ("days_covered", "days_in_month")


def add_key(picture: Picture, drawn: pd.DataFrame, whole: pd.DataFrame) -> None:
    """Explain open bars in a legend below the picture, if any of the bars `drawn` is open."""
    if not whole.where(drawn.notna(), other=True).all(axis=None):
        picture.legend(handles=[open_bar()], loc="outside lower left", fontsize=8, labelcolor=QUIET)


def open_bar() -> Patch:
    """Return the legend entry that explains open bars."""
    return Patch(facecolor="white", edgecolor=INK, label=f"open bar: bills cover less than {WHOLE:.0%} of the days")
