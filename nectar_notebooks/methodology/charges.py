"""Which rule a line item falls under, and what it says about the meters it charges for.

Only the line item itself is read here: its kind of charge, its unit, its words. Which meters are on the bill
stands in `meters`, how an amount is shared among them in `attribution`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import flags, text
from nectar_notebooks.methodology.units import UNITS, kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

__all__ = [
    "DEMAND_UNITS",
    "FINANCE_TYPES",
    "FIXED_TYPES",
    "SHARED_TYPES",
    "Rule",
    "Said",
    "read_items",
    "unit_kinds",
    "words",
]


class Rule(IntEnum):
    """How a charge finds the meters that pay it."""

    ENERGY = 0
    DEMAND = 1
    FIXED = 2
    SHARED = 3
    FINANCE = 4
    METER = 5


#: Charge types by rule; DEMAND is its own, and every other type is an energy charge.
FIXED_TYPES: Final = frozenset({"CUSTOMER", "FEE", "FIXED", "METER", "SERVICE"})
SHARED_TYPES: Final = frozenset({"TAX", "CREDIT", "ADJUSTMENT"})
FINANCE_TYPES: Final = frozenset({"LATE_FEE", "LATE_CHARGE", "INTEREST", "PREVIOUS_BALANCE", "PAYMENT"})
#: Units of demand, lower case: what is billed in them is a demand charge.
DEMAND_UNITS: Final = frozenset({"w", "kw", "mw", "gw", "kva", "mva", "kvar"})

#: What a description says of an item that has neither a type (or OTHER) nor a quantity.
_KIND_WORDS: Final = (
    (Rule.FINANCE, re.compile(r"\blate\b|previous balance|past due|balance forward")),
    (Rule.SHARED, re.compile(r"\btax|\bcredit|adjust|surcharge")),
    (Rule.FIXED, re.compile(r"customer charge|service charge|meter (charge|fee)|basic charge|fixed|\bfee\b")),
)
#: What it says of the commodity, and of water's subtype, where a bill has several.
_COMMODITY_WORDS: Final = (
    (re.compile(r"sewer|waste ?water"), "WATER", "WASTEWATER"),
    (re.compile(r"irrigation"), "WATER", "IRRIGATION"),
    (re.compile(r"\bfire\b"), "WATER", "FIRE"),
    (re.compile(r"water"), "WATER", "POTABLE_WATER"),
    (re.compile(r"electric|\bkwh\b"), "ELECTRICITY", None),
    (re.compile(r"\bgas\b"), "GAS", None),
)


_KINDS: Final = ("", *sorted({measures for measures, _ in UNITS.values()}))


@dataclass(frozen=True, slots=True)
class Said:
    """What line items say: the rule, and places in the lists of commodities and subtypes.

    A place of -1: it names none; one past the list: it names one that no meter has. `named` says where a column names
    the commodity, not the kind of charge alone.
    """

    rule: npt.NDArray[np.int64]
    commodity: npt.NDArray[np.int64]
    subtype: npt.NDArray[np.int64]
    named: npt.NDArray[np.bool_]


def read_items(items: pd.DataFrame, commodities: Sequence[str], subtypes: Sequence[str]) -> Said:
    """Return each line item's rule, and the commodity and subtype it names.

    The kind of charge is `charge_type`, else electricity's or gas's own kind, else, for an item without type
    and quantity, what its description says. Finance comes first (a late fee or a balance of an earlier
    period is no energy cost), then a meter that the item names, taxes and credits, demand, fixed charges.
    """
    electric, gas = text(items, "electricity_charge_type"), text(items, "gas_charge_type")
    charge = text(items, "charge_type").fillna(electric).fillna(gas)
    rule = _mapped(charge, _rule_of_type, Rule.ENERGY)
    wordy = (charge.isna() | charge.eq("OTHER")).to_numpy(dtype=bool) & text(items, "quantity").isna().to_numpy()
    if wordy.any():
        rule[wordy] = _mapped(text(items, "description")[wordy], _rule_of_words, Rule.ENERGY)
    demand = flags(items, "is_demand", "line_items", missing=False)
    in_demand_units = _mapped(text(items, "quantity_unit"), lambda unit: unit.lower() in DEMAND_UNITS, 0) > 0
    rule[(demand | in_demand_units) & ((rule == Rule.ENERGY) | (rule == Rule.FIXED))] = Rule.DEMAND
    rule[text(items, "meter_id").notna().to_numpy() & (rule != Rule.FINANCE)] = Rule.METER
    rule[text(items, "billing_period").eq("PREVIOUS").to_numpy(dtype=bool)] = Rule.FINANCE

    commodity = _mapped(text(items, "commodity"), lambda name: _place(commodities, name, len(commodities)), -1)
    named = commodity >= 0
    says_electric = (
        demand | in_demand_units | electric.notna().to_numpy() | text(items, "time_of_use").notna().to_numpy()
    )
    for name, said in (("ELECTRICITY", says_electric), ("GAS", gas.notna().to_numpy())):
        commodity[said & (commodity < 0)] = _place(commodities, name, len(commodities))
    subtype = _mapped(text(items, "subtype"), lambda name: _place(subtypes, name, len(subtypes)), -1)
    return Said(rule, commodity, subtype, named)


def words(
    descriptions: pd.Series, commodities: Sequence[str], subtypes: Sequence[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the commodity and subtype that descriptions name in words (-1: none)."""

    def first(place: int, names: Sequence[str]) -> Callable[[str], int]:
        def find(description: str) -> int:
            lower = description.lower()
            hit = next((entry for entry in _COMMODITY_WORDS if entry[0].search(lower)), None)
            name = None if hit is None else (hit[1], hit[2])[place]
            return -1 if name is None else _place(names, name, -1)

        return find

    return _mapped(descriptions, first(0, commodities), -1), _mapped(descriptions, first(1, subtypes), -1)


def unit_kinds(names: pd.Series) -> npt.NDArray[np.int64]:
    """Return a number for what each unit measures (-1: not known, or no unit)."""
    return _mapped(names, lambda name: _KINDS.index(kind(name) or ""), 0) - 1


def _rule_of_type(charge: str) -> int:
    name = re.sub(r"[^A-Z]+", "_", charge.upper()).strip("_")
    if name in FINANCE_TYPES:
        return Rule.FINANCE
    if name in SHARED_TYPES:
        return Rule.SHARED
    if name in FIXED_TYPES:
        return Rule.FIXED
    return Rule.DEMAND if name == "DEMAND" else Rule.ENERGY


def _rule_of_words(description: str) -> int:
    lower = description.lower()
    return next((rule for rule, pattern in _KIND_WORDS if pattern.search(lower)), Rule.ENERGY)


def _place(names: Sequence[str], name: str, otherwise: int) -> int:
    return names.index(name) if name in names else otherwise


def _mapped(column: pd.Series, value: Callable[[str], int], missing: int) -> npt.NDArray[np.int64]:
    """Return `value` of each text, asked once per distinct text."""
    codes, distinct = pd.factorize(column)
    table = np.array([*(value(str(name)) for name in distinct), missing], dtype=np.int64)
    return table[codes]
