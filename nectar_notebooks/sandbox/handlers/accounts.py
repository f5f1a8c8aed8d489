"""Accounts: listed, answered, tracked or not, one or several at once."""

from __future__ import annotations

from functools import partial
from typing import Any

from nectar_notebooks.sandbox.handlers.lists import stored_page
from nectar_notebooks.sandbox.handlers.request import Answer, Call
from nectar_notebooks.sandbox.model import bad_field, dumps, stored
from nectar_notebooks.sandbox.presentation.records import account_record
from nectar_notebooks.sandbox.store.bills import rewrite_usage

__all__ = ["account", "accounts", "track_account", "track_accounts"]


def accounts(call: Call, company_id: str) -> Answer:
    """List a company's accounts."""
    seq = call.find("companies", company_id).seq
    return stored_page(call, "accounts", "company = ?", [seq], partial(account_record, call.state))


def account(call: Call, account_id: str) -> Answer:
    """Answer one account."""
    seq = call.find("accounts", account_id).seq
    return call.answer("accounts", account_record(call.state, seq, call.record("accounts", seq)))


def track_account(call: Call, account_id: str) -> Answer:
    """Track an account, or stop it."""
    row = call.find("accounts", account_id)
    return call.answer("accounts", _track(call, row.seq, row.company, call.body.fields))


def track_accounts(call: Call, company_id: str) -> Answer:
    """Track several accounts of a company, or stop them; an unknown one refuses them all."""
    company = call.find("companies", company_id).seq
    wanted = list(dict.fromkeys(call.body.fields["accountIds"]))
    rows = dict(call.db.execute("SELECT id, seq FROM accounts WHERE company = ?", (company,)).fetchall())
    foreign = [account_id for account_id in wanted if account_id not in rows]
    if foreign:
        raise bad_field("accountIds", f"{foreign[0][:80]!r} is no account of this company.")
    records = [_track(call, rows[account_id], company, call.body.fields) for account_id in wanted]
    return Answer(dumps([call.view.record("accounts", record) for record in records]))


def _track(call: Call, seq: int, company: int, given: dict[str, Any]) -> dict[str, Any]:
    tracked: bool = given["isTracked"]
    record = call.record("accounts", seq)
    record["trackingStatus"] = "ENABLED" if tracked else "DISABLED"
    record["isCollectingInvoiceData"] = tracked
    if not tracked:
        record["status"] = "CUSTOMER_NOT_TRACKED"
    elif record.get("status") in {"CUSTOMER_NOT_TRACKED", "DETECTED"}:
        record["status"] = "ONBOARDED"
    call.db.execute("UPDATE accounts SET record = ? WHERE seq = ?", (stored(record), seq))
    if given.get("updateMeters", True):
        call.state.ready(company)
        call.db.execute(
            "UPDATE meters SET record = json_set(record, '$.isTracked', json(?)) WHERE account = ?",
            (stored(tracked), seq),
        )
        meters = "meter IN (SELECT m.seq FROM meters m WHERE m.account = ?)"
        rewrite_usage(call.state, meters, [seq], {"meterIsTracked": tracked})
    return account_record(call.state, seq, record)
