"""Intensity: usage for each unit of floor area, brought to twelve months.

Areas are the user's (`site_table`): the API has none. They are not adjusted for occupancy: give raw usage, or
an area that is adjusted like it. Sites without an area are listed, with the reason, and have no intensity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.checks import TEXT, days, numbers, report, require, text
from nectar_notebooks.methodology.indicators import NO_ENERGY
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.site_table import FACTS, join_sites
from nectar_notebooks.methodology.spans import HAULED, MISSING_DAY, day_of_month, month_of, show_days
from nectar_notebooks.methodology.units import convert, kind
from nectar_notebooks.methodology.window import last_whole_month, month_number

if TYPE_CHECKING:
    from datetime import date

    from nectar_notebooks.methodology.unit_table import Rates

__all__ = ["intensity"]

_METER: Final = ("meter_id", "site_id", "commodity", "subtype", "unit")
_SQUARE_FOOT: Final = 0.09290304  # m², exactly


def intensity(
    monthly: pd.DataFrame,
    sites: pd.DataFrame,
    *,
    known: pd.DataFrame | None = None,
    unit: str | None = None,
    area_unit: str | None = None,
    end: str | date | None = None,
    heat_content: Rates | None = None,
) -> pd.DataFrame:
    """Return usage ÷ floor area of each site, brought to twelve months by days covered.

    Parameters
    ----------
    monthly : DataFrame
        Usage by month as `monthly` or `calendarize` return it: ``meter_id, site_id, commodity, unit, month,
        usage, days_covered``; ``subtype`` where it stands.
    sites : DataFrame
        The user's table: ``site_id`` or ``external_id``, ``area``, ``area_unit`` (m², ft², or their
        spellings); ``use`` and ``cost_centre`` come along.
    known : DataFrame, optional
        The portfolio's ``sites`` table: resolves external ids, and lists sites that have no usage.
    unit : str, optional
        An energy unit: all commodities that carry energy are converted to it and summed (commodity ENERGY).
        Default: each commodity, subtype and unit for itself.
    area_unit : {"m²", "ft²"}, optional
        The unit areas are told in. Default: as given.
    end : day or month, optional
        Last of the twelve months. Default: the last one that is whole for at least half of the rows, because
        bills of newer months are still to come.
    heat_content
        As in `units.factor`, for `unit`.

    Returns
    -------
    DataFrame
        One row for each site, commodity, subtype and unit: these, ``first_month, last_month`` (of the twelve),
        ``usage`` (in them, as it stands), ``days_covered`` (the fewest of its meters), ``usage_twelve_months``
        (each meter's usage × days of the twelve months ÷ its days covered; hauled commodities as they stand),
        ``area, area_unit, intensity, intensity_unit, use, cost_centre`` and ``reason`` why there is none.

    Examples
    --------
    >>> monthly = pd.DataFrame({"meter_id": "M", "site_id": "S", "commodity": "ELECTRICITY", "unit": "kWh",
    ...                         "month": pd.date_range("2023-01-01", periods=12, freq="MS"), "usage": 1000.0,
    ...                         "days_covered": [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]})
    >>> sites = pd.DataFrame({"site_id": ["S"], "area": [600.0], "area_unit": ["sq m"]})
    >>> intensity(monthly, sites)[["usage_twelve_months", "intensity", "intensity_unit"]].values.tolist()
    [[12000.0, 20.0, 'kWh/m²']]
    """
    require(monthly, ("meter_id", "site_id", "commodity", "unit", "month", "usage", "days_covered"), "monthly")
    if unit is not None and kind(unit) != "energy":
        raise InvalidRequestError(f"unit={unit!r} is no energy unit of the API.", advice="Use kWh, GJ or MMBtu.")
    if area_unit is not None and area_unit not in ("m²", "ft²"):
        raise InvalidRequestError(f"area_unit={area_unit!r} is not known.", advice="Use m² or ft².")
    when = days(monthly, "month", "monthly").astype(np.int64)
    usage = numbers(monthly, "usage", "monthly")
    rows = (when != MISSING_DAY) & ~np.isnan(usage)
    month = month_of(np.where(rows, when, 0))
    last = last_whole_month(monthly[rows], month[rows]) if end is None else month_number(end, "end")
    inside = rows & (month > last - 12) & (month <= last)
    frame = monthly[inside].reset_index(drop=True)
    by_site = _by_site(_by_meter(frame, last, unit, heat_content))
    if known is not None:
        require(known, ("site_id",), "the portfolio's sites")
        idle = text(known, "site_id")[~text(known, "site_id").isin(by_site["site_id"]).to_numpy()]
        by_site = pd.concat([by_site, pd.DataFrame({"site_id": idle})], ignore_index=True)
    bounds = np.array([last - 11, last])
    first_month, last_month = show_days(day_of_month(bounds))
    by_site.insert(4, "first_month", pd.Series(first_month, index=by_site.index))
    by_site.insert(5, "last_month", pd.Series(last_month, index=by_site.index))
    result = _divide(join_sites(by_site, sites, known), area_unit)
    return report(result, "intensity", {"usage or month is missing": int((~rows).sum())} if (~rows).any() else {})


def _by_meter(frame: pd.DataFrame, last: int, unit: str | None, heat_content: Rates | None) -> pd.DataFrame:
    """Sum each meter's twelve months and bring them to twelve full ones."""
    group, meters = group_keys(frame, _METER)
    size = len(meters)
    meters["usage"] = np.bincount(group, numbers(frame, "usage", "monthly"), size)
    covered = np.bincount(group, np.nan_to_num(numbers(frame, "days_covered", "monthly")), size)
    meters["days_covered"] = covered
    year = int(np.diff(day_of_month(np.array([last - 11, last + 1])))[0])
    hauled = meters["commodity"].isin(HAULED).to_numpy(dtype=bool)
    scale = np.divide(year, covered, out=np.full(size, np.nan), where=covered > 0)
    meters["usage_twelve_months"] = meters["usage"] * np.where(hauled, 1.0, scale)
    meters["days_covered"] = np.where(hauled, np.nan, covered)
    meters["reason"] = pd.Series(np.nan, index=meters.index).astype(TEXT)
    if unit is None:
        return meters
    meters = meters[~meters["commodity"].isin(NO_ENERGY).to_numpy(dtype=bool)].reset_index(drop=True)
    told = convert(meters, unit, heat_content=heat_content)
    whole = convert(meters, unit, value="usage_twelve_months", heat_content=heat_content)
    return told.assign(
        usage=told["converted"],
        usage_twelve_months=whole["converted"],
        reason=told["conversion_reason"],
        commodity=pd.Series(["ENERGY"] * len(told), dtype=TEXT),
        subtype=pd.Series(np.nan, index=told.index).astype(TEXT),
        unit=pd.Series([unit] * len(told), dtype=TEXT),
    )


def _by_site(meters: pd.DataFrame) -> pd.DataFrame:
    """Sum meters; a sum of which a part is not known is not known either, and says why."""
    group, sites = group_keys(meters, _METER[1:])
    grouped = meters.groupby(group)
    for name in ("usage", "usage_twelve_months"):
        sites[name] = grouped[name].sum(min_count=1)
        sites.loc[np.unique(group[meters[name].isna().to_numpy()]), name] = np.nan
    sites["days_covered"] = grouped["days_covered"].min()
    sites["reason"] = grouped["reason"].min().astype(TEXT)
    return sites


def _divide(table: pd.DataFrame, area_unit: str | None) -> pd.DataFrame:
    area = numbers(table, "area", "sites")
    said = text(table, "area_unit")
    if area_unit is not None:
        factor = _SQUARE_FOOT if area_unit == "m²" else 1 / _SQUARE_FOOT
        other = (said != area_unit).fillna(False).to_numpy(dtype=bool) & said.isin(("m²", "ft²")).to_numpy(dtype=bool)
        area = np.where(other, area * factor, area)
        strange = said.notna() & ~said.isin(("m²", "ft²"))
        area = np.where(strange, np.nan, area)
        table["area_unit"] = said.where(said.isna() | strange, area_unit)
    table["area"] = area
    whole = numbers(table, "usage_twelve_months", "monthly")
    table["intensity"] = np.divide(whole, area, out=np.full(len(table), np.nan), where=area > 0)
    told = ~table["intensity"].isna().to_numpy()
    table["intensity_unit"] = (text(table, "unit") + "/" + text(table, "area_unit")).where(told)
    reason = text(table, "reason")
    reason = reason.mask(reason.isna() & np.isnan(whole), "no usage")
    reason = reason.mask(~(area > 0), "no floor area")
    if area_unit is not None:
        reason = reason.mask(strange, "the area's unit is neither m² nor ft²")
    table["reason"] = reason
    facts = ["usage", "days_covered", "usage_twelve_months"]
    order = [*_METER[1:], "first_month", "last_month", *facts, "area", "area_unit", "intensity", "intensity_unit"]
    table = table[[*order, *FACTS[2:], "reason"]]
    return table.sort_values(["commodity", "subtype", "unit", "site_id"], kind="stable", ignore_index=True)
