"""The reading calls: ping, companies, sites, connections, accounts, meters, bills, usage.

Each function answers one path for a request whose key was accepted. Paths, versions and aliases stand in
`routes`, filters and pages of bills and usage in `pages`.
"""

from __future__ import annotations

from functools import partial

from nectar_notebooks.sandbox import pages as queries
from nectar_notebooks.sandbox.calls import Answer, Call, envelope
from nectar_notebooks.sandbox.fields import fill
from nectar_notebooks.sandbox.lists import stored_page
from nectar_notebooks.sandbox.older import make_older
from nectar_notebooks.sandbox.pages import PAGE_SIZE, Scope
from nectar_notebooks.sandbox.params import filters as filters_of
from nectar_notebooks.sandbox.params import page as page_number
from nectar_notebooks.sandbox.records import account_record, company_record, connection_record
from nectar_notebooks.sandbox.text import dumps

__all__ = [
    "account", "accounts", "bill", "bills", "companies", "company", "connection", "connections", "meter",
    "meters", "ping", "site", "sites", "usage", "usage_record",
]  # fmt: skip


def ping(call: Call) -> Answer:
    """Say that the key is accepted, and the version; the documentation names no further field."""
    if call.view.documented_only:
        return Answer(dumps({"version": call.view.version}))
    return Answer(dumps({"status": "ok", "version": call.view.version}))


def companies(call: Call) -> Answer:
    """List the companies as a bare array, without queries."""
    rows = call.db.execute("SELECT seq, id FROM companies ORDER BY seq").fetchall()
    seen = [seq for seq, id_ in rows if call.key.companies is None or id_ in call.key.companies]
    return Answer(dumps([call.view.record("companies", company_record(call.state, seq)) for seq in seen]))


def company(call: Call, company_id: str) -> Answer:
    """Answer one company with its sites."""
    return call.answer("companies", company_record(call.state, call.find("companies", company_id).seq))


def sites(call: Call, company_id: str) -> Answer:
    """List a company's sites."""
    seq = call.find("companies", company_id).seq
    return stored_page(call, "sites", "company = ?", [seq], lambda _, record: record)


def site(call: Call, site_id: str) -> Answer:
    """Answer one site."""
    return call.answer("sites", call.record("sites", call.find("sites", site_id).seq))


def connections(call: Call, company_id: str) -> Answer:
    """List a company's connections by status, owner and site; the one list with a page size to choose."""
    seq = call.find("companies", company_id).seq
    where = "company = ?"
    values: list[object] = [seq]
    status = call.arguments.get("status")
    if status:
        where, values = f"{where} AND status = ?", [*values, status]
    owner = call.arguments.get("connectionOwnerEmail")
    if owner:
        where, values = f"{where} AND owner = ?", [*values, owner]
    wanted = [site_id for site_id in call.arguments.getlist("sites") if site_id]
    if wanted:
        marks = ", ".join("?" * len(wanted))
        where += (
            " AND (EXISTS (SELECT 1 FROM json_each(record, '$.initialSites') WHERE value IN"
            f" ({marks})) OR seq IN (SELECT a.connection FROM meters m JOIN accounts a ON a.seq = m.account"
            f" JOIN sites s ON s.seq = m.site WHERE s.id IN ({marks})))"
        )
        values = [*values, *wanted, *wanted]
    size = int(call.arguments.get("limit") or PAGE_SIZE)
    return stored_page(call, "connections", where, values, partial(connection_record, call.state), size)


def connection(call: Call, connection_id: str) -> Answer:
    """Answer one connection with its accounts."""
    seq = call.find("connections", connection_id).seq
    return call.answer("connections", connection_record(call.state, seq, call.record("connections", seq)))


def accounts(call: Call, company_id: str) -> Answer:
    """List a company's accounts."""
    seq = call.find("companies", company_id).seq
    return stored_page(call, "accounts", "company = ?", [seq], partial(account_record, call.state))


def account(call: Call, account_id: str) -> Answer:
    """Answer one account."""
    seq = call.find("accounts", account_id).seq
    return call.answer("accounts", account_record(call.state, seq, call.record("accounts", seq)))


def meters(call: Call, scope: str, object_id: str) -> Answer:
    """List the meters of a company or a site."""
    kind = {"company": "companies", "site": "sites"}[scope]
    seq = call.find(kind, object_id).seq
    return stored_page(call, "meters", f"{scope} = ?", [seq], lambda _, record: fill("meters", record))


def meter(call: Call, meter_id: str) -> Answer:
    """Answer one meter."""
    seq = call.find("meters", meter_id).seq
    return call.answer("meters", fill("meters", call.record("meters", seq)))


def bills(call: Call, scope: str, object_id: str) -> Answer:
    """List the bills of a company, a site or a connection."""
    where = _scope(call, scope, object_id)
    commodity = call.switches.document_commodity_filter
    filters = filters_of(call.arguments, commodity=commodity)
    page = queries.documents(
        call.db, where, filters, page_number(call.arguments), call.switches, call.view.has_power_quality
    )
    return envelope("documents", page, call.view.texts("documents", page.rows))


def bill(call: Call, document_id: str) -> Answer:
    """Answer one bill with its usage."""
    seq = call.find("documents", document_id).seq
    [text] = call.view.texts(
        "documents", [queries.document_text(call.db, seq, call.switches, call.view.has_power_quality)]
    )
    return Answer(text)


def usage(call: Call, scope: str, object_id: str) -> Answer:
    """List the usage of a company, a site, a connection or a bill."""
    where = _scope(call, scope, object_id)
    whole = scope == "document" and call.view.version == "v2.0"
    filters = filters_of(call.arguments, default="USAGE_PERIOD" if whole else "BILL_DATE")
    kinds = call.view.kinds
    if kinds is None:
        page = queries.usage(call.db, where, filters, page_number(call.arguments), call.switches)
    else:
        page = queries.older_usage(
            call.db, where, filters, page_number(call.arguments), call.switches, kinds, call.view.has_power_quality
        )
    return envelope("usageData", page, call.view.texts("usage", page.rows))


def usage_record(call: Call, usage_data_id: str) -> Answer:
    """Answer one usage record with its bill."""
    row = call.find("usage", usage_data_id)
    if row.older is None:
        text = queries.usage_text(call.db, row.seq, call.switches)
    else:
        text = queries.older_text(call.db, row.older, call.switches, call.view.has_power_quality)
    [text] = call.view.texts("usage", [text])
    return Answer(text)


def _scope(call: Call, scope: str, object_id: str) -> Scope:
    """Return whose rows are listed, with the company's bills made."""
    kind = {"company": "companies", "site": "sites", "connection": "connections", "document": "documents"}[scope]
    row = call.find(kind, object_id)
    call.state.ready(row.company)
    if call.view.kinds is not None:
        make_older(call.db, row.company)
    return Scope(scope, row.seq)
