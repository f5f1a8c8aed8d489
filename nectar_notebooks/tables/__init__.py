"""JSON rows to typed frames, as `schema.tables` says, for every version of the API.

`reading` takes rows apart, `casting` gives columns their types, a module per resource says which field goes
where, `building` holds them together; `bill_accounts` and `counting` fill what only all frames of a company
together can tell. Nothing here reads the wire or computes on the numbers.
"""

from nectar_notebooks.tables.bill_accounts import resolve_bill_accounts
from nectar_notebooks.tables.building import RESOURCES, Builder, build, empty
from nectar_notebooks.tables.counting import fill_counts
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
