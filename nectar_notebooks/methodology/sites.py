"""The user's own facts about sites, joined to frames: floor area, use, cost centre. The API has none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology.frames import TEXT, numbers, require, text
from nectar_notebooks.methodology.keys import places_in

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AREA_UNITS", "FACTS", "join_sites", "site_facts"]

#: What a table of sites may say.
FACTS: Final = ("area", "area_unit", "use", "cost_centre")

#: Spellings of area units, lower case, and the house's spelling.
AREA_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("m2", "m²", "sqm", "sq m", "square metres", "square meters"), "m²"),
    **dict.fromkeys(("ft2", "ft²", "sqft", "sq ft", "square feet", "sf"), "ft²"),
}


def site_facts(sites: pd.DataFrame, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the user's table by site id, checked.

    Parameters
    ----------
    sites : DataFrame
        ``site_id``, or ``external_id`` with `known`; any of ``area``, ``area_unit``, ``use``, ``cost_centre``.
    known : DataFrame, optional
        The portfolio's ``sites`` table, which says the site of an external id.

    Returns
    -------
    DataFrame
        ``site_id, area, area_unit, use, cost_centre``; what is not given is missing. An area unit is spelled
        m² or ft² where it is one of these; another is kept.

    Raises
    ------
    DataError
        Neither id, an external id without `known`, one that several sites have, a site twice, a negative
        area, an area without its unit.

    Examples
    --------
    >>> mine = pd.DataFrame({"external_id": ["HQ"], "area": [1200], "area_unit": ["sqm"]})
    >>> known = pd.DataFrame({"site_id": ["S1"], "external_id": ["HQ"]})
    >>> site_facts(mine, known)[["site_id", "area_unit"]].values.tolist()
    [['S1', 'm²']]
    """
    require(sites, (), "sites")
    if not {"site_id", "external_id"} & set(sites.columns):
        require(sites, ("site_id",), "sites")
    ids = text(sites, "site_id").reset_index(drop=True)
    if "external_id" in sites.columns:
        ids = ids.fillna(_by_external_id(text(sites, "external_id").reset_index(drop=True), known, ids))
    doubled = ids[ids.duplicated() & ids.notna()]
    if len(doubled):
        raise DataError(f"sites names site {doubled.iloc[0]} twice.", advice="Give one row for each site.")
    area = numbers(sites, "area", "sites")
    unit = text(sites, "area_unit").str.strip().reset_index(drop=True)
    bad = np.flatnonzero((area < 0) | ((area > 0) & unit.isna().to_numpy()))
    if len(bad):
        what = "a negative area" if area[bad[0]] < 0 else "an area without an area_unit"
        raise DataError(f"sites has {what} for site {ids.iloc[bad[0]]}.", advice="Units are m² and ft².")
    spelled = unit.str.lower().map(AREA_UNITS).astype(TEXT).fillna(unit)
    facts = {"site_id": ids, "area": area, "area_unit": spelled}
    for name in ("use", "cost_centre"):
        facts[name] = text(sites, name).reset_index(drop=True)
    return pd.DataFrame(facts)[ids.notna().to_numpy()].reset_index(drop=True)


def _by_external_id(wanted: pd.Series[str], known: pd.DataFrame | None, ids: pd.Series[str]) -> pd.Series[str]:
    needed = wanted.notna() & ids.isna()
    if not needed.any():
        return ids
    if known is None:
        raise DataError(
            "sites names sites by external_id, and which sites these are is not known.",
            advice="Give the portfolio's sites table too, or a column site_id.",
        )
    require(known, ("site_id", "external_id"), "the portfolio's sites")
    external = text(known, "external_id")
    several = external[external.duplicated(keep=False) & external.isin(wanted[needed])]
    if len(several):
        raise DataError(f"external_id {several.iloc[0]} stands on several sites.", advice="Name these by site_id.")
    place = places_in(wanted, external.drop_duplicates())
    first = external.drop_duplicates().index
    if (place[needed.to_numpy()] < 0).any():
        lost = wanted[needed & (place < 0)].iloc[0]
        raise DataError(f"No site has the external_id {lost}.", advice="Check it against portfolio.sites.")
    found = text(known, "site_id").loc[first].array.take(place, allow_fill=True)
    return pd.Series(found, dtype=TEXT)


def join_sites(frame: pd.DataFrame, sites: pd.DataFrame, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return `frame` with the columns of :func:`site_facts`, joined by ``site_id``; no row is lost or doubled.

    Examples
    --------
    >>> usage = pd.DataFrame({"site_id": ["S1", "S2"], "usage": [1.0, 2.0]})
    >>> join_sites(usage, pd.DataFrame({"site_id": ["S1"], "use": ["office"]}))["use"].tolist()
    ['office', nan]
    """
    require(frame, ("site_id",), "frame")
    facts = site_facts(sites, known)
    place = places_in(text(frame, "site_id"), facts["site_id"])
    joined = {name: pd.Series(facts[name].array.take(place, allow_fill=True), index=frame.index) for name in FACTS}
    return frame.assign(**joined)
