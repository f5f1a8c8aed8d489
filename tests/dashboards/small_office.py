"""A small office written by hand: two companies, seven logins with everything that can be odd about them.

The tables stand as the client would give them on 15 January 2026; nothing here is made by the code under test.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from nectar_notebooks import FrozenClock
from nectar_notebooks.errors import NectarError
from nectar_notebooks.schema.tables import DTYPES, TABLES

FETCHED = "2026-01-15T06:00:00+00:00"
MARKUP = "<script>alert('x')</script> & <b>Sons</b>"
LONG = "Very long provider name " + "x" * 231  # 255 characters

WRONG = "Wrong password."
IMAGE = "<img src=x onerror=alert(1)>"
ANN, BO, CY = "ann@acme.example", "bo@acme.example", "cy@beta.example"

CONNECTIONS = [
    # id, company, provider, status, family, since, checked, error, username, owner, active
    ("k1", "c1", "City Light", "CONNECTED", "healthy", "2024-03-01", "2026-01-12", None, "u1", ANN, True),
    ("k2", "c1", "River Gas", "PASSWORD_INCORRECT", "customer", "2025-12-04", "2026-01-08", WRONG, "u2", ANN, True),
    ("k3", "c1", MARKUP, "MFA_TOKEN_EXPIRED", "customer", "2025-11-20", "2026-01-09", IMAGE, "<u3>", BO, True),
    ("k4", "c1", None, "WEBSITE_DOWN", "website", "2026-01-13", "2026-01-14", None, None, None, True),
    ("k5", "c1", LONG, "HALF_BROKEN_NEWLY", "unknown", None, None, None, "u5", BO, None),
    ("k6", "c2", "City Light", "PENDING", "healthy", "2026-01-14", "2026-01-14", None, "u6", CY, True),
    ("k7", "c2", "Old Power", "COMPANY_INACTIVE", "system", "2025-06-16", "2025-06-16", None, "u7", CY, False),
]  # fmt: skip
ACCOUNTS = [
    # id, connection, number, tracking, last service, counts
    ("a1", "k1", "100-1", "ENABLED", "2026-01-05", True),
    ("a2", "k2", "200-1", "ENABLED", "2025-11-14", True),  # December is missing
    ("a3", "k2", "200-2", "ENABLED", "2025-10-31", True),  # November and December are
    ("a4", "k2", "200-3", "DISABLED", "2025-01-31", False),  # nobody waits for these
    ("a5", "k3", "300-<i>1</i>", "UNSET", "2025-12-01", True),
    ("a6", "k3", "300-2", "ENABLED", "2024-06-30", False),  # a duplicate
    ("a7", "k4", None, "ENABLED", None, True),
    ("a8", "k7", "700-1", "ENABLED", "2025-05-31", True),  # June to December: seven
]
METERS = [
    ("m1", "s1", "a1", "ELECTRICITY", "E-1"),
    ("m2", "s1", "a2", "GAS", "G-2"),
    ("m3", "s2", "a3", "GAS", "G-3"),
    ("m5", "s2", "a5", "WATER", "W-<5>"),
    ("m8", "s3", "a8", "ELECTRICITY", "E-8"),
]
SITES = [("s1", "c1", "Mill"), ("s2", "c1", "<Yard>"), ("s3", "c2", "Shed")]
#: Months with a bill, first and last, of each meter; all of them whole months.
BILLED = {
    "m1": ("2024-01", "2025-12"),
    "m2": ("2024-01", "2025-11"),
    "m3": ("2024-01", "2025-10"),
    "m5": ("2024-01", "2025-12"),
    "m8": ("2024-01", "2025-05"),
}
#: A bill that never came, between two that did.
HOLE = ("m1", "2025-03")


def table(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return rows as a table with every documented column and its dtype."""
    frame = pd.DataFrame(rows, columns=list(TABLES[name].names))
    text = pd.StringDtype(na_value=np.nan)
    for column in TABLES[name].columns:
        if column.kind == "timestamp":
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True).astype("datetime64[us, UTC]")
        else:
            frame[column.name] = frame[column.name].astype(text if column.kind == "text" else DTYPES[column.kind])
    return frame


def connections() -> pd.DataFrame:
    names = ("connection_id", "company_id", "provider", "status", "family", "status_since", "status_checked")
    names += ("status_error", "username", "owner_email", "active")
    rows = [dict(zip(names, row, strict=True)) for row in CONNECTIONS]
    return table("connections", [{**row, "url": "https://portal.example/login"} for row in rows])


def accounts() -> pd.DataFrame:
    names = ("account_id", "connection_id", "account_number", "tracking", "last_service_date", "counts")
    company = {row[0]: row[1] for row in CONNECTIONS}
    return table(
        "accounts", [{**dict(zip(names, row, strict=True)), "company_id": company[row[1]]} for row in ACCOUNTS]
    )


def meters() -> pd.DataFrame:
    names = ("meter_id", "site_id", "account_id", "commodity", "primary_identifier")
    return table("meters", [{**dict(zip(names, row, strict=True)), "tracked": True} for row in METERS])


def sites() -> pd.DataFrame:
    return table("sites", [dict(zip(("site_id", "company_id", "name"), row, strict=True)) for row in SITES])


def billed() -> list[tuple[str, str, pd.Period]]:
    """Return bill, meter and month of every bill."""
    return [
        (f"b-{meter}-{month}", meter, month)
        for meter, (first, last) in BILLED.items()
        for month in pd.period_range(first, last, freq="M")
        if (meter, str(month)) != HOLE
    ]


def usage() -> pd.DataFrame:
    at = {row[0]: (row[1], row[3]) for row in METERS}
    rows = [
        {
            "usage_id": f"u-{bill}", "bill_id": bill, "meter_id": meter, "site_id": at[meter][0],
            "commodity": at[meter][1], "start_date": month.start_time.normalize(),
            "end_date": month.end_time.normalize(), "usage": 10.0, "unit": "kWh", "counts": True, "utility": "x",
        }
        for bill, meter, month in billed()
    ]  # fmt: skip
    return table("usage", rows)


def bills() -> pd.DataFrame:
    rows = [
        {
            "bill_id": bill, "company_id": "c2" if meter == "m8" else "c1", "utility": "x",
            "bill_date": month.end_time.normalize(),
            "total_charges": 12.5, "currency": "USD", "counts": True,
        }
        for bill, meter, month in billed()
    ]  # fmt: skip
    return table("bills", rows)


def bill_accounts() -> pd.DataFrame:
    account = {row[0]: row[2] for row in METERS}
    return table("bill_accounts", [{"bill_id": bill, "account_id": account[meter]} for bill, meter, _ in billed()])


def history() -> pd.DataFrame:
    """Return what was seen: River Gas worked on 1 December, and broke three times within ninety days."""
    lines = [
        ("k1", "2025-12-01T06:00Z", "CONNECTED", "2024-03-01"),
        ("k2", "2025-11-01T06:00Z", "CONNECTED", "2025-01-01"),
        ("k2", "2025-11-10T06:00Z", "WEBSITE_DOWN", "2025-11-09"),
        ("k2", "2025-12-01T06:00Z", "CONNECTED", "2025-11-25"),
        ("k2", "2026-01-15T06:00Z", "PASSWORD_INCORRECT", "2025-12-04"),
        ("k3", "2025-12-01T06:00Z", "MFA_TOKEN_EXPIRED", "2025-11-20"),
    ]
    frame = pd.DataFrame(lines, columns=["connection_id", "seen", "status", "since"]).assign(error=None)
    for name in ("seen", "since"):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    return frame


class SmallOffice:
    """A client of the small office: nouns only, a clock that stands still, and a fault that can be set."""

    def __init__(self) -> None:
        self.clock = FrozenClock("2026-01-15T09:00:00Z")
        self.fault: NectarError | None = None
        self.refreshed: list[object] = []
        self.asked: list[str] = []
        self.watchers: list[Callable[[object], object]] = []
        companies = [{"company_id": "c1", "name": "Acme"}, {"company_id": "c2", "name": "Beta <&> Co"}]
        self.tables = {
            "companies": table("companies", companies),
            "sites": sites(),
            "connections": connections(),
            "accounts": accounts(),
            "meters": meters(),
            "usage": usage(),
            "bills": bills(),
            "bill_accounts": bill_accounts(),
            "status_history": history(),
        }

    def __getattr__(self, name: str) -> Callable[..., pd.DataFrame]:
        if name.startswith("_") or name not in self.tables:
            raise AttributeError(name)
        return lambda company=None: self._noun(name, company)

    def _noun(self, name: str, company: str | None) -> pd.DataFrame:
        self.asked.append(name)
        if self.fault is not None:
            raise self.fault
        frame = self.tables[name]
        company_id = {"Acme": "c1"}.get(str(company), company)
        if company_id is not None and name != "companies":
            frame = frame[self._owned(name, frame, company_id)].reset_index(drop=True)
        frame = frame.copy()
        frame.attrs["nectar"] = {"fetched": FETCHED, "company_id": company_id}
        return frame

    def _owned(self, name: str, frame: pd.DataFrame, company_id: str) -> pd.Series:
        if name in ("meters", "usage"):
            return frame["site_id"].isin({row[0] for row in SITES if row[1] == company_id})
        if name == "status_history":
            return frame["connection_id"].isin({row[0] for row in CONNECTIONS if row[1] == company_id})
        if name == "bill_accounts":
            return (frame["account_id"] == "a8") == (company_id == "c2")
        return frame["company_id"] == company_id

    def on_change(self, callback: Callable[[object], object]) -> Callable[[], None]:
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback)

    def refresh(self, company: object = None) -> pd.DataFrame:
        if self.fault is not None:
            raise self.fault
        self.refreshed.append(company)
        return pd.DataFrame()
