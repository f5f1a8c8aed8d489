"""Pure computations, frame to frame: what counts, who pays, which month, what is missing or odd.

Nothing here reads the API, draws, or keeps a state. Each function lives in the module of its subject and is
imported from there or from here.
"""

from nectar_notebooks.methodology.adjustments import adjust
from nectar_notebooks.methodology.attribution import attribute
from nectar_notebooks.methodology.calendarization import calendarize, daily
from nectar_notebooks.methodology.explain import explain
from nectar_notebooks.methodology.monthly import monthly

__all__ = ["adjust", "attribute", "calendarize", "daily", "explain", "monthly"]
