"""What tells the versions apart: v2.2 is written out, each older one is a table of differences to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from nectar_notebooks.sandbox.contract.schemas import Field, Json, assumed, decimal, maybe, read_as, text, values

__all__ = ["DIFFERENCES", "MOUNTS", "Difference"]

#: Where each version answers, below the host; the newest first.
MOUNTS: Final = {"v2.2": "/v2.2", "v2.1": "/v2.1", "v2.0": "/v2"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One version as it differs from v2.2.

    Attributes
    ----------
    says
        What it is, in a sentence.
    lacks
        Fields that it does not have, by component.
    adds
        Fields that it has instead, by component.
    defaults
        Defaults of parameters that differ, by operation and parameter.
    """

    says: str
    lacks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    adds: dict[str, dict[str, Field]] = field(default_factory=dict)
    defaults: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, name: str, schema: Json) -> Json:
        """Return component `name` as this version has it."""
        lacks, adds = self.lacks.get(name, ()), self.adds.get(name, {})
        if not lacks and not adds:
            return schema
        kept = {key: value for key, value in schema["properties"].items() if key not in lacks}
        return schema | {
            "properties": kept | {key: part.schema for key, part in adds.items()},
            "required": [key for key in schema["required"] if key not in lacks],
        }


_USAGE: Final = ("UsageData", "DocumentUsage")
_NAMES: Final = "The quantities are documented for v2.1, the names of their fields are not."
_NEW: Final = dict.fromkeys(_USAGE, ("timeOfUseBreakdown", "timeOfUse"))
_TIME_OF_USE: Final = maybe(values("Time-of-use period that the record counts.", ("PEAK", "OFF_PEAK")))

_POWER_QUALITY: Final = {
    "apparentEnergy": assumed(maybe(decimal("Apparent energy, on normal electricity meters.")), _NAMES),
    "apparentEnergyUnits": assumed(maybe(values("Unit of the apparent energy.", ("kVAh", "MVAh", "GVAh"))), _NAMES),
    "reactiveEnergy": assumed(maybe(decimal("Reactive energy, on normal electricity meters.")), _NAMES),
    "reactiveEnergyUnits": assumed(maybe(text("Unit of the reactive energy.", examples=["kVArh"])), _NAMES),
    "powerFactor": assumed(maybe(decimal("Power factor, 0 to 1, on normal electricity meters.")), _NAMES),
    "electricityType": read_as(
        maybe(values("What the meter measures: usage, or demand.", ("USAGE",), ("DEMAND",))),
        "Demand meters are among the usage records; this field is taken to tell them apart.",
    ),
}

#: Every version, the newest first.
DIFFERENCES: Final[dict[str, Difference]] = {
    "v2.2": Difference("The recommended version."),
    "v2.1": Difference(
        "Supported; plan to migrate. One usage record for each time-of-use period, demand meters among the usage "
        "records, apparent and reactive energy.",
        lacks={"Document": ("demandMeters",), **_NEW},
        adds={component: {"timeOfUse": _TIME_OF_USE, **_POWER_QUALITY} for component in _USAGE},
    ),
    "v2.0": Difference(
        "Legacy. As v2.1, without demand meters, apparent and reactive energy.",
        lacks={"Document": ("demandMeters",), **_NEW},
        adds={component: {"timeOfUse": _TIME_OF_USE} for component in _USAGE},
        defaults={"listUsageOfBill": {"dateType": "USAGE_PERIOD"}},
    ),
}
