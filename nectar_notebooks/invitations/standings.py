"""How an invitation stands, from what the API says of it; asking is left to the client."""

from __future__ import annotations

from numbers import Integral
from typing import Final

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.naming import INVITATION, Given, row_of

__all__ = ["DEAD", "standing"]

_OVER: Final = {"EXPIRED": "expired", "REVOKED": "revoked"}
#: Standings in which a link leads nowhere, and a fresh one is needed.
DEAD: Final = frozenset({"expired", "revoked", "used_up"})


def standing(invitation: Given) -> str:
    """Say how an invitation stands; the API's clock decides what has expired, not this machine's.

    The API says FULFILLED both of an invitation whose uses are spent and of one to reconnect that has done what it is
    for; the number of its uses tells which.

    Parameters
    ----------
    invitation
        A row of ``nectar.invitations()``: Series, one-row frame, namedtuple or mapping.

    Returns
    -------
    str
        ``"open"``, ``"expired"``, ``"revoked"``, ``"used_up"``, ``"fulfilled"``, or ``"unknown"`` for a status that is
        new.

    Raises
    ------
    InvalidRequestError
        It is no such row.

    Examples
    --------
    >>> standing({"status": "FULFILLED", "use_count": 1, "max_uses": 1})
    'used_up'
    >>> standing({"status": "FULFILLED", "use_count": 1, "max_uses": None})
    'fulfilled'
    """
    row = {} if isinstance(invitation, str) else row_of(invitation, INVITATION)
    if "status" not in row:
        raise InvalidRequestError("This is no invitation: give one row of nectar.invitations().")
    status = row["status"]
    uses, most = (_count(row.get(name)) for name in ("use_count", "max_uses"))
    if status in ("ACTIVE", "FULFILLED"):
        spent = uses is not None and most is not None and uses >= most
        return "used_up" if spent else "open" if status == "ACTIVE" else "fulfilled"
    return _OVER.get(str(status), "unknown")


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, Integral) else None
