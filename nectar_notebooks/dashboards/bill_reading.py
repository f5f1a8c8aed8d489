"""What the explorer of bills reads of the client: a company's whole portfolio, explained.

One portfolio at a time: a look is whole or raises, so that what is shown is never half old and half new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nectar_notebooks.dashboards.ledger import Ledger
from nectar_notebooks.dashboards.reading import Look, Reader, day_of, fetched_at, together
from nectar_notebooks.errors import NotFoundError
from nectar_notebooks.schema.portfolio import Portfolio
from nectar_notebooks.schema.tables import TABLES
from nectar_notebooks.tables import empty

if TYPE_CHECKING:
    from nectar_notebooks.schema.naming import Given

__all__ = ["BillLook", "BillReader", "bill_look"]


class BillReader(Reader, Protocol):
    """What the explorer asks of a client."""

    def portfolio(self, company: Given | None = None) -> Portfolio:
        """Every table of a company."""


@dataclass(frozen=True, slots=True)
class BillLook(Look):
    """The companies that can be chosen, and the bills of the one that is; without a company there is no bill."""

    company_id: str | None
    ledger: Ledger


def bill_look(nectar: BillReader, given: Given | None, chosen: str | None) -> BillLook:
    """Read the portfolio of the company `given`, or of the one `chosen` among all, at first the first.

    Raises
    ------
    NectarError
        As the client raises it, and where the computations cannot be made.
    """
    companies = nectar.companies()
    wanted: Given | None = given
    if given is None:
        ids = companies["company_id"].tolist()
        wanted = chosen if chosen is not None else next(iter(ids), None)
        if chosen is not None and chosen not in ids:
            raise NotFoundError(f"The company {chosen!r} is not visible any more.", advice="Choose another.")
    portfolio = (
        Portfolio(**{name: empty(name) for name in TABLES}, as_of=None) if wanted is None else nectar.portfolio(wanted)
    )
    company_id = next(iter(portfolio.companies["company_id"].tolist()), None)
    if given is not None:
        companies = companies[companies["company_id"] == company_id].reset_index(drop=True)
    return BillLook(
        companies,
        portfolio.sites,
        portfolio.connections,
        portfolio.accounts,
        together([], None),
        fetched_at(portfolio.bills) or nectar.clock.now(),
        day_of(portfolio.bills, nectar.clock),
        {},
        company_id,
        Ledger(portfolio),
    )
