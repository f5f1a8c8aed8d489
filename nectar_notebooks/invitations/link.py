"""An invitation that stays usable: looked after, and asked for anew when it has expired, was revoked or is used up.

How it is shown is left to `frame`, or to your own page.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import ContractError, InvalidRequestError
from nectar_notebooks.invitations.places import page_address
from nectar_notebooks.invitations.standings import DEAD, standing

if TYPE_CHECKING:
    from nectar_notebooks.client import Nectar
    from nectar_notebooks.schema.naming import Given

__all__ = ["Link"]

_WORDS: Final = {"expired": "had expired", "revoked": "was revoked", "used_up": "was used up"}
_TEXT: Final = pd.StringDtype(na_value=np.nan)
#: What an invitation was filled in with: our columns, and what the verb calls them.
_FILLED: Final = {
    "provider_url": "url", "country": "country", "owner_email": "owner_email",
    "data_collection_start": "data_collection_start",
}  # fmt: skip


class Link:
    """An invitation, looked after.

    Parameters
    ----------
    nectar : Nectar
    company : optional
        Whom a login is added to, or whose the connection is.
    connection : optional
        The connection to repair; a login is added without it.
    invitation : str or row, optional
        Keep this one, and ask for others like it; instead of the arguments around it.
    emails, expires_in, max_uses, **prefill
        As of :meth:`Nectar.invite`; an hour and one use where nothing is said.

    Attributes
    ----------
    state : str
        ``"open"``: it can be used; ``"done"``: somebody used it, and it has done what it is for; ``"unknown"``: the API
        says something new of it.
    invitation : DataFrame
        The invitation's row, as it was seen last.
    message : str
        What happened last, in a sentence; empty where there is nothing to say.

    Raises
    ------
    InvalidRequestError
        An invitation was given, and something else too; or as the client's verbs raise it.
    ContractError
        The invitation's address is not Nectar's.
    NectarError
        As the client raises it.
    """

    def __init__(
        self,
        nectar: Nectar,
        company: Given | None = None,
        *,
        connection: Given | None = None,
        invitation: Given | None = None,
        emails: Iterable[str] | str = (),
        expires_in: float | None = 3600,
        max_uses: int | None = 1,
        **prefill: Any,
    ) -> None:
        self._nectar = nectar
        self._rows: dict[str, dict[str, Any]] = {}
        self._brought: list[str] = []
        self._entered = False
        self.message = ""
        if invitation is not None:
            if company is not None or connection is not None or emails or prefill:
                raise InvalidRequestError(
                    "An invitation was given, and what to ask for too.", advice="Give one of them."
                )
            first = nectar.invitation(invitation)
            self._form = _form_of(first.iloc[0])
        else:
            emails = [emails] if isinstance(emails, str) and emails else list(emails)
            self._form = {"emails": emails, "expires_in": expires_in, "max_uses": max_uses, **prefill}
            self._form |= {"company": company} | ({} if connection is None else {"connection": connection})
            first = self._asked_for()
        self._take(first)
        self._uses = 0 if invitation is None else _uses(first)
        self._settle()

    @property
    def invitation_id(self) -> str:
        """The id of the present invitation."""
        return str(self.invitation["invitation_id"].iloc[0])

    @property
    def company_id(self) -> str:
        """The company it is for."""
        return str(self.invitation["company_id"].iloc[0])

    @property
    def connection_id(self) -> str | None:
        """The connection to repair; None where one is to be added."""
        found = self.invitation["connection_id"].iloc[0]
        return found if isinstance(found, str) else None

    @property
    def standing(self) -> str:
        """How the present invitation stood when it was seen last, see :func:`standing`."""
        return standing(self.invitation)

    @property
    def address(self) -> str | None:
        """Where its page may be shown; None where an embedded sandbox in this process is not served."""
        return page_address(self._nectar, self.invitation)

    @property
    def history(self) -> pd.DataFrame:
        """Every invitation that was asked for, the latest last.

        Returns
        -------
        DataFrame
            invitation_id, standing (when it was seen last), uses, created, expires.
        """
        frame = pd.DataFrame(
            list(self._rows.values()), columns=["invitation_id", "standing", "uses", "created", "expires"]
        )
        moments = dict.fromkeys(("created", "expires"), "datetime64[us, UTC]")
        return frame.astype({"invitation_id": _TEXT, "standing": _TEXT, "uses": "Int64", **moments})

    @property
    def connections(self) -> pd.DataFrame:
        """The connections that were added or repaired through it, as they are now.

        Returns
        -------
        DataFrame
            The columns of ``nectar.connections()``.
        """
        there = self._nectar.connections(self.company_id)
        return there[there["connection_id"].isin(self._brought)].reset_index(drop=True)

    def check(self) -> str:
        """Ask how it stands, ask for a fresh one where it leads nowhere any more, and return the state.

        Raises
        ------
        NectarError
            As the client raises it: nothing is known then, and the state stays as it was.
        """
        self._take(self._nectar.invitation(self.invitation_id))
        self._settle()
        return self.state

    def renew(self) -> None:
        """Ask for a fresh one, whatever the state of the present one, which is left as it is."""
        self._take(self._asked_for())
        self._uses, self._entered = 0, False
        if self.standing != "open":
            raise ContractError(f"A fresh invitation was made, and is not open but {self.standing}.")
        self.state = "open"

    def _settle(self) -> None:
        how, uses = self.standing, _uses(self.invitation)
        if uses > self._uses:
            self._follow()  # first: where it fails, the next look tries it again
            self._uses, self._entered = uses, True
        if how in ("open", "unknown"):
            self.state = how
        elif self._entered or how not in DEAD:
            self.state = "done"  # who entered a login goes on seeing what came of it
        else:
            self.renew()
            self.message = f"The invitation {_WORDS[how]}: a fresh one was asked for."

    def _follow(self) -> None:
        """Take up what an invited person did: which connections it was, and what is kept of them."""
        if self.connection_id is not None:
            brought = [self.connection_id]
        else:
            brought = self._nectar.invitation_connections(invitation=self.invitation_id)["connection_id"].tolist()
        self._brought += [one for one in brought if one not in self._brought]
        self._nectar.catch_up(self.company_id, "connections")
        self.message = "Somebody entered a login."

    def _asked_for(self) -> pd.DataFrame:
        # Two frames are two invitations: what one of them does must not end the other.
        verb = self._nectar.reconnect if "connection" in self._form else self._nectar.invite
        return verb(**self._form, again=True)

    def _take(self, invitation: pd.DataFrame) -> None:
        page_address(self._nectar, invitation)  # refuses what is not Nectar's, before anything else
        self.invitation = invitation
        row = invitation.iloc[0]
        self._rows[str(row["invitation_id"])] = {
            "invitation_id": row["invitation_id"],
            "standing": standing(row),
            "uses": row["use_count"],
            "created": row["created"],
            "expires": row["expires"],
        }


def _form_of(row: pd.Series) -> dict[str, Any]:
    """Return what to ask for to get another invitation like this one."""
    form: dict[str, Any] = {
        "company": row["company_id"],
        "emails": _parts(row["allowed_emails"]),
        "max_uses": None if pd.isna(row["max_uses"]) else int(row["max_uses"]),
        "expires_in": None if pd.isna(row["expires"]) else round((row["expires"] - row["created"]).total_seconds()),
    }
    if isinstance(row["connection_id"], str):
        return form | {"connection": row["connection_id"]}
    form |= {name: row[column] for column, name in _FILLED.items() if not pd.isna(row[column])}
    form |= {"sites": _parts(row["initial_sites"])}
    return form | ({"commodities": _parts(row["commodities"])} if _parts(row["commodities"]) else {})


def _parts(joined: object) -> list[str]:
    return joined.split(" / ") if isinstance(joined, str) else []


def _uses(invitation: pd.DataFrame) -> int:
    uses = invitation["use_count"].iloc[0]
    return 0 if pd.isna(uses) else int(uses)
