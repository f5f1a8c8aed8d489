"""Charges find their meters: one row per line item and meter, exact to the cent, each with its reason.

`attribute` reads the frames and makes the result; the table of rules stands in `shares`. Nothing
is spread over time here: the rows carry the meter's service period, so that `calendarize` can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.adjust import adjust, adjusted_usage
from nectar_notebooks.methodology.attribution.meters import (
    Meters,
    Roster,
    read_meters,
    read_records,
)
from nectar_notebooks.methodology.attribution.reading import (
    HEADS,
    MONEY,
    NOTHING,
    Bills,
    Items,
    Parts,
    Weights,
    bill_periods,
    cents,
    counting_items,
    item_accounts,
    number_bills,
    readings,
    refuse_doubled,
)
from nectar_notebooks.methodology.attribution.shares import METHODS, share_out
from nectar_notebooks.methodology.charges import read_items, unit_kinds
from nectar_notebooks.methodology.counting import span_of
from nectar_notebooks.methodology.frames import TEXT, counted, numbers, report, require, stack, text
from nectar_notebooks.methodology.keys import both, map_columns, places_in
from nectar_notebooks.methodology.time.spans import MISSING_DAY
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    import numpy.typing as npt
    from pandas.api.extensions import ExtensionArray

    from nectar_notebooks.schema.periods import Plausible, Span

    Ints = npt.NDArray[np.int64]

__all__ = ["WEIGHTS", "attribute", "attribute_adjusted"]

COLUMNS: Final = (
    "bill_id", "line_item_id", "meter_id", "site_id", "commodity", "subtype", "charge_type", "amount",
    "currency", "share", "method", "reason", "start_date", "end_date",
)  # fmt: skip


#: By what a share was made, where that is asked for: `weight` of `weight_of`, in `weight_unit`.
WEIGHTS: Final = ("weight", "weight_of", "weight_unit")


def attribute(
    line_items: pd.DataFrame | Portfolio,
    usage: pd.DataFrame | None = None,
    meters: pd.DataFrame | None = None,
    demand: pd.DataFrame | None = None,
    *,
    line_item_accounts: pd.DataFrame | None = None,
    demand_usage: pd.DataFrame | None = None,
    bills: pd.DataFrame | None = None,
    plausible: Plausible | None = None,
) -> pd.DataFrame:
    """Say which meter, and so which site, pays each line item.

    Parameters
    ----------
    line_items : DataFrame or Portfolio
        A portfolio alone: all of its charges as :func:`monthly` sums them by default, by what :func:`adjust` says
        of its usage. Or a frame: `line_item_id` (distinct), `bill_id`, `amount`, `currency`; and, where they are,
        `charge_type`, `electricity_charge_type`, `gas_charge_type`, `is_demand`, `billing_period`, `quantity`,
        `quantity_unit`, `time_of_use`, `description`, `meter_id`, `commodity`, `subtype`, `counts`.
    usage : DataFrame
        `bill_id`, `meter_id`, `usage`, `unit`; `start_date`, `end_date`, `site_id`, `commodity`, `subtype`,
        `account_id`, `net_metering`, `usage_id` (for demand), `counts`. Give the adjusted usage as `usage`.
    meters : DataFrame
        `meter_id`; `site_id`, `account_id`, `commodity`, `subtype`, `net_metering`. What it says of a meter
        wins over the usage records: a moved meter moves all of its past.
    demand, demand_usage : DataFrame, optional
        Readings (`demand_id`, `bill_id`, `demand`, `unit`) and the usage records of each (`demand_id`,
        `usage_id`).
    line_item_accounts : DataFrame, optional
        `line_item_id`, `account_id`. Without it, and for an item it does not list, every meter with usage on
        the bill takes part.
    bills : DataFrame, optional
        `bill_id`; `current_charges`, `currency`, `start_date`, `end_date`, `bill_date`, `counts`. Adds the
        residuals, gives a period to charges without a meter, and takes away what is superseded.
    plausible : tuple of two days or months, optional
        The first and the last day that a period may have, as for :func:`adjust`. Other days are taken for missing ones:
        a charge without a period keeps its money and has no dates.

    Returns
    -------
    DataFrame
        One row per line item and meter, in the order of the line items and then by meter id: `bill_id`,
        `line_item_id`, `meter_id`, `site_id`, `commodity`, `subtype`, `charge_type`, `amount` (in `currency`),
        `share` (of the line item), `method`, `reason`, `start_date`, `end_date` (the meter's service period
        on that bill, else the bill's). Methods: ``usage``, ``demand``, ``equal``, ``proportional``, ``meter``
        (the item names it), and, without a meter, ``finance``, ``unattributed``, ``residual``. A residual is
        one row for each bill whose current charges differ from its line items of the current period, also
        those that do not count; its
        `charge_type` is ``RESIDUAL``. ``attrs["nectar"]`` says how many rows were left out and why, and as
        ``amounts_rounded`` how many amounts were finer than 0.0001, where any was.

    Raises
    ------
    DataError
        A required column is missing, a value cannot be read, or an id stands twice.
    InvalidRequestError
        Line items without usage or meters, or a portfolio with other frames beside it.

    Notes
    -----
    ============================ ==========================================================================
    charge                       who pays
    ============================ ==========================================================================
    names its own meter          that meter
    energy (supply, delivery)    the account's meters of that commodity on the bill, by share of usage
    demand                       the meters of the demand reading, by their usage; without one, as energy
    fixed (customer, fee)        equally all meters of the account
    tax, credit, adjustment      in proportion to what the bill's other charges gave each meter
    late fee, earlier period     nobody: finance
    ============================ ==========================================================================

    Shares are of the absolute usage of import meters; different units of one commodity are converted first.
    All zero, a missing usage or units that do not convert: equally, and the reason says so. A bill's rows sum
    to its line items exactly: integers of the finest decimal on the bill, by largest remainder, ties by meter
    id. Currencies are never mixed. What a charge is of, where no column says it, is read from its unit and
    then its words; a charge that may be of several commodities follows the bill's other charges.

    Examples
    --------
    >>> items = pd.DataFrame({"line_item_id": ["b:0"], "bill_id": "b", "amount": 1000.0, "currency": "USD"})
    >>> used = pd.DataFrame({"bill_id": "b", "meter_id": ["m1", "m2"], "usage": [6000, 4000], "unit": "kWh"})
    >>> sites = pd.DataFrame({"meter_id": ["m1", "m2"], "site_id": ["north", "south"]})
    >>> attribute(items, used, sites)[["meter_id", "site_id", "amount"]]
      meter_id site_id  amount
    0       m1   north   600.0
    1       m2   south   400.0

    Of a whole portfolio:

    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect()
    >>> charges = attribute(nectar.portfolio(nectar.companies()["company_id"].iloc[0]))
    """
    if isinstance(line_items, Portfolio):
        if any(frame is not None for frame in (usage, meters, demand, line_item_accounts, demand_usage, bills)):
            raise InvalidRequestError(
                "A portfolio brings its own usage, meters, demand and bills.",
                advice="Give the portfolio alone, or its frames one by one.",
            )
        adjusted = adjust(line_items, plausible=plausible)
        return attribute_adjusted(adjusted, adjusted_usage(adjusted), span_of(plausible, adjusted))
    if usage is None or meters is None:
        raise InvalidRequestError(
            "Line items alone do not say who pays.", advice="Give usage and meters too, or a portfolio."
        )
    return _attributed(
        line_items,
        usage,
        meters,
        demand,
        line_item_accounts=line_item_accounts,
        demand_usage=demand_usage,
        bills=bills,
        span=span_of(plausible),
    )


def _attributed(
    line_items: pd.DataFrame,
    usage: pd.DataFrame,
    meters: pd.DataFrame,
    demand: pd.DataFrame | None,
    *,
    line_item_accounts: pd.DataFrame | None,
    demand_usage: pd.DataFrame | None,
    bills: pd.DataFrame | None,
    span: Span,
    weighed: bool = False,
) -> pd.DataFrame:
    """Return the rows of :func:`attribute`, with the columns `WEIGHTS` behind where they are to be `weighed`."""
    require(line_items, ("line_item_id", "bill_id", "amount", "currency"), "line_items")
    require(usage, ("bill_id", "meter_id", "usage", "unit"), "usage")
    require(meters, ("meter_id",), "meters")
    rows = len(line_items)
    at_hand, _ = both(lambda: number_bills(line_items, usage, bills), lambda: refuse_doubled(line_items), rows)
    kept, out = counting_items(line_items, at_hand, bills)
    items, bill = (line_items, at_hand.of_items) if kept.all() else (line_items[kept], at_hand.of_items[kept])
    pocket, places, amount = cents(items, bill)
    roll = read_meters(usage, meters, text(items, "meter_id"))
    records, unit_names, rows_out = read_records(usage, at_hand.of_usage, roll, span)
    roster = Roster(records, roll, unit_kinds(unit_names), len(at_hand.ids))
    accounts, read = both(
        lambda: item_accounts(items, line_item_accounts, roll),
        lambda: readings(demand, demand_usage, usage, records, items, at_hand.ids),
        rows,
    )
    parts, reasons, weights = share_out(
        Items(
            bill=bill,
            pocket=pocket,
            amount=amount,
            said=read_items(items, roll.commodities, roll.subtypes),
            meter=places_in(text(items, "meter_id"), roll.about["meter_id"]),
            unit=places_in(text(items, "quantity_unit"), unit_names),
            kind=unit_kinds(text(items, "quantity_unit")),
            quantity=numbers(items, "quantity", "line_items"),
            description=text(items, "description"),
        ),
        accounts,
        read,
        records,
        roster,
        roll,
        weighed=weighed,
    )
    result = _charges(items, places, parts, reasons, roll)
    periods = bill_periods(at_hand, bills, usage, span)
    for name, of_slot, of_bill in zip(COLUMNS[-2:], (roster.start, roster.end), periods, strict=True):
        day = np.append(of_slot, MISSING_DAY)[parts.slot]
        result[name] = _dates(np.where(day == MISSING_DAY, of_bill[bill[parts.item]], day))
    if weights is not None:
        result = result.assign(**_weights(weights, unit_names, places[parts.item], text(items, "currency"), parts.item))
    if bills is not None:
        rest = _residuals(line_items, at_hand, bills, periods, result)
        result = result if rest is None else stack([result, rest])
    out = {reason: out.get(reason, 0) + rows_out.get(reason, 0) for reason in {*out, *rows_out}}
    rounded = money.finer(numbers(items, "amount", "line_items"))
    return report(result, "attribute", out, rows=len(items), **({"amounts_rounded": rounded} if rounded else {}))


def attribute_adjusted(adjusted: Portfolio, usage: pd.DataFrame, span: Span, *, weights: bool = False) -> pd.DataFrame:
    """Return :func:`attribute` of a portfolio that was adjusted, by the usage that :func:`adjusted_usage` says.

    With `weights`, also what each share was made by: `WEIGHTS`.
    """
    return _attributed(
        adjusted.line_items,
        usage,
        adjusted.meters,
        adjusted.demand,
        line_item_accounts=adjusted.line_item_accounts,
        demand_usage=adjusted.demand_usage,
        bills=adjusted.bills,
        span=span,
        weighed=weights,
    )


def _charges(items: pd.DataFrame, places: Ints, parts: Parts, reasons: list[str], meters: Meters) -> pd.DataFrame:
    """Return the parts as a frame, all but its dates."""
    amount = money.from_units(parts.amount, places[parts.item])
    missing = np.isnan(numbers(items, "amount", "line_items"))
    if missing.any():
        amount[missing[parts.item]] = np.nan

    def column(name: str) -> object:
        if name in ("bill_id", "line_item_id", "charge_type", "currency"):
            return text(items, name).array.take(parts.item)
        if name in ("meter_id", "site_id"):
            return meters.about[name].array.take(parts.meter, allow_fill=True)
        if name in ("commodity", "subtype"):
            told = meters.about[name].array.take(parts.meter, allow_fill=True)
            alone = np.flatnonzero(parts.meter < 0)
            if name in items.columns and len(alone):  # what no meter pays keeps what it is for
                told[alone] = text(items, name).array.take(parts.item[alone])
            return told
        if name == "method":
            return pd.array(METHODS, dtype=TEXT).take(parts.method)
        if name == "reason":
            return pd.array(reasons, dtype=TEXT).take(parts.reason)
        return amount if name == "amount" else parts.share

    names = COLUMNS[:-2]
    return pd.DataFrame(dict(zip(names, map_columns(column, names, len(amount)), strict=True)))


def _weights(
    weights: Weights, units: pd.Series, places: Ints, currency: pd.Series, item: Ints
) -> dict[str, ExtensionArray | npt.NDArray[np.float64]]:
    """Return by what the parts were shared: the weight, of how much, in a unit, a currency or meters."""
    measure, of_money = weights.measure, weights.measure == MONEY
    scale = 10.0 ** np.where(of_money, places, weights.places)
    nothing = measure == NOTHING
    names = pd.concat([units, pd.Series(["meters"], dtype=TEXT)], ignore_index=True).array
    unit = names.take(np.where(measure == HEADS, len(units), np.maximum(measure, -1)), allow_fill=True)
    if of_money.any():
        unit[of_money] = currency.array.take(item[of_money])
    return {
        "weight": np.where(nothing, np.nan, weights.weight / scale),
        "weight_of": np.where(nothing, np.nan, weights.whole / scale),
        "weight_unit": unit,
    }


def _residuals(
    items: pd.DataFrame, at_hand: Bills, bills: pd.DataFrame, periods: tuple[Ints, Ints], like: pd.DataFrame
) -> pd.DataFrame | None:
    """Return one row for each counting bill whose current charges are not the sum of its line items; None for none.

    All of its line items, also those that do not count: what is left out on purpose does not come back as a
    difference. Line items of an earlier billing period are no current charges and are left out of the sum.
    """
    bill, place = at_hand.of_items, at_hand.row
    charges = np.append(numbers(bills, "current_charges", "bills"), np.nan)[place]
    charges[~np.append(counted(bills, "bills"), False)[place]] = np.nan
    currency, names = pd.factorize(pd.concat([text(bills, "currency"), text(items, "currency")], ignore_index=True))
    of_bill, own = np.append(currency[: len(bills)], -1)[place], currency[len(bills) :]
    current = ~text(items, "billing_period").eq("PREVIOUS").to_numpy(dtype=bool)
    same = (own == of_bill[bill]) | (own < 0) | (of_bill[bill] < 0)
    total = np.zeros(len(place), dtype=np.int64)
    summed = np.flatnonzero(current & same)
    np.add.at(total, bill[summed], money.to_units(numbers(items, "amount", "line_items"), money.FINEST)[summed])
    wanted = money.to_units(charges, money.FINEST)
    differs = np.flatnonzero(~np.isnan(charges) & (wanted != total))
    if not len(differs):
        return None
    left = wanted[differs] - total[differs]
    itemised = np.bincount(bill, minlength=len(place))[differs] > 0
    start, end = periods[0][differs], periods[1][differs]
    rows = pd.DataFrame(
        {
            "bill_id": at_hand.ids.iloc[differs].reset_index(drop=True),
            "charge_type": pd.Series("RESIDUAL", range(len(left)), dtype=TEXT),
            "amount": money.from_units(left, money.FINEST),
            "currency": pd.Series(names, dtype=TEXT).array.take(of_bill[differs], allow_fill=True),
            "share": np.ones(len(left)),
            "method": pd.Series("residual", range(len(left)), dtype=TEXT),
            "reason": pd.Series(
                np.where(itemised, "current charges differ from the line items", "the bill has no line items"),
                dtype=TEXT,
            ),
            "start_date": _dates(start),
            "end_date": _dates(end),
        }
    )
    for name, dtype in like.dtypes.items():
        if name not in rows:
            rows[name] = pd.Series(np.nan, rows.index, dtype=dtype)
    return rows[list(like.columns)]


def _dates(day: Ints) -> npt.NDArray[np.datetime64]:
    """Return days since 1970 as the dates of a frame; `MISSING_DAY` is NaT in both."""
    return day.astype("datetime64[D]").astype("datetime64[us]")
