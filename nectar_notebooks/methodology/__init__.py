"""Pure computations, frame to frame: what counts, who pays, which month, what is missing or odd.

Nothing here reads the API, draws, or keeps a state. Each function lives in the module of its subject and is
imported from there or from here.
"""

from nectar_notebooks.methodology.adjust import adjust
from nectar_notebooks.methodology.attribution.attribute import attribute
from nectar_notebooks.methodology.compare import compare
from nectar_notebooks.methodology.explain import explain
from nectar_notebooks.methodology.indicators import load_factor, total_energy, unit_costs
from nectar_notebooks.methodology.intensity import intensity
from nectar_notebooks.methodology.monthly import monthly
from nectar_notebooks.methodology.quality.anomalies.find import anomalies
from nectar_notebooks.methodology.quality.completeness import completeness, holes
from nectar_notebooks.methodology.quality.fill import fill_gaps
from nectar_notebooks.methodology.quality.issues import issues
from nectar_notebooks.methodology.quality.readiness import readiness
from nectar_notebooks.methodology.sites import join_sites
from nectar_notebooks.methodology.time.calendarize import calendarize, daily
from nectar_notebooks.methodology.units import convert, factor

__all__ = [
    "adjust",
    "anomalies",
    "attribute",
    "calendarize",
    "compare",
    "completeness",
    "convert",
    "daily",
    "explain",
    "factor",
    "fill_gaps",
    "holes",
    "intensity",
    "issues",
    "join_sites",
    "load_factor",
    "monthly",
    "readiness",
    "total_energy",
    "unit_costs",
]
