"""The one-line answer: a portfolio's usage and cost per meter and month.

`monthly` puts the others in their order: what counts and what it is worth (`adjust`), who pays
(`attribution`), which month (`calendarize`). It holds no rule of its own but how usage and charges meet
in one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Unpack

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.adjust import adjust, adjusted_usage, occupied_share
from nectar_notebooks.methodology.attribution.attribute import attribute_adjusted
from nectar_notebooks.methodology.counting import span_of
from nectar_notebooks.methodology.frames import TEXT, counted, left_out, numbers, stack, text
from nectar_notebooks.methodology.keys import places_in
from nectar_notebooks.methodology.options import USUAL, Counted, Options, options_of, short_form
from nectar_notebooks.methodology.time.calendarize import calendarize
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from nectar_notebooks.methodology.time.calendar import Convention
    from nectar_notebooks.schema.periods import Span

__all__ = ["KINDS", "Prepared", "as_months", "at_accounts", "monthly", "prepare", "refuse_no_portfolio", "sum_by_month"]

#: What a row of the answer is: usage and its charges, or charges that no meter pays.
KINDS: Final = ("attributed", "vacant", "unattributed", "residual", "finance")

_WHO: Final = ("meter_id", "site_id", "commodity", "subtype", "month")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A portfolio's usage, adjusted, and its charges, attributed, ready to be calendarized; what counts of the rest.

    `span` are the days that periods may have, `ways` the words by which it was adjusted; `rounded` amounts were finer
    than 0.0001.
    """

    usage: pd.DataFrame
    charges: pd.DataFrame
    bills: pd.DataFrame
    line_items: pd.DataFrame
    left_out: dict[str, int]
    span: Span
    ways: Mapping[str, Any]
    rounded: int = 0


@short_form
def monthly(
    portfolio: Portfolio,
    convention: Convention | None = None,
    *,
    options: Options | None = None,
    **words: Unpack[Counted],
) -> pd.DataFrame:
    """Return usage and cost per meter and month, right by default.

    Parameters
    ----------
    portfolio : Portfolio
        A company's tables.
    convention : {"inclusive", "exclusive", "midday"}, optional
        As for :func:`calendarize`; default "inclusive".
    options : Options, optional
        How usage and charges are counted, all in one.
    **words
        The fields of :class:`Options` as keywords, which win: ``shared_day``, ``spot`` (as for :func:`calendarize`),
        ``exclusions``, ``occupancy``, ``net_metering``, ``implied_sewer``, ``flagged``, ``plausible`` (as for
        :func:`adjust`), and ``scale_charges``: whether occupancy scales charges as it scales usage. What it takes away
        stands in rows of its own.

    Returns
    -------
    DataFrame
        One row per meter, subtype, unit, currency and month, with the columns of :func:`calendarize`
        (`meter_id`, `site_id`, `commodity`, `subtype`, `unit`, `currency`, `month`, `usage`, `cost`,
        `days_covered`, `days_in_month`, `days_overlapped`, `estimated_share`, `bills`, `first_day`,
        `last_day`, `generated`, `exported`) and three more: `finance` (in `currency`: late fees and earlier
        balances, no energy cost), `total` (`cost` or `finance`, whichever the row has) and `kind`.

        `usage` is net consumption, import less export; a SOLAR meter's is what its plant makes, and
        stands in `generated` too. Rows of kind
        ``attributed`` are usage with the charges its meter pays; ``unattributed`` and ``residual`` rows have no
        meter and carry what no meter could be found for, and what a bill's current charges differ from its line
        items; ``vacant`` rows what `scale_charges` took away; ``finance`` rows carry only `finance`. So
        ``monthly(...)["total"].sum()`` is the ledger of each currency, to the cent: the line items that count,
        and the residuals. A charge or a record without any date stands in a row without a month. A row of
        charges alone covers no days and has no usage.
        ``attrs["nectar"]`` says how many rows were left out, by table and reason, and as ``amounts_rounded`` how many
        line items were finer than 0.0001, where any was.

    Raises
    ------
    DataError
        As :func:`adjust`, :func:`attribute` and :func:`calendarize`.

    Notes
    -----
    Records whose period cannot be (see `plausible`) are left out and reported; their charges are shared out all the
    same, over the bill's other days, or in rows without a month.

    See Also
    --------
    explain : how a number of this frame is made.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect()
    >>> company = nectar.companies()["company_id"].iloc[0]
    >>> months = nn.monthly(nectar.portfolio(company))
    """
    how = options_of(options, words if convention is None else {**words, "convention": convention})
    return sum_by_month(prepare(portfolio, how), how)


def sum_by_month(
    ready: Prepared,
    options: Options = USUAL,
) -> pd.DataFrame:
    """Return what :func:`monthly` returns, of usage and charges that are prepared already."""
    convention, shared_day, spot = options.convention, options.shared_day, options.spot
    plausible = (ready.span.first, ready.span.last)
    net_metering = ready.ways["net_metering"]
    used = calendarize(
        ready.usage, convention, shared_day=shared_day, spot=spot, net_metering=net_metering, plausible=plausible
    )
    used["kind"] = pd.Series("attributed", used.index, dtype=TEXT)
    parts = [used]
    for kind in KINDS:
        rows = ready.charges[ready.charges["kind"] == kind]
        spread = calendarize(rows, convention, shared_day=shared_day, spot=spot, plausible=plausible)
        spread["kind"] = pd.Series(kind, spread.index, dtype=TEXT)
        parts.append(spread)
    merged = _meet(parts[0], parts[1])
    result = pd.concat([merged, *(_alone(part) for part in parts[2:])], ignore_index=True)
    finance = result["kind"].eq("finance").to_numpy(dtype=bool)
    place = len(result.columns) - 1
    result.insert(place, "finance", result["cost"].where(finance))
    result.insert(place + 1, "total", result["cost"])
    result["cost"] = result["cost"].where(~finance)
    result.attrs = {
        "nectar": {
            "computed": "monthly",
            "convention": convention,
            "shared_day": shared_day,
            **ready.ways,
            "rows_without_value": used.attrs["nectar"]["rows_without_value"],
            "rows_without_date": used.attrs["nectar"]["rows_without_date"],
            **({"amounts_rounded": ready.rounded} if ready.rounded else {}),
            "left_out": sum(ready.left_out.values()),
            **{f"left_out: {reason}": number for reason, number in sorted(ready.left_out.items())},
        }
    }
    return result


def prepare(portfolio: Portfolio, options: Options = USUAL, *, weights: bool = False) -> Prepared:
    """Return a portfolio's usage and charges as `monthly` sums them.

    The usage is the adjusted one, at the place where its meter stands; `charges` are the rows of
    :func:`attribute` with a column `kind`, and with the weights of their shares where these are asked for.
    """
    refuse_no_portfolio(portfolio)
    span = span_of(options.plausible, portfolio)
    exclusions, occupancy, net_metering = options.exclusions, options.occupancy, options.net_metering
    adjusted = adjust(
        portfolio,
        exclusions=exclusions,
        occupancy=occupancy,
        net_metering=net_metering,
        implied_sewer=options.implied_sewer,
        flagged=options.flagged,
        plausible=(span.first, span.last),
    )
    usage = adjusted_usage(adjusted)
    charges = attribute_adjusted(adjusted, usage, span, weights=weights)
    kind = charges["method"].where(charges["method"].isin(KINDS[2:]), "attributed").astype(TEXT)
    charges["kind"] = kind
    if options.scale_charges and occupancy != "disabled":
        charges = _scaled(charges, occupied_share(charges, adjusted, occupancy))
    out = {
        f"{name}, {reason}": number
        for name, frame in (("usage", usage), ("line items", adjusted.line_items), ("bills", adjusted.bills))
        for reason, number in left_out(frame, counted(frame, name), "does not count").items()
    }
    ways = {"exclusions": exclusions, "occupancy": occupancy, "net_metering": net_metering}
    items = adjusted.line_items
    rounded = money.finer(numbers(items, "amount", "line_items")[counted(items, "line_items")])
    return Prepared(usage, charges, adjusted.bills, items, out, span, ways, rounded)


def as_months(given: pd.DataFrame | Portfolio, options: Options | None, *, account: bool = False) -> pd.DataFrame:
    """Return months as they were given, or those of a portfolio; with the account of each meter where that is asked."""
    if isinstance(given, Portfolio):
        months = monthly(given, options=options)
        if not account:
            return months
        return at_accounts(months, given.meters)
    if options is not None:
        raise InvalidRequestError(
            "options are for a portfolio, and months were given, which are counted already.",
            advice="Give them to nn.monthly.",
        )
    return given


def at_accounts(frame: pd.DataFrame, meters: pd.DataFrame) -> pd.DataFrame:
    """Return rows of meters with the account of each."""
    place = places_in(text(frame, "meter_id"), text(meters, "meter_id"))
    of_meter = text(meters, "account_id").array.take(place, allow_fill=True)
    return frame.assign(account_id=pd.Series(of_meter, frame.index, dtype=TEXT))


def refuse_no_portfolio(given: object) -> None:
    """Raise `InvalidRequestError` where a portfolio is needed and something else given."""
    if not isinstance(given, Portfolio):
        raise InvalidRequestError(
            f"This needs a portfolio, not {type(given).__name__}: charges and usage come together in it.",
            advice="Take nectar.portfolio(company); of usage records alone, calendarize makes months.",
        )


def _scaled(charges: pd.DataFrame, share: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Split attributed charges into the occupied share and rows of kind ``vacant``, exact in sum."""
    share = np.where(charges["kind"].eq("attributed") & charges["amount"].notna(), share, 1.0)
    least = money.minor_places(charges["currency"])
    places = money.places_needed(numbers(charges, "amount", "charges"), least)
    whole = money.to_units(numbers(charges, "amount", "charges"), places)
    occupied = np.rint(whole * share).astype(np.int64)
    scaled = charges["amount"].where(share == 1.0, money.from_units(occupied, places))
    kind = pd.Series("vacant", charges.index, dtype=TEXT)
    vacant = charges.assign(amount=money.from_units(whole - occupied, places), kind=kind)
    return stack([charges.assign(amount=scaled), vacant.loc[share != 1.0]])


def _meet(used: pd.DataFrame, charged: pd.DataFrame) -> pd.DataFrame:
    """Join usage and charges of one meter and month; a second unit or currency of it gets a row of its own."""
    if charged.empty:
        return _ordered(used)
    if used.empty:
        return _alone(charged)
    keys = [*_WHO, "nth"]
    used = used.assign(nth=used.groupby(list(_WHO), dropna=False).cumcount()).drop(columns=["cost", "currency"])
    charged = charged.assign(nth=charged.groupby(list(_WHO), dropna=False).cumcount())
    both = used.merge(
        charged[[*keys, "currency", "cost", "bills", "days_in_month"]],
        how="outer",
        on=keys,
        suffixes=("", "_of_charges"),
    )
    alone = both["kind"].isna()
    both["bills"] = both["bills"].fillna(both["bills_of_charges"])
    both["days_in_month"] = both["days_in_month"].fillna(both["days_in_month_of_charges"])
    both.loc[alone & both["month"].notna(), ["days_covered", "days_overlapped"]] = 0.0
    both["kind"] = both["kind"].fillna("attributed")
    return _ordered(both)


def _alone(charged: pd.DataFrame) -> pd.DataFrame:
    """Return rows of charges that no usage stands beside: they cover no days of usage."""
    dated = charged["month"].notna()
    return _ordered(
        charged.assign(
            days_covered=charged["days_covered"].where(~dated, 0.0),
            days_overlapped=charged["days_overlapped"].where(~dated, 0.0),
            first_day=pd.Series(pd.NaT, charged.index, dtype=charged["first_day"].dtype),
            last_day=pd.Series(pd.NaT, charged.index, dtype=charged["last_day"].dtype),
        )
    )


_ORDER: Final = (
    "meter_id", "site_id", "commodity", "subtype", "unit", "currency", "month", "usage", "cost", "days_covered",
    "days_in_month", "days_overlapped", "estimated_share", "bills", "first_day", "last_day", "generated", "exported",
    "kind",
)  # fmt: skip


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    keys = ["meter_id", "site_id", "commodity", "subtype", "month", "unit", "currency"]
    absent = {name: np.nan for name in ("generated", "exported") if name not in frame.columns}
    return frame.assign(**absent)[list(_ORDER)].sort_values(keys, kind="stable", ignore_index=True)
