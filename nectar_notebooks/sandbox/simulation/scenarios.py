"""What can go wrong, by name: failing logins, a deactivated company, revised or deleted bills, moved meters, accounts.

A scenario changes the state as Nectar would, and tells the events. It names its object by id, or takes the first one
that fits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.connections import transitions
from nectar_notebooks.sandbox.connections.transitions import Trigger
from nectar_notebooks.sandbox.model import World, moment, stored
from nectar_notebooks.sandbox.presentation import events
from nectar_notebooks.sandbox.store import bills

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.context import Context

__all__ = ["SCENARIOS", "play"]

_LATEST: Final = 3660
_TRIGGERS: Final = {
    "bad_login": Trigger.REFUSED,
    "mfa_required": Trigger.CODE_EXPIRED,
    "website_down": Trigger.SITE_DOWN,
    "no_accounts": Trigger.NO_ACCOUNTS,
    "password_reset": Trigger.PASSWORD_RESET,
    "under_investigation": Trigger.INVESTIGATED,
    "recovered": Trigger.RECOVERED,
}


def play(context: Context, name: str, **of: Any) -> str:
    """Let a scenario happen and return the id of what it happened to.

    Parameters
    ----------
    context : Context
        Where.
    name : str
        One of ``SCENARIOS``.
    **of
        ``connection``, ``company``, ``bill``, ``meter``, ``site``, ``account``: ids; ``days``: how long until it
        happens, for ``bad_login_after``; ``state``: what ``account_state`` sets, such as ``"DUPLICATE"``, documented or
        not; by default ``"OLD_ACCOUNT"``.

    Raises
    ------
    ConfigurationError
        An unknown scenario or argument, or nothing in the sandbox fits; nothing happens then.
    """
    if name not in SCENARIOS:
        raise ConfigurationError(
            f"The embedded sandbox has no scenario {name!r}.", advice=f"It has: {', '.join(SCENARIOS)}."
        )
    takes, run = SCENARIOS[name]
    if "bill" in takes and "document" in of and "bill" not in of:
        of["bill"] = of.pop("document")  # its first name, as the wire calls a bill
    if strange := sorted(of.keys() - set(takes)):
        raise ConfigurationError(
            f"The scenario {name!r} takes no {strange[0]!r}.", advice=f"It takes: {', '.join(takes)}."
        )
    for what, given in of.items():
        if what == "days":
            if not 0 <= given <= _LATEST:
                raise ConfigurationError(f"The scenario {name!r} comes after 0 to {_LATEST} days, not {given}.")
        elif given is not None and not isinstance(given, str):
            raise ConfigurationError(f"The scenario {name!r} takes {what} as a text.")
    with context.state.writing():
        context.state.ready()
        return run(context, name, of)


def _fail(context: Context, name: str, of: dict[str, Any]) -> str:
    id_, seq = _login(context, name, of, _TRIGGERS[name])
    transitions.apply(context, seq, _TRIGGERS[name])
    return id_


def _fail_later(context: Context, name: str, of: dict[str, Any]) -> str:
    id_, seq = _login(context, name, of, Trigger.REFUSED)
    transitions.plan(context, seq, moment(context.clock.now() + timedelta(days=of.get("days", 7))))
    return id_


def _deactivate(context: Context, name: str, of: dict[str, Any]) -> str:
    has_login = "EXISTS (SELECT 1 FROM connections x WHERE x.company = companies.seq AND x.status = 'CONNECTED')"
    id_, company = _find(context, "companies", of.get("company"), has_login)
    for (seq,) in context.state.db.execute("SELECT seq FROM connections WHERE company = ?", (company,)).fetchall():
        transitions.apply(context, seq, Trigger.DEACTIVATED)
    context.state.deactivate(company)
    return id_


def _login(context: Context, name: str, of: dict[str, Any], trigger: Trigger) -> tuple[str, int]:
    """Return id and row of the connection that a scenario is for, or refuse one on which it has no effect."""
    failed = "status NOT IN ('CONNECTED', 'PENDING', 'COMPANY_INACTIVE')"
    usual = failed if name == "recovered" else "status = 'CONNECTED'"
    id_, seq = _find(context, "connections", of.get("connection"), usual)
    status = context.state.record("connections", seq)["status"]
    if transitions.follows(status, trigger) is None:
        raise ConfigurationError(
            f"The scenario {name!r} cannot happen to the connection {id_}: it is {status}.",
            advice="Nectar does not check logins of a company that was deactivated: choose another connection.",
        )
    return id_, seq


def _revise(context: Context, name: str, of: dict[str, Any]) -> str:
    state, now = context.state, moment(context.clock.now())
    whole = "deleted = 0 AND connection IS NOT NULL AND EXISTS (SELECT 1 FROM usage x WHERE x.document = documents.seq)"
    id_, seq = _find(context, "documents", of.get("bill"), whole)
    old = bills.read_bill(state, seq)
    new = state.new_id("document")
    owner = state.db.execute(
        "SELECT c.id FROM documents d JOIN connections c ON c.seq = d.connection WHERE d.seq = ?", (seq,)
    ).fetchone()
    made = {"created": now, "updated": now, "connection": owner[0] if owner else None}
    usage, renamed = [], {}
    rows = state.db.execute(
        "SELECT u.seq, s.id FROM usage u LEFT JOIN sites s ON s.seq = u.site WHERE u.document = ? ORDER BY u.seq",
        (seq,),
    ).fetchall()
    for row, site in rows:
        record = bills.read_usage(state, row)
        renamed[record["id"]] = state.new_id("usage")
        usage.append(record | made | {"id": renamed[record["id"]], "document": new, "site": site})
    demand = [
        reading | {"usageDataIds": [renamed[id_] for id_ in reading["usageDataIds"] if id_ in renamed]}
        for reading in old["demandMeters"]
    ]
    revised = old | made | {"id": new, "demandMeters": demand, "notes": "Revised.", "revisedDocumentId": None}
    state.add_bills([World(documents=[revised], usage=usage)])
    bills.rewrite_bill(state, seq, {"revisedDocumentId": new, "updated": now})
    (row,) = state.db.execute("SELECT seq FROM documents WHERE id = ?", (new,)).fetchone()
    events.bill_created(context, row)
    events.bill_updated(context, seq, {"revisedDocumentId": old["revisedDocumentId"]})
    return id_


def _delete(context: Context, name: str, of: dict[str, Any]) -> str:
    id_, seq = _find(context, "documents", of.get("bill"), "deleted = 0")
    events.bill_deleted(context, seq)
    if context.switches.deletion_moves_updated == "yes":
        bills.rewrite_bill(context.state, seq, {"updated": moment(context.clock.now())})
    bills.delete_bill(context.state, seq)
    return id_


def _move(context: Context, name: str, of: dict[str, Any]) -> str:
    state, now = context.state, moment(context.clock.now())
    sites = "(SELECT count(*) FROM sites s WHERE s.company = meters.company)"
    id_, seq = _find(context, "meters", of.get("meter"), f"{sites} > 1 AND site IS NOT NULL")
    company, stands = state.db.execute("SELECT company, site FROM meters WHERE seq = ?", (seq,)).fetchone()
    other = f"company = {company} AND seq IS NOT {stands if stands is not None else 'NULL'}"
    site_id, site = _find(context, "sites", of.get("site"), other)
    state.db.execute(
        "UPDATE meters SET site = ?, record = ? WHERE seq = ?",
        (site, stored(state.record("meters", seq) | {"site": site_id}), seq),
    )
    state.db.execute("UPDATE usage SET site = ? WHERE meter = ?", (site, seq))
    moves = context.switches.meter_move_moves_updated == "yes"
    found = state.db.execute("SELECT DISTINCT document FROM usage WHERE meter = ?", (seq,)).fetchall()
    if moves:
        bills.rewrite_usage(state, "u.meter = ?", [seq], {"updated": now})
    for (bill,) in found:
        if moves:
            bills.rewrite_bill(state, bill, {"updated": now})
        state.changed_bills(bill)
    return id_


def _enter_state(context: Context, name: str, of: dict[str, Any]) -> str:
    state = context.state
    id_, seq = _find(context, "accounts", of.get("account"), "connection IS NOT NULL")
    record = state.record("accounts", seq) | {"status": of.get("state") or "OLD_ACCOUNT"}
    state.db.execute("UPDATE accounts SET record = ? WHERE seq = ?", (stored(record), seq))
    return id_


def _find(context: Context, kind: str, id_: str | None, fits: str) -> tuple[str, int]:
    """Return id and row of the named object, or of the first that fits."""
    db, noun = context.state.db, kind.removesuffix("s").replace("companie", "company").replace("document", "bill")
    if id_ is not None:
        found = db.execute(f"SELECT id, seq FROM {kind} WHERE id = ?", (id_,)).fetchone()
        if found is None:
            raise ConfigurationError(f"The embedded sandbox has no {noun} {id_!r}.")
    else:
        found = db.execute(f"SELECT id, seq FROM {kind} WHERE {fits} ORDER BY seq LIMIT 1").fetchone()
        if found is None:
            raise ConfigurationError(f"The embedded sandbox has no {noun} that this scenario fits.")
    return found[0], found[1]


_Run = Callable[["Context", str, dict[str, Any]], str]
#: Scenarios by name: what they take, and what runs.
SCENARIOS: Final[dict[str, tuple[tuple[str, ...], _Run]]] = {
    **dict.fromkeys(_TRIGGERS, (("connection",), _fail)),
    "bad_login_after": (("connection", "days"), _fail_later),
    "company_inactive": (("company",), _deactivate),
    "bill_revised": (("bill",), _revise),
    "bill_deleted": (("bill",), _delete),
    "meter_moved": (("meter", "site"), _move),
    "account_state": (("account", "state"), _enter_state),
}
