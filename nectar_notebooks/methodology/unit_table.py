"""What the API's unit names mean, how people write them, where they can be read in two ways, and default heat contents.

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
- A name of the API is taken as it is. Other words are understood by `SPELLINGS`, whatever their case, blanks and
  points: a therm, gallon, ton or Dth without a country is that of the United States; ``mcf`` is the API's MCF, a
  thousand cubic feet, in any case; ``mgal`` is a million gallons. What means two things to two trades is refused
  (`AMBIGUOUS`), and so is what is not listed: it is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

__all__ = ["AMBIGUOUS", "DEFAULT_HEAT_CONTENT", "SPELLINGS", "UNITS", "VAPOUR", "Rate", "Rates"]

#: So much of one unit in one of another: ``(1026.0, "Btu", "CF")`` is 1,026 Btu in a cubic foot.
Rate: TypeAlias = tuple[float, str, str]

#: Rates by commodity (``"GAS"``) or commodity and subtype (``"GAS / NATURAL_GAS"``).
Rates: TypeAlias = Rate | Mapping[str, Rate]

#: Heat contents used unless others are given: 1,026 Btu in a cubic foot of natural gas and 1,194 Btu in a pound of
#: steam (1,194,000 in the API's ``mlb``, a thousand pounds; saturated steam at 150 psi). Source: ENERGY STAR
#: Portfolio Manager, Technical Reference: Thermal Energy Conversions, August 2015, the values for the United States;
#: for Canada it takes 1,031.43 Btu in a cubic foot. Gas without a subtype is taken for natural gas.
#: Oils, propane, kerosene, coal and wood: United States Environmental Protection Agency, 40 CFR Part 98, Table C-1 to
#: Subpart C (default high heat values; 81 FR 89188, 9 December 2016). Diesel, and heating oil whose grade is not told,
#: are its distillate No. 2; coal whose rank is not told is its mix of the commercial sector; wood is its wood and wood
#: residuals. A fuel that names no kind has no default: which it is, nobody can say.
DEFAULT_HEAT_CONTENT: Final[Mapping[str, Rate]] = {
    "GAS": (1026.0, "Btu", "CF"),
    "GAS / NATURAL_GAS": (1026.0, "Btu", "CF"),
    "STEAM": (1_194_000.0, "Btu", "mlb"),
    "DISTRICT / HEATING / STEAM": (1_194_000.0, "Btu", "mlb"),
    **dict.fromkeys(("FUEL / FUEL_OIL_1", "FUEL / DISTILLATE_FUEL_OIL_1"), (0.139, "MMBtu", "gal (US)")),
    **dict.fromkeys(
        ("FUEL / FUEL_OIL_2", "FUEL / DISTILLATE_FUEL_OIL_2", "FUEL / FUEL_OIL", "FUEL / HEATING_OIL", "FUEL / DIESEL"),
        (0.138, "MMBtu", "gal (US)"),
    ),
    **dict.fromkeys(("FUEL / FUEL_OIL_4", "FUEL / DISTILLATE_FUEL_OIL_4"), (0.146, "MMBtu", "gal (US)")),
    **dict.fromkeys(("FUEL / FUEL_OIL_5", "FUEL / RESIDUAL_FUEL_OIL_5"), (0.140, "MMBtu", "gal (US)")),
    **dict.fromkeys(("FUEL / FUEL_OIL_6", "FUEL / RESIDUAL_FUEL_OIL_6"), (0.150, "MMBtu", "gal (US)")),
    "FUEL / KEROSENE": (0.135, "MMBtu", "gal (US)"),
    **dict.fromkeys(("FUEL / PROPANE", "GAS / PROPANE"), (0.091, "MMBtu", "gal (US)")),
    **dict.fromkeys(("FUEL / LPG", "GAS / LPG"), (0.092, "MMBtu", "gal (US)")),
    **dict.fromkeys(("FUEL / ANTHRACITE_COAL", "FUEL / ANTHRACITE"), (25.09, "MMBtu", "sh ton")),
    **dict.fromkeys(("FUEL / BITUMINOUS_COAL", "FUEL / BITUMINOUS"), (24.93, "MMBtu", "sh ton")),
    "FUEL / SUBBITUMINOUS_COAL": (17.25, "MMBtu", "sh ton"),
    **dict.fromkeys(("FUEL / LIGNITE_COAL", "FUEL / LIGNITE"), (14.21, "MMBtu", "sh ton")),
    "FUEL / COAL": (21.39, "MMBtu", "sh ton"),
    **dict.fromkeys(("FUEL / COKE", "FUEL / COAL_COKE"), (24.80, "MMBtu", "sh ton")),
    "FUEL / WOOD": (17.48, "MMBtu", "sh ton"),
}

#: Heat contents of fuels that are liquid in gallons and litres, and vapour in cubic feet and metres (same source).
VAPOUR: Final[Mapping[str, Rate]] = dict.fromkeys(("FUEL / PROPANE", "GAS / PROPANE"), (2516.0, "Btu", "CF"))

_UK_THERM: Final = "105505585.257348 * joule"


def _of(kind: str, **expressions: str) -> dict[str, tuple[str, str]]:
    return {name: (kind, expression) for name, expression in expressions.items()}


#: Every unit name of the API (and the apparent and reactive energy of v2.1, and the kBtu of energy reports) with its
#: kind and what it is in
#: pint's words.
UNITS: Final[Mapping[str, tuple[str, str]]] = {
    **_of("energy", J="joule", kJ="kilojoule", MJ="megajoule", GJ="gigajoule", TJ="terajoule"),
    **_of(
        "energy",
        Btu="Btu",
        kBtu="1e3 * Btu",
        MMBtu="1e6 * Btu",
        Cal="calorie",
        kCal="1e3 * calorie",
        MCal="1e6 * calorie",
    ),
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


def _words(**spelled: str) -> dict[str, str]:
    """Return spellings, given as one string for each unit: the words are parted by commas."""
    return {word.strip(): unit for unit, words in spelled.items() for word in words.split(",")}


#: Words people write for units, in small letters, without blanks, points, hyphens and underscores; and the API's names.
SPELLINGS: Final[Mapping[str, str]] = {
    **{name.lower(): name for name in ("J", "Btu", "kBtu", "MMBtu", "kJ", "MJ", "GJ", "TJ", "Wh", "kWh", "MWh", "GWh")},
    **{name.lower(): name for name in ("kVA", "kVAR", "kVAh", "MVAh", "GVAh", "kVArh", "MVArh", "GVArh", "kW", "MW")},
    **{name.lower(): name for name in ("GW", "W", "L", "kL", "CF", "CCF", "HCF", "MCF", "MMCF", "kg", "lb", "tonne")},
    **{name.lower(): name for name in ("kCal", "MCal", "Cal", "erg", "bbl", "mbbl", "mlb", "teu")},
    **_words(
        Btu="btus,britishthermalunit,britishthermalunits",
        kBtu="kbtus,thousandbtu",
        MMBtu="mmbtus,millionbtu,mbtu/mmbtu",
        GJ="gigajoule,gigajoules",
        MJ="megajoule,megajoules",
        kJ="kilojoule,kilojoules",
        Wh="watthour,watthours",
        kWh="kwhr,kwhrs,kwhs,kilowatthour,kilowatthours,kw/h,kw*h,kw\u00b7h",
        MWh="mwhs,mwhr,megawatthour,megawatthours",
        GWh="gigawatthour,gigawatthours",
        kW="kws,kilowatt,kilowatts",
        MW="megawatt,megawatts",
        L="litre,litres,liter,liters,ltr",
        kL="kilolitre,kilolitres,kiloliter,kiloliters",
        ML="megalitre,megalitres,megaliter,megaliters",
        CF="cubicfoot,cubicfeet,cuft,cuf,cft,ft3,ft\u00b3,ft^3",
        CCF="hundredcubicfeet,100cubicfeet,100cf,100cuft,centumcubicfeet,ccfs",
        MCF="thousandcubicfeet,1000cubicfeet,1000cf,kcf,mcfs",
        MMCF="millioncubicfeet",
        lb="lbs,pound,pounds",
        mlb="mlbs,klb,klbs,thousandpounds,1000lb,1000lbs,kpound,kpounds",
        kg="kgs,kilogram,kilograms",
        g="gram,grams",
        tonne="tonnes,metrictonne,metrictonnes,metrictons,metricton,mt",
        bbl="barrel,barrels",
    ),
    **dict.fromkeys(("cubicm", "cubicmetre", "cubicmetres", "cubicmeter", "cubicmeters", "m3", "m\u00b3"), "cubic m"),
    **dict.fromkeys(("m^3", "m**3", "cum", "cbm"), "cubic m"),
    **dict.fromkeys(("cubicyd", "cubicyard", "cubicyards", "cuyd", "yd3", "yd\u00b3", "yd^3"), "cubic yd"),
    **dict.fromkeys(("thm", "therm", "therms", "thms", "ustherm", "ustherms", "therm(us)", "therms(us)"), "thm (US)"),
    **dict.fromkeys(("thm(us)",), "thm (US)"),
    **dict.fromkeys(("thm(ec)", "therm(ec)", "therms(ec)"), "thm (EC)"),
    **dict.fromkeys(("thm(uk)", "therm(uk)", "therms(uk)", "uktherm", "uktherms"), "thm (UK)"),
    **dict.fromkeys(
        ("dth", "dths", "decatherm", "decatherms", "dekatherm", "dekatherms", "dkt", "dth(us)"), "Dth (US)"
    ),
    **dict.fromkeys(("dth(ec)",), "Dth (EC)"),
    **dict.fromkeys(("dth(uk)",), "Dth (UK)"),
    **dict.fromkeys(("tonhour", "tonhours", "tonhr", "tonhrs", "tonh"), "ton hours"),
    **dict.fromkeys(("gal", "gals", "gallon", "gallons", "usgal", "usgallon", "usgallons", "gal(us)"), "gal (US)"),
    **dict.fromkeys(("gallon(us)", "gallons(us)"), "gal (US)"),
    **dict.fromkeys(("gal(uk)", "gallons(uk)", "ukgallons", "imperialgallon", "imperialgallons", "impgal"), "gal (UK)"),
    **dict.fromkeys(("100gal", "100gallons", "hundredgallons", "cgal", "100gal(us)"), "100 gal (US)"),
    **dict.fromkeys(("100gal(uk)",), "100 gal (UK)"),
    **dict.fromkeys(("kgal", "kgals", "tgal", "1000gal", "1000gallons", "thousandgallons", "kgal(us)"), "kgal (US)"),
    **dict.fromkeys(("kgal(uk)",), "kgal (UK)"),
    **dict.fromkeys(("mgal", "milliongallons", "mgal(us)"), "Mgal (US)"),
    **dict.fromkeys(("mgal(uk)",), "Mgal (UK)"),
    **dict.fromkeys(("ton", "tons", "shortton", "shorttons", "uston", "ustons", "tons(us)", "ton(us)"), "tons (US)"),
    **dict.fromkeys(("shton",), "sh ton"),
    **dict.fromkeys(("longton", "longtons", "longtn", "imperialton", "imperialtons"), "long tn"),
    **dict.fromkeys(("ozt", "troyounce", "troyounces"), "oz t"),
}

#: Words that mean one thing to one trade and another to the next, and what to write in their place.
AMBIGUOUS: Final[Mapping[str, str]] = {
    "mbtu": "MBtu is a thousand Btu to some and a million to others: write kBtu or MMBtu",
    "mbtus": "MBtu is a thousand Btu to some and a million to others: write kBtu or MMBtu",
    "mbh": "MBH is a thousand Btu an hour, a power: write kBtu for energy",
    "ml": "ml is a millilitre to some, and the API's ML a megalitre: write L or ML",
    "t": "t is a tonne to some and a ton of the United States to others: write tonne or tons (US)",
    "unit": "a unit is 100 cubic feet to one utility and a kWh to another: write CCF or kWh",
    "units": "a unit is 100 cubic feet to one utility and a kWh to another: write CCF or kWh",
}
