"""Indicators an analyst asks for first: energy in one unit, unit cost by charge type, load factor.

Each takes frames as `monthly`, `attribute` and the tables return them. Why a figure is missing is always said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.counting import count_periods, span_of
from nectar_notebooks.methodology.frames import (
    PORTFOLIO,
    TEXT,
    choose,
    counted,
    days,
    left_out,
    numbers,
    report,
    require,
    text,
)
from nectar_notebooks.methodology.keys import group_keys, places_in
from nectar_notebooks.methodology.monthly import as_months, at_accounts, prepare
from nectar_notebooks.methodology.net_metering import NET_METERING, NetMetering, net_records, of_months
from nectar_notebooks.methodology.options import By, Options, columns_of, options_of
from nectar_notebooks.methodology.time.calendar import convention_of, last_day
from nectar_notebooks.methodology.time.spans import MISSING_DAY, service_days, show_days
from nectar_notebooks.methodology.units import convert, kind, unit_name
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from nectar_notebooks.methodology.time.calendar import Convention
    from nectar_notebooks.methodology.time.spans import Whole
    from nectar_notebooks.methodology.unit_table import Rates
    from nectar_notebooks.schema.periods import Plausible

__all__ = ["NO_ENERGY", "energy_unit", "load_factor", "total_energy", "unit_costs"]

#: Commodities that carry no energy: they are left out of sums of energy without a word.
NO_ENERGY: Final = ("WATER", "SEWER", "WASTE", "REFRIGERANT", "MISC", "TELECOM")
#: What a result can have rows for, of any portfolio.
_GROUPS: Final = ("site_id", "meter_id", "account_id", "commodity", "subtype", "unit", "month")
_OF_CHARGES: Final = ("unit", "currency", "charge_type")
_NOISE: Final = 1e-9


def total_energy(
    monthly: pd.DataFrame | Portfolio,
    unit: str = "kWh",
    *,
    by: By | Sequence[By] = ("site", "month"),
    heat_content: Rates | None = None,
    options: Options | None = None,
) -> pd.DataFrame:
    """Sum the energy of several commodities in one unit.

    Parameters
    ----------
    monthly : DataFrame or Portfolio
        A portfolio, or months: ``commodity, unit, usage`` and the columns of `by`; ``subtype, generated, exported``
        where they stand.
    unit : str, default "kWh"
        An energy unit of the API.
    by : str or sequence of str
        What the result has a row for: ``"site"``, ``"meter"``, ``"account"`` (of a portfolio), ``"commodity"``,
        ``"month"``, ...; also a column of yours.
    heat_content
        As in `units.factor`: energy in a volume or a mass.
    options : Options, optional
        How a portfolio is counted.

    Returns
    -------
    DataFrame
        The columns of `by`, ``energy`` (in `unit`: net consumption, import less export), ``unit``, ``rows``
        (summed), ``rows_left_out`` and ``reason`` (the first in the alphabet of why rows are not in the sum;
        missing where it is whole), ``generated`` and ``exported`` (in `unit`, missing where there is none).
        Commodities without energy (`NO_ENERGY`) take no part. A site uses what it draws and what its own plant
        makes (commodity SOLAR), less what it exports; generation that a grid meter reports is beside the sum alone.

    Examples
    --------
    >>> monthly = pd.DataFrame({"site_id": "S", "month": "2024-01-01", "commodity": ["ELECTRICITY", "GAS"],
    ...                         "unit": ["kWh", "CCF"], "usage": [1000.0, 10.0]})
    >>> total_energy(monthly)[["energy", "rows"]].round(1).values.tolist()
    [[1300.7, 2.0]]
    """
    unit = energy_unit(unit)
    columns = [name for name in _columns(by, monthly) if name != "unit"]
    if not columns:
        raise InvalidRequestError("total_energy needs a column to sum by.", advice="Give by='site', for one.")
    monthly = as_months(monthly, options, account="account_id" in columns)
    require(monthly, ("commodity", "unit", "usage", *columns), "monthly")
    usage, generated = of_months(monthly)
    monthly = monthly.assign(usage=usage, generated=generated)
    carries = monthly[~text(monthly, "commodity").isin(NO_ENERGY).to_numpy(dtype=bool)]
    converted = convert(carries, unit, heat_content=heat_content)
    group, table = _groups(converted, columns)
    beside = {
        name: _total(converted, name, group, len(table), unit, heat_content) for name in ("generated", "exported")
    }
    takes_part = np.isnan(converted["generated"].to_numpy(dtype=np.float64)) | converted["usage"].notna().to_numpy()
    converted, group = converted[takes_part], group[takes_part]
    values = converted["converted"].to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    size = len(table)
    rows = np.bincount(group[known], minlength=size)
    total = np.bincount(group[known], values[known], size)
    table["energy"] = np.where(rows > 0, total, np.nan)
    table["unit"] = pd.Series([unit] * size, dtype=TEXT)
    table["rows"], table["rows_left_out"] = rows, np.bincount(group[~known], minlength=size)
    reasons = text(converted, "conversion_reason")[~known].set_axis(group[~known]).sort_values(kind="stable")
    table["reason"] = reasons[~reasons.index.duplicated()].reindex(range(size)).astype(TEXT)
    for name in beside:
        table[name] = beside[name]
    return report(table, "total_energy", left_out(converted, known, "not converted"), unit=unit)


def _columns(by: str | Sequence[str], given: pd.DataFrame | Portfolio) -> list[str]:
    """Return the columns to sum by; of a frame, its own can be asked for too."""
    own = () if isinstance(given, Portfolio) else map(str, given.columns) if isinstance(given, pd.DataFrame) else ()
    return columns_of(by, {*_GROUPS, *_OF_CHARGES, *own})


def energy_unit(word: str) -> str:
    """Return the API's name of an energy unit."""
    name = unit_name(word)
    if name is None or kind(name) != "energy":
        raise InvalidRequestError(f"unit={word!r} is no energy unit.", advice="Use kWh, GJ, kBtu or MMBtu.")
    return name


def _total(
    frame: pd.DataFrame, value: str, group: Whole, size: int, unit: str, heat_content: Rates | None
) -> npt.NDArray[np.float64]:
    """Return the sum of a column in one unit, missing where nothing of it is known."""
    told = frame[["commodity", "unit"]].assign(subtype=text(frame, "subtype"), value=numbers(frame, value, "monthly"))
    values = convert(told, unit, value="value", heat_content=heat_content)["converted"].to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    rows = np.bincount(group[known], minlength=size)
    return np.where(rows > 0, np.bincount(group[known], values[known], size), np.nan)


def _groups(frame: pd.DataFrame, by: Sequence[str]) -> tuple[Whole, pd.DataFrame]:
    """Group by columns of which one may be a month, which is a date in the result."""
    group, table = group_keys(frame, list(by))
    if "month" in table:
        table["month"] = days(table, "month", "monthly").astype("datetime64[us]")
    return group, table


def unit_costs(
    attributed: pd.DataFrame | Portfolio,
    usage: pd.DataFrame | None = None,
    *,
    by: By | Sequence[By] = ("site", "commodity", "subtype"),
    net_metering: NetMetering = "net",
    options: Options | None = None,
) -> pd.DataFrame:
    """Return what one unit of usage costs, by charge type.

    Parameters
    ----------
    attributed : DataFrame or Portfolio
        A portfolio, or rows of `attribute`: ``bill_id, meter_id, charge_type, amount, currency``.
    usage : DataFrame, optional
        Beside attributed charges: ``bill_id, meter_id, usage, unit`` and the columns of `by` (of the meter);
        ``counts, net_metering`` where they stand.
    by : str or sequence of str
        What the result has rows for, beside unit, currency and charge type: ``"site"``, ``"meter"``, ``"account"`` (of
        a portfolio), ``"commodity"``, ``"subtype"``.
    net_metering : {"net", "as_is"}
        Exported energy subtracted from usage, or as it stands.
    options : Options, optional
        How a portfolio is counted.

    Returns
    -------
    DataFrame
        The columns of `by`, ``unit, currency, charge_type, amount, usage`` (of all bills of the group in that
        unit) and ``unit_cost`` (amount ÷ usage; missing where the usage is 0), so that the unit costs of a
        group's charge types sum to what a unit costs in all. Amounts without a meter, or whose bill has no
        usage of that meter, or usage in several units (convert it first), have no unit: they are left out and
        counted in ``attrs["nectar"]``.

    Examples
    --------
    >>> usage = pd.DataFrame({"bill_id": ["b"], "meter_id": ["M"], "site_id": ["S"], "usage": [500.0], "unit": ["kWh"]})
    >>> charges = pd.DataFrame({"bill_id": "b", "meter_id": "M", "charge_type": ["SUPPLY", "TAX"],
    ...                         "amount": [50.0, 5.0], "currency": "USD"})
    >>> unit_costs(charges, usage, by=["site_id"])[["charge_type", "unit_cost"]].values.tolist()
    [['SUPPLY', 0.1], ['TAX', 0.01]]
    """
    columns = [name for name in _columns(by, attributed if usage is None else usage) if name not in _OF_CHARGES]
    if isinstance(attributed, Portfolio):
        how = options_of(options, {"net_metering": net_metering})
        ready = prepare(attributed, how)
        usage = ready.usage if usage is None else usage
        if "account_id" in columns and "account_id" not in usage:
            usage = at_accounts(usage, attributed.meters)
        attributed = ready.charges
    if usage is None:
        raise InvalidRequestError("unit_costs needs the usage that the charges are for.", advice=PORTFOLIO)
    require(attributed, ("bill_id", "meter_id", "charge_type", "amount", "currency"), "attributed")
    require(usage, ("bill_id", "meter_id", "usage", "unit", *columns), "usage")
    usage = net_records(usage, choose("net_metering", net_metering, NET_METERING))
    records = usage[counted(usage, "usage") & ~np.isnan(numbers(usage, "usage", "usage"))]
    record_of, pairs = group_keys(records, ("bill_id", "meter_id"))
    first = np.zeros(len(pairs), dtype=np.int64)
    first[record_of[::-1]] = np.arange(len(records))[::-1]
    of_pair = records.iloc[first].reset_index(drop=True)
    series, _ = group_keys(records, (*columns, "unit"))
    mixed = np.zeros(len(pairs) + 1, dtype=bool)
    mixed[record_of[series != series[first][record_of]]] = True
    place = _place(attributed, pairs)
    known = ~np.isnan(numbers(attributed, "amount", "attributed"))
    several = known & mixed[place]
    kept = known & (place >= 0) & ~several
    charges = attributed[kept].reset_index(drop=True)
    for name in (*columns, "unit"):
        charges[name] = text(of_pair, name).iloc[place[kept]].to_numpy()
    keys = [*columns, "unit", "currency"]
    usages = numbers(records, "usage", "usage")
    # A pair's usage counts once for each currency its charges are in.
    shares = charges.assign(pair=place[kept])[[*keys, "pair"]].drop_duplicates()
    per_pair = np.bincount(record_of, usages, len(pairs))
    base_of, base = group_keys(shares, keys)
    base["usage"] = np.bincount(base_of, per_pair[shares["pair"].to_numpy()], len(base))
    group, table = group_keys(charges, [*keys, "charge_type"])
    table["amount"] = np.round(np.bincount(group, charges["amount"].to_numpy(dtype=np.float64), len(table)), 4)
    table = table.merge(base, on=keys, how="left")
    table["unit_cost"] = (table["amount"] / table["usage"]).where(table["usage"] != 0)
    reasons = {
        "no usage of its meter on the bill": ~kept & ~several,
        f"its usage on the bill differs in {', '.join((*columns, 'unit'))}": several,
    }
    out = {reason: int(rows.sum()) for reason, rows in reasons.items() if rows.any()}
    return report(table, "unit_costs", out)


def _place(attributed: pd.DataFrame, pairs: pd.DataFrame) -> Whole:
    """Return where each attributed row's bill and meter stand among `pairs` (-1: nowhere, or no meter)."""
    both = pd.concat([pairs, attributed[["bill_id", "meter_id"]].astype(TEXT)], ignore_index=True)
    codes, _ = group_keys(both, ("bill_id", "meter_id"))
    table = np.full(int(codes.max()) + 1 if len(codes) else 1, -1)
    table[codes[: len(pairs)]] = np.arange(len(pairs))
    return np.where(attributed["meter_id"].isna().to_numpy(), -1, table[codes[len(pairs) :]])


def load_factor(
    demand: pd.DataFrame | Portfolio,
    usage: pd.DataFrame | None = None,
    demand_usage: pd.DataFrame | None = None,
    *,
    convention: Convention | None = None,
    net_metering: NetMetering = "net",
    plausible: Plausible | None = None,
) -> pd.DataFrame:
    """Return the load factor of every demand reading: mean power over peak power.

    Parameters
    ----------
    demand : DataFrame or Portfolio
        A portfolio, or readings: ``demand_id, bill_id, start_date, end_date, demand, unit``.
    usage : DataFrame, optional
        Beside readings: ``usage_id, bill_id, usage, unit``; ``commodity, meter_id, site_id, start_date, end_date,
        counts, net_metering`` where they stand.
    demand_usage : DataFrame, optional
        Which usage records a reading belongs to: ``demand_id, usage_id``. Without it the electricity records
        of the reading's bill are taken, where the bill has one reading.
    convention : {"inclusive", "exclusive", "midday"}, optional
        How a reading's days count. Default: the one that fits the usage records, "exclusive" where most
        neighbouring periods share their boundary day, as `issues` finds too, else "inclusive"; said in
        ``attrs["nectar"]``.
    net_metering : {"net", "as_is"}
        Exported energy subtracted from usage, or as it stands.
    plausible : tuple of two days or months, optional
        The first and the last day that a period may have, as for :func:`calendarize`: a reading with a day outside has
        no load factor, and a usage record with one does not count.

    Returns
    -------
    DataFrame
        ``demand_id, bill_id, meter_id, site_id, start_date, end_date, energy_kwh, demand_kw, hours,
        load_factor`` and ``reason``: why it is missing, or that it is above 1, which no load can be. A reading
        in kVA has no load factor without its power factor.

    Examples
    --------
    >>> demand = pd.DataFrame({"demand_id": ["d"], "bill_id": ["b"], "start_date": ["2024-04-01"],
    ...                        "end_date": ["2024-04-30"], "demand": [50.0], "unit": ["kW"]})
    >>> usage = pd.DataFrame({"usage_id": ["u"], "bill_id": ["b"], "usage": [18000.0], "unit": ["kWh"]})
    >>> load_factor(demand, usage)["load_factor"].tolist()
    [0.5]
    """
    if isinstance(demand, Portfolio):
        usage = demand.usage if usage is None else usage
        demand_usage = demand.demand_usage if demand_usage is None else demand_usage
        demand = demand.demand
    if usage is None:
        raise InvalidRequestError("load_factor needs the usage of the readings' bills.", advice=PORTFOLIO)
    require(demand, ("demand_id", "bill_id", "start_date", "end_date", "demand", "unit"), "demand")
    require(usage, ("usage_id", "bill_id", "usage", "unit"), "usage")
    if demand["demand_id"].duplicated().any():
        raise DataError(f"demand_id {demand['demand_id'][demand['demand_id'].duplicated()].iloc[0]} stands twice.")
    span = span_of(plausible)
    usage = count_periods(usage, span)
    usage = net_records(usage, choose("net_metering", net_metering, NET_METERING))
    records = convert(usage[counted(usage, "usage")], "kWh", heat_content={})
    reading, record = _links(demand, records, demand_usage)
    start, end = service_days(demand, "demand")
    period = start.astype("datetime64[D]"), end.astype("datetime64[D]")
    outside = (start != MISSING_DAY) & span.misses(*period)
    known = (start != MISSING_DAY) & span.holds(*period)
    fitting = convention_of(usage, convention)
    hours = np.where(known, (last_day(start, end, fitting) - start + 1) * 24.0, np.nan)
    kw = convert(demand, "kW", value="demand")["converted"].to_numpy(dtype=np.float64)
    kwh = records["converted"].to_numpy(dtype=np.float64)
    number = np.bincount(reading, minlength=len(demand))
    total = np.bincount(reading, kwh[record], len(demand))
    kwh_of = np.where(number > 0, total, np.nan)
    factor = kwh_of / np.where(kw > 0, kw, np.nan) / hours
    reason = np.select(
        [outside, number == 0, np.isnan(kwh_of), np.isnan(kw), kw <= 0, ~known, factor > 1 + _NOISE],
        [span.outside, "no usage record", "usage is not known in kWh", "demand is not known in kW",
         "demand is not positive", "no positive period",
         "above 1: more energy than the demand gives in these hours; check demand, units and multiplier"],
        default="",
    )  # fmt: skip
    result = demand[["demand_id", "bill_id"]].reset_index(drop=True).astype(TEXT)
    first = np.full(len(demand), -1)
    first[reading[::-1]] = record[::-1]
    for name in ("meter_id", "site_id"):
        single = pd.Series(text(records, name).array.take(first, allow_fill=True), dtype=TEXT)
        result[name] = single.where(number == 1)
    result["start_date"], result["end_date"] = show_days(start), show_days(end)
    result["energy_kwh"], result["demand_kw"], result["hours"] = kwh_of, kw, hours
    result["load_factor"] = factor
    result["reason"] = pd.Series(reason, dtype=TEXT).where(reason != "")
    return report(result, "load_factor", {}, convention=fitting)


def _links(demand: pd.DataFrame, records: pd.DataFrame, demand_usage: pd.DataFrame | None) -> tuple[Whole, Whole]:
    """Return rows of readings and rows of usage records that belong together."""
    if demand_usage is not None:
        require(demand_usage, ("demand_id", "usage_id"), "demand_usage")
        reading = places_in(text(demand_usage, "demand_id"), text(demand, "demand_id"))
        ids = text(records, "usage_id")
        first = np.flatnonzero(~ids.duplicated().to_numpy())
        place = places_in(text(demand_usage, "usage_id"), ids.iloc[first])
        pairs = np.unique(np.column_stack([reading, place])[(reading >= 0) & (place >= 0)], axis=0)
        return pairs[:, 0], first[pairs[:, 1]]
    bills = text(demand, "bill_id")
    alone = np.flatnonzero((~bills.duplicated(keep=False) & bills.notna()).to_numpy())
    electric = text(records, "commodity").fillna("ELECTRICITY").eq("ELECTRICITY").to_numpy(dtype=bool)
    rows = np.flatnonzero(electric)
    place = places_in(text(records, "bill_id").iloc[rows], bills.iloc[alone])
    return alone[place[place >= 0]], rows[place >= 0]
