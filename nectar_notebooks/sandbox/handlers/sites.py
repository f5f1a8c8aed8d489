"""Sites: listed, answered, created, changed."""

from __future__ import annotations

from nectar_notebooks.sandbox.contract.fields import fill
from nectar_notebooks.sandbox.handlers.lists import stored_page
from nectar_notebooks.sandbox.handlers.request import Answer, Call, given_fields
from nectar_notebooks.sandbox.model import not_found, stored

__all__ = ["create_site", "site", "sites", "update_site"]


def sites(call: Call, company_id: str) -> Answer:
    """List a company's sites."""
    seq = call.find("companies", company_id).seq
    return stored_page(call, "sites", "company = ?", [seq], lambda _, record: record)


def site(call: Call, site_id: str) -> Answer:
    """Answer one site."""
    return call.answer("sites", call.record("sites", call.find("sites", site_id).seq))


def create_site(call: Call, company_id: str) -> Answer:
    """Create a site; an unknown company is a 404, the one that is documented."""
    if not call.state.knows("companies", company_id):
        raise not_found("company")
    company = call.find("companies", company_id).seq
    record = {"id": call.state.new_id("site"), **given_fields(call, "SiteInput")}
    call.state.add_site(record, company)
    return call.answer("sites", fill("sites", record), 201)


def update_site(call: Call, site_id: str) -> Answer:
    """Change a site; it cannot be archived by it."""
    seq = call.find("sites", site_id).seq
    record = call.record("sites", seq) | given_fields(call, "SiteInput")
    call.db.execute("UPDATE sites SET record = ? WHERE seq = ?", (stored(record), seq))
    return call.answer("sites", record)
