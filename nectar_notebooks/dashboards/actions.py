"""What a dashboard does for a connection: a reconnect invitation, tracking of an account. Once, however often asked.

The verbs are the client's; what it does not have is said in a sentence, and its control is disabled. Nothing here
draws.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from nectar_notebooks.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from nectar_notebooks.schema.naming import Given

__all__ = ["EXPIRIES", "Invitation", "Invitations", "Reconnects", "Tracks", "e_mails", "track", "why_not"]

#: How long an invitation can be made to last: words and seconds; None is for ever.
EXPIRIES: Final[dict[str, int | None]] = {
    "1 day": 86_400,
    "7 days": 7 * 86_400,
    "30 days": 30 * 86_400,
    "never": None,
}
_E_MAIL: Final = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")


@runtime_checkable
class Reconnects(Protocol):
    """A client that can invite the owner of a login to repair it."""

    def reconnect(
        self,
        connection: Given,
        *,
        emails: Sequence[str] = (),
        expires_in: float | None = None,
        max_uses: int | None = None,
        send: bool = False,
        again: bool = False,
    ) -> pd.DataFrame:
        """Make an invitation and return its row; the same form twice is one, unless it shall be made again."""


@runtime_checkable
class Tracks(Protocol):
    """A client that can start and stop the collection of an account."""

    def track(self, accounts: Given, company: Given | None = None) -> object:
        """Start the collection of an account."""

    def untrack(self, accounts: Given, company: Given | None = None) -> object:
        """Stop it."""


def why_not(nectar: object, verb: str) -> str | None:
    """Return why the client cannot do this, in a sentence, or None where it can."""
    needed = Reconnects if verb == "reconnect" else Tracks
    if isinstance(nectar, needed):
        return None
    what = "send invitations" if verb == "reconnect" else "change what is tracked"
    return f"This client cannot {what}."


def e_mails(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return e-mail addresses, each once, from a list or from text with commas, semicolons or spaces between them.

    Raises
    ------
    InvalidRequestError
        One of them is no e-mail address.
    """
    pieces = re.split(r"[\s,;]+", given) if isinstance(given, str) else [one.strip() for one in given]
    found = tuple(dict.fromkeys(piece for piece in pieces if piece))
    for one in found:
        if not _E_MAIL.fullmatch(one):
            raise InvalidRequestError(f"{one!r} is no e-mail address: write it like name@company.com.")
    return found


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was made: for which connection, its address, and whether it was sent by e-mail."""

    connection_id: str
    url: str
    emails: tuple[str, ...]
    sent: bool


@dataclass(slots=True)
class Invitations:
    """The invitations a dashboard made: one for each connection and form, so that a double click makes one."""

    made: dict[tuple[object, ...], Invitation] = field(default_factory=dict)
    _forgotten: set[str] = field(default_factory=set)

    def make(
        self,
        nectar: object,
        connection_id: str,
        *,
        emails: Sequence[str] | str = (),
        expires_in: int | None,
        max_uses: int | None,
        send: bool,
    ) -> tuple[Invitation, bool]:
        """Make an invitation, or return the one made of the same form; say whether it is new.

        Raises
        ------
        InvalidRequestError
            The client cannot invite, an address is none, or it shall be sent to nobody.
        NectarError
            As the client raises it.
        """
        if not isinstance(nectar, Reconnects):
            raise InvalidRequestError(str(why_not(nectar, "reconnect")))
        addresses = e_mails(emails)
        if send and not addresses:
            raise InvalidRequestError("An invitation by e-mail needs an address: write one, or make a link to copy.")
        form = (connection_id, addresses, expires_in, max_uses, send)
        if form in self.made:
            return self.made[form], False
        answer = nectar.reconnect(
            connection_id,
            emails=addresses,
            expires_in=expires_in,
            max_uses=max_uses,
            send=send,
            again=connection_id in self._forgotten,
        )
        invitation = Invitation(connection_id, str(answer["url"].iloc[0]), addresses, send)
        self.made[form] = invitation
        self._forgotten.discard(connection_id)
        return invitation, True

    def forget(self, connection_id: str) -> None:
        """Let the next form of this connection make a new invitation."""
        for form in [one for one in self.made if one[0] == connection_id]:
            del self.made[form]
        self._forgotten.add(connection_id)


def track(nectar: object, account_id: str, company_id: str | None, *, on: bool) -> None:
    """Start or stop the collection of an account.

    Raises
    ------
    InvalidRequestError
        The client cannot.
    NectarError
        As the client raises it.
    """
    if not isinstance(nectar, Tracks):
        raise InvalidRequestError(str(why_not(nectar, "track")))
    (nectar.track if on else nectar.untrack)(account_id, company_id)
