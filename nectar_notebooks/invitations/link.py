"""The state of an invitation (`standing`), and an invitation that stays usable (`Link`).

A `Link` is replaced by a new invitation when it has expired, was revoked or is used up. `frame`, or your own page,
shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from nectar_notebooks.errors import ContractError, InvalidRequestError
from nectar_notebooks.invitations.places import page_address
from nectar_notebooks.schema.naming import INVITATION, row_of
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from nectar_notebooks.client import Nectar
    from nectar_notebooks.schema.naming import Given

__all__ = ["Link", "standing"]

_OVER: Final = {"EXPIRED": "expired", "REVOKED": "revoked"}
#: Standings in which the link no longer works and a new one is needed.
_DEAD: Final = frozenset({"expired", "revoked", "used_up"})
_WORDS: Final = {"expired": "had expired", "revoked": "was revoked", "used_up": "was used up"}
#: What an invitation was prefilled with: our columns, and the arguments of `invite`.
_FILLED: Final = {
    "provider_url": "url", "country": "country", "owner_email": "owner_email",
    "data_collection_start": "data_collection_start",
}  # fmt: skip


def standing(invitation: Given) -> str:
    """Return the state of an invitation; the API's clock decides what has expired, not this machine's.

    The API's status FULFILLED means either that all uses are spent, or that an invitation to reconnect has served its
    purpose; the number of uses tells which.

    Parameters
    ----------
    invitation
        A row of ``nectar.invitations()``: Series, one-row frame, namedtuple or mapping.

    Returns
    -------
    str
        ``"open"``, ``"expired"``, ``"revoked"``, ``"used_up"``, ``"fulfilled"``, or ``"unknown"`` for a new status.

    Raises
    ------
    InvalidRequestError
        It is not such a row.

    Examples
    --------
    >>> standing({"status": "FULFILLED", "use_count": 1, "max_uses": 1})
    'used_up'
    >>> standing({"status": "FULFILLED", "use_count": 1, "max_uses": None})
    'fulfilled'
    """
    row = {} if isinstance(invitation, str) else row_of(invitation, INVITATION)
    if "status" not in row:
        raise InvalidRequestError("This is not an invitation: give one row of nectar.invitations().")
    status = row["status"]
    uses, most = (_count(row.get(name)) for name in ("use_count", "max_uses"))
    if status in ("ACTIVE", "FULFILLED"):
        spent = uses is not None and most is not None and uses >= most
        return "used_up" if spent else "open" if status == "ACTIVE" else "fulfilled"
    return _OVER.get(str(status), "unknown")


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, Integral) else None


class Link:
    """An invitation that is replaced when it no longer works.

    Parameters
    ----------
    nectar : Nectar
    company : optional
        The company to add a login to, or the one the connection belongs to.
    connection : optional
        The connection to repair; without it, a login is added.
    invitation : str or row, optional
        An existing invitation to use, and to replace by others like it; excludes the other arguments.
    emails, expires_in, max_uses, **prefill
        As in :meth:`Nectar.invite`; by default valid for an hour and one use.

    Attributes
    ----------
    state : str
        ``"open"``: it can be used; ``"done"``: it was used and served its purpose; ``"unknown"``: the API reports a new
        status.
    invitation : DataFrame
        The invitation's row, as last fetched.
    message : str
        What happened last, in a sentence; empty if there is nothing to report.

    Raises
    ------
    InvalidRequestError
        `invitation` was given together with other arguments, or the client refuses the request.
    ContractError
        The invitation's address is not Nectar's.
    NectarError
        An error of the client.
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
                    "invitation= cannot be combined with a company, a connection or other settings.",
                    advice="Give either the invitation or the settings of a new one.",
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
        """The id of the current invitation."""
        return str(self.invitation["invitation_id"].iloc[0])

    @property
    def company_id(self) -> str:
        """The company it is for."""
        return str(self.invitation["company_id"].iloc[0])

    @property
    def connection_id(self) -> str | None:
        """The connection to repair; None if one is to be added."""
        found = self.invitation["connection_id"].iloc[0]
        return found if isinstance(found, str) else None

    @property
    def standing(self) -> str:
        """The state of the current invitation when last fetched, see :func:`standing`."""
        return standing(self.invitation)

    @property
    def address(self) -> str | None:
        """Where its page may be shown; None if the embedded sandbox in this process is not served."""
        return page_address(self._nectar, self.invitation)

    @property
    def history(self) -> pd.DataFrame:
        """Every invitation created so far, the latest last.

        Returns
        -------
        DataFrame
            invitation_id, standing (when last fetched), uses, created, expires.
        """
        frame = pd.DataFrame(
            list(self._rows.values()), columns=["invitation_id", "standing", "uses", "created", "expires"]
        )
        moments = dict.fromkeys(("created", "expires"), "datetime64[us, UTC]")
        return frame.astype({"invitation_id": TEXT, "standing": TEXT, "uses": "Int64", **moments})

    @property
    def connections(self) -> pd.DataFrame:
        """The connections added or repaired through it, as they are now.

        Returns
        -------
        DataFrame
            The columns of ``nectar.connections()``.
        """
        there = self._nectar.connections(self.company_id)
        return there[there["connection_id"].isin(self._brought)].reset_index(drop=True)

    def check(self) -> str:
        """Fetch its state, replace it by a new one if it no longer works, and return the state.

        Raises
        ------
        NectarError
            An error of the client; the state stays as it was.
        """
        self._take(self._nectar.invitation(self.invitation_id))
        self._settle()
        return self.state

    def renew(self) -> None:
        """Create a new invitation, whatever the state of the current one, which is not changed."""
        self._take(self._asked_for())
        self._uses, self._entered = 0, False
        if self.standing != "open":
            raise ContractError(f"A new invitation was created, but it is {self.standing}, not open.")
        self.state = "open"

    def _settle(self) -> None:
        how, uses = self.standing, _uses(self.invitation)
        if uses > self._uses:
            self._follow()  # first: if it fails, the next check tries again
            self._uses, self._entered = uses, True
        if how in ("open", "unknown"):
            self.state = how
        elif self._entered or how not in _DEAD:
            self.state = "done"  # keep showing the result of the login
        else:
            self.renew()
            self.message = f"The invitation {_WORDS[how]}: a fresh one was asked for."

    def _follow(self) -> None:
        """Record which connections the invited person added or repaired, and refresh the cached connections."""
        if self.connection_id is not None:
            brought = [self.connection_id]
        else:
            brought = self._nectar.invitation_connections(invitation=self.invitation_id)["connection_id"].tolist()
        self._brought += [one for one in brought if one not in self._brought]
        self._nectar.catch_up(self.company_id, "connections")
        self.message = "A login was entered."

    def _asked_for(self) -> pd.DataFrame:
        # again=True: two frames must not share an invitation, or using one would end the other.
        verb = self._nectar.reconnect if "connection" in self._form else self._nectar.invite
        return verb(**self._form, again=True)

    def _take(self, invitation: pd.DataFrame) -> None:
        page_address(self._nectar, invitation)  # first of all, refuse an address that is not Nectar's
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
    """Return the arguments that create another invitation like this one."""
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
