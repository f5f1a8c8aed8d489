"""Writing connections: create with credentials, change them, remove.

What a login is worth is judged in `credentials`, what arrives behind one is made in `mock`. The password is kept to be
compared, and never answered.
"""

from __future__ import annotations

from typing import Any

from nectar_notebooks.sandbox import announcing as events
from nectar_notebooks.sandbox import mock
from nectar_notebooks.sandbox.calls import Answer, Call
from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.credentials import Verdict, is_mock, judge, provider_name, provider_of
from nectar_notebooks.sandbox.people import CALLER
from nectar_notebooks.sandbox.problems import bad_field
from nectar_notebooks.sandbox.records import connection_record
from nectar_notebooks.sandbox.state import State
from nectar_notebooks.sandbox.text import stored

__all__ = [
    "check_sites",
    "create_connection",
    "delete_connection",
    "make_connection",
    "renew",
    "set_status",
    "store_login",
    "update_connection",
]


def create_connection(call: Call, company_id: str) -> Answer:
    """Create a connection; the answer carries the status of its first check."""
    company = call.find("companies", company_id).seq
    seq = make_connection(call.context, company, company_id, call.body.fields)
    return call.answer("connections", connection_record(call.state, seq, call.record("connections", seq)), 201)


def update_connection(call: Call, connection_id: str) -> Answer:
    """Change credentials, which are checked at once, or sites."""
    row = call.find("connections", connection_id)
    record = renew(call.context, row.seq, call.body.fields or {})
    return call.answer("connections", connection_record(call.state, row.seq, record))


def delete_connection(call: Call, connection_id: str) -> Answer:
    """Remove a connection; the accounts and bills found behind it stay with the company."""
    row = call.find("connections", connection_id)
    call.state.ready(row.company)
    for table in ("accounts", "documents", "usage", "older"):
        call.db.execute(f"UPDATE {table} SET connection = NULL WHERE connection = ?", (row.seq,))
    call.db.execute("DELETE FROM invitations WHERE connection = ?", (row.seq,))
    call.db.execute("DELETE FROM connections WHERE seq = ?", (row.seq,))
    return Answer(status=204)


def renew(context: Context, seq: int, given: dict[str, Any], verdict: Verdict | None = None) -> dict[str, Any]:
    """Store new credentials, checked at once, or other sites of a connection; return its record.

    A `verdict` is what the check has ended in, where it was made already.
    """
    old = context.state.record("connections", seq)
    record = dict(old)
    (company,) = context.db.execute("SELECT company FROM connections WHERE seq = ?", (seq,)).fetchone()
    if "sites" in given:
        check_sites(context, company, given["sites"], record["url"])
        record["initialSites"] = given["sites"]
    if given.keys() & {"username", "password", "securityQuestions"}:
        username = given.get("username", record.get("username", ""))
        if username != record.get("username"):
            _check_free(context, company, record["url"], username)
        record |= {"username": username, "password": given.get("password", record.get("password", ""))}
        checked = verdict or judge(record["url"], username, record["password"], context.switches, record["status"])
        set_status(record, checked, context.now)
    record["updated"] = context.now
    store_login(context.state, seq, record)
    events.connection_changed(context, seq, old)
    if record["status"] == "CONNECTED" and is_mock(record["url"]):
        _arrive(context, seq)
    return record


def make_connection(
    context: Context,
    company: int,
    company_id: str,
    given: dict[str, Any],
    owner: str = CALLER,
    verdict: Verdict | None = None,
) -> int:
    """Store a new connection and return its row; what arrives at once arrives.

    A `verdict` is what its first check has ended in, where it was made already.
    """
    url, username = given["url"], given["username"]
    check_sites(context, company, given["sites"], url)
    _check_free(context, company, url, username)
    verdict = verdict or judge(url, username, given["password"], context.switches)
    if context.state.is_inactive(company):
        verdict = Verdict("COMPANY_INACTIVE", "The company was deactivated.")
    now = context.now
    record = {
        "id": context.state.new_id("connection"),
        "company": company_id,
        "created": now,
        "updated": now,
        "externalId": None,
        "datasource": {"name": provider_name(url), "url": url},
        "url": url,
        "username": username,
        "password": given["password"],
        "country": given["country"].upper(),
        "initialSites": given["sites"],
        "workflowOwnerEmail": owner,
        "dataCollectionStartDate": context.state.record("companies", company).get("dataCollectionStartDate"),
        "isActive": verdict.status != "COMPANY_INACTIVE",
    }
    set_status(record, verdict, now)
    seq = context.state.add_connection(record, company)
    events.connection_created(context, seq)
    if verdict.status == "CONNECTED" and is_mock(url):
        _arrive(context, seq)
    return seq


def _arrive(context: Context, connection: int) -> None:
    """Let the bills behind a login that works arrive, and tell of them."""
    (last,) = context.db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
    mock.arrive(context.state, connection, context.clock.today(), context.now)
    events.bills_after(context, last)


def set_status(record: dict[str, Any], verdict: Verdict, now: str) -> None:
    """Note the result of a check in a connection's record."""
    if verdict.status != record.get("status"):
        record["statusFirstSeenTime"] = now
    record |= {"status": verdict.status, "statusErrorDetail": verdict.detail, "statusLastUpdateTime": now}


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


def store_login(state: State, seq: int, record: dict[str, Any]) -> None:
    """Store a changed connection."""
    state.db.execute(
        "UPDATE connections SET status = ?, owner = ?, record = ? WHERE seq = ?",
        (record["status"], record.get("workflowOwnerEmail"), stored(record), seq),
    )
