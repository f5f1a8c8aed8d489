"""Letting somebody else in: invitations to add or repair a login, and the deprecated magic links.

Arguments are checked in `fields` before anything is sent, and a creation is sent once, whatever happens. Nothing of
them is kept on disk, so that nothing kept is changed; what an invited person did is seen by asking for it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sized
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Unpack

from nectar_notebooks.client.fields import PREFILL_FIELDS, WHO_MAY_FIELDS, Prefill, body, flag
from nectar_notebooks.client.others import Asked, OtherNouns
from nectar_notebooks.client.scope import resolve
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.naming import INVITATION, Given, Several, named, shown

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.client.scope import Scope

__all__ = ["InvitingVerbs"]

_REPLACED: Final = "Nectar deprecated magic links: use nectar.{instead}, whose link expires and can be revoked."


class InvitingVerbs(OtherNouns):
    """Invite, revoke, and the deprecated magic links.

    Raised by every verb, beside what stands with it:

    - ``InvalidRequestError``: an argument cannot be sent (nothing was), or the API refused it with a 400;
    - ``NotFoundError``, ``PermissionDeniedError``: a wrong id, or not visible to this key;
    - ``NetworkError``, ``ServerError``: nobody knows then whether an invitation was made: look at
      :meth:`invitations` before you repeat;
    - ``OfflineError``: connected with ``offline=True``.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._inviting = Lock()
        self._invited: dict[str, str] = {}  # what was asked for, and the invitation that was made of it

    def invite(
        self,
        company: Given | None = None,
        *,
        emails: Iterable[str] | str = (),
        expires_in: float | None = None,
        max_uses: int | None = None,
        send: bool = False,
        sites: Several = (),
        again: bool = False,
        **prefill: Unpack[Prefill],
    ) -> pd.DataFrame:
        """Invite somebody to add a login; they type the password on Nectar's page, and you never see it.

        Asked for twice with the same arguments it is one invitation, as long as that can be used and was not: a
        double click invites once.

        Parameters
        ----------
        company : optional
            Whom the login is for; may be left out where only one is visible.
        emails : list of str
            Who may open it; empty: whoever has the link.
        expires_in : float, optional
            Seconds until it ends, at least 60; never without it.
        max_uses : int, optional
            How often it may be used; without a limit without it.
        send : bool
            Have Nectar send the link to `emails`.
        sites : optional
            Sites that the bills are for: names, ids or rows of :meth:`sites`.
        again : bool
            Make another, whatever there is.
        **prefill
            What the person finds filled in: ``url`` (login address of the provider) or ``datasource_id``,
            ``commodities``, ``country`` (two letters), ``owner_email``, ``data_collection_start`` (a day).

        Returns
        -------
        DataFrame
            The columns of :meth:`invitations`, one row; ``url`` is the link: whoever has it may use it.

        Raises
        ------
        InvalidRequestError
            Also for an e-mail address that is none, fewer than 60 seconds, and `send` without `emails`.

        Examples
        --------
        >>> import nectar_notebooks as nn
        >>> nectar = nn.connect(sandbox=nn.Sandbox(sites=2, months=2))
        >>> made = nectar.invite(nectar.companies().iloc[0], emails=["ann@acme.example"], expires_in=3600, max_uses=1)
        >>> made[["type", "status", "use_count"]].values.tolist()
        [['CREATE_CONNECTION', 'ACTIVE', 0]]
        """
        sent = _who_may(emails, expires_in, max_uses, send)
        filled = body(PREFILL_FIELDS, prefill) if prefill else {}
        scope = resolve(self._library, company)
        if chosen := self._chosen_sites(scope, sites):
            filled["initialSites"] = chosen
        if filled:
            sent["prefill"] = filled
        return self._invite("invitation.create", {"company_id": scope.company_id}, sent, scope, again=again)

    def reconnect(
        self,
        connection: Given,
        company: Given | None = None,
        *,
        emails: Iterable[str] | str = (),
        expires_in: float | None = None,
        max_uses: int | None = None,
        send: bool = False,
        again: bool = False,
    ) -> pd.DataFrame:
        """Invite somebody to repair a login; its first use fulfils it.

        Parameters
        ----------
        connection
            An id, the user name, the provider, or a row of :meth:`connections`.
        company : optional
            Whose connection; needed where several companies have one called so.
        emails, expires_in, max_uses, send, again
            As of :meth:`invite`.

        Returns
        -------
        DataFrame
            The columns of :meth:`invitations`, one row.
        """
        sent = _who_may(emails, expires_in, max_uses, send)
        scope = resolve(self._library, company, connection=connection)
        ids = {"connection_id": scope.connection_id or ""}
        return self._invite("invitation.reconnect", ids, sent, scope, again=again)

    def revoke(self, invitation: Given) -> pd.DataFrame:
        """Make an invitation useless from now on; one that is over stays as it is.

        Parameters
        ----------
        invitation
            An invitation's id, or a row of :meth:`invitations`.

        Returns
        -------
        DataFrame
            The columns of :meth:`invitations`, one row, as it stands now.
        """
        ids = {"invitation_id": named(invitation, INVITATION).text}
        return self._asked("invitations", Asked(self._library).written("invitations", "invitation.revoke", ids), None)

    def magic_link(
        self, company: Given | None = None, *, sites: Several = (), **prefill: Unpack[Prefill]
    ) -> pd.DataFrame:
        """Return the link by which anybody who has it adds a login to a company; deprecated, use :meth:`invite`.

        Returns
        -------
        DataFrame
            company_id, connection_id (missing), public_company_id, url, extra; one row.

        Warns
        -----
        DeprecationWarning
            Always; it names the replacement.
        """
        warnings.warn(_REPLACED.format(instead="invite(company, ...)"), DeprecationWarning, stacklevel=2)
        filled = body(PREFILL_FIELDS, prefill) if prefill else {}
        scope = resolve(self._library, company)
        sent: dict[str, object] = {"prefill": filled} if filled else {}
        if chosen := self._chosen_sites(scope, sites):
            sent["sites"] = chosen
        return self._link("magic_link.company", {"company_id": scope.company_id}, scope, sent)

    def reconnect_link(self, connection: Given, company: Given | None = None) -> pd.DataFrame:
        """Return the link by which anybody who has it edits a login; deprecated, use :meth:`reconnect`.

        Returns
        -------
        DataFrame
            company_id, connection_id, public_company_id, url, extra; one row.

        Warns
        -----
        DeprecationWarning
            Always; it names the replacement.
        """
        warnings.warn(_REPLACED.format(instead="reconnect(connection, ...)"), DeprecationWarning, stacklevel=2)
        scope = resolve(self._library, company, connection=connection)
        return self._link("magic_link.connection", {"connection_id": scope.connection_id or ""}, scope, {})

    def _invite(
        self, endpoint: str, ids: Mapping[str, str], sent: dict[str, object], scope: Scope, *, again: bool
    ) -> pd.DataFrame:
        again = flag("again", again)
        asked = Asked(self._library)
        form = json.dumps([endpoint, *ids.values(), sent], sort_keys=True)
        with self._inviting:  # the second press of a double click waits for the first
            known = None if again else self._invited.get(form)
            if known is not None:
                held = asked.invitation(known)
                row = held.frames["invitations"].iloc[0]
                if row["status"] == "ACTIVE" and row["use_count"] == 0:
                    return self._asked("invitations", held, scope)
            held = asked.written("invitations", endpoint, ids, company_id=scope.company_id, body=sent)
            made = self._asked("invitations", held, scope)
            self._invited[form] = str(made["invitation_id"].iloc[0])
        return made

    def _link(self, endpoint: str, ids: Mapping[str, str], scope: Scope, sent: dict[str, object]) -> pd.DataFrame:
        # Without anything to fill in the link is only asked for.
        held = Asked(self._library).written(
            "magic_links",
            endpoint if sent else f"{endpoint}_get",
            ids,
            company_id=scope.company_id,
            body=sent or None,
            more={"connectionId": scope.connection_id},
        )
        return self._asked("magic_links", held, scope)

    def _chosen_sites(self, scope: Scope, sites: Several) -> list[str]:
        if not isinstance(sites, str) and isinstance(sites, Sized) and not len(sites):
            return []
        return list(resolve(self._library, scope.company_id, sites=sites).site_ids)


def _who_may(
    emails: Iterable[str] | str, expires_in: float | None, max_uses: int | None, send: bool
) -> dict[str, object]:
    if not isinstance(emails, Iterable):
        raise InvalidRequestError(f"emails={shown(emails)} cannot be understood: give an address, or a list of them.")
    send = flag("send", send)
    addresses = [emails] if isinstance(emails, str) and emails else list(emails)
    if send and not addresses:
        raise InvalidRequestError(
            "An invitation by e-mail needs an address.", advice="Say emails=[...], or leave send out and copy the link."
        )
    given = {
        "emails": addresses or None,
        "expires_in": expires_in,
        "max_uses": max_uses,
        "send": send or None,
    }
    said = {name: value for name, value in given.items() if value is not None}
    return body(WHO_MAY_FIELDS, said) if said else {}
