"""Stored records as the API answers them: companies with their sites, connections with accounts.

Bills and usage are put together by SQLite (see `store.queries`); everything smaller is put together here.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from nectar_notebooks.sandbox.contract.fields import fill

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.store.state import State

__all__ = ["account_record", "company_record", "connection_record", "link_secret"]


def company_record(state: State, seq: int) -> dict[str, Any]:
    """Return a company with its sites."""
    sites = state.db.execute("SELECT record FROM sites WHERE company = ? ORDER BY seq", (seq,))
    record = fill("companies", state.record("companies", seq))
    return record | {"sites": [json.loads(text) for (text,) in sites]}


def connection_record(state: State, seq: int, stored: dict[str, Any]) -> dict[str, Any]:
    """Return a connection with its company and its accounts."""
    (text,) = state.db.execute("SELECT record FROM companies WHERE id = ?", (stored["company"],)).fetchone()
    company = json.loads(text)
    accounts = state.db.execute("SELECT seq, record FROM accounts WHERE connection = ? ORDER BY seq", (seq,)).fetchall()
    return fill("connections", stored) | {
        "company": {name: company.get(name) for name in ("id", "name", "externalId")},
        "accounts": [account_record(state, account, json.loads(text)) for account, text in accounts],
        "publicCompanyId": link_secret("company", stored["company"]),
        "connectionMagicLinkSecret": link_secret("connection", stored["id"]),
    }


def account_record(state: State, seq: int, stored: dict[str, Any]) -> dict[str, Any]:
    """Return an account with its meters' ids and the old alias of its tracking status."""
    meters = state.db.execute("SELECT id FROM meters WHERE account = ? ORDER BY seq", (seq,))
    record = fill("accounts", stored)
    return record | {
        "meters": [meter for (meter,) in meters],
        "isTracked": record["trackingStatus"] != "DISABLED",
    }


def link_secret(kind: str, object_id: str) -> str:
    """Return the secret part of a deprecated magic link, the same for the same object."""
    return hashlib.sha256(f"nectar embedded sandbox link {kind} {object_id}".encode()).hexdigest()[:32]
