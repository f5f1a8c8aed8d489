"""JSON rows to typed frames, as `schema.tables` says, for every version of the API.

`reading` takes rows apart, `casting` gives columns their types, `bills`, `meters` and `objects` say which field goes
where, `folding` brings older versions into the shape of v2.2, `building` holds them together; `counting` fills in what
only all frames of a company together tell. Nothing here fetches anything or computes on the numbers.
"""

from nectar_notebooks.tables.building import RESOURCES, Builder, build, empty
from nectar_notebooks.tables.counting import fill_counts, resolve_bill_accounts
from nectar_notebooks.tables.meters import combine_meters

__all__ = [
    "RESOURCES",
    "Builder",
    "build",
    "combine_meters",
    "empty",
    "fill_counts",
    "resolve_bill_accounts",
]
