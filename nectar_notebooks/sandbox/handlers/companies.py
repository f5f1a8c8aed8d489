"""Companies: listed, answered, created, changed, deleted. Whatever is refused is refused before anything is written."""

from __future__ import annotations

from nectar_notebooks.sandbox.handlers.organization import check_known, with_caller
from nectar_notebooks.sandbox.handlers.request import Answer, Call, given_fields
from nectar_notebooks.sandbox.model import dumps, stored
from nectar_notebooks.sandbox.presentation.records import company_record

__all__ = ["companies", "company", "create_company", "delete_company", "update_company"]


def companies(call: Call) -> Answer:
    """List the companies as a bare array, without pages."""
    rows = call.db.execute("SELECT seq, id FROM companies ORDER BY seq").fetchall()
    seen = [seq for seq, id_ in rows if call.key.companies is None or id_ in call.key.companies]
    return Answer(dumps([call.view.record("companies", company_record(call.state, seq)) for seq in seen]))


def company(call: Call, company_id: str) -> Answer:
    """Answer one company with its sites."""
    return call.answer("companies", company_record(call.state, call.find("companies", company_id).seq))


def create_company(call: Call) -> Answer:
    """Create a company; the caller is among its users."""
    given = given_fields(call, "CompanyInput")
    record = {
        "id": call.state.new_id("company"),
        "dataCollectionStartDate": f"{call.context.clock.today().year - 1}-01-01",
        "users": [],
        **given,
    }
    check_known(call, record["users"])
    record["users"] = with_caller(record["users"])
    return call.answer("companies", company_record(call.state, call.state.add_company(record)), 201)


def update_company(call: Call, company_id: str) -> Answer:
    """Change a company; `users` replaces the list, the caller stays in it."""
    seq = call.find("companies", company_id).seq
    record = call.record("companies", seq) | given_fields(call, "CompanyInput")
    if "users" in call.body.fields:
        check_known(call, record["users"])
        record["users"] = with_caller(record["users"])
    call.db.execute("UPDATE companies SET record = ? WHERE seq = ?", (stored(record), seq))
    return call.answer("companies", company_record(call.state, seq))


def delete_company(call: Call, company_id: str) -> Answer:
    """Delete a company and all that is its own."""
    call.find("companies", company_id)
    call.state.remove_company(company_id)
    return Answer(status=204)
