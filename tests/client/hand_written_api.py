"""A small API on a real socket, written by hand from the documented field lists: two companies, few bills.

It knows nothing of the package. A test changes `state`, looks at `log`, and breaks the wire with `break_at`.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "hand-written-key-1"
DAY = "2026-01-10T08:00:00Z"


def usage(usage_id: str, bill_id: str, meter_id: str, site_id: str, start: str, end: str, value: str) -> dict[str, Any]:
    return {
        "id": usage_id,
        "created": DAY,
        "updated": DAY,
        "startDate": start,
        "endDate": end,
        "usage": value,
        "usageUnits": "kWh",
        "meter": meter_id,
        "site": {"id": site_id, "name": "x"},
        "identifiers": [{"name": "METER", "value": f"00-{meter_id}", "rawName": "Meter"}],
        "datasourceType": "ELECTRICITY",
        "isEstimated": False,
        "isImplied": False,
        "exclusion": False,
        "timeOfUseBreakdown": [{"timeOfUse": "PEAK", "usage": "40.5", "usageUnits": "kWh", "description": "Peak"}],
        "document": {"id": bill_id},
    }


def document(bill_id: str, date: str, account_id: str, total: str, usage_ids: list[str]) -> dict[str, Any]:
    return {
        "id": bill_id,
        "created": DAY,
        "updated": DAY,
        "company": {"id": "c1", "name": "Harbor Foods"},
        "utilityCompany": "City Light",
        "billDate": date,
        "dueDate": None,
        "chargesUnits": "USD",
        "totalCharges": total,
        "currentCharges": total,
        "status": "COMPLETED",
        "lineItems": [
            {
                "description": "Energy",
                "totalCharge": total,
                "quantity": "100",
                "quantityUnits": "kWh",
                "accountIds": [account_id],
                "chargeType": "SUPPLY",
                "electricityIsDemand": False,
                "billingPeriod": "CURRENT",
            }
        ],
        "demandMeters": [
            {
                "startDate": date,
                "endDate": date,
                "demandUsage": "12.5",
                "demandUsageUnits": "kW",
                "demandType": "PEAK",
                "usageDataIds": usage_ids,
            }
        ],
        "usageData": [{"id": one} for one in usage_ids],
    }


def account(account_id: str, meters: list[str], **more: Any) -> dict[str, Any]:
    return {
        "id": account_id,
        "accountNumber": f"10-{account_id}",
        "meters": meters,
        "trackingStatus": "ENABLED",
        "isDuplicated": "false",
        "datasourceTypes": ["ELECTRICITY"],
        **more,
    }


def new_state() -> dict[str, Any]:
    """Company c1 with two sites, one connection, two accounts, 120 bills of one usage row each."""
    documents, rows = [], []
    for number in range(120):
        year, month = 2016 + number // 12, number % 12 + 1
        account_id, meter_id, site_id = [("a1", "m1", "s1"), ("a2", "m2", "s2")][number % 2]
        bill_id, usage_id = f"b{number:03}", f"u{number:03}"
        start, end = f"{year}-{month:02}-01", f"{year}-{month:02}-28"
        documents.append(document(bill_id, end, account_id, f"{number}.25", [usage_id]))
        rows.append(usage(usage_id, bill_id, meter_id, site_id, start, end, f"{100 + number}.5"))
    return {
        "companies": [
            {"id": "c1", "name": "Harbor Foods", "externalId": "HF", "sites": []},
            {"id": "c2", "name": "North Clinic", "externalId": None, "sites": []},
        ],
        "sites": {
            "c1": [
                {"id": "s1", "name": "Pier 1", "externalId": None, "address": "1 Pier", "path": ["US", "WA"]},
                {"id": "s2", "name": "Pier 2", "externalId": "P2", "address": "2 Pier", "path": []},
            ],
            "c2": [],
        },
        "connections": {
            "c1": [
                {
                    "id": "k1",
                    "created": DAY,
                    "updated": DAY,
                    "company": {"id": "c1", "name": "Harbor Foods"},
                    "datasource": {"name": "City Light", "url": "https://city.example"},
                    "url": "https://city.example",
                    "status": "CONNECTED",
                    "statusFirstSeenTime": DAY,
                    "username": "ops@harbor.example",
                    "accounts": [account("a1", ["m1"]), account("a2", ["m2"])],
                }
            ],
            "c2": [],
        },
        "documents": {"c1": documents, "c2": []},
        "usage": {"c1": rows, "c2": []},
        "deleted": {"c1": [], "c2": []},
        "meters": {
            meter_id: {
                "id": meter_id,
                "site": site_id,
                "account": account_id,
                "identifiers": [{"name": "METER", "value": f"00-{meter_id}", "rawName": "Meter"}],
                "datasourceType": "ELECTRICITY",
                "isTracked": True,
            }
            for meter_id, site_id, account_id in (("m1", "s1", "a1"), ("m2", "s2", "a2"))
        },
        "visible": {KEY: ("c1",)},
    }


class HandWrittenApi:
    """The server: `url`, `log` of requests, `state`."""

    def __init__(self) -> None:
        self.state = new_state()
        self.log: list[str] = []
        self.only_deleted = False  # what isDeleted=true means is not settled
        self.lists_meters = False  # whether the assumed list is there
        self.broken: dict[int, str] = {}
        self.before_answer = lambda number, path: None
        #: The Date header of an answer, by its path; None sends none.
        self.date: Callable[[str], str | None] = lambda path: "Thu, 15 Jan 2026 08:55:00 GMT"
        self._lock = threading.Lock()
        outer = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Say nothing of clients that were killed; anything else is a mistake of this file."""
                if not isinstance(sys.exception(), ConnectionError):
                    traceback.print_exc()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                outer.handle(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take_log(self) -> list[str]:
        """Return the requests since the last call, in order."""
        with self._lock:
            log, self.log = self.log, []
        return log

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.log.append(handler.path)
            number = len(self.log)
            fault = self.broken.pop(number, "")
        self.before_answer(number, handler.path)
        if fault == "reset":
            # An RST instead of an answer: linger 0, then close.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
            return
        status, body = (int(fault), {"detail": "made up"}) if fault else self.answer(handler)
        content = json.dumps(body).encode()
        handler.send_response_only(status)  # without the machine's own date
        if (date := self.date(handler.path)) is not None:
            handler.send_header("Date", date)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, Any]:  # noqa: C901 - one case a path
        visible = self.state["visible"].get(handler.headers.get("X-API-Key", ""))
        if visible is None:
            return 401, {"detail": "Invalid API key."}
        address = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        parts = address.path.split("/")[2:]  # after the version
        match parts:
            case ["ping"]:
                return 200, {"status": "ok"}
            case ["company"]:
                return 200, [one for one in self.state["companies"] if one["id"] in visible]
            case ["company", company_id] if company_id in visible:
                [found] = [one for one in self.state["companies"] if one["id"] == company_id]
                return 200, {**found, "sites": self.state["sites"][company_id]}
            case ["connection", "company", company_id] if company_id in visible:
                return 200, page("connections", self.state["connections"][company_id], query)
            case ["usage", "company", company_id] if company_id in visible:
                return 200, page("usageData", self.within("usage", company_id, query), query)
            case ["usage", "site", site_id]:
                rows = [row for row in self.within("usage", "c1", query) if row["site"]["id"] == site_id]
                return 200, page("usageData", rows, query)
            case ["document", "company", company_id] if company_id in visible:
                rows = self.within("documents", company_id, query)
                if query.get("isDeleted") == "true":
                    rows = ([] if self.only_deleted else rows) + self.state["deleted"][company_id]
                return 200, page("documents", rows, query)
            case ["document", "site", site_id]:
                there = {row["document"]["id"] for row in self.state["usage"]["c1"] if row["site"]["id"] == site_id}
                rows = [row for row in self.within("documents", "c1", query) if row["id"] in there]
                return 200, page("documents", rows, query)
            case ["document", "connection", _]:
                return 200, page("documents", self.state["documents"]["c1"], query)
            case ["meter", "company", company_id] if company_id in visible and self.lists_meters:
                rows = [{**row, "created": ""} for row in self.state["meters"].values()]
                return 200, page("meters", rows, query)
            case ["meter", meter_id] if meter_id in self.state["meters"]:
                return 200, self.state["meters"][meter_id]
        return 403, {"detail": "You do not have permission to perform this action."}

    def within(self, name: str, company_id: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Return the rows of a list that its days choose: by bill date, or by what was used when."""
        first, last = query.get("startDate", ""), query.get("endDate", "9999")
        dates = {row["id"]: row["billDate"] for row in self.state["documents"][company_id]}
        periods = {}
        for row in self.state["usage"][company_id]:
            periods.setdefault(row["document"]["id"], []).append((row["startDate"], row["endDate"]))

        def days(row: dict[str, Any]) -> list[tuple[str, str]]:
            if query.get("dateType", "BILL_DATE") == "BILL_DATE":
                date = dates.get(row["id"] if name == "documents" else row["document"]["id"], "")
                return [(date, date)]
            return periods.get(row["id"], []) if name == "documents" else [(row["startDate"], row["endDate"])]

        rows = self.state[name][company_id]
        if query.get("dateType", "BILL_DATE") not in ("BILL_DATE", "USAGE_PERIOD"):
            return rows
        return [row for row in rows if any(start <= last and end >= first for start, end in days(row))]


def page(name: str, rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    rows = sorted(rows, key=lambda row: (row["created"], row["id"]))
    if query.get("dateType") == "UPDATED_DATE":
        rows = [row for row in rows if row["updated"][:10] >= query["startDate"]]
    pages = max(1, -(-len(rows) // 100))
    number = min(int(query.get("page", "1")), pages)
    return {
        f"total{name[0].upper()}{name[1:]}": len(rows),
        "perPage": 100,
        "totalPages": pages,
        "currentPage": number,
        "hasNext": number < pages,
        "hasPrevious": number > 1,
        name: rows[(number - 1) * 100 : number * 100],
    }
