"""Whatever a file holds: one clear error, or every line either a line item or reported, and the money to the cent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nectar_notebooks.errors import BillsFileError
from nectar_notebooks.sandbox.loader import Loaded, load

HEADER = "Account,Bill Date,From,Thru,Service,Description,Meter,Usage,Units,Cost,Site,Vendor,Currency,Invoice"

_cell = {
    "account": st.sampled_from(["A1", "A2", "", "A1 (12 Main St)"]),
    "date": st.sampled_from(["2025-01-31", "1/31/2025", "31-Jan-2025", "", "2025-02-30", "soon", "0000-00-00"]),
    "service": st.sampled_from(["Electric", "Water", "Sewer", "Gas", "", "Steam", "?"]),
    "item": st.sampled_from(["Energy charge", "On-peak", "Off-peak", "Demand", "Late charge", "Credit", "", "Tax"]),
    "meter": st.sampled_from(["M1", "M2", ""]),
    "usage": st.sampled_from(["", "0", "100", "-5", "1,000.5", "1e3", "x", "NaN", "99999999999999999999"]),
    "unit": st.sampled_from(["kWh", "kW", "Gallons", "", "blobs"]),
    "cost": st.sampled_from(["10.00", "0", "-3.21", "(4.56)", "", "ten", "Infinity", "0.005", "$1,200"]),
    "other": st.sampled_from(["", "S1", "S2", "CAD"]),
}
_row = st.tuples(
    _cell["account"], _cell["date"], _cell["date"], _cell["date"], _cell["service"], _cell["item"], _cell["meter"],
    _cell["usage"], _cell["unit"], _cell["cost"], _cell["other"], _cell["other"], _cell["other"], _cell["other"],
)  # fmt: skip


def attempt(path: Path, content: bytes) -> Loaded | None:
    path.write_bytes(content)
    try:
        return load(path)
    except BillsFileError:
        return None


@settings(max_examples=150, deadline=None)
@given(st.lists(_row, min_size=1, max_size=12))
def test_every_line_is_a_line_item_or_reported(tmp_path_factory, rows: list[tuple[str, ...]]) -> None:
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    loaded = attempt(tmp_path_factory.getbasetemp() / "bills.csv", "\n".join((HEADER, *lines, "")).encode())
    if loaded is None:
        return
    items = [item for bill in loaded.world.documents for item in bill["lineItems"]]
    blank = sum(not any(row) for row in rows)
    assert loaded.lines == len(items)
    assert loaded.lines + len(loaded.unplaced) == len(rows) - blank
    assert sum(Decimal(item["totalCharge"]) for item in items) == sum(loaded.totals.values())
    assert sum(Decimal(bill["totalCharges"]) for bill in loaded.world.documents) == sum(loaded.totals.values())
    numbers = {entry.line for entry in loaded.unplaced}
    assert numbers <= set(range(2, len(rows) + 2))
    ids = [
        record["id"]
        for kind in ("sites", "accounts", "meters", "documents", "usage")
        for record in getattr(loaded.world, kind)
    ]
    assert len(ids) == len(set(ids))
    assert {row["usageUnits"] for row in loaded.world.usage} <= {"kWh", "gal (US)"}


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_an_error_and_no_crash(tmp_path_factory, content: bytes) -> None:
    assert attempt(tmp_path_factory.getbasetemp() / "bytes.csv", content) is None


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_a_damaged_file_is_an_error_or_what_is_left(tmp_path_factory, place: int, byte: int, end: int) -> None:
    line = "A1,2025-01-31,2025-01-01,2025-01-31,Electric,Energy charge,M1,100,kWh,10.00,S1,City Light,USD,77\n"
    content = bytearray((HEADER + "\n" + line * 3).encode())
    content[place % len(content)] = byte
    loaded = attempt(
        tmp_path_factory.getbasetemp() / "damaged.csv", bytes(content[: max(end, 1)] if end % 3 else content)
    )
    if loaded is not None:
        assert loaded.lines + len(loaded.unplaced) <= 4
