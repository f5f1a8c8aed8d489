"""The tables of one company, of one generation, held together.

A portfolio only holds frames: it is made by the client (or by hand) and read by the methodology, the plots
and the dashboards. It computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["Portfolio"]


@dataclass(frozen=True, repr=False, eq=False)
class Portfolio:
    """One company's tables, joined by their ``_id`` keys.

    Each field is a frame with the columns of the table of that name (see the reference). All were fetched
    together, so that every key in one is found in the other, or is missing there with a reason.
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

    @property
    def name(self) -> str:
        """Return the company's name, or how many companies there are."""
        names = self.companies["name"].dropna().tolist()
        return str(names[0]) if len(names) == 1 else f"{len(self.companies)} companies"

    def __iter__(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each table's name and frame."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))

    def __repr__(self) -> str:
        rows = ", ".join(
            f"{len(frame):,} {name.replace('_', ' ')}" for name, frame in self if "_" not in name
        )
        return f"Portfolio of {self.name}: {rows}"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{name}</th><td>{len(frame):,}</td></tr>" for name, frame in self)
        head = "<tr><th>table</th><th>rows</th></tr>"
        return f"<p>Portfolio of <b>{escape(self.name)}</b></p><table>{head}{rows}</table>"
