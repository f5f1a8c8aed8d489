"""Intensity: usage for each unit of floor area, brought to twelve months.

Areas are the user's (`sites`): the API has none. They are not adjusted for occupancy: give raw usage, or
an area that is adjusted like it. Sites without an area are listed, with the reason, and have no intensity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.frames import TEXT, days, numbers, report, require, text
from nectar_notebooks.methodology.indicators import NO_ENERGY, energy_unit
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.monthly import as_months
from nectar_notebooks.methodology.net_metering import of_months
from nectar_notebooks.methodology.sites import AREA_UNITS, FACTS, join_sites
from nectar_notebooks.methodology.time.spans import (
    MISSING_DAY,
    covered_together,
    day_of_month,
    month_of,
    show_days,
)
from nectar_notebooks.methodology.time.window import last_whole_month, month_number
from nectar_notebooks.methodology.units import convert
from nectar_notebooks.schema.portfolio import Portfolio
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_notebooks.methodology.options import Options
    from nectar_notebooks.methodology.time.spans import Whole
    from nectar_notebooks.methodology.unit_table import Rates
    from nectar_notebooks.schema.dates import Day

__all__ = ["in_one_unit", "intensity"]

_SITE: Final = ("site_id", "commodity", "subtype", "unit")
#: A year may lack one month, the longest too.
_LONGEST_MONTH: Final = 31
_SQUARE_FOOT: Final = 0.09290304  # m², exactly


def intensity(
    monthly: pd.DataFrame | Portfolio,
    sites: pd.DataFrame,
    *,
    known: pd.DataFrame | None = None,
    unit: str | None = None,
    area_unit: str | None = None,
    end: Day | None = None,
    heat_content: Rates | None = None,
    options: Options | None = None,
) -> pd.DataFrame:
    """Return usage ÷ floor area of each site, brought to twelve months by the days that any of its meters covers.

    Parameters
    ----------
    monthly : DataFrame or Portfolio
        A portfolio, or usage by month as `monthly` or `calendarize` return it: ``meter_id, site_id, commodity, unit,
        month, usage, days_covered``; ``subtype, first_day, last_day, generated, exported`` where they stand.
    sites : DataFrame
        The user's table: ``site_id`` or ``external_id``, ``area``, ``area_unit`` (m², ft², or their
        spellings); ``use`` and ``cost_centre`` come along.
    known : DataFrame, optional
        The portfolio's ``sites`` table: resolves external ids, and lists sites that have no usage. Of a portfolio, its
        own.
    unit : str, optional
        An energy unit: all commodities that carry energy are converted to it and summed (commodity ENERGY).
        ``"kBtu/ft²"`` says the unit of the area too. Default: each commodity and subtype for itself, in the unit
        that most of its rows at the site have; what does not convert to it stands in a row of its own.
    area_unit : {"m²", "ft²"}, optional
        The unit areas are told in. Default: as given.
    end : day or month, optional
        Last of the twelve months. Default: the last one that is whole for at least half of the rows, because
        bills of newer months are still to come.
    heat_content
        As in `units.factor`, for `unit`.
    options : Options, optional
        How a portfolio is counted.

    Returns
    -------
    DataFrame
        One row for each site, commodity, subtype and unit: these, ``first_month, last_month`` (of the twelve),
        ``usage`` (net, in them, as it stands), ``days_covered`` (by any of the site's meters of the commodity: a
        meter that follows another is no gap; of ENERGY the fewest of its commodities), ``usage_twelve_months``
        (usage × days of the twelve months ÷ days covered; hauled commodities as they stand), ``generated`` (on
        site), ``area, area_unit, intensity, intensity_unit, use, cost_centre`` and ``reason``
        why there is none. With fewer days than eleven months have (365 − 31) there is none: ENERGY STAR asks for
        twelve full months. Nor is there where a part of the energy does not convert.

    Examples
    --------
    >>> monthly = pd.DataFrame({"meter_id": "M", "site_id": "S", "commodity": "ELECTRICITY", "unit": "kWh",
    ...                         "month": pd.date_range("2023-01-01", periods=12, freq="MS"), "usage": 1000.0,
    ...                         "days_covered": [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]})
    >>> sites = pd.DataFrame({"site_id": ["S"], "area": [600.0], "area_unit": ["sq m"]})
    >>> intensity(monthly, sites)[["usage_twelve_months", "intensity", "intensity_unit"]].values.tolist()
    [[12000.0, 20.0, 'kWh/m²']]
    """
    if isinstance(monthly, Portfolio) and known is None:
        known = monthly.sites
    monthly = as_months(monthly, options)
    require(monthly, ("meter_id", "site_id", "commodity", "unit", "month", "usage", "days_covered"), "monthly")
    if unit is not None:
        unit, *of_area = unit.split("/", 1)
        unit, area_unit = energy_unit(unit), area_unit or next(iter(of_area), None)
    if area_unit is not None:
        known_unit = AREA_UNITS.get(area_unit.strip().lower())
        if known_unit is None:
            raise InvalidRequestError(f"area_unit={area_unit!r} is not known.", advice="Use m² or ft².")
        area_unit = known_unit
    when = days(monthly, "month", "monthly").astype(np.int64)
    usage, generated = of_months(monthly)
    rows = (when != MISSING_DAY) & ~(np.isnan(usage) & np.isnan(generated))
    month = month_of(np.where(rows, when, 0))
    last = last_whole_month(monthly[rows], month[rows]) if end is None else month_number(end, "end")
    inside = rows & (month > last - 12) & (month <= last)
    frame = monthly.assign(usage=usage, generated=generated)[inside].reset_index(drop=True)
    frame = _series(frame.assign(_month=month[inside]), heat_content, unit)
    by_site = _by_site(frame, frame["_month"].to_numpy(dtype=np.int64), last)
    if unit is not None:
        by_site = _all_energy(by_site)
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


def _series(frame: pd.DataFrame, heat_content: Rates | None, unit: str | None) -> pd.DataFrame:
    """Return rows in the unit they are summed in, with a `reason` where there is none."""
    if unit is not None:
        frame = frame[~text(frame, "commodity").isin(NO_ENERGY).to_numpy(dtype=bool)].reset_index(drop=True)
        return _told_in(frame, unit, heat_content)
    frame = frame.assign(reason=pd.Series(np.nan, frame.index).astype(TEXT))
    return in_one_unit(frame, _SITE[:-1], ("usage", "generated"), heat_content)


def in_one_unit(
    frame: pd.DataFrame, by: Sequence[str], values: Sequence[str], heat_content: Rates | None = None
) -> pd.DataFrame:
    """Return rows in the unit that most of their group have; one that does not convert to it stays in its own."""
    return in_one_unit_of(frame, *group_keys(frame, [*by, "unit"]), by, values, heat_content)


def in_one_unit_of(
    frame: pd.DataFrame,
    of_row: Whole,
    keys: pd.DataFrame,
    by: Sequence[str],
    values: Sequence[str],
    heat_content: Rates | None = None,
) -> pd.DataFrame:
    """Return what `in_one_unit` does of rows that `group_keys` numbered by keys which hold these and the unit.

    The frame itself where nothing changes.
    """
    group, _ = group_keys(keys, by)
    rows = np.bincount(of_row, minlength=len(keys))
    units = pd.DataFrame({"group": group, "unit": text(keys, "unit"), "rows": rows}).dropna()
    counts = units.groupby(["group", "unit"], sort=False)["rows"].sum().reset_index()
    if counts["group"].is_unique:
        return frame
    most = counts.sort_values(["rows", "unit"], ascending=[False, True]).drop_duplicates("group").set_index("group")
    wanted, unit = most["unit"].reindex(group).reset_index(drop=True), text(keys, "unit")
    other = (wanted.notna() & unit.notna() & unit.ne(wanted)).to_numpy(dtype=bool)
    changed = {}
    for name in wanted[other].drop_duplicates().sort_values():  # one for each unit: a handful
        rows = np.flatnonzero((other & wanted.eq(name).to_numpy(dtype=bool))[of_row])
        told = _told_in(frame.iloc[rows], name, heat_content, values)
        fits = told["reason"].isna().to_numpy(dtype=bool)
        if fits.any():
            changed[name] = rows[fits], told[fits]
    if not changed:
        return frame
    out = {name: frame[name].to_numpy(copy=True) for name in values}
    units_now = text(frame, "unit").to_numpy(dtype=object, copy=True)
    for name, (rows, told) in changed.items():
        units_now[rows] = name
        for value in values:
            out[value][rows] = told[value].to_numpy()
    return frame.assign(**out, unit=pd.Series(units_now, frame.index).astype(TEXT))


def _told_in(
    frame: pd.DataFrame, unit: str, heat_content: Rates | None, values: Sequence[str] = ("usage", "generated")
) -> pd.DataFrame:
    """Return rows with consumption (and generation) in one unit, with a `reason` where they do not convert."""
    told = {}
    reason = pd.Series(np.nan, frame.index).astype(TEXT)
    for name in values:
        converted = convert(frame, unit, value=name, heat_content=heat_content)
        told[name] = converted["converted"]
        reason = reason.fillna(converted["conversion_reason"].where(frame[name].notna()).astype(TEXT))
    return frame.assign(**told, reason=reason, unit=pd.Series(unit, frame.index, dtype=TEXT))


def _by_site(frame: pd.DataFrame, month: Whole, last: int) -> pd.DataFrame:
    """Sum each site's commodities over the twelve months and bring them to twelve full ones."""
    group, sites = group_keys(frame, _SITE)
    size = len(sites)
    lost = np.zeros(size, dtype=bool)
    lost[group[frame["reason"].notna().to_numpy()]] = True
    for name in ("usage", "generated"):
        values = numbers(frame, name, "monthly")
        known = ~np.isnan(values)
        rows, total = np.bincount(group[known], minlength=size), np.bincount(group[known], values[known], size)
        sites[name] = np.where((rows > 0) & ~lost, total, np.nan)
    uses = frame["usage"].notna().to_numpy() | frame["reason"].notna().to_numpy()
    cell = group[uses] * 12 + month[uses] - last + 11
    days_of = covered_together(cell, month[uses], frame[uses], size * 12).reshape(size, 12).sum(axis=1)
    year = int(np.diff(day_of_month(np.array([last - 11, last + 1])))[0])
    hauled = sites["commodity"].isin(HAULED).to_numpy(dtype=bool)
    short = ~hauled & (days_of < year - _LONGEST_MONTH)
    scale = np.divide(year, days_of, out=np.full(size, np.nan), where=(days_of > 0) & ~short)
    sites["usage_twelve_months"] = sites["usage"] * np.where(hauled, 1.0, scale)
    idle = ~np.isin(np.arange(size), group[uses])
    sites["days_covered"] = np.where(hauled | idle, np.nan, days_of)
    told = sites["commodity"].fillna("no commodity")
    words = pd.Series([f"{number:g} of {year} days covered, under eleven months" for number in days_of], dtype=TEXT)
    reason = pd.Series(np.nan, sites.index).astype(TEXT)
    reason = reason.mask(idle, "generated on site: no consumption").mask(~idle & short, told + ": " + words)
    first = text(frame, "reason").groupby(group).min().reindex(range(size)).astype(TEXT)
    sites["reason"] = first.fillna(reason)
    return sites


def _all_energy(sites: pd.DataFrame) -> pd.DataFrame:
    """Sum the commodities of each site; a sum of which a part is not known is not known either, and says why."""
    group, names = group_keys(sites, ("site_id",))
    size = len(names)
    uses = (sites["usage"].notna() | sites["generated"].isna()).to_numpy()
    grouped, rows = sites[uses].groupby(group[uses]), np.bincount(group[uses], minlength=size)
    for name, value in (("commodity", "ENERGY"), ("subtype", np.nan), ("unit", sites["unit"].min())):
        names[name] = pd.Series(value, names.index, dtype=TEXT)
    for name in ("usage", "usage_twelve_months"):
        names[name] = np.where(rows > 0, np.bincount(group[uses], sites[name].to_numpy()[uses], size), np.nan)
    names["generated"] = sites["generated"].groupby(group).sum(min_count=1).reindex(range(size))
    names["days_covered"] = grouped["days_covered"].min().reindex(range(size))
    names["reason"] = grouped["reason"].min().reindex(range(size)).astype(TEXT)
    return names


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
    facts = ["usage", "days_covered", "usage_twelve_months", "generated"]
    order = [*_SITE, "first_month", "last_month", *facts, "area", "area_unit", "intensity", "intensity_unit"]
    table = table[[*order, *FACTS[2:], "reason"]]
    return table.sort_values(["commodity", "subtype", "unit", "site_id"], kind="stable", ignore_index=True)
