"""Interval data of smart meters (beta): an hour a row, for the two weeks before the sandbox's day.

Nothing is stored: a row follows from its meter and its hour, so a page is made where it is asked for.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from nectar_notebooks.sandbox.handlers.lists import envelope, page_number
from nectar_notebooks.sandbox.handlers.request import Answer, Call
from nectar_notebooks.sandbox.model import dumps, moment, normalized
from nectar_notebooks.sandbox.store.queries import PAGE_SIZE, Page, page_of

__all__ = ["intervals"]

_HOURS: Final = 14 * 24
_HOUR: Final = timedelta(hours=1)


def intervals(call: Call, connection_id: str) -> Answer:
    """List the interval data behind a connection, meter by meter within each hour."""
    row = call.find("connections", connection_id)
    meters = _meters(call, row.seq)
    first = datetime.combine(call.context.clock.today(), datetime.min.time(), UTC) - _HOURS * _HOUR
    low = None if call.view.documented_only else call.arguments.get("startDate")  # the list shows an end date only
    hours = [
        hour
        for hour in (first + place * _HOUR for place in range(_HOURS))
        if _within(hour, low, call.arguments.get("endDate"))
    ]
    total = len(meters) * len(hours)
    number, pages = page_of(total, page_number(call.arguments))
    places = range((number - 1) * PAGE_SIZE, min(number * PAGE_SIZE, total))
    rows = [
        dumps(call.view.record("intervals", _interval(meters[place % len(meters)], hours[place // len(meters)])))
        for place in places
    ]
    return envelope("intervals", Page(rows, total, number, pages), rows)


def _meters(call: Call, connection: int) -> list[dict[str, Any]]:
    """Return the meters whose accounts collect smart-meter data, as the filters leave them."""
    found = call.db.execute(
        "SELECT m.record FROM meters m JOIN accounts a ON a.seq = m.account WHERE a.connection = ?"
        " AND json_extract(a.record, '$.isCollectingSmartMeterData') ORDER BY m.seq",
        (connection,),
    )
    meters: list[dict[str, Any]] = [json.loads(text) for (text,) in found]
    commodities = [value for value in call.arguments.getlist("datasourceType") if value]
    identifier = call.arguments.get("identifier")
    return [
        meter
        for meter in meters
        if (not commodities or meter["datasourceType"] in commodities)
        and (not identifier or normalized(identifier) in [normalized(i["value"]) for i in meter["identifiers"]])
    ]


def _interval(meter: dict[str, Any], start: datetime) -> dict[str, Any]:
    digest = hashlib.sha256(f"interval {meter['id']} {start.isoformat()}".encode()).digest()
    made = moment(start + timedelta(days=1))
    by_day = 1 + min(start.hour, 23 - start.hour)
    return {
        "id": str(UUID(bytes=digest[:16], version=4)),
        "created": made,
        "updated": made,
        "account": meter["account"],
        "identifiers": meter["identifiers"],
        "start": moment(start),
        "end": moment(start + _HOUR),
        "usage": f"{by_day + digest[16] / 256:.3f}",
        "usageUnits": "kWh" if meter["datasourceType"] in {"ELECTRICITY", "SOLAR"} else "CCF",
        "quality": "ACTUAL",
    }


def _within(start: datetime, low: str | None, high: str | None) -> bool:
    return (not low or start >= _moment(low)) and (not high or start <= _moment(high))


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
