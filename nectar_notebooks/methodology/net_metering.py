"""Which way energy flows: drawn from the grid, exported to it, or generated on site; the one place that nets.

Net consumption is import less export. Export and generation are reported beside it as positive energy, and
generation is never added. What a record is worth otherwise (exclusions, occupancy) is for `adjust`; whether
the sign of an export record fits its meter, for `issues`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from nectar_notebooks.methodology.frames import TEXT, factorize, numbers, text

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

__all__ = [
    "EXCLUDED", "NET_METERING", "Flows", "NetMetering", "consumed", "directions", "net_records", "netted", "of_months",
    "of_solar",
]  # fmt: skip

NetMetering: TypeAlias = Literal["net", "as_is"]
NET_METERING: Final = ("net", "as_is")

#: How `adjust` says that a record was subtracted as an exclusion; an export that was excluded adds.
EXCLUDED: Final = "exclusion subtracted"

#: What a word of `net_metering` holds, in any case, where it says so: EXPORT, GRID_EXPORT, "exported".
_EXPORT: Final = "EXPORT"
_IMPORT: Final = "IMPORT"
_GENERATION: Final = "GENERAT"
_GENERATING: Final = ("SOLAR",)


def of_solar(frame: pd.DataFrame) -> Flags:
    """Return which rows are of a commodity that is generated on site."""
    codes, names = factorize(frame, "commodity")
    return np.append(names.isin(_GENERATING).to_numpy(dtype=bool), False)[codes]


def directions(frame: pd.DataFrame) -> tuple[Flags, Flags]:
    """Return which records are exported energy, and which generation, as their `net_metering` says."""
    codes, names = factorize(frame, "net_metering")
    words = names.astype(TEXT).str.upper()
    words = words.mask(words.str.contains(_IMPORT, regex=False))  # of both ways nothing is said
    exported, generated = (
        np.append(words.str.contains(said, regex=False).to_numpy(dtype=bool), False)[codes]
        for said in (_EXPORT, _GENERATION)
    )
    return exported, generated


def netted(raw: Floats, exported: Flags, net_metering: str) -> Floats:
    """Return usage with exported energy subtracted, whatever sign the bill gives it; twice is once."""
    return np.where(exported, -np.abs(raw), raw) if net_metering == "net" else raw


@dataclass(frozen=True, slots=True)
class Flows:
    """Records' usage (import, less export; missing for generation), and what was exported and generated (else NaN)."""

    usage: Floats
    exported: Floats
    generated: Floats


def consumed(frame: pd.DataFrame, raw: Floats, net_metering: str) -> Flows:
    """Return what flows where by usage records, raw or adjusted before: those that are worth what they say stay."""
    exported, generated = directions(frame)
    usage, outward = netted(raw, exported, net_metering), np.abs(raw)
    if exported.any() and {"adjusted_usage", "adjustment"} <= set(frame.columns):
        worth = numbers(frame, "adjusted_usage", "usage")
        usage = np.where(raw == worth, raw, usage)
        excluded = text(frame, "adjustment").str.contains(EXCLUDED, regex=False).fillna(False).to_numpy(dtype=bool)
        outward = np.where(excluded & (raw == worth), -outward, outward)
    inside = generated | (of_solar(frame) & ~exported)
    return Flows(np.where(generated, np.nan, usage), np.where(exported, outward, np.nan), np.where(inside, raw, np.nan))


def of_months(monthly: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the consumption of months, and what was generated on site (missing where there is none).

    A site uses what it draws and what its own plant makes, less what it exports: so usage of the commodity SOLAR is
    consumption too, while generation that a meter of the grid reports is told beside it alone.
    """
    usage, generated = numbers(monthly, "usage", "monthly"), numbers(monthly, "generated", "monthly")
    told = of_solar(monthly) & np.isnan(generated) & np.isnan(numbers(monthly, "exported", "monthly"))
    return usage, np.where(told, usage, generated)


def net_records(usage: pd.DataFrame, net_metering: str) -> pd.DataFrame:
    """Return usage records with their net `usage`; without `net_metering`, as they are. Generation is taken out."""
    if "net_metering" not in usage.columns:
        return usage
    flows = consumed(usage, numbers(usage, "usage", "usage"), net_metering)
    return usage.assign(usage=flows.usage)[~directions(usage)[1]]
