"""`ConnectFrame`: the page of an invitation embedded in a notebook.

It polls the invitation's state and shows a new invitation once the link no longer works, which `link` decides. The
snapshot and the repr never contain the address: anyone who has it can use it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakMethod

import pandas as pd

from nectar_notebooks.dashboards.controls import button, column, html, row, show
from nectar_notebooks.dashboards.html import Markup, day, definitions, element, join, notice, title
from nectar_notebooks.dashboards.showing import take_down, three_ways
from nectar_notebooks.errors import NectarError
from nectar_notebooks.invitations.link import Link

if TYPE_CHECKING:
    import ipywidgets as widgets

    from nectar_notebooks.client import Nectar
    from nectar_notebooks.schema.naming import Given

__all__ = ["ConnectFrame"]

#: What the embedded page may do: as much as in its own tab, except navigate the notebook away.
_MAY: Final = "allow-forms allow-same-origin allow-scripts allow-popups allow-popups-to-escape-sandbox"
_STATES: Final = {
    "open": "open",
    "done": "done, a login was entered",
    "unknown": "in a state unknown to this release",
}
_NO_PAGE: Final = (
    "The embedded sandbox runs inside this process, where a browser cannot reach it: serve it with"
    " nectar.sandbox.serve(), then press Look again."
)
#: Stop polling after so many checks; after that, use the button.
_LOOKS: Final = 1000


class ConnectFrame:
    """The page of an invitation in a frame, to add or repair a login without leaving the notebook.

    Only pages of Nectar, or of an embedded sandbox on this machine, are embedded. While the frame is shown, it polls
    the API for the invitation's state. An invitation that expired, was revoked or is used up is replaced by a new one
    with the same settings. Once a login was entered, the company's cached connections are updated, and dashboards
    follow.

    Parameters
    ----------
    nectar : Nectar
    company : optional
        The company to add a login to, or the one the connection belongs to.
    connection : optional
        The connection to repair; without it, a login is added.
    invitation : str or row, optional
        An existing invitation to show instead, and to replace by others like it; excludes `company` and `connection`.
    height : int
        Height of the page, in pixels.
    watch : float, optional
        Seconds between checks while it is shown in a running kernel; None to check only when :meth:`check` is called.
    **form
        ``emails``, ``expires_in`` (an hour), ``max_uses`` (1), ``sites``, ``url`` and the rest of
        :meth:`Nectar.invite`.

    Raises
    ------
    InvalidRequestError
        `invitation` was given together with other arguments.
    ContractError
        The invitation's address is not Nectar's; nothing is shown.
    NectarError
        An error of the client.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect(sandbox=nn.Sandbox(sites=2, months=2))
    >>> frame = nn.ConnectFrame(nectar, nectar.companies().iloc[0], watch=None)
    >>> frame.state
    'open'
    >>> frame.close()
    """

    def __init__(
        self,
        nectar: Nectar,
        company: Given | None = None,
        *,
        connection: Given | None = None,
        invitation: Given | None = None,
        height: int = 720,
        watch: float | None = 10.0,
        **form: Any,
    ) -> None:
        self._nectar = nectar
        self._link = Link(nectar, company, connection=connection, invitation=invitation, **form)
        self._height, self._watch, self._looks = height, watch, 0
        self._waiting: asyncio.TimerHandle | None = None
        self._about = self._named()
        self._failure = ""
        self._head, self._notice, self._page = html(), html(), html(width="100%")
        self._look = button("Look again", self.check, hint="Check the state of the invitation", width="130px")
        self._fresh = button("A fresh link", self.renew, hint="Create another invitation", width="130px")
        self.widget: widgets.Widget = column(
            self._head, self._notice, self._page, row(self._look, self._fresh), width="100%", max_width="900px"
        )
        self._draw()

    @property
    def state(self) -> str:
        """``"open"``, ``"done"``, ``"unknown"``, or ``"failed"`` if the last request failed."""
        return "failed" if self._failure else self._link.state

    @property
    def message(self) -> str:
        """What happened last, in a sentence; empty if there is nothing to report."""
        return self._failure or self._link.message

    @property
    def url(self) -> str | None:
        """The embedded address; None if there is no page to show."""
        return self._link.address

    @property
    def invitation(self) -> pd.DataFrame:
        """The current invitation as last fetched: a row of ``nectar.invitations()``."""
        return self._link.invitation

    @property
    def frame(self) -> pd.DataFrame:
        """Every invitation shown so far, the latest last, with its last known state."""
        return self._link.history

    @property
    def connections(self) -> pd.DataFrame:
        """The connections added or repaired through the frame: rows of ``nectar.connections()``."""
        return self._link.connections

    def check(self) -> str:
        """Fetch the invitation's state, replace the invitation if it no longer works, and return the state.

        If the API does not answer, the page stays as it is, and :attr:`message` says why.
        """
        return self._do(self._link.check)

    def renew(self) -> str:
        """Create a new invitation and show it; the previous one is not changed."""
        return self._do(self._link.renew)

    def snapshot(self) -> str:
        """Return a static page of escaped HTML, without the address."""
        row_ = self.invitation.iloc[0]
        who = row_["allowed_emails"]
        facts = {
            "For": self._about,
            "May be opened by": who.replace(" / ", ", ") if isinstance(who, str) else "whoever has the link",
            "Ends": self._ends(),
            "Uses": self._used(),
            "State": _STATES.get(self._link.state, self._link.state),
        }
        said = [notice(self.message, self._tone())] if self.message else []
        hint = element("p", "The page itself is shown by a running kernel.", style="font-size:13px;opacity:.8")
        return str(
            element(
                "div",
                join([title(self._title(), 2), *said, definitions(facts), hint]),
                style="font-family:system-ui,-apple-system,'Segoe UI',sans-serif;line-height:1.45",
            )
        )

    def close(self) -> None:
        """Stop checking and remove the frame from the page and from memory; the invitation is not changed."""
        self._stop()
        take_down(self.widget)

    def __repr__(self) -> str:
        return (
            f"ConnectFrame: {self._about}; {_STATES.get(self._link.state, self._link.state)}; {self._used()};"
            f" ends: {self._ends()}"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        self._wait()
        return three_ways(self.widget, self.snapshot(), repr(self))

    def _do(self, act: Callable[[], object]) -> str:
        try:
            act()
        except NectarError as error:
            self._failure = f"The state of the invitation could not be fetched: {error}"
        else:
            self._failure = ""
        self._draw()
        return self.state

    def _draw(self) -> None:
        url = self.url
        words = self.message or ("" if url else _NO_PAGE)
        show(
            self._head,
            join(
                [
                    title(self._title(), 3),
                    element("div", f"{self._used().capitalize()}; ends: {self._ends()}", style="font-size:13px"),
                ]
            ),
        )
        show(self._notice, notice(words, self._tone()) if words else "")
        show(self._page, "" if url is None else self._framed(url))

    def _framed(self, url: str) -> Markup:
        page = element(
            "iframe",
            src=url,
            title=f"{self._title()}: the page of the invitation",
            sandbox=_MAY,
            referrerpolicy="no-referrer",
            style=f"box-sizing:border-box;width:100%;height:{int(self._height)}px;border-radius:6px;"
            "border:1px solid rgba(127,127,127,.35)",
        )
        link = element(
            "a",
            "Open it in a new tab",
            href=url,
            target="_blank",
            rel="noopener noreferrer",
            style="text-decoration:underline",
        )
        return join([page, element("div", link, style="font-size:13px")])

    def _named(self) -> str:
        """Return who and what the invitation is for, in words."""
        companies = self._nectar.companies().set_index("company_id")["name"]
        company = str(companies.get(self._link.company_id, "a company"))
        if self._link.connection_id is None:
            return f"{company}, to add a login"
        there = self._nectar.connections(self._link.company_id).set_index("connection_id")
        if self._link.connection_id not in there.index:
            return f"{company}, to repair a login"
        login = there.loc[self._link.connection_id]
        return f"{company}, to repair the login {login['username']} at {login['provider']}"

    def _title(self) -> str:
        return "Connect a utility login" if self._link.connection_id is None else "Repair a utility login"

    def _used(self) -> str:
        row_ = self.invitation.iloc[0]
        most = "any number" if pd.isna(row_["max_uses"]) else row_["max_uses"]
        return f"used {row_['use_count']} of {most}"

    def _ends(self) -> str:
        return _moment(self.invitation.iloc[0]["expires"])

    def _tone(self) -> str:
        return "customer" if self._failure else "healthy" if self._link.state == "done" else "website"

    def _wait(self) -> None:
        """Schedule the next check on the event loop, the thread of the controls; without one, there is no live view."""
        self._stop()
        if self._watch is None or self._link.state == "done" or self._looks >= _LOOKS:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._looks += 1
        self._waiting = loop.call_later(self._watch, _look, WeakMethod(self._look_again))

    def _look_again(self) -> None:
        self.check()
        self._wait()

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def _look(again: WeakMethod[Callable[[], None]]) -> None:
    look = again()  # None once the frame is gone: its timer must not keep it alive
    if look is not None:
        look()


def _moment(moment: object) -> str:
    return f"{day(moment)}, {moment:%H:%M} UTC" if isinstance(moment, pd.Timestamp) else "never"
