"""What the words of a bill mean: commodities, units, kinds of charge, time of use, demand.

The tables hold the words that bills use; a column map's own words come before them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from nectar_notebooks.sandbox.loader.columns import ColumnMap
from nectar_notebooks.schema.values import DEMAND_UNITS, USAGE_UNITS

__all__ = ["Vocabulary"]

#: Word → (commodity, kind within it), the first that fits decides.
_SERVICES: Final[tuple[tuple[str, str, str | None], ...]] = (
    (r"waste\s?water|sewer|sewage|sanitary", "WATER", "WASTEWATER"),
    (r"irrigat|sprinkler", "WATER", "IRRIGATION"),
    (r"chilled", "DISTRICT", "COOLING"),
    (r"steam|district|hot water", "DISTRICT", "HEATING"),
    (r"fire\s?(line|service|protection)", "WATER", "FIRE"),
    (r"water", "WATER", "POTABLE_WATER"),
    (r"waste|trash|refuse|garbage|recycl|haul", "WASTE", None),
    (r"oil|propane|diesel|gasoline|lpg|\bfuel\b(?! (&|and|cost|adj))", "FUEL", None),
    (r"natural gas|\bgas\b", "GAS", "NATURAL_GAS"),
    (r"solar|photovoltaic", "SOLAR", None),
    (r"electric|power|\bkwh?\b|light|\bhydro\b", "ELECTRICITY", "USAGE"),
    (r"phone|internet|telecom|data line", "TELECOM", None),
    (r"refrigerant", "REFRIGERANT", None),
)

_SUBTYPE_FIELD: Final = {
    "ELECTRICITY": "electricityType",
    "GAS": "gasType",
    "WATER": "waterType",
    "DISTRICT": "districtType",
    "FUEL": "fuelType",
    "WASTE": "wasteType",
    "REFRIGERANT": "refrigerantType",
}

#: Spelling (letters and digits) → unit of the API.
_UNITS: Final = {
    "kwh": "kWh", "kwhs": "kWh", "mwh": "MWh", "wh": "Wh", "kw": "kW", "kws": "kW", "mw": "MW", "kva": "kVA",
    "kvar": "kVAR", "ccf": "CCF", "hcf": "HCF", "mcf": "MCF", "cf": "CF", "cuft": "CF", "cubicfeet": "CF",
    "therm": "thm (US)", "therms": "thm (US)", "thm": "thm (US)", "dth": "Dth (US)", "dekatherms": "Dth (US)",
    "dekatherm": "Dth (US)", "mmbtu": "MMBtu", "gj": "GJ", "mj": "MJ", "btu": "Btu", "gallons": "gal (US)",
    "gallon": "gal (US)", "gal": "gal (US)", "gals": "gal (US)", "kgal": "kgal (US)", "kgals": "kgal (US)",
    "tgal": "kgal (US)", "1000gal": "kgal (US)", "100gal": "100 gal (US)", "m3": "cubic m", "cubicmeters": "cubic m",
    "cubicmetres": "cubic m", "cum": "cubic m", "litres": "L", "liters": "L", "l": "L", "lbs": "lb", "lb": "lb",
    "mlb": "mlb", "mlbs": "mlb", "klb": "mlb", "klbs": "mlb", "tonhours": "ton hours", "tonhrs": "ton hours",
    "tons": "tons (US)", "ton": "tons (US)", "yards": "cubic yd", "yd": "cubic yd", "cubicyards": "cubic yd",
    "cuyd": "cubic yd", "tonnes": "tonne", "kg": "kg",
}  # fmt: skip

#: Pattern → charge type, the first that fits decides.
_CHARGES: Final[tuple[tuple[str, str], ...]] = (
    (r"\blate\b|past due|penalt|interest", "LATE_FEE"),
    (r"credit|refund|rebate", "CREDIT"),
    (r"\btax(es)?\b|\b[ghp]st\b|\bvat\b", "TAX"),
    (r"demand|\bkw\b|\bkva\b", "DEMAND"),
    (r"customer charge|basic charge|fixed charge|service charge|meter charge|base charge|minimum", "CUSTOMER"),
    (r"fuel|supply|generation|purchased power|commodity|\bgas (charge|cost)", "SUPPLY"),
    (r"deliver|distribution|transmission|transport|utility charge|\brider\b", "DELIVERY"),
    (r"\bfee\b|regulatory|surcharge|franchise|fire protection|assessment", "FEE"),
)
_PREVIOUS: Final = re.compile(r"previous balance|balance forward|prior balance|payment", re.IGNORECASE)
_DEMAND: Final = re.compile(r"\bdemand\b|\bkw\b|\bkva\b", re.IGNORECASE)

_PERIODS: Final[tuple[tuple[str, str], ...]] = (
    (r"off[\s-]*peak", "OFF_PEAK"),
    (r"mid[\s-]*peak|shoulder|part(ial)?[\s-]*peak|semi[\s-]*peak", "SHOULDER"),
    (r"super[\s-]*peak|critical", "CRITICAL_PEAK"),
    (r"on[\s-]*peak|\bpeak\b", "PEAK"),
)
_PART_WORDS: Final = re.compile(
    r"(off|mid|on|super|part|partial|semi)?[\s-]*\bpeak\b|shoulder|critical|summer|winter|tier|block|step|level"
    r"|first|next|over|above|additional|remaining|\d+",
    re.IGNORECASE,
)


class Vocabulary:
    """The words of one file: the column map's before the common ones."""

    def __init__(self, columns: ColumnMap) -> None:
        self._commodities = _own(columns.commodities)
        self._subtypes = _own(columns.subtypes)
        self._charges = _own(columns.charges)
        self._units = {_letters(word): unit for word, unit in columns.units.items()}
        self._demand = tuple(word.casefold() for word in columns.demand)
        self._known: dict[tuple[str, ...], tuple[str, str | None]] = {}

    def service(self, *texts: str) -> tuple[str, str | None]:
        """Return commodity and kind of the first text that says one; MISC where none does."""
        if texts not in self._known:
            self._known[texts] = self._service(texts)
        return self._known[texts]

    def _service(self, texts: tuple[str, ...]) -> tuple[str, str | None]:
        commodity = kind = None
        for text in texts:
            for pattern, name, subtype in _SERVICES:
                if re.search(pattern, text, re.IGNORECASE):
                    commodity, kind = name, subtype
                    break
            own = _fits(self._commodities, text)
            if own:
                kind = kind if own == commodity else None
                commodity = own
            if commodity:
                break
        own_kind = next(filter(None, (_fits(self._subtypes, text) for text in texts)), None)
        return commodity or "MISC", own_kind or kind

    def usual_kind(self, commodity: str) -> str | None:
        """Return the kind of a commodity of which bills know one only."""
        return {"ELECTRICITY": "USAGE", "GAS": "NATURAL_GAS"}.get(commodity)

    def subtype_fields(self, commodity: str, kind: str | None) -> dict[str, str]:
        """Return the API's field that says the kind."""
        name = _SUBTYPE_FIELD.get(commodity)
        return {name: kind} if name and kind else {}

    def unit(self, text: str) -> str | None:
        """Return the API's name of a unit; a word that is none stays as it is."""
        if not text:
            return None
        letters = _letters(text)
        return self._units.get(letters) or _UNITS.get(letters) or text

    def is_usage_unit(self, unit: str) -> bool:
        """Say whether a unit measures usage; kW and its sisters are demand."""
        return unit in USAGE_UNITS and unit not in DEMAND_UNITS

    def is_demand(self, description: str, unit: str | None) -> bool:
        """Say whether a line is about demand: by its unit, or by its words where no usage unit stands there."""
        folded = description.casefold()
        if unit in DEMAND_UNITS or any(word in folded for word in self._demand):
            return True
        return not (unit and self.is_usage_unit(unit)) and bool(_DEMAND.search(description))

    def charge(self, description: str, *, demand: bool, used: bool) -> str:
        """Return the charge type of a line."""
        own = _fits(self._charges, description)
        if own:
            return own
        for pattern, name in _CHARGES:
            if re.search(pattern, description, re.IGNORECASE) and (name != "DEMAND" or demand):
                return name
        return "DEMAND" if demand else "SUPPLY" if used else "OTHER"

    def is_previous(self, description: str) -> bool:
        """Say whether a line belongs to an earlier bill: its balance, a payment."""
        return bool(_PREVIOUS.search(description))

    def period(self, description: str) -> str | None:
        """Return the time-of-use period that a description names."""
        return next((name for pattern, name in _PERIODS if re.search(pattern, description, re.IGNORECASE)), None)

    def family(self, description: str) -> str:
        """Return a description without the words by which parts of one charge differ (peak, tier, ...)."""
        return " ".join(_PART_WORDS.sub(" ", description).casefold().split())


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def _own(words: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(((word.casefold(), name) for word, name in words.items()), key=lambda pair: -len(pair[0]))


def _fits(words: list[tuple[str, str]], text: str) -> str | None:
    folded = text.casefold()
    return next((name for word, name in words if word in folded), None)
