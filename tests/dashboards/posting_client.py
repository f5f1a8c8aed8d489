"""A client with the verbs the dashboards need, which posts to a served embedded sandbox by itself.

The nouns are the client's; the verbs are written here from the documentation, so that what the sandbox holds after
a press is what the API would hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests

import nectar_notebooks as nn
from nectar_notebooks.errors import ServerError


class PostingClient:
    """Nouns of a client, and verbs that post."""

    def __init__(self, nectar: nn.Nectar, url: str, key: str) -> None:
        self._nectar, self._url, self._key = nectar, f"{url}/v2.2", key
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nectar, name)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        if self.broken:
            raise ServerError("The API answered 500.")
        answer = requests.request(method, f"{self._url}{path}", json=body, headers={"X-API-Key": self._key}, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def reconnect(
        self,
        connection: str,
        *,
        emails: Sequence[str] = (),
        expires_in: float | None = None,
        max_uses: int | None = None,
        send: bool = False,
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"sendEmail": send}
        if emails:
            body["allowedEmails"] = list(emails)
        if expires_in is not None:
            body["expiresInSeconds"] = int(expires_in)
        if max_uses is not None:
            body["maxUses"] = max_uses
        return dict(self._ask("POST", f"/invitation/connection/{connection}", body))

    def track(self, account: str, company: str | None = None) -> None:
        self._ask("PATCH", f"/account/{account}", {"isTracked": True})
        self._nectar.refresh()

    def untrack(self, account: str, company: str | None = None) -> None:
        self._ask("PATCH", f"/account/{account}", {"isTracked": False})
        self._nectar.refresh()

    def invitations_of(self, company: str) -> list[dict[str, Any]]:
        answer = self._ask("GET", f"/invitation/company/{company}")
        return list(answer if isinstance(answer, list) else next(v for v in answer.values() if isinstance(v, list)))
