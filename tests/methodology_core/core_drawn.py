"""Random bills of several accounts, meters and units, as plain dicts: what the oracles read."""

from __future__ import annotations

from hypothesis import strategies as st

METERS = [
    {"id": "e1", "account": "A", "commodity": "ELECTRICITY", "site": "north"},
    {"id": "e2", "account": "A", "commodity": "ELECTRICITY", "site": "south"},
    {"id": "e3", "account": "A", "commodity": "ELECTRICITY", "site": "south"},
    {"id": "e4", "account": "B", "commodity": "ELECTRICITY", "site": "south"},
    {"id": "g1", "account": "B", "commodity": "GAS", "site": "north"},
    {"id": "g2", "account": "C", "commodity": "GAS", "site": "south"},
]
UNITS = {"ELECTRICITY": ["kWh", "kWh", "kWh", "MWh"], "GAS": ["CCF", "CCF", "kVA"]}  # kVA converts to nothing


@st.composite
def bills(draw: st.DrawFn) -> dict:
    """Draw bills b1 and b2: usage of some meters, lines of every kind, demand readings."""
    usage, items, readings = [], [], []
    for bill in ("b1", "b2"):
        present = draw(st.lists(st.sampled_from(METERS), unique_by=lambda meter: meter["id"], max_size=5))
        for meter in present:
            usage += [
                {
                    "id": f"{bill}-{meter['id']}-{part}",
                    "bill": bill,
                    "meter": meter["id"],
                    "usage": draw(st.sampled_from(["0", "1", "-7", "12.5", "333.33", "6000", "4000", "0.125"])),
                    "unit": draw(st.sampled_from(UNITS[meter["commodity"]])),
                    "export": draw(st.sampled_from([False, False, False, True])),
                }
                for part in range(draw(st.sampled_from([1, 1, 2])))
            ]
        for _ in range(draw(st.integers(0, 2))):
            electric = [r["id"] for r in usage if r["bill"] == bill and r["meter"].startswith("e")]
            chosen = draw(st.lists(st.sampled_from(electric), unique=True)) if electric else []
            readings.append({"bill": bill, "demand": draw(st.sampled_from(["50", "75.5"])), "usage": chosen})
        for number in range(draw(st.integers(0, 5))):
            kind = draw(
                st.sampled_from(["SUPPLY", "DELIVERY", "CUSTOMER", "FEE", "TAX", "CREDIT", "LATE_FEE", "DEMAND"])
            )
            items.append(
                {
                    "id": f"{bill}:{number}",
                    "bill": bill,
                    "amount": draw(st.decimals(-500, 500, places=draw(st.sampled_from([2, 2, 4])))),
                    "type": kind,
                    "demand": kind == "DEMAND",
                    "previous": draw(st.sampled_from([False] * 9 + [True])),
                    "meter": draw(st.sampled_from([None] * 9 + ["e2"])),
                    "accounts": draw(st.sampled_from([[], ["A"], ["A"], ["B"], ["A", "B"], ["Z"]])),
                    "commodity": "ELECTRICITY" if kind == "DEMAND" else draw(st.sampled_from(["ELECTRICITY", "GAS"])),
                    "quantity": draw(st.sampled_from(["50", "75.5", None])) if kind == "DEMAND" else None,
                }
            )
            if kind in ("TAX", "CREDIT", "CUSTOMER", "FEE"):
                items[-1]["commodity"] = None  # such lines seldom name one
    return {"usage": usage, "items": items, "readings": readings}
