"""The panel of filters of the connection dashboard: it holds the controls and says what a person asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_notebooks.dashboards.controls import (
    ANY,
    apart,
    button,
    choice,
    column,
    offer,
    row,
    suggestions,
    tick,
    whole_number,
    words,
)
from nectar_notebooks.dashboards.filters import Filters
from nectar_notebooks.dashboards.html import FAMILIES, missing, status_words

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from nectar_notebooks.dashboards.reading import Look

__all__ = ["FilterPanel"]

_LONG_AGO: Final = 3_650


class FilterPanel:
    """The filters as controls."""

    def __init__(self, look: Look, changed: Callable[[Filters], None]) -> None:
        self._changed = changed
        self._quiet = False
        self._text = words("Find", "a name, number, address or error", self._told, "310px")
        self._company = choice("Company", [(ANY, "")], "", self._told)
        self._family = choice("Family", [(ANY, "")], "", self._told)
        self._status = choice("Status", [(ANY, "")], "", self._told)
        self._provider = suggestions("Provider", [], self._told)
        self._site = suggestions("Site", [], self._told)
        self._owner = suggestions("Owner", [], self._told)
        self._waiting = tick("Needs the customer", self._told)
        self._days = whole_number("No bill for days", 0, _LONG_AGO, self._told, "190px")
        self._clear = button("Clear filters", lambda: self._changed_to(Filters()), width="120px")
        self.widget = column(
            row(self._text, self._family, self._status, self._company, self._waiting),
            row(self._provider, self._site, self._owner, self._days, self._clear),
        )
        self.offer(look)

    def offer(self, look: Look) -> None:
        """Offer the values that a look has."""
        self._quiet = True
        try:
            connections = look.connections
            names = dict(zip(look.companies["company_id"], look.companies["name"], strict=True))
            labels = apart([(_name(name), company_id) for company_id, name in names.items()])
            offer(self._company, [(ANY, ""), *labels])
            self._company.layout.display = "flex" if len(names) > 1 else "none"
            families = [family for family in FAMILIES if family in set(connections["family"].dropna())]
            offer(self._family, [(ANY, ""), *((FAMILIES[one].label, one) for one in families)])
            statuses = sorted(connections["status"].dropna().unique())
            offer(self._status, [(ANY, ""), *apart([(status_words(one), one) for one in statuses])])
            self._provider.options = _distinct(connections["provider"])
            self._owner.options = _distinct(connections["owner_email"])
            self._site.options = _distinct(look.sites["name"])
        finally:
            self._quiet = False

    def show(self, filters: Filters) -> None:
        """Show filters that were set by a program."""
        self._quiet = True
        try:
            self._text.value = filters.text or ""
            companies = {value for _, value in self._company.options}
            by_name = dict(self._company.options)
            company = filters.company if filters.company in companies else by_name.get(filters.company)
            self._company.value = company or ""
            for control, wanted in ((self._family, filters.family), (self._status, filters.status)):
                control.value = wanted if wanted in {value for _, value in control.options} else ""
            for control, wanted in (
                (self._provider, filters.provider),
                (self._owner, filters.owner),
                (self._site, filters.site),
            ):
                control.value = wanted if wanted in control.options else ""
            self._waiting.value = filters.needs_customer
            self._days.value = min(filters.no_bill_for or 0, _LONG_AGO)
        finally:
            self._quiet = False

    def _changed_to(self, filters: Filters) -> None:
        self.show(filters)
        self._changed(filters)

    def _told(self) -> None:
        if self._quiet:
            return
        self._changed(
            Filters(
                company=self._company.value or None,
                family=self._family.value or None,
                status=self._status.value or None,
                provider=self._provider.value or None,
                site=self._site.value or None,
                owner=self._owner.value or None,
                text=self._text.value.strip() or None,
                needs_customer=self._waiting.value,
                no_bill_for=self._days.value or None,
            )
        )


def _distinct(values: pd.Series) -> list[str]:
    return sorted(map(str, values.dropna().unique()), key=str.casefold)


def _name(name: object) -> str:
    return "No name" if missing(name) else str(name)
