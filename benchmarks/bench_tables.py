"""50,000 usage rows, from JSON to a typed frame, beside the fastest decoder's bare ``loads`` of the same bytes.

Method: 500 pages of 100 rows with every documented field of v2.2 (made up here, text keys). The yardstick decodes
the pages and keeps every object, as whoever wants the rows must. *By page* is how a walk does it: decode a page,
hand the rows over, let them go. Runs take turns, so that a busy machine hits all alike; medians. The decoder is
faster the less is kept (Python's garbage collector looks at what lives), so it is also timed without the
collector, and with every page let go at once: floors that nobody reaches who looks at the rows.
"""

from __future__ import annotations

import gc
import json
import statistics
from collections.abc import Callable

import orjson
from machine import describe

from nectar_notebooks.clock import stopwatch
from nectar_notebooks.tables import Builder, build

ROWS = 50_000
PER_PAGE = 100
ROUNDS = 5
TYPES = (
    "netMeteringType", "waterType", "meterHighLow", "gasType", "fuelType", "districtType", "districtMediumType",
    "wasteDescription", "wasteType", "wasteStream", "refrigerantType",
)  # fmt: skip


def usage_row(number: int) -> dict[str, object]:
    """Return one usage record with every documented field."""
    moment = "2026-01-15T09:00:00.123456Z"
    return {
        "id": f"{number:08x}-4aaa-4bbb-8ccc-0123456789ab",
        "created": moment,
        "updated": moment,
        "startDate": f"2025-{number % 12 + 1:02}-01",
        "endDate": f"2025-{number % 12 + 1:02}-28",
        "usage": f"{number * 1.25:.2f}",
        "usageUnits": "kWh",
        "meter": f"{number % 3000:08x}-1111-4222-8333-444455556666",
        "meterAddress": f"{number % 1000} Harbor Road, Springfield",
        "serviceAddress": f"{number % 1000} Harbor Rd, Springfield",
        "meterIsTracked": True,
        "site": {"id": f"{number % 1000:08x}-7777-4888-8999-aaaabbbbcccc", "name": "Main School", "externalId": "HS-1"},
        "identifiers": [{"name": "METER", "value": f"013-774-{number % 3000:04}", "rawName": "Meter No."}],
        "datasourceType": "ELECTRICITY",
        "isEstimated": False,
        "isImplied": False,
        "exclusion": False,
        "currentReading": f"{10_000 + number}.00",
        "previousReading": f"{9_000 + number}.00",
        "multiplier": "1.0",
        "multiplierDescription": None,
        "multiplier2": None,
        "multiplier2Description": None,
        "fractionRenewable": None,
        "netMeteringGeneratedKwh": None,
        "netMeteringGridImportKwh": None,
        "netMeteringGridExportKwh": None,
        "tariff": "GS-2",
        "billedDemand": None,
        "supplierName": "Harbor Supply",
        "utilityName": "Harbor Electric",
        "country": "US",
        "timeOfUseBreakdown": [],
        "electricityType": "USAGE",
        **dict.fromkeys(TYPES),
        "additionalFields": {},
        "document": {
            "id": f"{number // 2:08x}-dddd-4eee-8fff-0123456789ab",
            "created": moment,
            "updated": moment,
            "company": "co-1",
            "url": "https://files.example/bill.pdf",
            "fileName": "bill.pdf",
            "sourceType": "INVOICE",
            "invoiceId": f"INV-{number}",
            "utilityCompany": "Harbor Electric",
            "billDate": "2026-01-10",
            "dueDate": "2026-02-01",
            "chargesUnits": "USD",
            "totalCharges": "61.20",
            "currentCharges": "56.20",
            "status": "PROCESSED",
            "revisedDocumentId": None,
        },
    }


def made_up_pages() -> list[bytes]:
    """Return the bodies of a whole walk."""
    pages = range(1, ROWS // PER_PAGE + 1)
    return [
        json.dumps(
            {
                "totalUsageData": ROWS,
                "perPage": PER_PAGE,
                "totalPages": len(pages),
                "currentPage": page,
                "hasNext": page < len(pages),
                "hasPrevious": page > 1,
                "usageData": [usage_row(number) for number in range((page - 1) * PER_PAGE, page * PER_PAGE)],
            },
            separators=(",", ":"),
        ).encode()
        for page in pages
    ]


def take_turns(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each run; what a run returns is let go before the next."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            gc.collect()
            start = stopwatch()
            result = run()
            taken[name].append(stopwatch() - start)
            del result
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> None:
    pages = made_up_pages()

    def without_collector() -> object:
        gc.disable()
        try:
            return [orjson.loads(page) for page in pages]
        finally:
            gc.enable()

    def let_go(loads: Callable[[bytes], object]) -> None:
        for page in pages:
            loads(page)

    def at_once() -> object:
        return build("usage", [row for page in pages for row in orjson.loads(page)["usageData"]])

    def by_page() -> object:
        builder = Builder("usage")
        for page in pages:
            builder.add(orjson.loads(page)["usageData"])
        return builder.finish()

    seconds = take_turns(
        {
            "json.loads, kept": lambda: [json.loads(page) for page in pages],
            "orjson.loads, kept": lambda: [orjson.loads(page) for page in pages],
            "orjson.loads, kept, no collector": without_collector,
            "json.loads, let go": lambda: let_go(json.loads),
            "orjson.loads, let go": lambda: let_go(orjson.loads),
            "JSON to typed frames, by page": by_page,
            "JSON to typed frames, at once": at_once,
        }
    )
    frames = build("usage", [usage_row(number) for number in range(3)])
    size = sum(map(len, pages))
    print(describe())
    print(f"{ROWS:,} rows of {size / ROWS:,.0f} bytes, {len(usage_row(0))} fields; frames: {', '.join(frames)}")
    print(f"usage: {frames['usage'].shape[1]} columns, keys of type {frames['usage']['usage_id'].dtype}")
    bare = seconds["orjson.loads, kept"]
    for name, taken in seconds.items():
        print(f"{name:<34} {taken * 1000:7.0f} ms   {taken / bare:5.2f} x orjson.loads, kept")
    print("goal: JSON to typed frames at most 1.5 x the fastest decoder's bare loads")


if __name__ == "__main__":
    main()
