"""Logins: made, renewed with other credentials, checked against what the company has already.

What a login is worth is judged in `credentials`, which status follows in `transitions`. The password is kept to be
compared, and never answered.
"""

from __future__ import annotations

import json
from typing import Any

from nectar_notebooks.sandbox.connections import transitions
from nectar_notebooks.sandbox.connections.credentials import is_mock, judge, provider_name, provider_of
from nectar_notebooks.sandbox.connections.transitions import Trigger
from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.model import CALLER, bad_field
from nectar_notebooks.sandbox.presentation import events
from nectar_notebooks.sandbox.sources import mock_utility

__all__ = ["check_sites", "collect", "make_connection", "renew"]


def renew(context: Context, seq: int, given: dict[str, Any], trigger: Trigger | None = None) -> dict[str, Any]:
    """Store new credentials, judged at once, or other sites of a connection; return its record.

    A `trigger` is what a check has ended in that was made already.
    """
    record = context.state.record("connections", seq)
    (company,) = context.db.execute("SELECT company FROM connections WHERE seq = ?", (seq,)).fetchone()
    change: dict[str, Any] = {}
    if "sites" in given:
        check_sites(context, company, given["sites"], record["url"])
        change["initialSites"] = given["sites"]
    if given.keys() & {"username", "password", "securityQuestions"}:
        username = str(given.get("username", record.get("username", "")))
        password = str(given.get("password", record.get("password", "")))
        if username != record.get("username"):
            _check_free(context, company, record["url"], username)
        change |= {"username": username, "password": password}
        trigger = trigger or judge(record["url"], username, password)
    record = transitions.apply(context, seq, trigger, change)
    if record["status"] == "CONNECTED" and is_mock(record["url"]):
        collect(context, seq)
    return record


def make_connection(
    context: Context,
    company: int,
    company_id: str,
    given: dict[str, Any],
    owner: str = CALLER,
    trigger: Trigger | None = None,
) -> int:
    """Store a new connection and return its row; what arrives at once arrives.

    A `trigger` is what its first check has ended in, where it was made already.
    """
    url, username = given["url"], given["username"]
    check_sites(context, company, given["sites"], url)
    _check_free(context, company, url, username)
    trigger = trigger or judge(url, username, given["password"])
    if context.state.is_inactive(company):
        trigger = Trigger.DEACTIVATED
    record = {
        "id": context.state.new_id("connection"),
        "company": company_id,
        "externalId": None,
        "datasource": {"name": provider_name(url), "url": url},
        "url": url,
        "username": username,
        "password": given["password"],
        "country": given["country"].upper(),
        "initialSites": given["sites"],
        "workflowOwnerEmail": owner,
        "dataCollectionStartDate": context.state.record("companies", company).get("dataCollectionStartDate"),
    }
    seq = transitions.add(context, company, record, trigger)
    if is_mock(url) and trigger is Trigger.ACCEPTED:
        collect(context, seq)
    return seq


def collect(context: Context, connection: int) -> None:
    """Store and announce what is due behind a login of the mock utility: accounts, meters, bills."""
    state, today = context.state, context.clock.today()
    text, company = state.db.execute("SELECT record, company FROM connections WHERE seq = ?", (connection,)).fetchone()
    login = json.loads(text)
    accounts = mock_utility.accounts(login)
    if not state.knows("accounts", accounts[0]["id"]):
        sites, rows = state.seqs("sites"), {}
        for account in accounts:
            rows[account["id"]] = state.add_account(account, company, connection)
        for meter in mock_utility.meters(login):
            state.add_meter(meter, company, sites.get(meter["site"]), rows[meter["account"]])
    due = mock_utility.bills(login, today, context.now)
    bills = [bill for bill in due if not state.knows("documents", bill.documents[0]["id"])]
    if bills:
        state.ready(company)
        (last,) = state.db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
        state.add_bills(bills)
        served = max(row["endDate"] for bill in bills for row in bill.usage)
        state.db.execute(
            "UPDATE accounts SET record = json_set(record, '$.lastServiceDate', ?) WHERE connection = ?",
            (served, connection),
        )
        events.bills_after(context, last)


def check_sites(
    context: Context, company: int, sites: list[str], url: str | None = None, *, field: str = "sites"
) -> None:
    """Refuse sites that are not the company's, naming the field they came in; the mock utility wants one to three."""
    own = {site for (site,) in context.db.execute("SELECT id FROM sites WHERE company = ?", (company,))}
    foreign = [site for site in sites if site not in own]
    if foreign:
        raise bad_field(field, f"{foreign[0][:80]!r} is no site of this company.")
    if url is not None and is_mock(url) and not 1 <= len(set(sites)) <= 3:
        raise bad_field(field, "the sandbox credentials take one to three sites.")


def _check_free(context: Context, company: int, url: str, username: str) -> None:
    """Refuse a login that the company has already."""
    taken = context.db.execute(
        "SELECT json_extract(record, '$.url') FROM connections"
        " WHERE company = ? AND json_extract(record, '$.username') = ?",
        (company, username),
    )
    if any(provider_of(other or "") == provider_of(url) for (other,) in taken):
        raise bad_field("username", "this company has a connection to this provider with this user name.")
