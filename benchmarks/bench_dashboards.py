"""The connection dashboard at 5,000 connections and 20,000 accounts: first view, interactions, memory.

Method: tables as the cache keeps them (Parquet, written here), read anew by every noun, with 24 monthly bills of
one meter each account (480,000 usage rows). The first view is timed from the files to the live controls and the
static page. Interactions are what a person does (filter, type, order, turn the page, select), timed in Python time
(CPU of this thread); beside them the same selection of rows in plain pandas as a yardstick. The closer look (meters
and bills, read once at the first detail) is timed apart. Growth of memory is what Python holds after 500 and 1,000 further
interactions (the same state, garbage collected), against what it held before, and the number of live controls. It is
bounded, not nought: pandas keeps up to some 500 dead weak references for each block of columns before it sweeps them.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from ipywidgets.widgets.widget import _instances as live_controls
from machine import describe

from nectar_notebooks import FrozenClock
from nectar_notebooks.cache.files import read_frame, write
from nectar_notebooks.clock import stopwatch
from nectar_notebooks.dashboards import ConnectionDashboard
from nectar_notebooks.schema.tables import DTYPES, TABLES

CONNECTIONS, ACCOUNTS, MONTHS = 5_000, 20_000, 24
STATUSES = np.array(["CONNECTED"] * 80 + ["PASSWORD_INCORRECT"] * 9 + ["MFA_TOKEN_EXPIRED"] * 5 + ["WEBSITE_DOWN"] * 6)
NOW = pd.Timestamp("2026-01-15T09:00:00Z")


def typed(table: str, rows: int, **columns: object) -> pd.DataFrame:
    """Return a table with every documented column and its dtype; those not given are missing."""
    made = {}
    for column in TABLES[table].columns:
        dtype = pd.StringDtype(na_value=np.nan) if column.kind == "text" else DTYPES[column.kind]
        given = columns.get(column.name)
        made[column.name] = pd.Series(given, index=range(rows), dtype=dtype) if given is None else _as(given, dtype)
    return pd.DataFrame(made)


def _as(values: object, dtype: object) -> pd.Series:
    return pd.Series(values).astype(dtype)


def ids(word: str, numbers: np.ndarray) -> list[str]:
    """Return ids as long as the API's."""
    return [f"{word}0000-{number:08d}-4000-8000-000000000000" for number in numbers]


def tables() -> dict[str, pd.DataFrame]:
    """Return the tables of one large company."""
    random = np.random.default_rng(7)
    status = random.choice(STATUSES, CONNECTIONS)
    connection_ids = ids("c", np.arange(CONNECTIONS))
    account_ids, meter_ids = ids("a", np.arange(ACCOUNTS)), ids("m", np.arange(ACCOUNTS))
    site_ids = ids("s", np.arange(2_000))
    of = random.integers(0, CONNECTIONS, ACCOUNTS)
    lag = np.where(status[of] == "CONNECTED", 1, random.integers(1, 5, ACCOUNTS))
    last = [pd.Timestamp(2025, 13 - months, 28) for months in lag.tolist()]
    rows = ACCOUNTS * MONTHS
    month = np.tile(pd.date_range("2024-01-01", periods=MONTHS, freq="MS").to_numpy(), ACCOUNTS)
    month_end = (month.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1  # bills without a hole between them
    meter_of = np.repeat(np.arange(ACCOUNTS), MONTHS)
    bill_ids, usage_ids = ids("b", np.arange(rows)), ids("u", np.arange(rows))
    meter_column, site_column = np.array(meter_ids)[meter_of], np.array(site_ids)[meter_of % 2_000]
    return {
        "companies": typed("companies", 1, company_id=["company-1"], name=["A large company"]),
        "sites": typed("sites", 2_000, site_id=site_ids, company_id=["company-1"] * 2_000, name=[f"Site {n}" for n in range(2_000)]),
        "connections": typed(
            "connections", CONNECTIONS, connection_id=connection_ids, company_id=["company-1"] * CONNECTIONS,
            provider=[f"Provider of the {n % 300}th valley" for n in range(CONNECTIONS)], status=status,
            family=np.where(status == "CONNECTED", "healthy", np.where(status == "WEBSITE_DOWN", "website", "customer")),
            status_since=NOW - pd.to_timedelta(random.integers(1, 300, CONNECTIONS), unit="D"),
            status_checked=[NOW] * CONNECTIONS, username=[f"user{n}@customer.example" for n in range(CONNECTIONS)],
            owner_email=[f"owner{n % 900}@customer.example" for n in range(CONNECTIONS)], active=[True] * CONNECTIONS,
            url=["https://portal.example/login"] * CONNECTIONS,
        ),
        "accounts": typed(
            "accounts", ACCOUNTS, account_id=account_ids, connection_id=np.array(connection_ids)[of],
            company_id=["company-1"] * ACCOUNTS, account_number=[f"{n:010d}" for n in range(ACCOUNTS)],
            tracking=["ENABLED"] * ACCOUNTS, last_service_date=last, counts=[True] * ACCOUNTS,
            commodities=["ELECTRICITY"] * ACCOUNTS,
        ),
        "meters": typed(
            "meters", ACCOUNTS, meter_id=meter_ids, account_id=account_ids, site_id=np.array(site_ids)[np.arange(ACCOUNTS) % 2_000],
            commodity=["ELECTRICITY"] * ACCOUNTS, primary_identifier=[f"M{n}" for n in range(ACCOUNTS)], tracked=[True] * ACCOUNTS,
        ),
        "usage": typed(
            "usage", rows, usage_id=usage_ids, bill_id=bill_ids, meter_id=meter_column, site_id=site_column,
            commodity=["ELECTRICITY"] * rows, subtype=["USAGE"] * rows, start_date=month, end_date=month_end,
            usage=np.ones(rows), unit=["kWh"] * rows, counts=[True] * rows, utility=["Provider"] * rows,
        ),
        "bills": typed(
            "bills", rows, bill_id=bill_ids, company_id=["company-1"] * rows, utility=["Provider"] * rows,
            bill_date=month + np.timedelta64(30, "D"), currency=["USD"] * rows, total_charges=np.full(rows, 99.5), counts=[True] * rows,
        ),
        "bill_accounts": typed("bill_accounts", rows, bill_id=bill_ids, account_id=np.array(account_ids)[meter_of]),
    }  # fmt: skip


class FromFiles:
    """A client whose nouns are read from Parquet files, as a warm cache answers."""

    def __init__(self, folder: Path) -> None:
        self.clock = FrozenClock(NOW.to_pydatetime())
        self._folder = folder / "frames"
        self._sizes = {name: size for name, (size, _) in write(self._folder, tables(), "g").items()}

    def _read(self, name: str) -> pd.DataFrame:
        frame = read_frame(self._folder / f"{name}.parquet", table=name, generation="g", size=self._sizes[name])
        frame.attrs["nectar"] = {"fetched": NOW.isoformat(), "company_id": "company-1"}
        return frame

    def __getattr__(self, name: str) -> Callable[..., pd.DataFrame]:
        if name not in self._sizes:
            raise AttributeError(name)
        return lambda company=None: self._read(name)

    def status_history(self, company: object = None) -> pd.DataFrame:
        """Return one line for each connection."""
        rows = self._read("connections")
        return pd.DataFrame(
            {
                "connection_id": rows["connection_id"],
                "seen": pd.Series([NOW] * len(rows)),
                "status": rows["status"],
                "since": rows["status_since"],
                "error": rows["status_error"],
            }
        )

    def on_change(self, callback: Callable[[object], object]) -> Callable[[], None]:
        """Tell of nothing."""
        return lambda: None

    def refresh(self, company: object = None) -> pd.DataFrame:
        """Do nothing: nothing changed."""
        return pd.DataFrame()


def interactions(dashboard: ConnectionDashboard) -> list[Callable[[], object]]:
    """Return what a person does, ready to be done."""
    dashboard.filters = {}
    some = dashboard.frame["connection_id"].iloc[::41].tolist()

    def filters(**asked: object) -> Callable[[], object]:
        return lambda: setattr(dashboard, "filters", asked)

    done: list[Callable[[], object]] = []
    for number in range(40):
        done += [
            filters(family="customer"),
            filters(text=f"{number:03d}"),
            lambda number=number: dashboard._choose(some[number]),
            lambda: dashboard._pages.turn(dashboard._pages.page + 1),
            filters(status="WEBSITE_DOWN", no_bill_for=45),
            lambda number=number: dashboard._choose(some[number + 60]),
            filters(),
            lambda number=number: setattr(dashboard, "selected", some[number + 20]),
            filters(owner=f"owner{number}@customer.example"),
            lambda number=number: setattr(dashboard, "order", ["since", "missing bills"][number % 2]),
        ]
    return done


def traced(acts: list[Callable[[], object]]) -> int:
    """Return the bytes that Python holds in one and the same state, once the collector has been through."""
    for act in acts[:10]:
        act()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def main() -> None:
    """Print the three promises with what was measured."""
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        nectar = FromFiles(Path(folder))
        firsts = []
        for _ in range(5):
            start = stopwatch()
            dashboard = ConnectionDashboard(nectar)
            dashboard._repr_mimebundle_()
            firsts.append(stopwatch() - start)
            if len(firsts) < 5:
                dashboard.close()
        frame = dashboard.frame
        print(
            f"{len(frame):,} connections ({len(frame.columns)} columns, keys {frame['connection_id'].dtype}), {ACCOUNTS:,} accounts"
        )
        print(
            f"first view      median {statistics.median(firsts):6.2f} s, slowest {max(firsts):.2f} s   (promise: 1 s)"
        )
        start = stopwatch()
        dashboard.selected = frame["connection_id"].iloc[0]
        print(
            f"closer look     once   {stopwatch() - start:6.2f} s   (meters, {ACCOUNTS * MONTHS:,} usage rows and as many bills)"
        )
        taken = []
        for act in interactions(dashboard):
            start = time.thread_time()
            act()
            taken.append(time.thread_time() - start)
        cuts = statistics.quantiles(taken, n=100)
        print(
            f"interactions    median {cuts[49] * 1000:6.1f} ms, p95 {cuts[94] * 1000:.1f} ms, slowest {max(taken) * 1000:.1f} ms   (promise: p95 50 ms)"
        )
        start = time.thread_time()
        for _ in range(50):
            frame[frame["family"].eq("customer")].sort_values(["status_since", "connection_id"]).head(12)
        print(
            f"yardstick       {(time.thread_time() - start) / 50 * 1000:6.1f} ms   (the same rows chosen and sorted in plain pandas)"
        )
        acts = interactions(dashboard)
        for act in acts[:200]:
            act()
        controls = len(live_controls)
        tracemalloc.start()
        before, held = traced(acts), []
        for number in range(1_000):
            acts[number % len(acts)]()
            if number in (499, 999):
                held.append((traced(acts) - before) / 1024)
        grown = len(live_controls) - controls
        print(
            f"1,000 more      {held[1]:6.0f} KiB held, {held[0]:.0f} KiB after the first 500, {grown} more controls   (promise: it levels off)"
        )


if __name__ == "__main__":
    main()
