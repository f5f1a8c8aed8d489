"""The nouns of a bill: one set of filters, one meaning, for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks.client.core import Core
from nectar_notebooks.client.describing import noun
from nectar_notebooks.client.scope import resolve
from nectar_notebooks.schema.dates import Day
from nectar_notebooks.schema.filters import By, Commodity, Filters
from nectar_notebooks.schema.naming import Given, Several

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BillNouns"]


class BillNouns(Core):
    """Bills and what stands on them; the filters are described with :class:`Nectar`."""

    @noun
    def bills(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return a company's bills, superseded ones too: ``counts`` says which count."""
        return self._of_bill("bills", company, site, connection, start, end, by, commodity)

    @noun
    def bill_accounts(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return which account and connection each bill came from, and how that is known."""
        return self._of_bill("bill_accounts", company, site, connection, start, end, by, commodity)

    @noun
    def line_items(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return the charges on the bills, one row each."""
        return self._of_bill("line_items", company, site, connection, start, end, by, commodity)

    @noun
    def line_item_accounts(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return which accounts each charge belongs to."""
        return self._of_bill("line_item_accounts", company, site, connection, start, end, by, commodity)

    @noun
    def usage(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return what each meter used in each service period."""
        return self._of_bill("usage", company, site, connection, start, end, by, commodity)

    @noun
    def time_of_use(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return the time-of-use parts of usage: a breakdown of its total, never added to it."""
        return self._of_bill("time_of_use", company, site, connection, start, end, by, commodity)

    @noun
    def demand(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return the demand readings on the bills."""
        return self._of_bill("demand", company, site, connection, start, end, by, commodity)

    @noun
    def demand_usage(
        self,
        company: Given | None = None,
        *,
        site: Several | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> pd.DataFrame:
        """Return which usage records each demand reading belongs to."""
        return self._of_bill("demand_usage", company, site, connection, start, end, by, commodity)

    def _of_bill(
        self,
        table: str,
        company: Given | None,
        site: Several | None,
        connection: Given | None,
        start: Day | None,
        end: Day | None,
        by: By,
        commodity: Commodity | None,
    ) -> pd.DataFrame:
        # What can be wrong without asking anybody is said before anything is fetched.
        filters = Filters.of(start, end, by, commodity)
        scope = resolve(self._library, company, connection=connection, sites=site)
        return self._of_portfolio(table, scope, scope.within(filters))
