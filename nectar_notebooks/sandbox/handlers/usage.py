"""Usage records: listed, answered with their bill, corrected (never demand)."""

from __future__ import annotations

from datetime import date

from nectar_notebooks.sandbox.handlers.lists import envelope, filters_of, page_number, scope_of
from nectar_notebooks.sandbox.handlers.request import Answer, Call, given_fields
from nectar_notebooks.sandbox.model import bad_field
from nectar_notebooks.sandbox.presentation import events
from nectar_notebooks.sandbox.store import bills, queries
from nectar_notebooks.sandbox.store.legacy_usage import DEMAND

__all__ = ["update_usage", "usage", "usage_record"]


def usage(call: Call, scope: str, object_id: str) -> Answer:
    """List the usage of a company, a site, a connection or a bill."""
    where = scope_of(call, scope, object_id)
    whole = scope == "document" and call.view.version == "v2.0"
    filters = filters_of(call.arguments, default="USAGE_PERIOD" if whole else "BILL_DATE")
    kinds = call.view.kinds
    if kinds is None:
        page = queries.usage(call.db, where, filters, page_number(call.arguments), call.switches)
    else:
        page = queries.legacy_usage(
            call.db, where, filters, page_number(call.arguments), call.switches, kinds, call.view.has_power_quality
        )
    return envelope("usageData", page, call.view.texts("usage", page.rows))


def usage_record(call: Call, usage_data_id: str) -> Answer:
    """Answer one usage record with its bill."""
    row = call.find("usage", usage_data_id)
    if row.legacy is None:
        text = queries.usage_text(call.db, row.seq, call.switches)
    else:
        text = queries.legacy_text(call.db, row.legacy, call.switches, call.view.has_power_quality)
    [text] = call.view.texts("usage", [text])
    return Answer(text)


def update_usage(call: Call, usage_data_id: str) -> Answer:
    """Change a usage record; its bill counts as updated by the switch `children_move_updated`."""
    row = call.find("usage", usage_data_id)
    if row.kind == DEMAND:
        raise bad_field("id", "a demand reading cannot be changed.")
    change = given_fields(call, "UsageUpdate")
    old = bills.read_usage(call.state, row.seq)
    record = old | change
    start, end = record["startDate"], record["endDate"] or record["startDate"]
    if date.fromisoformat(end) < date.fromisoformat(start):
        raise bad_field("endDate", f"{end} is before the first day, {start}.")
    bills.rewrite_usage(call.state, "u.seq = ?", [row.seq], {**change, "updated": call.now})
    (bill,) = call.db.execute("SELECT document FROM usage WHERE seq = ?", (row.seq,)).fetchone()
    if call.switches.children_move_updated == "yes":
        bills.rewrite_bill(call.state, bill, {"updated": call.now})
    changed = {"id": old["id"], **{name: old[name] for name in change if change[name] != old[name]}}
    events.bill_updated(call.context, bill, {"usageData": [changed]})
    return usage_record(call, usage_data_id)
