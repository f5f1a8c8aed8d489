"""ENERGY STAR Portfolio Manager's names of meter types and units, and the units each type allows. Plain data.

Sources: the list of meter types and units in the schema of its web services (meter.xsd: ``meterType``,
``typeOfUnits``) and, for the spelling of its spreadsheets, the "Meter Entries" sheet it writes ("Electric - Grid",
"Fuel Oil (No. 2)", "kWh (thousand Watt-hours)"), as the SEED platform reads it
(seed-platform.org, data_importer/utils.py, factors deduced from a test account). Its ``kcf`` is a thousand cubic feet
and its ``Mcf`` a million, where the API's MCF is a thousand and MMCF a million.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["TYPES", "UNITS", "MeterType", "meter_type"]

#: Portfolio Manager's names of the API's units.
UNITS: Final[Mapping[str, str]] = {
    "Wh": "Wh (Watt-hours)",
    "kWh": "kWh (thousand Watt-hours)",
    "MWh": "MWh (million Watt-hours)",
    "GJ": "GJ",
    "kBtu": "kBtu (thousand Btu)",
    "Btu": "Btu",
    "MMBtu": "MBtu/MMBtu (million Btu)",
    "thm (US)": "therms",
    "ton hours": "ton hours",
    **dict.fromkeys(("CF", "cubic ft"), "cf (cubic feet)"),
    **dict.fromkeys(("CCF", "HCF"), "ccf (hundred cubic feet)"),
    "MCF": "kcf (thousand cubic feet)",
    "MMCF": "Mcf (million cubic feet)",
    **dict.fromkeys(("cubic m", "kL"), "cm (cubic meters)"),
    "cubic yd": "Cubic yards",
    "L": "Liters",
    "gal (US)": "Gallons (US)",
    "gal (UK)": "Gallons (UK)",
    "100 gal (US)": "cGal (hundred gallons) (US)",
    "100 gal (UK)": "cGal (hundred gallons) (UK)",
    "kgal (US)": "KGal (thousand gallons) (US)",
    "kgal (UK)": "KGal (thousand gallons) (UK)",
    "Mgal (US)": "MGal (million gallons) (US)",
    "Mgal (UK)": "MGal (million gallons) (UK)",
    "lb": "Lbs. (pounds)",
    "mlb": "kLbs. (thousand pounds)",
    "kg": "kg (kilograms)",
    **dict.fromkeys(("tons (US)", "sh ton"), "Tons"),
    **dict.fromkeys(("tonne", "metric ton"), "Tonnes (metric)"),
}


class MeterType(NamedTuple):
    """A type of meter: its name, the units it allows, and the one that other units are converted to."""

    name: str
    units: frozenset[str]
    usual: str


def _units(*names: str) -> frozenset[str]:
    return frozenset(names)


_HEAT: Final = _units("GJ", "Btu", "kBtu", "MMBtu")
_ELECTRIC: Final = _HEAT | _units("Wh", "kWh", "MWh")
_GAS: Final = _HEAT | _units("CF", "cubic ft", "CCF", "HCF", "MCF", "MMCF", "cubic m", "kL", "thm (US)")
_LIQUID: Final = _units("gal (US)", "gal (UK)", "L")
_MASS: Final = _units("tons (US)", "sh ton", "tonne", "metric ton")
_PROPANE: Final = _HEAT | _LIQUID | _units("CF", "cubic ft", "CCF", "HCF", "MCF")
_COAL: Final = _HEAT | _MASS | _units("lb", "mlb")
_STEAM: Final = _HEAT | _units("lb", "mlb", "kg", "thm (US)")
_WATER: Final = _LIQUID | _units(
    "CF", "cubic ft", "CCF", "HCF", "MCF", "cubic m", "kL", "100 gal (US)", "100 gal (UK)", "kgal (US)", "kgal (UK)",
    "Mgal (US)", "Mgal (UK)",
)  # fmt: skip

_GRID: Final = MeterType("Electric - Grid", _ELECTRIC, "kWh")
_NATURAL_GAS: Final = MeterType("Natural Gas", _GAS, "thm (US)")
_ANY_PROPANE: Final = MeterType("Propane", _PROPANE, "gal (US)")
_STEAM_METER: Final = MeterType("District Steam", _STEAM, "MMBtu")
_HOT_WATER: Final = MeterType("District Hot Water", _HEAT | _units("thm (US)"), "MMBtu")
_CHILLED: Final = MeterType("District Chilled Water - Other", _HEAT | _units("ton hours"), "ton hours")
_POTABLE: Final = "Municipally Supplied Potable Water - "
_DRINKING: Final = MeterType(f"{_POTABLE}Mixed Indoor/Outdoor", _WATER, "kgal (US)")
_HEAVY_OIL: Final = MeterType("Fuel Oil (No. 5 and No. 6)", _HEAT | _LIQUID, "gal (US)")

#: Types by commodity, or commodity and subtype. Sewer and fire water, telecom and refrigerants have none; nor has
#: waste, because the API does not say which of Portfolio Manager's kinds it is.
TYPES: Final[Mapping[str, MeterType]] = {
    **dict.fromkeys(("ELECTRICITY", "ELECTRICITY / USAGE"), _GRID),
    "SOLAR": MeterType("Electric - Solar", _ELECTRIC, "kWh"),
    **dict.fromkeys(("GAS", "GAS / NATURAL_GAS"), _NATURAL_GAS),
    **dict.fromkeys(("GAS / PROPANE", "FUEL / PROPANE"), _ANY_PROPANE),
    "FUEL / DIESEL": MeterType("Diesel", _HEAT | _LIQUID, "gal (US)"),
    "FUEL / KEROSENE": MeterType("Kerosene", _HEAT | _LIQUID, "gal (US)"),
    "FUEL / FUEL_OIL_1": MeterType("Fuel Oil (No. 1)", _HEAT | _LIQUID, "gal (US)"),
    "FUEL / FUEL_OIL_2": MeterType("Fuel Oil (No. 2)", _HEAT | _LIQUID, "gal (US)"),
    "FUEL / FUEL_OIL_4": MeterType("Fuel Oil (No. 4)", _HEAT | _LIQUID, "gal (US)"),
    **dict.fromkeys(("FUEL / FUEL_OIL_5", "FUEL / FUEL_OIL_6"), _HEAVY_OIL),
    "FUEL / ANTHRACITE_COAL": MeterType("Coal (anthracite)", _COAL, "tons (US)"),
    "FUEL / BITUMINOUS_COAL": MeterType("Coal (bituminous)", _COAL, "tons (US)"),
    "FUEL / COKE": MeterType("Coke", _COAL, "tons (US)"),
    "FUEL / WOOD": MeterType("Wood", _HEAT | _MASS, "tons (US)"),
    **dict.fromkeys(("DISTRICT / HEATING / STEAM", "STEAM"), _STEAM_METER),
    **dict.fromkeys(("DISTRICT / HEATING / HOT_WATER", "HOT_WATER"), _HOT_WATER),
    **dict.fromkeys(("DISTRICT / COOLING / CHILLED_WATER", "CHILLED_WATER"), _CHILLED),
    **dict.fromkeys(
        ("WATER", "WATER / POTABLE_WATER"), MeterType(f"{_POTABLE}Mixed Indoor/Outdoor", _WATER, "kgal (US)")
    ),
    "WATER / IRRIGATION": MeterType(f"{_POTABLE}Outdoor", _WATER, "kgal (US)"),
}


def meter_type(commodity: str | None, subtype: str | None) -> MeterType | None:
    """Return the type of a meter, or None if Portfolio Manager has no type for it.

    Examples
    --------
    >>> meter_type("FUEL", "FUEL_OIL_2").name
    'Fuel Oil (No. 2)'
    >>> meter_type("WATER", "WASTEWATER")
    """
    return TYPES.get(" / ".join(word for word in (commodity, subtype) if word))
