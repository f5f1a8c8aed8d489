"""What every dashboard does: read and go on with the last good data, say how old it is, show itself three ways.

The ways are the live controls, a static page for whoever has no kernel, and one line of text. What events brought is
read again by itself, of the company alone that changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from nectar_notebooks.dashboards.closer import Closer, closer_look
from nectar_notebooks.dashboards.controls import button, html, row, show
from nectar_notebooks.dashboards.html import Markup, count, day, element, join, notice, title
from nectar_notebooks.dashboards.news import News
from nectar_notebooks.dashboards.reading import Look, Reader, first_look, look_again
from nectar_notebooks.dashboards.showing import take_down, three_ways
from nectar_notebooks.errors import AuthenticationError, NectarError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nectar_notebooks.client.refreshing import Change
    from nectar_notebooks.schema.naming import Given

__all__ = ["Shell"]


class Shell(ABC):
    """A dashboard on a client: what was read last, and controls around it.

    Parameters
    ----------
    nectar : Nectar
    company : optional
        An id, an external id, a name, or a row of ``nectar.companies()``; without it all companies.
    """

    #: What the dashboard is called.
    name = ""
    #: How often records are expected, as `completeness` takes it.
    _expected: str | Mapping[str, str] | None = None

    def __init__(self, nectar: Reader, company: Given | None = None) -> None:
        self._nectar = nectar
        self._given = company
        self._news = News(nectar, self._take_up_news)  # before the look, so that nothing between them is missed
        self._look: Look = self._read()
        self._closer: Closer | None = None
        self._closer_failed = False
        self._head, self._notice = html(), html()
        self._progress = widgets.IntProgress(
            description="Refresh", layout=widgets.Layout(display="none", width="240px")
        )
        self._renew = button(
            "Refresh", self.refresh, hint="Ask for what changed since the last look", width="110px", style="primary"
        )
        self._top = row(self._head, self._renew, self._progress, justify_content="space-between")

    @property
    @abstractmethod
    def widget(self) -> widgets.Widget:
        """The live controls."""

    @abstractmethod
    def _headline(self) -> str: ...

    @abstractmethod
    def _body(self) -> Markup:
        """Return what the static page shows below its heading."""

    @abstractmethod
    def _renewed(self, *, asked: bool) -> None:
        """Take up a new look, which a person asked for or which came by itself."""

    @abstractmethod
    def _draw(self) -> None:
        """Show the present state in the controls."""

    @property
    def fetched(self) -> datetime:
        """When the data shown was fetched."""
        self._news.hand_over()
        return self._look.fetched

    @property
    def message(self) -> str:
        """What the dashboard has to say at the moment, without markup; empty if nothing."""
        self._news.hand_over()
        return self._said

    _said = ""

    def refresh(self) -> bool:
        """Ask for what changed and show it; say whether that worked.

        What was shown stays where it did not work, and its age is said.
        """
        ids = self._shown_companies()
        self._progress.max, self._progress.value = max(len(ids), 1), 0
        self._progress.layout.display, self._renew.disabled = "flex", True
        try:
            for company_id in ids:
                self._nectar.refresh(company_id)
                self._progress.value += 1
            look = self._read()
            closer = None if self._closer is None else closer_look(self._nectar, look, expected=self._expected)
        except NectarError as error:
            self._failed("The refresh did not work", error)
            return False
        finally:
            self._progress.layout.display, self._renew.disabled = "none", False
        self._look, self._closer, self._closer_failed = look, closer, False
        self._say("")
        self._renewed(asked=True)
        return True

    def _read(self) -> Look:
        """Return a new look."""
        return first_look(self._nectar, self._given)

    def _shown_companies(self) -> list[str]:
        """Return the ids of the companies of which a refresh asks for what changed."""
        return list(self._look.companies["company_id"])

    def _reread(self) -> None:
        """Take up what a verb changed; what was shown stays where reading does not work."""
        try:
            look = self._read()
            closer = None if self._closer is None else closer_look(self._nectar, look, expected=self._expected)
        except NectarError as error:
            self._failed("It was done, but could not be read back", error)
            return
        self._look, self._closer = look, closer
        self._renewed(asked=False)

    def _take_up_news(self, changes: list[Change]) -> None:
        """Read again what events changed; what was shown stays where reading does not work."""
        shown = self._look.parts
        logins, bills = (
            {one.company_id for one in changes if one.noun == noun and one.company_id in shown}
            for noun in ("connections", "bills")
        )
        if not logins and not bills:
            return
        look, closer = self._look, self._closer
        try:
            if logins:
                look = look_again(self._nectar, look, logins)
            if bills and closer is not None:
                kept = {one: part for one, part in closer.parts.items() if one not in bills}
                closer = closer_look(self._nectar, look, kept, self._expected)
        except NectarError as error:
            self._failed("Something changed, and could not be read", error)
            return
        self._look, self._closer = look, closer
        self._renewed(asked=False)

    def _look_closer(self) -> Closer | None:
        """Return the closer look, read on first use; a failure is said once and tried again by a refresh."""
        if self._closer is None and not self._closer_failed:
            try:
                self._closer = closer_look(self._nectar, self._look, expected=self._expected)
            except NectarError as error:
                self._closer_failed = True
                self._failed("Bills and meters could not be read", error)
        return self._closer

    def _failed(self, what: str, error: NectarError) -> None:
        key = (
            " The key was refused: make a new dashboard with one that is valid."
            if isinstance(error, AuthenticationError)
            else ""
        )
        self._say(f"{what}: {error}{key} What you see is {self._age()}; press Refresh to try again.", "customer")

    def _age(self) -> str:
        passed = self._nectar.clock.now() - self._look.fetched
        minutes = max(0, int(passed.total_seconds() // 60))
        if minutes < 1:
            old = "less than a minute"
        elif minutes < 120:
            old = count(minutes, "minute")
        elif minutes < 2880:
            old = count(minutes // 60, "hour")
        else:
            old = count(minutes // 1440, "day")
        return f"{old} old, of {self._as_of()}"

    def _as_of(self) -> str:
        moment = pd.Timestamp(self._look.fetched).tz_convert("UTC")
        return f"{day(moment)}, {moment:%H:%M} UTC"

    def _say(self, words: str, kind: str = "website") -> None:
        self._said = words
        show(self._notice, notice(words, kind) if words else "")

    def _heading(self) -> Markup:
        of = self._company_name()
        return join(
            [
                title(f"{self.name}: {of}", 2),
                element("div", _sentence(f"{self._headline()}. Data of {self._as_of()}."), style="font-size:13px"),
            ]
        )

    def _company_name(self) -> str:
        """Return whose data is shown."""
        if self._given is None:
            return "All companies"
        names = self._look.companies["name"].dropna().tolist()
        return str(names[0]) if names else "one company"

    def snapshot(self) -> str:
        """Return the dashboard as a static page of escaped HTML without scripts."""
        self._news.hand_over()
        said = [notice(self._said)] if self._said else []
        return str(
            element(
                "div",
                join([self._heading(), *said, self._body()]),
                style="font-family:system-ui,-apple-system,'Segoe UI',sans-serif;line-height:1.45",
            )
        )

    def __repr__(self) -> str:
        self._news.hand_over()
        return f"{type(self).__name__}: {self._headline()}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return three_ways(self.widget, self.snapshot(), repr(self))

    def close(self) -> None:
        """Take the controls off the page and out of memory, and follow no event any more."""
        self._news.close()
        take_down(self.widget)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
