"""The controls by which a bill is found: company, site, account, meter, words; and those that say how it counts.

They hold what a person asks for and tell of a change; which bills fit is the list's (`bill_list`).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from nectar_notebooks.dashboards.bill_choosing import NAMES
from nectar_notebooks.dashboards.bill_words import CONVENTIONS, OCCUPANCIES
from nectar_notebooks.dashboards.controls import apart, button, choice, column, offer, row, suggestions, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pandas as pd

__all__ = ["BillPickers", "Picker"]


class Picker:
    """A text that is completed from names, and stands for an id; empty leaves the question open."""

    def __init__(self, label: str, changed: Callable[[], object]) -> None:
        self.widget = suggestions(label, [], changed, "280px")
        self._ids: dict[str, str] = {}

    def offer(self, named: Iterable[tuple[str, str]]) -> None:
        """Offer names, each with its id; what was chosen stays where it is among them."""
        was = self.value
        self._ids = dict(apart(sorted(named, key=lambda pair: (pair[0].casefold(), pair[1]))))
        self.widget.options = tuple(self._ids)
        self.value = was if was in self._ids.values() else None

    @property
    def value(self) -> str | None:
        """The id chosen."""
        return self._ids.get(self.widget.value)

    @value.setter
    def value(self, wanted: str | None) -> None:
        label = "" if wanted is None else next(label for label, key in self._ids.items() if key == wanted)
        if self.widget.value != label:
            self.widget.value = label


class BillPickers:
    """All of them; what a person changes is told; what is `put` is not."""

    def __init__(self, changed: Callable[[], None], counted: Callable[[], None], company: Callable[[], None]) -> None:
        self._changed, self._company = changed, company
        self._quiet = False
        self.company = choice("Company", [("", None)], None, self._company_told, "300px")
        self._pick = {name: Picker(name.capitalize(), self._told) for name in NAMES}
        self.words = words("Find", "a number, day, amount or name", self._told, "280px")
        clear = button("Clear", self._clear, hint="Show all bills again", width="80px")
        self.convention = choice("Days", _options(CONVENTIONS), "inclusive", counted, "320px")
        self.occupancy = choice("Occupancy", _options(OCCUPANCIES), "disabled", counted, "300px")
        self.occupancy.style.description_width = "84px"  # the longest label here
        self.widget = column(
            row(self.company, *(self._pick[name].widget for name in NAMES)),
            row(self.words, clear, self.convention, self.occupancy),
        )

    def offer_companies(self, companies: pd.DataFrame, chosen: str | None) -> None:
        """Offer the companies there are, with one of them chosen; one alone needs no choice."""
        labels = apart(list(zip(companies["name"].fillna("No name"), companies["company_id"], strict=True)))
        with self._silence():
            offer(self.company, labels or [("no company", None)])
            if chosen is not None:
                self.company.value = chosen
        self.company.layout.display = "flex" if len(labels) > 1 else "none"

    def offer(self, name: str, named: Iterable[tuple[str, str]]) -> None:
        """Offer names with their ids."""
        with self._silence():
            self._pick[name].offer(named)

    @property
    def asked(self) -> dict[str, str | None]:
        """What is asked of a bill: the ids of its site, account and meter, None where it is open."""
        return {name: picker.value for name, picker in self._pick.items()}

    def put(self, wanted: Mapping[str, str | None], sought: str | None = None) -> None:
        """Ask for what a program wants, and tell nobody."""
        with self._silence():
            for name, key in wanted.items():
                self._pick[name].value = key
            if sought is not None:
                self.words.value = sought

    def _clear(self) -> None:
        self.put(dict.fromkeys(NAMES), "")
        self._changed()

    @contextmanager
    def _silence(self) -> Iterator[None]:
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _company_told(self) -> None:
        if not self._quiet:
            self._company()

    def _told(self) -> None:
        if not self._quiet:
            self._changed()


def _options(words_: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(label, key) for key, label in words_.items()]
