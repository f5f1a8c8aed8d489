"""Bills for ENERGY STAR Portfolio Manager: the sheets of its upload, and a list of what it would reject.

The layout is that of the template for adding bills to existing meters ("Add bills to meters": sheets ``Add
Bills-Electricity`` and ``Add Bills-Non Electric``). Portfolio Manager pre-fills the ids of its meters there: pass them
as `meters`, or paste the rows into the template. ``nn.readiness`` decides what it would reject, `energy_star` names
types and units.

Sources: Portfolio Manager Help, "What are the 5 options for entering meter data (bills)?" and "Can/Should I calendarize
my bills?" (portfoliomanagerhelp.zendesk.com): bills are preferred as received, calendar months are accepted.
The column headers are those that public scripts use to fill in the template. ``Property Name`` and ``Usage Units`` and
the layout of deliveries do not appear in these scripts; they are taken from the "Meter Entries" sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.exports.energy_star import TYPES, UNITS, MeterType, meter_type
from nectar_notebooks.exports.entries import from_months, from_records
from nectar_notebooks.exports.selection import NOTES, Export, notes_of, uncounted
from nectar_notebooks.methodology.frames import TEXT, choose, require, text
from nectar_notebooks.methodology.monthly import prepare
from nectar_notebooks.methodology.options import Options
from nectar_notebooks.methodology.quality.readiness import ENERGY_STAR, readiness
from nectar_notebooks.methodology.units import compatible, factor, unit_name

if TYPE_CHECKING:
    from datetime import date

    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["By", "portfolio_manager"]

By: TypeAlias = Literal["bill", "month"]

_HEADS: Final = {
    "meter": "Meter ID\n(Pre-filled)",
    "entry": "Meter Consumption ID\n(Pre-filled)",
    "property": "Portfolio Manager ID\n(Pre-filled)",
    "property_name": "Property Name\n(Pre-filled)",
    "meter_name": "Meter Name\n(Pre-filled)",
    "type": "Meter Type\n(Pre-filled)",
    "start_date": "Start Date\n(Required)",
    "end_date": "End Date\n(Required)",
    "usage": "Quantity\n(Required)",
    "unit": "Usage Units\n(Pre-filled)",
    "cost": "Cost\n(Optional)",
    "estimated": "Estimation (Required)",
}
_DELIVERY: Final = {
    name: "Delivery Date" if name == "start_date" else head for name, head in _HEADS.items() if name != "end_date"
}
_ELECTRIC: Final = ("ELECTRICITY", "SOLAR")
_DELIVERED: Final = ("FUEL",)
_TABLES: Final = {"bill": "usage", "month": "monthly"}
#: Rules of `readiness` that reject a single entry; the others are about gaps between entries.
_FATAL: Final = ("missing_usage", "overlap")
_OWN: Final = {"portfolio_manager_meter_id": "meter", "portfolio_manager_id": "property", "meter_name": "meter_name"}


def portfolio_manager(
    portfolio: Portfolio,
    *,
    by: By = "bill",
    currency: str = "USD",
    flagged: bool = False,
    meters: pd.DataFrame | None = None,
) -> Export:
    """Arrange usage and cost for ENERGY STAR Portfolio Manager's bill upload.

    Parameters
    ----------
    portfolio : Portfolio
        A company's tables.
    by : {"bill", "month"}
        One entry per usage record, as billed, which Portfolio Manager prefers; or one per whole calendar month, as from
        ``nn.monthly`` with shared days assigned to the later bill. Fuel deliveries keep their day in both.
    currency : str
        The currency of your Portfolio Manager account. Costs in other currencies are left out, their usage is not.
    flagged : bool
        Whether bills with an open issue are exported.
    meters : DataFrame, optional
        Portfolio Manager's names of your meters: ``meter_id`` and any of ``portfolio_manager_meter_id``,
        ``portfolio_manager_id`` (the property), ``meter_name``, ``meter_type``. Only the listed meters are exported.

    Returns
    -------
    Export
        Sheets ``Add Bills-Electricity`` and ``Add Bills-Non Electric`` (meter, property, type, inclusive start and end
        dates, quantity, units, cost, estimation Yes or No) and ``Deliveries`` (with a delivery date). All entries of a
        meter are in one unit. Exported energy is not consumption and never in a sheet; what a meter draws is, whatever
        it exports. A solar plant's own meter (SOLAR) is "Electric - Solar", never "Electric - Grid". Costs are those
        ``nn.attribute`` assigns to the meter. The notes list what was not exported (``exported`` is false), including
        what ``nn.readiness`` says is rejected, and gaps and short years between accepted entries (``exported`` is
        true).

    Raises
    ------
    DataError
        `meters` lists a meter twice or has no ``meter_id``.
    InvalidRequestError
        `by` is neither ``"bill"`` nor ``"month"``.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect()
    >>> upload = portfolio_manager(nectar.portfolio(nectar.companies()["company_id"].iloc[0]))
    >>> list(upload.sheets)
    ['Add Bills-Electricity', 'Add Bills-Non Electric', 'Deliveries']
    """
    choose("by", by, ("bill", "month"))
    ready = prepare(portfolio, Options(flagged=flagged))
    entries = from_records(ready) if by == "bill" else from_months(ready)
    entries = _named(entries, portfolio, meters)
    entries = _in_one_unit(entries)
    entries, findings = _judged(entries, None if portfolio.as_of is None else portfolio.as_of.date())
    taken, lost = entries[entries["why"].isna()], entries[entries["why"].notna()]
    foreign = taken["cost"].notna() & taken["currency"].ne(currency)
    told = "its cost is not exported: " + _cost(taken)
    notes = [
        uncounted(portfolio, ready, flagged=flagged),
        _of_no_meter(ready.charges),
        _notes(by, lost, lost["why"] + (", with a cost of " + _cost(lost)).fillna(""), exported=False),
        _notes(by, taken[foreign], told[foreign], exported=True),
        _findings(by, findings),
    ]
    sheets = _sheets(taken.assign(cost=taken["cost"].mask(foreign)))
    return Export(sheets, pd.concat([note for note in notes if len(note)] or notes[:1], ignore_index=True))


def _named(entries: pd.DataFrame, portfolio: Portfolio, meters: pd.DataFrame | None) -> pd.DataFrame:
    """Add the names of the meter and the property, and the type of the meter."""
    named = portfolio.named(entries[["site_id", "meter_id"]])
    entries = entries.assign(
        property_name=named["site"].astype(TEXT),
        meter_name=named["meter"].astype(TEXT).fillna(entries["meter_id"]),
        **{name: pd.Series(np.nan, entries.index, dtype=TEXT) for name in ("meter", "property", "entry")},
    )
    kinds = [
        meter_type(*(None if pd.isna(word) else word for word in pair))
        for pair in zip(entries["commodity"], entries["subtype"], strict=True)
    ]
    entries["type"] = pd.Series([kind.name if kind else None for kind in kinds], entries.index, dtype=TEXT)
    if meters is not None:
        require(meters, ("meter_id",), "meters")
        ids = text(meters, "meter_id")
        if ids.duplicated().any():
            raise DataError(
                f"meters lists meter {ids[ids.duplicated()].iloc[0]} twice.", advice="Give one row per meter."
            )
        for name, column in {**_OWN, "meter_type": "type"}.items():
            if name in meters:
                own = entries["meter_id"].map(text(meters, name).set_axis(ids).to_dict()).astype(TEXT)
                entries[column] = own.fillna(entries[column])
        unknown = ~entries["meter_id"].isin(ids) & entries["meter_id"].notna()
        entries = _reject(entries, unknown, "the meter is not in your table of meters")
    what = entries["commodity"].fillna("no commodity") + (" / " + entries["subtype"]).fillna("")
    return _reject(entries, entries["type"].isna(), "Portfolio Manager has no type of meter for " + what)


def _reject(entries: pd.DataFrame, rows: pd.Series, why: str | pd.Series) -> pd.DataFrame:
    """Record why rows are not exported; an earlier reason stays."""
    reason = pd.Series(why, entries.index, dtype=TEXT) if isinstance(why, str) else why
    return entries.assign(why=entries["why"].mask(entries["why"].isna() & rows, reason))


def _in_one_unit(entries: pd.DataFrame) -> pd.DataFrame:
    """Convert all entries of a meter to its most frequent unit, or to one that its type allows."""
    known = {kind.name: kind for kind in TYPES.values()}
    names = entries["unit"].map(lambda word: unit_name(word) or word, na_action="ignore")
    entries = entries.assign(unit=names.astype(TEXT))
    counts = entries.dropna(subset=["meter_id", "unit"]).groupby(["meter_id", "unit"]).size().reset_index(name="rows")
    first = counts.sort_values(["rows", "unit"], ascending=[False, True]).drop_duplicates("meter_id")
    most = entries["meter_id"].map(first.set_index("meter_id")["unit"].to_dict()).astype(TEXT)
    triples = pd.DataFrame({"type": entries["type"], "unit": entries["unit"], "most": most})
    answers = {
        triple: _converted(known.get(triple[0]), *triple[1:])
        for triple in triples.dropna().drop_duplicates().itertuples(index=False, name=None)
    }
    found = [answers.get(triple) for triple in triples.itertuples(index=False, name=None)]
    scale = np.array([one[0] if one else np.nan for one in found])
    told = pd.Series([one[1] if one else None for one in found], entries.index, dtype=TEXT)
    why = "no " + entries["type"] + " meter can be in " + entries["unit"].fillna("an unknown unit")
    lost = told.isna() & entries["usage"].notna()
    usage = np.where(scale == 1.0, entries["usage"], (entries["usage"] * scale).round(6))
    return _reject(entries, lost, why).assign(usage=usage, unit=told.map(UNITS).astype(TEXT))


def _converted(kind: MeterType | None, unit: str, most: str) -> tuple[float, str] | None:
    """Return the factor and the unit to convert a meter's entries to, or None if there is no conversion."""
    target = most if most in (kind.units if kind else UNITS) else kind.usual if kind else None
    if target is None or not compatible(unit, target):
        return None
    return factor(unit, target), target


def _judged(entries: pd.DataFrame, today: date | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Record why Portfolio Manager rejects entries; return them, and the findings on those it accepts."""
    while True:
        asked = entries[entries["why"].isna()]
        found = readiness(asked.assign(usage_id=asked["id"]), consumers=[ENERGY_STAR], today=today)
        fatal = found["rule"].isin(_FATAL)
        if not fatal.any():  # removing an entry may create new findings between its neighbors
            return entries, found
        why = (found["rule"].str.replace("_", " ") + ": " + found["why"])[fatal]
        why = why.groupby(found["usage_id"]).first()
        entries = _reject(entries, entries["id"].isin(why.index), entries["id"].map(why.to_dict()).astype(TEXT))


def _cost(entries: pd.DataFrame) -> pd.Series:
    amount = entries["cost"].map("{:,.2f}".format, na_action="ignore").astype(TEXT)
    return amount + " " + entries["currency"].fillna("in no currency")


def _notes(by: By, entries: pd.DataFrame, reason: pd.Series, *, exported: bool) -> pd.DataFrame:
    table = pd.Series(_TABLES[by], entries.index, dtype=TEXT)
    return entries.assign(table=table, exported=exported, reason=reason)[list(NOTES)]


def _of_no_meter(charges: pd.DataFrame) -> pd.DataFrame:
    """List the charges that no meter pays, which are therefore in no entry."""
    rows = charges[charges["kind"].ne("attributed")].rename(columns={"amount": "cost"})
    items, reason = rows["line_item_id"], rows["kind"] + " charge of " + _cost(rows) + ": no meter pays it"
    return notes_of("line_items", rows.assign(line_item_id=items.fillna(rows["bill_id"])), reason)


def _findings(by: By, found: pd.DataFrame) -> pd.DataFrame:
    return _notes(by, found.rename(columns={"usage_id": "id"}), found["rule"] + ": " + found["why"], exported=True)


def _sheets(entries: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Arrange the entries in sheets."""
    order = ["property_name", "meter_name", "meter_id", "start_date", "id"]
    entries = entries.sort_values(order, kind="stable", ignore_index=True)
    estimated = entries["estimated"].astype("boolean").fillna(False).astype(bool)
    entries["estimated"] = pd.Series(np.where(estimated, "Yes", "No"), entries.index, dtype=TEXT)
    delivered = entries["commodity"].isin(_DELIVERED)
    electric = entries["commodity"].isin(_ELECTRIC)
    return {
        "Add Bills-Electricity": _laid_out(entries[electric], _HEADS),
        "Add Bills-Non Electric": _laid_out(entries[~electric & ~delivered], _HEADS),
        "Deliveries": _laid_out(entries[delivered], _DELIVERY),
    }


def _laid_out(entries: pd.DataFrame, heads: dict[str, str]) -> pd.DataFrame:
    return entries[list(heads)].rename(columns=heads).reset_index(drop=True)
