"""What the engine of `attribute` is given and gives back, as arrays: line items, accounts, readings, parts.

Line items are places 0.., bills, meters and units are numbers; nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from nectar_notebooks.methodology.attribution_rules import Said

    Ints = npt.NDArray[np.int64]

__all__ = ["HEADS", "MONEY", "NOTHING", "Accounts", "Items", "Parts", "Readings", "Weights"]


@dataclass(frozen=True, slots=True)
class Items:
    """Line items as arrays; `pocket` numbers bill and currency, `amount` is in the integers of `money`."""

    bill: Ints
    pocket: Ints
    amount: Ints
    said: Said
    meter: Ints
    unit: Ints  # numbered as the roster's, -1 where nothing on the bills has it
    kind: Ints  # what the unit measures, numbered as the roster's
    quantity: npt.NDArray[np.float64]
    description: pd.Series


@dataclass(frozen=True, slots=True)
class Accounts:
    """The account of each line item (-1: none named, -2: several, as pairs in `item` and `account`, sorted)."""

    one: Ints
    item: Ints
    account: Ints


@dataclass(frozen=True, slots=True)
class Readings:
    """Demand readings sorted by bill; `record` of each relation, sorted by `reading` (None: nothing said)."""

    first: Ints
    count: Ints
    demand: npt.NDArray[np.float64]
    unit: Ints
    item_unit: Ints  # the line items' units, numbered as `unit`
    reading: Ints | None
    record: Ints | None


@dataclass(slots=True)
class Parts:
    """Parts of line items: which meter (-1: none) gets how much, by which method and for which reason."""

    item: Ints
    meter: Ints
    slot: Ints  # row of the roster (-1: not on the bill)
    amount: Ints
    share: npt.NDArray[np.float64]
    method: Ints
    reason: Ints


#: Measures of weights that are no usage: meters that are counted, what other charges gave, none.
HEADS: Final = -10
MONEY: Final = -11
NOTHING: Final = -12


@dataclass(slots=True)
class Weights:
    """By what parts of line items were shared: `weight` of `whole`, each in ten to the minus `places` of `measure`."""

    weight: Ints
    whole: Ints
    places: Ints  # of money: those of the item's pocket
    measure: Ints  # a unit, numbered as the roster's (-1: unknown), or one of the constants above
