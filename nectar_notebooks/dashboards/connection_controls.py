"""The panels of the connection dashboard that act: asking the customer, tracking accounts, saving rows.

Each holds its controls and says what a person did; what follows from it is the dashboard's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_notebooks.dashboards.actions import EXPIRIES, Invitation, Invitations, track, why_not
from nectar_notebooks.dashboards.controls import (
    apart,
    button,
    choice,
    column,
    html,
    offer,
    row,
    show,
    whole_number,
    words,
)
from nectar_notebooks.dashboards.export import download_links
from nectar_notebooks.dashboards.html import Markup, element, join, missing, notice, title
from nectar_notebooks.errors import InvalidRequestError, NectarError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["AskPanel", "SavePanel", "TrackPanel"]


#: What else tracking can be.
_WORDS: Final = {"DISABLED": "not tracked", "UNSET": "undecided"}


class AskPanel:
    """A reconnect invitation: for whom, how long, how often; sent, or as a link to copy."""

    def __init__(self, nectar: object) -> None:
        self._nectar = nectar
        self._invitations = Invitations()
        self._connection_id = ""
        self._emails = words("E-mails", "name@company.com, another@company.com", width="420px")
        self._expiry = choice("Expires", list(EXPIRIES.items()), EXPIRIES["7 days"], _nothing, "200px")
        self._uses = whole_number("Uses (0 is any number)", 1, 1000, width="220px")
        self._send = button("Send by e-mail", lambda: self._press(send=True), width="150px", style="primary")
        self._link = button("Make a link", lambda: self._press(send=False), width="130px")
        self._again = button("Another invitation", self._start_again, width="160px")
        self._result = html()
        self.widget = column(
            html(str(title("Ask the customer to repair it", 4))),
            self._emails,
            row(self._expiry, self._uses),
            row(self._send, self._link, self._again),
            self._result,
            flex="1 1 440px",
            padding="0 16px 0 0",
        )
        reason = why_not(nectar, "reconnect")
        self._able = reason is None
        self._enable(open_=True)
        show(self._result, notice(reason, "website") if reason else "")

    def about(self, connection_id: str, owner: object) -> None:
        """Ask about this connection; its owner is suggested."""
        if connection_id == self._connection_id:
            return
        self._connection_id = connection_id
        self._emails.value = "" if missing(owner) else str(owner)
        if self._able:
            made = [one for form, one in self._invitations.made.items() if form[0] == connection_id]
            self._enable(open_=not made)
            show(self._result, _told_of(made[-1]) if made else "")

    def make(self, emails: str | list[str], *, expires_in: int | None, max_uses: int | None, send: bool) -> Invitation:
        """Make the invitation of this form, or return the one it made before."""
        invitation, _ = self._invitations.make(
            self._nectar, self._connection_id, emails=emails, expires_in=expires_in, max_uses=max_uses, send=send
        )
        self._enable(open_=False)
        show(self._result, _told_of(invitation))
        return invitation

    def _press(self, *, send: bool) -> None:
        # A second press that was under way when the first was answered finds an invitation, and makes none.
        if any(form[0] == self._connection_id for form in self._invitations.made):
            return
        self._send.disabled = self._link.disabled = True
        try:
            self.make(self._emails.value, expires_in=self._expiry.value, max_uses=self._uses.value or None, send=send)
        except InvalidRequestError as error:
            self._enable(open_=True)
            show(self._result, notice(str(error)))
        except NectarError as error:
            self._enable(open_=True)
            show(
                self._result,
                notice(
                    f"No answer says that the invitation was made: {error} Look at nectar.invitations() before you"
                    " try again."
                ),
            )

    def _start_again(self) -> None:
        self._invitations.forget(self._connection_id)
        self._enable(open_=True)
        show(self._result, "")

    def _enable(self, *, open_: bool) -> None:
        self._send.disabled = self._link.disabled = not (open_ and self._able)
        self._again.layout.display = "none" if open_ else "inline-flex"


class TrackPanel:
    """Which accounts of the connection are collected."""

    def __init__(self, nectar: object, changed: Callable[[], None]) -> None:
        self._nectar, self._changed = nectar, changed
        self._account = choice("Account", [], None, self._chosen, "360px")
        self._on = button("Track", lambda: self._press(on=True), hint="Collect bills of this account", width="110px")
        self._off = button("Do not track", lambda: self._press(on=False), hint="Stop collecting", width="130px")
        self._result = html()
        self._tracking: dict[str, str] = {}
        self._company_of: dict[str, str] = {}
        reason = why_not(nectar, "track")
        self._able = reason is None
        self.widget = column(
            html(str(title("Which accounts are collected", 4))),
            self._account,
            row(self._on, self._off),
            self._result,
            flex="1 1 380px",
        )
        show(self._result, notice(reason, "website") if reason else "")

    def about(self, accounts: pd.DataFrame) -> None:
        """Offer the accounts of a connection."""
        self._company_of = dict(zip(accounts["account_id"], accounts["company_id"], strict=True))
        self._tracking = dict(zip(accounts["account_id"], accounts["tracking"], strict=True))
        labels = [
            (f"{'No number' if missing(number) else number}, {_WORDS.get(tracking, 'tracked')}", one)
            for one, number, tracking in zip(
                accounts["account_id"], accounts["account_number"], accounts["tracking"], strict=True
            )
        ]
        was = self._account.value
        offer(self._account, apart(labels))
        if was in self._tracking:
            self._account.value = was
        elif labels:
            self._account.value = labels[0][1]
        self._chosen()

    def change(self, account_id: str, *, on: bool) -> None:
        """Start or stop the collection of an account, and read it back."""
        track(self._nectar, account_id, self._company_of.get(account_id), on=on)
        self._changed()

    def _chosen(self) -> None:
        now = self._tracking.get(self._account.value)
        known = self._account.value is not None and self._able
        self._on.disabled = not known or now == "ENABLED"
        self._off.disabled = not known or now == "DISABLED"

    def _press(self, *, on: bool) -> None:
        account_id = self._account.value
        now = self._tracking.get(account_id)
        if account_id is None or now == ("ENABLED" if on else "DISABLED"):
            return  # a second press of one that was answered already
        try:
            self.change(account_id, on=on)
        except NectarError as error:
            show(self._result, notice(str(error)))
        else:
            show(self._result, notice("It is tracked now." if on else "It is not tracked any more.", "healthy"))


class SavePanel:
    """The rows shown, as files of a name."""

    def __init__(self, rows: Callable[[], pd.DataFrame], name: str = "connections") -> None:
        self._rows, self._name = rows, name
        self._prepare = button(
            "Save these rows", self._press, hint="Prepare the rows shown as CSV and Excel", width="150px"
        )
        self._links = html()
        self.widget = row(self._prepare, self._links)

    def clear(self) -> None:
        """Take away links to rows that are not shown any more."""
        show(self._links, "")

    def _press(self) -> None:
        show(self._links, download_links(self._rows(), self._name))


def _told_of(invitation: Invitation) -> Markup:
    if invitation.sent:
        return notice(f"The invitation was sent to {', '.join(invitation.emails)}.", "healthy")
    link = element("code", invitation.url, tabindex="0", style="user-select:all;overflow-wrap:anywhere")
    return join([notice("The invitation is made. Copy its link and send it yourself:", "healthy"), link])


def _nothing() -> None:
    return None
