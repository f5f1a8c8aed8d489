"""Frames to pictures: each function takes a frame and returns a :class:`Picture`, a matplotlib figure.

Nothing here fetches or computes: the numbers come from the methodology, a picture only adds them up per
bar and keeps what it drew in `Picture.frame`. Matplotlib is imported with this package, pyplot never: drawing
leaves no state behind. Each subject has its module: `usage` (by month), `cost` (by month), `charges` (of a
bill); `picture` and `style` hold what they share.
"""

from nectar_notebooks.plots.charges import bill_charges
from nectar_notebooks.plots.cost import monthly_cost
from nectar_notebooks.plots.picture import Picture
from nectar_notebooks.plots.usage import monthly_usage

__all__ = ["Picture", "bill_charges", "monthly_cost", "monthly_usage"]
