"""The chosen connection: what is known of it, and what can be done, as one panel.

Which connection is chosen is the dashboard's; how it looks stands in `connection_detail`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nectar_notebooks.dashboards import connection_detail as detail
from nectar_notebooks.dashboards.connection_controls import AskPanel, TrackPanel
from nectar_notebooks.dashboards.controls import box, column, html, row, show
from nectar_notebooks.dashboards.html import Markup, join, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd

    from nectar_notebooks.dashboards.closer import Closer

__all__ = ["DetailPanel", "Subject"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of one connection: its row, accounts and history, and the closer look where it could be read."""

    connection: pd.Series
    accounts: pd.DataFrame
    history: pd.DataFrame
    closer: Closer | None
    today: date

    def parts(self) -> tuple[Markup, Markup, Markup, Markup]:
        """Return facts, months with bills, past statuses, and accounts with meters."""
        connection, accounts, closer = self.connection, self.accounts, self.closer
        spans = detail.past_statuses(self.history, connection)
        facts = join([detail.heading(connection), detail.facts(connection, closer, accounts, spans, self.today)])
        if closer is None:
            return facts, text(""), text(""), detail.account_table(accounts, None)
        return (
            facts,
            detail.bills_by_month(connection, accounts, closer),
            detail.status_timeline(connection, spans, closer.coverage.months, self.today),
            join([detail.account_table(accounts, closer), detail.meter_table(accounts, closer)]),
        )


class DetailPanel:
    """One connection and the actions on it; hidden where none is chosen."""

    def __init__(self, nectar: object, changed: Callable[[], None]) -> None:
        self.ask = AskPanel(nectar)
        self.tracking = TrackPanel(nectar, changed)
        self._facts, self._months, self._past, self._accounts = (html() for _ in range(4))
        self.widget = box(
            row(
                column(self._facts, flex="1 1 420px", padding="0 16px 0 0"),
                column(self._months, self._past, flex="1 1 600px"),
                align_items="flex-start",
            ),
            self._accounts,
            row(self.ask.widget, self.tracking.widget, align_items="flex-start"),
        )

    def show(self, subject: Subject | None) -> None:
        """Show a connection, or nothing."""
        self.widget.layout.display = "none" if subject is None else "flex"
        if subject is None:
            return
        for place, part in zip((self._facts, self._months, self._past, self._accounts), subject.parts(), strict=True):
            show(place, part)
        self.ask.about(str(subject.connection["connection_id"]), subject.connection["owner_email"])
        self.tracking.about(subject.accounts)
