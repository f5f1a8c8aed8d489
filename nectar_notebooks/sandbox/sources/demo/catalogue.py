"""Who is in the demo portfolio: companies, places, kinds of sites and what is planted where.

Plain data, read by `structure`. A site's utilities are words ``KIND`` or ``KIND:account``, where a shared
account name puts several meters, also of several sites, on one bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "CITIES",
    "COMPANY_NAMES",
    "EXTRA_SITES",
    "KINDS",
    "PLANTED",
    "SITES",
    "STATUSES",
    "STREETS",
    "SUBTYPES",
    "City",
    "Kind",
    "SiteSpec",
]


class City(NamedTuple):
    """A place with its climate."""

    name: str
    region: str
    postcode: str
    country: str
    climate: str


CITIES: dict[str, tuple[City, ...]] = {
    "NE": (City("Worcester", "MA", "01608", "US", "cold"), City("Providence", "RI", "02903", "US", "cold")),
    "GL": (City("Columbus", "OH", "43215", "US", "cold"), City("Milwaukee", "WI", "53202", "US", "cold")),
    "SO": (City("Raleigh", "NC", "27601", "US", "hot"), City("Chattanooga", "TN", "37402", "US", "hot")),
    "WE": (City("Sacramento", "CA", "95814", "US", "hot"), City("Bellingham", "WA", "98225", "US", "mild")),
    "ON": (City("Kingston", "ON", "K7L 2Z3", "CA", "cold"), City("Guelph", "ON", "N1H 3A1", "CA", "cold")),
    "BC": (City("Kelowna", "BC", "V1Y 6N2", "CA", "mild"), City("Nanaimo", "BC", "V9R 5H2", "CA", "mild")),
}

#: The fields by which the API tells a commodity's kinds apart.
SUBTYPES = (
    "electricityType", "netMeteringType", "waterType", "meterHighLow", "gasType", "fuelType", "districtType",
    "districtMediumType", "wasteDescription", "wasteType", "wasteStream", "refrigerantType",
)  # fmt: skip

#: Names to choose from, by company.
COMPANY_NAMES: dict[str, tuple[str, ...]] = {
    "A": ("Harborline Retail Group", "Bluestem Logistics", "Larkspur Health Partners", "Meridian Outfitters"),
    "B": ("Northern Heron Hotels", "Granite Bay Hospitality", "Silver Birch Lodges", "Tamarack Resorts"),
    "C": ("Juniper Street Dental", "Copper Kettle Bakery", "Fernwood Montessori", "Sunrise Print & Copy"),
    "D": ("Old Mill Brewing", "Tidewater Canvas", "Lantern Books", "Quarry Road Fitness"),
    "E": ("Willow Creek Veterinary", "Cedar Lane Florist", "Beacon Bicycle Works", "Redbrick Pottery"),
}

STREETS = (
    "Main Street", "Canal Street", "Front Street", "Commerce Way", "Industrial Parkway", "Elm Street",
    "Station Road", "Harrison Avenue", "Depot Street", "Lakeview Drive", "Mill Road", "Union Street",
    "Cedar Avenue", "River Road", "Foundry Lane", "Orchard Street", "Wharf Street", "College Avenue",
)  # fmt: skip


class SiteSpec(NamedTuple):
    """One site; its territory is 0 or 1 (drawn by seed) or a name, its city 0 or 1 within that."""

    company: str
    building: str
    territory: int | str
    city: int
    utilities: str
    occupancy: int = 100
    archived_months_ago: int = 0


#: In the order in which a smaller portfolio keeps them.
SITES: dict[str, SiteSpec] = {
    "A0": SiteSpec("A", "Headquarters", 0, 0, "E-TOU G-US W-CITY S-CITY I-CITY T-HAUL"),
    "B0": SiteSpec("B", "Grand Hotel", "ON", 0, "E-HYDRO-L G-CA W-CA S-CA T-HAUL-CA"),
    "A1": SiteSpec("A", "Distribution Center", 0, 1, "E-NET:net E-EXPORT:net P-SOLAR G-US W-CITY S-CITY"),
    "C0": SiteSpec("C", "Front Office", "SO", 0, "E-SMALL G-US W-CITY"),
    "A2": SiteSpec("A", "Store", 0, 0, "E-SMALL:stores G-US W-CITY:stores S-CITY:stores"),
    "A3": SiteSpec("A", "Store", 0, 0, "E-SMALL:stores G-US W-CITY:stores S-CITY:stores"),
    "A4": SiteSpec("A", "Store", 0, 0, "E-SMALL:stores G-US"),
    "B1": SiteSpec("B", "Reservations Office", "ON", 1, "E-HYDRO G-CA W-CA", 80),
    "A5": SiteSpec("A", "Market Building", 1, 0, "E-DEMAND:market E-TENANT:market G-US W-CITY S-CITY", 60),
    "A6": SiteSpec("A", "Laboratory", 1, 0, "E-DEMAND D-STEAM D-CHILLED W-CITY S-CITY"),
    "C1": SiteSpec("C", "Workshop", "SO", 0, "E-SMALL T-HAUL"),
    "A7": SiteSpec("A", "Assembly Plant", 1, 1, "E-DEMAND F-OIL W-CITY"),
    "B2": SiteSpec("B", "Lakeside Lodge", "BC", 0, "E-HYDRO-L G-CA W-CA S-CA"),
    "A8": SiteSpec("A", "Branch", 1, 1, "E-SMALL G-US", 40),
    "B3": SiteSpec("B", "Restaurant", "BC", 1, "E-SMALL-CA G-CA"),
    "A9": SiteSpec("A", "Branch", 1, 1, "E-SMALL W-CITY:upload"),
    "D0": SiteSpec("D", "Taproom", "NE", 0, "E-SMALL"),
    "A10": SiteSpec("A", "Clinic", 0, 1, "E-SMALL G-US"),
    "B4": SiteSpec("B", "Linen Depot", "BC", 1, "E-SMALL-CA"),
    "A11": SiteSpec("A", "Former Warehouse", 1, 1, "E-SMALL", archived_months_ago=8),
    "B5": SiteSpec("B", "Border Inn", "WE", 1, "E-SMALL G-US"),
    "E0": SiteSpec("E", "Studio", "GL", 0, "E-SMALL G-US"),
}

#: What further sites look like; they belong to company A.
EXTRA_SITES = ("Store", "Branch", "Service Center", "Warehouse", "Outlet", "Showroom", "Clinic", "Garage")


class Kind(NamedTuple):
    """One kind of meter: what it measures, how much a day, and how the API tells its kind."""

    commodity: str
    provider: str
    unit: str
    places: int
    per_day: float
    shape: str
    subtype: Mapping[str, str]
    identifier: str = "METER"
    label: str = "Meter No."
    hours: float = 0.0  # hours of use at peak a day: daily kWh / hours = demand
    multiplier: int = 1
    tariff: str = ""


_POWER = {"electricityType": "USAGE"}
_HAUL = {
    "wasteType": "MUNICIPAL_SOLID_WASTE",
    "wasteStream": "LANDFILL",
    "wasteDescription": "8 yd front-load",
}

KINDS: dict[str, Kind] = {
    "E-SMALL": Kind("ELECTRICITY", "E", "kWh", 0, 210, "cooling", _POWER),
    "E-SMALL-CA": Kind("ELECTRICITY", "E", "kWh", 0, 260, "electric_heat", _POWER, tariff="E-HYDRO"),
    "E-DEMAND": Kind("ELECTRICITY", "E", "kWh", 0, 2_450, "cooling", _POWER, hours=13.4, multiplier=40),
    "E-TOU": Kind("ELECTRICITY", "E", "kWh", 0, 5_200, "cooling", _POWER, hours=12.1, multiplier=80),
    "E-NET": Kind("ELECTRICITY", "E", "kWh", 0, 2_900, "cooling", {**_POWER, "netMeteringType": "IMPORT"},
                  hours=11.2, multiplier=20),
    "E-EXPORT": Kind("ELECTRICITY", "E", "kWh", 0, 620, "daylight", {**_POWER, "netMeteringType": "EXPORT"},
                     multiplier=20),
    "E-TENANT": Kind("ELECTRICITY", "E", "kWh", 0, 340, "people", _POWER, "SUBMETER", "Submeter"),
    "E-HYDRO": Kind("ELECTRICITY", "E", "kWh", 0, 310, "electric_heat", _POWER),
    "E-HYDRO-L": Kind("ELECTRICITY", "E", "kWh", 0, 2_150, "electric_heat", _POWER, hours=12.8,
                      multiplier=20),
    "G-US": Kind("GAS", "G", "thm (US)", 1, 46, "heating", {"gasType": "NATURAL_GAS"}),
    "G-CA": Kind("GAS", "G", "cubic m", 1, 152, "heating", {"gasType": "NATURAL_GAS"}),
    "W-CITY": Kind("WATER", "W", "kgal (US)", 2, 1.45, "people", {"waterType": "POTABLE_WATER"}),
    "S-CITY": Kind("WATER", "W", "kgal (US)", 2, 1.28, "people", {"waterType": "WASTEWATER"},
                   "SUB_ACCOUNT", "Service ID"),
    "I-CITY": Kind("WATER", "I", "kgal (US)", 2, 2.1, "garden", {"waterType": "IRRIGATION"}),
    "W-CA": Kind("WATER", "W", "cubic m", 1, 9.4, "people", {"waterType": "POTABLE_WATER"}),
    "S-CA": Kind("WATER", "W", "cubic m", 1, 8.1, "people", {"waterType": "WASTEWATER"},
                 "SUB_ACCOUNT", "Service ID"),
    "T-HAUL": Kind("WASTE", "T", "cubic yd", 0, 0.55, "flat", _HAUL, "SUB_ACCOUNT", "Service location"),
    "T-HAUL-CA": Kind("WASTE", "T", "cubic yd", 0, 0.8, "flat", _HAUL, "SUB_ACCOUNT", "Service location",
                      tariff="T-HAUL"),
    "D-STEAM": Kind("DISTRICT", "D", "mlb", 2, 13.5, "heating",
                    {"districtType": "HEATING", "districtMediumType": "STEAM"}),
    "D-CHILLED": Kind("DISTRICT", "D", "ton hours", 0, 1_350, "chilled",
                      {"districtType": "COOLING", "districtMediumType": "CHILLED_WATER"}),
    "F-OIL": Kind("FUEL", "F", "gal (US)", 1, 27, "heating", {"fuelType": "FUEL_OIL_2"}, "ACCOUNT", "Tank"),
    "P-SOLAR": Kind("SOLAR", "P", "kWh", 0, 1_050, "daylight", {}, "METER", "Inverter meter"),
}  # fmt: skip

#: Status, since how many days, and what the provider's site said, by company, provider kind and place.
STATUSES: dict[tuple[str, str, str], tuple[str, int, str | None]] = {
    ("A", "E", "1"): ("UNDER_INVESTIGATION", 3, "Bill history shows a new layout; our team is checking it."),
    ("A", "G", "1"): ("PASSWORD_INCORRECT", 41, "The user name or password you entered is incorrect."),
    ("A", "W", "10"): ("URL_INACCESSIBLE", 12, "The login address did not answer: DNS lookup failed."),
    ("A", "T", ""): ("NEW_PASSWORD_NEEDED", 19, "Your password has expired. Please choose a new password."),
    ("A", "D", ""): ("MFA_TOKEN_EXPIRED", 27, "Your verification code has expired. Request a new code."),
    ("B", "G", "ON"): ("ADDITIONAL_CREDENTIALS_NEEDED", 33, "Answer required: What was your first street?"),
    ("B", "W", "ON0"): ("WEBSITE_DOWN", 2, "HTTP 503: the portal is down for maintenance."),
    ("B", "T", ""): ("OTHER_ERROR", 6, "Unexpected page after login."),
    ("D", "E", "NE"): ("COMPANY_INACTIVE", 212, "The company was deactivated."),
}

#: account → defect → how many bills back it lies (0 is the newest).
PLANTED: dict[str, dict[str, int]] = {
    "A0/E": {"revised": 7},
    "A10/E": {"estimated_run": 4},
    "A8/E": {"gap": 10},
    "B3/E": {"overlap": 9},
    "A1/W": {"late_fee": 5},
    "B0/E": {"credit": 3},
    "C1/E": {"zero_cost": 6},
    "A6/E": {"flagged": 2},
    "A4/G": {"deleted": 4},
    "A7/W": {"usage_spike": 8},
    "C1/T": {"account_level_usage": 1},
}
