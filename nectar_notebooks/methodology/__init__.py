"""Pure computations, frame to frame: what counts, who pays, which month, what is missing or odd.

Nothing here reads the API, draws, or keeps a state. Each function lives in the module of its subject and is
imported from there or from here.
"""

from nectar_notebooks.methodology.adjustments import adjust
from nectar_notebooks.methodology.anomalies import anomalies
from nectar_notebooks.methodology.attribution import attribute
from nectar_notebooks.methodology.calendarization import calendarize, daily
from nectar_notebooks.methodology.compare import compare
from nectar_notebooks.methodology.completeness import completeness, holes
from nectar_notebooks.methodology.explain import explain
from nectar_notebooks.methodology.filling import fill_gaps
from nectar_notebooks.methodology.indicators import load_factor, total_energy, unit_costs
from nectar_notebooks.methodology.intensity import intensity
from nectar_notebooks.methodology.issues import issues
from nectar_notebooks.methodology.monthly import monthly
from nectar_notebooks.methodology.readiness import readiness
from nectar_notebooks.methodology.site_table import join_sites
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
