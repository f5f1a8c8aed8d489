"""Frames written by hand, and the real bills read with nothing but the csv module."""

from __future__ import annotations

import csv

import pandas as pd
import pytest


@pytest.fixture
def make_usage():
    """Build usage records from short rows: (meter, start, end, usage) and what differs from the default."""

    def build(*rows, **columns):
        frame = pd.DataFrame(rows, columns=["meter_id", "start_date", "end_date", "usage"])
        frame["usage_id"] = [f"u{place}" for place in range(len(frame))]
        frame["bill_id"] = [f"b{place}" for place in range(len(frame))]
        frame["site_id"] = "S1"
        frame["commodity"] = "ELECTRICITY"
        frame["unit"] = "kWh"
        return frame.assign(**columns)

    return build


def _iso(text):
    month, day, year = text.split("/")
    return f"{year}-{int(month):02}-{int(day):02}"


@pytest.fixture(scope="session")
def real_usage(real_bills):
    """One record for each account, service and period of the real bills: charged usage summed."""
    units = {"Electricity": "kWh", "Natural Gas": "CCF", "Water": "Gallons", "Sewer": "Gallons"}
    house = {"kWh": "kWh", "CCF": "CCF", "Gallons": "gal (US)"}
    commodity = {"Electricity": "ELECTRICITY", "Natural Gas": "GAS", "Water": "WATER", "Sewer": "WATER"}
    records = {}
    with real_bills.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            service = row["Service Name"]
            key = (row["Account Number"], service, row["From"], row["Thru"], row["Bill Date"])
            records.setdefault(key, 0.0)
            if row["Units"] == units[service] and row["Usage"]:
                records[key] += float(row["Usage"])
    rows = []
    for place, ((account, service, first, last, _), usage) in enumerate(records.items()):
        day = [_iso(text) for text in (first, last)]
        rows.append(
            {
                "usage_id": f"u{place}",
                "bill_id": f"{account} {last}",
                "meter_id": f"{account} {service}",
                "site_id": "site",
                "commodity": commodity[service],
                "subtype": {"Water": "POTABLE_WATER", "Sewer": "WASTEWATER"}.get(service),
                "start_date": day[0],
                "end_date": day[1],
                "usage": usage,
                "unit": house[units[service]],
            }
        )
    return pd.DataFrame(rows)
