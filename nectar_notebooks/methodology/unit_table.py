"""What the API's unit names mean, where they can be read in two ways, and the default heat contents.

Data only, in pint's words; `units` computes with it.

- ``Cal``, ``kCal``, ``MCal`` are the thermochemical calorie of 4.184 J with its prefixes, as in J, kJ, MJ.
- ``Btu`` is the ISO Btu (1055.056 J); ``thm (EC)`` is 100,000 of it, ``thm (US)`` is 105,480,400 J and
  ``thm (UK)`` is 105,505,585.257348 J by statute. ``Dth`` is ten therms, ``MMBtu`` a million Btu.
- ``CF``, ``HCF``, ``CCF``, ``MCF``, ``MMCF`` are 1, 100, 100, 1,000 and 1,000,000 cubic feet: volumes,
  for gas as for water, with no correction to standard temperature or pressure.
- ``kgal`` is 1,000 gallons, ``Mgal`` a million; ``mlb`` is 1,000 pounds (steam), ``mbbl`` 1,000 barrels of
  42 US gallons (oil), both with the Roman thousand of their trades.
- ``ton hours`` are refrigeration-ton hours of 12,000 Btu. ``tons (US)`` and ``sh ton`` are 2,000 lb.
- ``nm`` is the nanometre; ``teu`` counts containers. kW, kVA and kVAR are three kinds: one becomes another
  only with a power factor, which no table of units knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

__all__ = ["DEFAULT_HEAT_CONTENT", "UNITS", "Rate", "Rates"]

#: So much of one unit in one of another: ``(1026.0, "Btu", "CF")`` is 1,026 Btu in a cubic foot.
Rate: TypeAlias = tuple[float, str, str]

#: Rates by commodity (``"GAS"``) or commodity and subtype (``"GAS / NATURAL_GAS"``).
Rates: TypeAlias = Rate | Mapping[str, Rate]

#: Heat contents used unless others are given: 1,026 Btu in a cubic foot of natural gas and 1,194 Btu in a pound of
#: steam (1,194,000 in the API's ``mlb``, a thousand pounds; saturated steam at 150 psi). Source: ENERGY STAR
#: Portfolio Manager, Technical Reference: Thermal Energy Conversions, August 2015, the values for the United States;
#: for Canada it takes 1,031.43 Btu in a cubic foot. Gas without a subtype is taken for natural gas; no other fuel has
#: a default.
DEFAULT_HEAT_CONTENT: Final[Mapping[str, Rate]] = {
    "GAS": (1026.0, "Btu", "CF"),
    "GAS / NATURAL_GAS": (1026.0, "Btu", "CF"),
    "STEAM": (1_194_000.0, "Btu", "mlb"),
    "DISTRICT / HEATING / STEAM": (1_194_000.0, "Btu", "mlb"),
}

_UK_THERM: Final = "105505585.257348 * joule"


def _of(kind: str, **expressions: str) -> dict[str, tuple[str, str]]:
    return {name: (kind, expression) for name, expression in expressions.items()}


#: Every unit name of the API (and the apparent and reactive energy of v2.1) with its kind and what it is in
#: pint's words.
UNITS: Final[Mapping[str, tuple[str, str]]] = {
    **_of("energy", J="joule", kJ="kilojoule", MJ="megajoule", GJ="gigajoule", TJ="terajoule"),
    **_of("energy", Btu="Btu", MMBtu="1e6 * Btu", Cal="calorie", kCal="1e3 * calorie", MCal="1e6 * calorie"),
    **_of("energy", erg="erg", Wh="watt_hour", kWh="kilowatt_hour", MWh="megawatt_hour", GWh="gigawatt_hour"),
    "thm (EC)": ("energy", "1e5 * Btu"),
    "thm (US)": ("energy", "US_therm"),
    "thm (UK)": ("energy", _UK_THERM),
    "Dth (EC)": ("energy", "1e6 * Btu"),
    "Dth (US)": ("energy", "10 * US_therm"),
    "Dth (UK)": ("energy", f"10 * {_UK_THERM}"),
    "ton hours": ("energy", "12000 * Btu"),
    **_of("apparent energy", kVAh="kilowatt_hour", MVAh="megawatt_hour", GVAh="gigawatt_hour"),
    **_of("reactive energy", kVArh="kilowatt_hour", MVArh="megawatt_hour", GVArh="gigawatt_hour"),
    **_of("power", W="watt", KW="kilowatt", kW="kilowatt", MW="megawatt", GW="gigawatt"),
    **_of("apparent power", kVA="kilowatt"),
    **_of("reactive power", kVAR="kilowatt"),
    **_of("volume", L="liter", kL="kiloliter", ML="megaliter", CF="cubic_foot", CCF="100 * cubic_foot"),
    **_of("volume", HCF="100 * cubic_foot", MCF="1e3 * cubic_foot", MMCF="1e6 * cubic_foot"),
    "cubic ft": ("volume", "cubic_foot"),
    "cubic yd": ("volume", "cubic_yard"),
    "cubic m": ("volume", "meter ** 3"),
    "gal (US)": ("volume", "gallon"),
    "gal (UK)": ("volume", "imperial_gallon"),
    "100 gal (US)": ("volume", "100 * gallon"),
    "100 gal (UK)": ("volume", "100 * imperial_gallon"),
    "kgal (US)": ("volume", "1e3 * gallon"),
    "kgal (UK)": ("volume", "1e3 * imperial_gallon"),
    "Mgal (US)": ("volume", "1e6 * gallon"),
    "Mgal (UK)": ("volume", "1e6 * imperial_gallon"),
    **_of("volume", bbl="oil_barrel", mbbl="1e3 * oil_barrel"),
    **_of("containers", teu="1"),
    **_of("mass", kg="kilogram", g="gram", lb="pound", mlb="1e3 * pound", tonne="tonne"),
    "oz t": ("mass", "troy_ounce"),
    "tons (US)": ("mass", "short_ton"),
    "sh ton": ("mass", "short_ton"),
    "metric ton": ("mass", "tonne"),
    "long tn": ("mass", "long_ton"),
    **_of("length", km="kilometer", mi="mile", m="meter", cm="centimeter", mm="millimeter", nm="nanometer"),
    **_of("length", yd="yard", ft="foot"),
    "in": ("length", "inch"),
}
