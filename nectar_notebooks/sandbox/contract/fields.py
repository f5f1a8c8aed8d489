"""The fields of every answered object, v2.2, in answering order, read out of the contract; and what a version assumes.

What stands beside the contract here is the sandbox's own: what answers for a field that a stored record does not say,
which fields are put in place when they are answered, and which are never answered.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from nectar_notebooks.sandbox.contract.bills import BILLS
from nectar_notebooks.sandbox.contract.objects import OBJECTS
from nectar_notebooks.sandbox.contract.schemas import Json
from nectar_notebooks.sandbox.contract.sharing import SHARING
from nectar_notebooks.sandbox.contract.versions import DIFFERENCES

__all__ = ["DECIMALS", "FIELDS", "assumed_fields", "documented_values", "fill"]

_SCHEMAS: Final = OBJECTS | BILLS | SHARING
#: The component that each kind of record is answered as.
_COMPONENTS: Final = {
    "companies": "Company", "sites": "Site", "connections": "Connection", "accounts": "Account", "meters": "Meter",
    "documents": "Document", "usage": "UsageData", "invitations": "InvitationDetails",
}  # fmt: skip

#: What is put in place when a record is answered: other records, and what follows from others.
_PLACED: Final[dict[str, frozenset[str]]] = {
    "companies": frozenset({"sites"}),
    "connections": frozenset({"accounts"}),
    "accounts": frozenset({"meters", "isTracked"}),
    "documents": frozenset({"usageData", "lineItems", "demandMeters"}),
    "usage": frozenset({"site", "timeOfUse", "document"}),
}
#: What a record says for the sandbox alone.
_PRIVATE: Final[dict[str, frozenset[str]]] = {
    "companies": frozenset({"deactivated"}),
    "sites": frozenset({"company"}),
    "connections": frozenset({"password", "planned"}),
    "accounts": frozenset({"connection", "company"}),
    "meters": frozenset({"company"}),
    "documents": frozenset({"connection", "isDeleted"}),
    "usage": frozenset({"company", "connection", "powerFactor"}),
}
#: What answers for a field that a record does not say, where it is not null.
_ABSENT: Final[dict[str, dict[str, Any]]] = {
    "companies": {
        "users": [], "isDemandEnabled": True, "isImpliedMeteringEnabled": False, "impliedMeteringFraction": "1.0",
        "isBasicIdentifierMappingEnabled": False, "isLowAccuracyModeEnabled": False,
    },
    "sites": {"address": "", "path": []},
    "connections": {
        "status": "PENDING", "statusErrorDetail": "", "country": "", "initialSites": [], "initialDatasourceTypes": [],
        "username": "", "workflowOwnerEmail": "", "multiplyByOccupancy": False, "isActive": True,
    },
    "accounts": {
        "trackingStatus": "UNSET", "isDuplicated": "false", "isCollectingInvoiceData": True,
        "isCollectingSmartMeterData": False, "datasourceTypes": [],
    },
    "meters": {"identifiers": [], "isTracked": True},
    "documents": {"sourceType": "INVOICE", "isFlagged": False},
    "usage": {
        "meterIsTracked": True, "identifiers": [], "isEstimated": False, "isImplied": False, "exclusion": False,
        "timeOfUseBreakdown": [], "additionalFields": {},
    },
}  # fmt: skip
_NONE: Final[frozenset[str]] = frozenset()

#: Fields by kind; the value is what a record that does not say it answers. Deprecated ones are put in place.
FIELDS: Final[dict[str, dict[str, Any]]] = {
    kind: {
        name: absent.get(name)
        for name, field in _SCHEMAS[_COMPONENTS[kind]]["properties"].items()
        if name not in _PLACED.get(kind, _NONE) and not field.get("deprecated")
    }
    for kind, absent in _ABSENT.items()
}


def _is_decimal(schema: Json) -> bool:
    return any(branch.get("type") == "number" for branch in schema.get("anyOf", ()))


#: Decimals, which travel as strings or as numbers.
DECIMALS: Final = frozenset(
    name
    for difference in DIFFERENCES.values()
    for component, schema in _SCHEMAS.items()
    for name, field in difference.of(component, schema).get("properties", {}).items()
    if _is_decimal(field)
)


def _properties(version: str, kind: str) -> Json:
    component = _COMPONENTS.get(kind)
    if component is None:
        return {}
    properties: Json = DIFFERENCES[version].of(component, _SCHEMAS[component])["properties"]
    return properties


@cache
def assumed_fields(version: str, kind: str) -> frozenset[str]:
    """Return the fields of a kind that are assumed in a version: whoever keeps to the documentation leaves them out.

    Examples
    --------
    >>> assumed_fields("v2.2", "meters")
    frozenset({'electricityType'})
    """
    return frozenset(name for name, field in _properties(version, kind).items() if field.get("x-nectar-assumed"))


@cache
def documented_values(version: str, kind: str) -> dict[str, frozenset[str]]:
    """Return the documented values of the fields that have assumed values too.

    Examples
    --------
    >>> documented_values("v2.2", "accounts")
    {'status': frozenset({'CUSTOMER_NOT_TRACKED'})}
    """
    return {
        name: frozenset(field["examples"]) - frozenset(field["x-nectar-assumed-values"])
        for name, field in _properties(version, kind).items()
        if "x-nectar-assumed-values" in field
    }


def fill(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return `record` as the API answers it, in field order: every field there, nothing private.

    Fields that the kind does not list are kept at the end: the API may add some, and so may a loader.
    """
    known = FIELDS[kind]
    answer = {name: absent if (value := record.get(name)) is None else value for name, absent in known.items()}
    if len(record) > len(known) or not record.keys() <= known.keys():
        left_out = _PRIVATE.get(kind, _NONE) | _PLACED.get(kind, _NONE)
        answer.update({name: value for name, value in record.items() if name not in known and name not in left_out})
    return answer
