"""The API's value sets, as documented; readers keep values that are not listed here.

Nothing in this module is computed. Connection statuses, with their families and advice, stand in
`schema.statuses`.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACCOUNT_STATUSES",
    "BILLING_PERIODS",
    "CHARGE_TYPES",
    "COMMODITIES",
    "DATE_TYPES",
    "DEMAND_TYPES",
    "DEMAND_UNITS",
    "HAULED",
    "IDENTIFIER_TYPES",
    "IMAGE_SUFFIXES",
    "INVITATION_STATUSES",
    "INVITATION_TYPES",
    "JOB_STATUSES",
    "SUBTYPE_FIELDS",
    "TRACKING_STATUSES",
    "USAGE_UNITS",
    "WATER_TYPES",
]

#: `datasourceType`: the house name is *commodity*.
COMMODITIES: Final = (
    "ELECTRICITY", "GAS", "WATER", "DISTRICT", "WASTE", "FUEL", "MISC", "REFRIGERANT", "SOLAR", "TELECOM",
)  # fmt: skip

#: Delivered or hauled on single days: bills of these cover no days, and need not.
HAULED: Final = ("WASTE", "FUEL")

#: Listed as filter values by some guides only.
GUIDE_ONLY_COMMODITIES: Final = ("SEWER", "STEAM", "CHILLED_WATER", "HOT_WATER")

#: In the order in which a meter's primary identifier is chosen.
IDENTIFIER_TYPES: Final = (
    "METER", "POD", "ELECTRIC_CHOICE", "PREMISE", "SUBMETER", "ESI", "CHOICE_ID", "SUB_ACCOUNT", "ACCOUNT",
    "SUMMARY_ACCOUNT", "MPR", "ICP", "NMI", "MIRN",
)  # fmt: skip

USAGE_UNITS: Final = (
    "J", "Btu", "MMBtu", "kJ", "MJ", "GJ", "TJ", "thm (EC)", "thm (US)", "thm (UK)", "Dth (EC)", "Dth (US)",
    "Dth (UK)", "Cal", "kCal", "MCal", "erg", "kVA", "Wh", "kWh", "MWh", "GWh", "ton hours", "W", "KW", "MW",
    "GW", "L", "kL", "ML", "cubic ft", "cubic yd", "cubic m", "MMCF", "MCF", "HCF", "CF", "CCF", "gal (UK)",
    "gal (US)", "100 gal (US)", "100 gal (UK)", "kgal (US)", "kgal (UK)", "Mgal (US)", "Mgal (UK)", "teu",
    "bbl", "mbbl", "kg", "oz t", "g", "lb", "mlb", "tons (US)", "sh ton", "metric ton", "tonne", "long tn",
    "km", "mi", "m", "cm", "mm", "nm", "yd", "ft", "in",
)  # fmt: skip

DEMAND_UNITS: Final = ("kW", "MW", "kVA", "kVAR")
DEMAND_TYPES: Final = ("PEAK", "UCAP", "TRANSMISSION", "CONTRACT")
DATE_TYPES: Final = ("BILL_DATE", "USAGE_PERIOD", "CREATED_DATE", "UPDATED_DATE")
TRACKING_STATUSES: Final = ("ENABLED", "DISABLED", "UNSET")

#: Assumed value sets ([A] in the fidelity list).
CHARGE_TYPES: Final = (
    "SUPPLY", "DELIVERY", "CUSTOMER", "DEMAND", "TAX", "FEE", "LATE_FEE", "CREDIT", "OTHER",
)  # fmt: skip
BILLING_PERIODS: Final = ("CURRENT", "PREVIOUS")
WATER_TYPES: Final = ("POTABLE_WATER", "WASTEWATER", "IRRIGATION", "FIRE")

#: States of an account, of which only the first is spelled so in the documentation; which of them count is said in
#: `schema.accounts`.
ACCOUNT_STATUSES: Final = (
    "CUSTOMER_NOT_TRACKED", "DETECTED", "ONBOARDING", "ONBOARDED", "NEEDS_PULL", "PULL_COMPLETED", "OLD_ACCOUNT",
    "DUPLICATE", "INACTIVE",
)  # fmt: skip

INVITATION_TYPES: Final = ("CREATE_CONNECTION", "EDIT_CONNECTION")
INVITATION_STATUSES: Final = ("ACTIVE", "EXPIRED", "REVOKED", "FULFILLED")
JOB_STATUSES: Final = ("PENDING", "COMPLETED", "FAILED", "TERMINATED")
IMAGE_SUFFIXES: Final = (".pdf", ".png", ".jpg", ".jpeg")

#: The fields that tell a commodity's kinds apart, from which `subtype` is made (joined by " / ").
SUBTYPE_FIELDS: Final = {
    "ELECTRICITY": ("electricityType",),
    "GAS": ("gasType",),
    "WATER": ("waterType",),
    "FUEL": ("fuelType",),
    "DISTRICT": ("districtType", "districtMediumType"),
    "WASTE": ("wasteType", "wasteStream"),
    "REFRIGERANT": ("refrigerantType",),
}
