"""Invented providers and what they charge: real-looking tariffs as data.

A tariff is a list of steps; `billing` turns them into line items. Rates are integers of 1/100,000 of the
currency, amounts are cents. Which account has which tariff is decided in `structure`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PROVIDERS", "TARIFFS", "Provider", "Step", "Tariff", "water_provider"]


class Step(NamedTuple):
    """One charge: how it is computed, what the bill calls it, its charge type and its rates."""

    how: str  # fixed, daily, bill, usage, tiers, tou, demand, percent, pickup
    text: str
    charge: str
    rate: int = 0
    parts: tuple[tuple[str | int, int], ...] = ()
    market: bool = False  # supply whose price moves month by month


class Tariff(NamedTuple):
    """A tariff: its printed name and its steps, in the order of the bill."""

    name: str
    steps: tuple[Step, ...]


class Provider(NamedTuple):
    """A provider: name, login address, currency, how often it bills."""

    name: str
    url: str
    currency: str = "USD"
    months: int = 1  # months a bill covers
    supplier: str | None = None


TARIFFS: dict[str, Tariff] = {
    "E-SMALL": Tariff("GS-1 General Service", (
        Step("fixed", "Customer charge", "CUSTOMER", 1_895_000),
        Step("tiers", "Energy delivery", "DELIVERY", parts=((800, 6_842), (0, 5_917))),
        Step("usage", "Generation supply", "SUPPLY", 9_214, market=True),
        Step("usage", "Energy efficiency rider", "DELIVERY", 614),
        Step("percent", "State sales tax", "TAX", 6_250),
        Step("percent", "Municipal utility tax", "TAX", 1_500),
    )),
    "E-DEMAND": Tariff("GS-3 Large General Service", (
        Step("fixed", "Customer charge", "CUSTOMER", 14_250_000),
        Step("demand", "Distribution demand charge", "DEMAND", 1_124_000),
        Step("usage", "Energy delivery", "DELIVERY", 2_318),
        Step("usage", "Generation supply", "SUPPLY", 7_866, market=True),
        Step("usage", "Transmission rider", "DELIVERY", 1_142),
        Step("percent", "State sales tax", "TAX", 6_250),
    )),
    "E-TOU": Tariff("TOU-8 Time of Use, secondary voltage", (
        Step("fixed", "Customer charge", "CUSTOMER", 21_530_000),
        Step("demand", "Facilities demand charge", "DEMAND", 1_367_000),
        Step("tou", "Energy", "SUPPLY", parts=(("PEAK", 16_870), ("SHOULDER", 11_240), ("OFF_PEAK", 7_930))),
        Step("usage", "Delivery", "DELIVERY", 2_944),
        Step("usage", "Public purpose programs", "DELIVERY", 781),
        Step("percent", "Utility users tax", "TAX", 4_750),
    )),
    "E-NET": Tariff("GS-2 Net Metering", (
        Step("fixed", "Customer charge", "CUSTOMER", 8_640_000),
        Step("demand", "Distribution demand charge", "DEMAND", 986_000),
        Step("usage", "Energy delivery, imported", "DELIVERY", 3_127),
        Step("usage", "Generation supply, imported", "SUPPLY", 8_452, market=True),
        Step("percent", "State sales tax", "TAX", 6_250),
    )),
    "E-EXPORT": Tariff("Net Metering export", (Step("usage", "Export credit", "CREDIT", -6_120),)),
    "E-TENANT": Tariff("Tenant submeter", ()),
    "G-US": Tariff("Commercial heating service", (
        Step("fixed", "Customer charge", "CUSTOMER", 3_275_000),
        Step("tiers", "Distribution charge", "DELIVERY", parts=((400, 41_830), (0, 33_260))),
        Step("usage", "Gas supply", "SUPPLY", 61_470, market=True),
        Step("usage", "Pipeline safety rider", "DELIVERY", 1_218),
        Step("percent", "State sales tax", "TAX", 6_250),
        Step("percent", "Franchise fee", "FEE", 2_000),
    )),
    "W-CITY": Tariff("Commercial water, 1 in. and larger", (
        Step("fixed", "Water service charge", "CUSTOMER", 4_120_000),
        Step("tiers", "Water consumption", "SUPPLY", parts=((20, 618_000), (0, 734_000))),
        Step("fixed", "Backflow program", "FEE", 395_000),
    )),
    "S-CITY": Tariff("Commercial sewer", (
        Step("fixed", "Sewer service charge", "CUSTOMER", 3_385_000),
        Step("usage", "Sewer volume charge", "DELIVERY", 947_000),
    )),
    "I-CITY": Tariff("Irrigation", (
        Step("fixed", "Irrigation meter charge", "CUSTOMER", 1_840_000),
        Step("usage", "Irrigation water", "SUPPLY", 812_000),
    )),
    "T-HAUL": Tariff("Front-load container", (
        Step("fixed", "Container rental", "CUSTOMER", 8_800_000),
        Step("pickup", "Collection", "DELIVERY", 3_145_000),
        Step("usage", "Disposal", "SUPPLY", 1_462_000),
        Step("percent", "Fuel and environmental fee", "FEE", 9_500),
    )),
    "D-STEAM": Tariff("Steam, firm", (
        Step("fixed", "Capacity charge", "CUSTOMER", 68_000_000),
        Step("usage", "Steam consumption", "SUPPLY", 1_846_000, market=True),
        Step("percent", "City gross receipts surcharge", "TAX", 2_350),
    )),
    "D-CHILLED": Tariff("Chilled water, firm", (
        Step("fixed", "Capacity charge", "CUSTOMER", 54_500_000),
        Step("usage", "Chilled water consumption", "SUPPLY", 19_800),
    )),
    "F-OIL": Tariff("No. 2 heating oil, automatic delivery", (
        Step("usage", "No. 2 heating oil", "SUPPLY", 318_900, market=True),
        Step("bill", "Delivery fee", "FEE", 1_250_000),
        Step("percent", "State sales tax", "TAX", 5_000),
    )),
    "P-SOLAR": Tariff("Power purchase agreement", (
        Step("usage", "Solar energy delivered", "SUPPLY", 9_350),
    )),
    "E-HYDRO": Tariff("General Service under 50 kW, time of use", (
        Step("daily", "Service charge", "CUSTOMER", 123_400),
        Step("tou", "Electricity", "SUPPLY",
             parts=(("ON_PEAK", 15_800), ("MID_PEAK", 12_200), ("OFF_PEAK", 7_600))),
        Step("usage", "Delivery", "DELIVERY", 3_871),
        Step("usage", "Regulatory charges", "DELIVERY", 634),
        Step("percent", "HST", "TAX", 13_000),
    )),
    "E-HYDRO-L": Tariff("General Service 50 kW and over", (
        Step("fixed", "Basic charge", "CUSTOMER", 26_900_000),
        Step("demand", "Demand charge", "DEMAND", 1_274_000),
        Step("usage", "Energy charge", "SUPPLY", 6_790),
        Step("usage", "Rate rider", "DELIVERY", 342),
        Step("percent", "GST", "TAX", 5_000),
    )),
    "G-CA": Tariff("Commercial gas service", (
        Step("daily", "Fixed charge", "CUSTOMER", 148_200),
        Step("usage", "Delivery", "DELIVERY", 12_870),
        Step("usage", "Gas supply", "SUPPLY", 15_610, market=True),
        Step("usage", "Carbon charge", "FEE", 15_250),
        Step("percent", "GST", "TAX", 5_000),
    )),
    "W-CA": Tariff("Metered water", (
        Step("fixed", "Meter charge", "CUSTOMER", 2_760_000),
        Step("usage", "Water consumption", "SUPPLY", 218_400),
    )),
    "S-CA": Tariff("Wastewater", (Step("usage", "Wastewater", "DELIVERY", 243_100),)),
}  # fmt: skip


def _url(name: str) -> str:
    word = "".join(c for c in name.lower() if c.isalnum())
    return f"https://my.{word}.example/login"


def _provider(name: str, currency: str = "USD", months: int = 1, supplier: str | None = None) -> Provider:
    return Provider(name, _url(name), currency, months, supplier)


#: By kind and territory.
PROVIDERS: dict[tuple[str, str], Provider] = {
    ("E", "NE"): _provider("Blackstone Valley Electric Light", supplier="Harbor Energy Supply"),
    ("E", "GL"): _provider("Three Rivers Light & Power"),
    ("E", "SO"): _provider("Longleaf Electric Membership"),
    ("E", "WE"): _provider("Cascade Range Power", supplier="Juniper Community Energy"),
    ("E", "ON"): _provider("Trillium Shores Hydro", "CAD"),
    ("E", "BC"): _provider("Strait & Summit Hydro", "CAD"),
    ("G", "NE"): _provider("Old Colony Gas Light"),
    ("G", "GL"): _provider("Prairie Crossing Gas"),
    ("G", "SO"): _provider("Piedmont Ridge Natural Gas"),
    ("G", "WE"): _provider("Tule River Gas"),
    ("G", "ON"): _provider("Grand Portage Gas", "CAD"),
    ("G", "BC"): _provider("Coquihalla Gas", "CAD"),
    ("T", "US"): _provider("Redwing Hauling & Recycling"),
    ("T", "CA"): _provider("Maple Ridge Waste Services", "CAD"),
    ("D", "US"): _provider("Canal District Thermal"),
    ("F", "US"): _provider("Alder Hill Fuel Oil"),
    ("P", "US"): _provider("Brightfield Solar Assets"),
}


def water_provider(city: str, country: str) -> Provider:
    """Return the city's own water and sewer works; in Canada billed every second month."""
    if country == "CA":
        return _provider(f"{city} Water & Wastewater", "CAD", months=2)
    return _provider(f"City of {city} Water & Sewer")
