"""Writing companies and sites: create, change, delete; and the team that owns the key.

The contract has checked the form of each body; here is what only the state can tell. Whatever is refused is refused
before anything is written.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from nectar_notebooks.sandbox.calls import Answer, Call
from nectar_notebooks.sandbox.fields import fill
from nectar_notebooks.sandbox.hooks_page import portal_path
from nectar_notebooks.sandbox.originals import FILES
from nectar_notebooks.sandbox.people import CALLER, check_known, with_caller
from nectar_notebooks.sandbox.problems import not_found
from nectar_notebooks.sandbox.records import company_record
from nectar_notebooks.sandbox.text import dumps, stored

__all__ = [
    "create_company",
    "create_site",
    "delete_company",
    "team",
    "update_company",
    "update_site",
    "update_team",
    "webhook_portal",
]

_COMPANY: Final = (
    "name", "externalId", "users", "dataCollectionStartDate", "isDemandEnabled", "isImpliedMeteringEnabled",
    "impliedMeteringFraction", "isBasicIdentifierMappingEnabled", "isLowAccuracyModeEnabled",
)  # fmt: skip
_SITE: Final = ("name", "externalId", "address", "path", "occupancyPercent")


def create_company(call: Call) -> Answer:
    """Create a company; the caller is among its users."""
    given = _given(call, _COMPANY)
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
    record = call.record("companies", seq) | _given(call, _COMPANY)
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


def create_site(call: Call, company_id: str) -> Answer:
    """Create a site; an unknown company is a 404, the one that is documented."""
    if not call.state.knows("companies", company_id):
        raise not_found("company")
    company = call.find("companies", company_id).seq
    record = {"id": call.state.new_id("site"), **_given(call, _SITE)}
    call.state.add_site(record, company)
    return call.answer("sites", fill("sites", record), 201)


def update_site(call: Call, site_id: str) -> Answer:
    """Change a site; it cannot be archived by it."""
    seq = call.find("sites", site_id).seq
    record = call.record("sites", seq) | _given(call, _SITE)
    call.db.execute("UPDATE sites SET record = ? WHERE seq = ?", (stored(record), seq))
    return call.answer("sites", record)


def team(call: Call) -> Answer:
    """Answer the organization that owns the key."""
    return Answer(dumps(_team(call)))


def update_team(call: Call) -> Answer:
    """Replace the members of the organization; the caller stays."""
    record = _team(call)
    users = (call.body.fields or {}).get("users")
    if users is not None:
        check_known(call, users)
        record["users"] = with_caller(users)
        call.state.note("team", record)
    return Answer(dumps(record))


def webhook_portal(call: Call) -> Answer:
    """Answer the address of the portal where webhooks are registered, good for seven days."""
    return Answer(dumps({"url": f"{FILES}{portal_path(call.context)}"}))


def _team(call: Call) -> dict[str, Any]:
    record: dict[str, Any] | None = call.state.meta("team")
    return record or {
        "id": call.state.derived_id("team"),
        "name": "Embedded sandbox",
        "email": CALLER,
        "users": [CALLER],
        "billing": {},
    }


def _given(call: Call, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of the body that can be set; decimals as the texts that answers carry."""
    given = {name: value for name, value in (call.body.fields or {}).items() if name in names}
    for name in ("impliedMeteringFraction", "occupancyPercent"):
        if given.get(name) is not None:
            given[name] = f"{Decimal(str(given[name])):f}"  # a small number's own text would have an exponent
    return given
