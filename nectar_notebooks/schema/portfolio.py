"""The tables of one company, of one generation, held together.

A portfolio holds frames and finds rows in them: it is made by the client (or by hand) and read by the
methodology, the plots and the dashboards. It computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from html import escape
from typing import TYPE_CHECKING, Final

from nectar_notebooks.errors import NotFoundError
from nectar_notebooks.printing import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

__all__ = ["Portfolio"]

#: What one line says of it: the table, one of its rows, several.
_SAID: Final = (
    ("sites", "site", "sites"),
    ("connections", "connection", "connections"),
    ("accounts", "account", "accounts"),
    ("meters", "meter", "meters"),
    ("bills", "bill", "bills"),
    ("usage", "usage record", "usage records"),
    ("demand", "demand reading", "demand readings"),
)


@dataclass(frozen=True, repr=False, eq=False)
class Portfolio:
    """One company's tables, joined by their ``_id`` keys.

    Each field is a frame with the columns of the table of that name (see the reference). All were fetched
    together, so that every key in one is found in the other, or is missing there with a reason.

    ``as_of`` is no table: when the oldest answer that went into them was given (aware, UTC), by the API's own ``Date``
    header. What is counted up to today is counted to its day; None where nobody said.
    """

    companies: pd.DataFrame
    sites: pd.DataFrame
    connections: pd.DataFrame
    accounts: pd.DataFrame
    meters: pd.DataFrame
    identifiers: pd.DataFrame
    bills: pd.DataFrame
    bill_accounts: pd.DataFrame
    usage: pd.DataFrame
    line_items: pd.DataFrame
    line_item_accounts: pd.DataFrame
    demand: pd.DataFrame
    demand_usage: pd.DataFrame
    time_of_use: pd.DataFrame
    as_of: pd.Timestamp | None = None

    @property
    def name(self) -> str:
        """Return the company's name, or how many companies there are."""
        names = self.companies["name"].dropna().tolist()
        return str(names[0]) if len(names) == 1 else f"{len(self.companies)} companies"

    def bill(self, bill_id: str) -> Portfolio:
        """Return the same tables with the rows of one bill alone; sites, accounts and meters stay whole.

        Raises
        ------
        NotFoundError
            The portfolio holds no such bill.
        """
        if not (self.bills["bill_id"] == bill_id).any():
            raise NotFoundError(f"{self.name} has no bill {bill_id!r}.", advice="Take an id from the bills table.")

        def only(frame: pd.DataFrame, key: str, values: Iterable[str]) -> pd.DataFrame:
            return frame[frame[key].isin(values)].reset_index(drop=True)

        bill = [bill_id]
        usage, items = only(self.usage, "bill_id", bill), only(self.line_items, "bill_id", bill)
        demand = only(self.demand, "bill_id", bill)
        return replace(
            self,
            bills=only(self.bills, "bill_id", bill),
            bill_accounts=only(self.bill_accounts, "bill_id", bill),
            usage=usage,
            line_items=items,
            line_item_accounts=only(self.line_item_accounts, "line_item_id", items["line_item_id"]),
            demand=demand,
            demand_usage=only(self.demand_usage, "demand_id", demand["demand_id"]),
            time_of_use=only(self.time_of_use, "usage_id", usage["usage_id"]),
        )

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the words for its ids in front: `site`, `meter`, `line_item`, where it has the ids.

        A site is called by its name, a meter by its primary identifier, a line item by its description; an id
        that stands in no table of this portfolio has no word.
        """
        words = {
            "site": ("site_id", self.sites, "name"),
            "meter": ("meter_id", self.meters, "primary_identifier"),
            "line_item": ("line_item_id", self.line_items, "description"),
        }
        found = {
            word: frame[key].map(table.set_index(key)[name]).astype(table[name].dtype)
            for word, (key, table, name) in words.items()
            if key in frame.columns and word not in frame.columns and {key, name} <= set(table.columns)
        }
        result = frame.assign(**found)
        return result[[*found, *frame.columns]]

    def __iter__(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each table's name and frame."""
        return ((field.name, getattr(self, field.name)) for field in fields(self) if field.name != "as_of")

    def __repr__(self) -> str:
        counts = [(len(getattr(self, table)), one, several) for table, one, several in _SAID]
        rows = ", ".join(f"{count:,} {one if count == 1 else several}" for count, one, several in counts)
        return printable(f"Portfolio of {self.name}: {rows}")

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{name}</th><td>{len(frame):,}</td></tr>" for name, frame in self)
        head = "<tr><th>table</th><th>rows</th></tr>"
        return f"<p>Portfolio of <b>{escape(printable(self.name))}</b></p><table>{head}{rows}</table>"
