"""Correcting a usage record: dates, unit, flags, tariff; never demand."""

from __future__ import annotations

from datetime import date
from typing import Final

from nectar_notebooks.sandbox import announcing as events
from nectar_notebooks.sandbox import bills
from nectar_notebooks.sandbox.calls import Answer, Call
from nectar_notebooks.sandbox.older import DEMAND
from nectar_notebooks.sandbox.problems import bad_field
from nectar_notebooks.sandbox.reads import usage_record

__all__ = ["update_usage"]

_FIELDS: Final = ("startDate", "endDate", "usageUnits", "exclusion", "isEstimated", "isImplied", "tariff")


def update_usage(call: Call, usage_data_id: str) -> Answer:
    """Change a usage record; its bill counts as updated by the switch `children_move_updated`."""
    row = call.find("usage", usage_data_id)
    if row.kind == DEMAND:
        raise bad_field("id", "a demand reading cannot be changed.")
    change = {name: value for name, value in (call.body.fields or {}).items() if name in _FIELDS}
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
