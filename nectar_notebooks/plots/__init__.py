"""Frames to figures: each function takes a frame and returns a :class:`Picture`, a matplotlib figure.

Nothing here fetches or computes: the numbers come from the methodology; a picture only adds them up per bar and keeps
what it drew in `Picture.frame`. Matplotlib is imported with this package, pyplot never, so that drawing leaves no
global state behind. One module per subject: `usage` and `cost` (by month), `charges`, `waterfall` and `months` (one
bill), `coverage`, `marks` (anomalies) and `ranking` (intensity). `picture`, `style`, `wholeness` and `payers` hold what
they share.
"""

from nectar_notebooks.plots.charges import bill_charges
from nectar_notebooks.plots.cost import monthly_cost
from nectar_notebooks.plots.coverage import coverage
from nectar_notebooks.plots.marks import anomalies
from nectar_notebooks.plots.months import bill_months
from nectar_notebooks.plots.picture import Picture
from nectar_notebooks.plots.ranking import intensity
from nectar_notebooks.plots.usage import monthly_usage
from nectar_notebooks.plots.waterfall import bill_waterfall

__all__ = [
    "Picture",
    "anomalies",
    "bill_charges",
    "bill_months",
    "bill_waterfall",
    "coverage",
    "intensity",
    "monthly_cost",
    "monthly_usage",
]


def __dir__() -> list[str]:
    return sorted(__all__)
