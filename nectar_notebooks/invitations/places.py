"""Which addresses of an invitation's page may be embedded: Nectar's, or an embedded sandbox's on this machine.

The page asks people for passwords, so no other address is ever embedded, whatever the API's answer says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from nectar_notebooks.errors import ContractError
from nectar_notebooks.loopback import THIS_MACHINE
from nectar_notebooks.schema.naming import INVITATION, Given, row_of

if TYPE_CHECKING:
    from nectar_notebooks.client import Nectar

__all__ = ["page_address"]

_NECTAR: Final = "nectarclimate.com"


def page_address(nectar: Nectar, invitation: Given) -> str | None:
    """Return the address at which an invitation's page may be shown.

    Parameters
    ----------
    nectar : Nectar
        The client that created it.
    invitation
        A row of ``nectar.invitations()``: Series, one-row frame, namedtuple or mapping.

    Returns
    -------
    str or None
        None if there is no page: the embedded sandbox runs in this process and is not served.

    Raises
    ------
    ContractError
        The address is neither Nectar's nor the embedded sandbox's; it must not be opened.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect(sandbox=nn.Sandbox(sites=2, months=2))
    >>> made = nectar.invite(nectar.companies().iloc[0])
    >>> page_address(nectar, made) is None
    True
    >>> with nectar.sandbox.serve() as served:
    ...     page_address(nectar, made).startswith(served.url)
    True
    """
    row = row_of(invitation, INVITATION)
    url = row.get("url")
    parts = _parts(url)
    if parts is None:
        raise ContractError("The invitation's address is not a valid URL, so it is not shown.")
    host = parts.hostname or ""
    at_nectar = parts.scheme == "https" and parts.port is None and (host == _NECTAR or host.endswith(f".{_NECTAR}"))
    if nectar.sandbox is not None:  # answers name Nectar's page; its twin is wherever the sandbox is served
        if not at_nectar:
            raise _foreign(host)
        return None if nectar.sandbox.served_at is None else f"{nectar.sandbox.served_at}{parts.path}"
    served_here = (urlsplit(nectar.address).hostname or "") in THIS_MACHINE
    if at_nectar or (served_here and host in THIS_MACHINE):
        return str(url)
    raise _foreign(host)


def _parts(url: object) -> SplitResult | None:
    if not isinstance(url, str) or not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    plain = parts.scheme in ("https", "http") and parts.username is None and parts.password is None
    return parts if plain else None


def _foreign(host: str) -> ContractError:
    return ContractError(
        f"The invitation's address points to {host!r}, which is not Nectar's, so it is not shown.",
        advice="Do not open it; ask Nectar's support.",
    )
