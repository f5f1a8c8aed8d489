"""Stored records as the API answers them: companies with their sites, connections with accounts.

Bills and usage are put together by SQLite (see `pages`); everything smaller is put together here.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from nectar_notebooks.sandbox.fields import fill

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.calls import Call

__all__ = [
    "account_record",
    "company_record",
    "connection_record",
    "link_secret",
    "meter_record",
    "site_record",
]


def company_record(call: Call, seq: int) -> dict[str, Any]:
    """Return a company with its sites."""
    sites = call.db.execute("SELECT record FROM sites WHERE company = ? ORDER BY seq", (seq,))
    record = fill("companies", call.record("companies", seq))
    return record | {"sites": [json.loads(text) for (text,) in sites]}


def site_record(call: Call, seq: int, stored: dict[str, Any]) -> dict[str, Any]:
    """Return a site; it is stored as it is answered."""
    return stored


def connection_record(call: Call, seq: int, stored: dict[str, Any]) -> dict[str, Any]:
    """Return a connection with its company and its accounts."""
    (text,) = call.db.execute("SELECT record FROM companies WHERE id = ?", (stored["company"],)).fetchone()
    company = json.loads(text)
    accounts = call.db.execute("SELECT seq, record FROM accounts WHERE connection = ? ORDER BY seq", (seq,)).fetchall()
    return fill("connections", stored) | {
        "company": {name: company.get(name) for name in ("id", "name", "externalId")},
        "accounts": [account_record(call, account, json.loads(text)) for account, text in accounts],
        "publicCompanyId": link_secret("company", stored["company"]),
        "connectionMagicLinkSecret": link_secret("connection", stored["id"]),
    }


def account_record(call: Call, seq: int, stored: dict[str, Any]) -> dict[str, Any]:
    """Return an account with its meters' ids and the old alias of its tracking status."""
    meters = call.db.execute("SELECT id FROM meters WHERE account = ? ORDER BY seq", (seq,))
    record = fill("accounts", stored)
    return record | {
        "meters": [meter for (meter,) in meters],
        "isTracked": record["trackingStatus"] != "DISABLED",
    }


def meter_record(call: Call, seq: int, stored: dict[str, Any]) -> dict[str, Any]:
    """Return a meter."""
    return fill("meters", stored)


def link_secret(kind: str, object_id: str) -> str:
    """Return the secret part of a deprecated magic link, the same for the same object."""
    return hashlib.sha256(f"nectar embedded sandbox link {kind} {object_id}".encode()).hexdigest()[:32]
