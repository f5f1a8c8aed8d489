"""The peers of bench_peers.py, timed in an environment of their own; prints one JSON object.

Each peer reads the same bills as we do and ends with the usage of each day. Nothing of the package is imported here.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import groupby

import pandas as pd

#: Bills a peer is given: as many as it does in a few seconds.
METERS = {"opendsm as_freq": 10, "energy-shaper, daily summary": 2, "energy-shaper, split alone": 300}


def opendsm(bills: pd.DataFrame) -> Callable[[], float]:
    """Return opendsm's billing-to-daily: a series per meter, spread over minutes and summed per day."""
    from opendsm.eemeter.common.data_processor_utilities import as_freq

    series = []
    for _, rows in bills.groupby("meter_id", sort=False):
        after = rows["end_date"].iloc[-1] + pd.Timedelta(days=1)
        usage = [*rows["usage"], float("nan")]
        series.append(pd.Series(usage, index=pd.DatetimeIndex([*rows["start_date"], after], tz="UTC")))
    return lambda: float(sum(as_freq(one, "D").sum() for one in series))


def energy_shaper(bills: pd.DataFrame, *, summary: bool) -> Callable[[], float]:
    """Return energy-shaper's way: its daily summary, or only its split of a bill into equal days."""
    from energy_shaper import group_into_daily_summary, split_into_daily_intervals

    after = bills["end_date"] + pd.Timedelta(days=1)
    rows = zip(bills["meter_id"], bills["start_date"], after, bills["usage"], strict=True)
    meters = [
        [(start.to_pydatetime(), end.to_pydatetime(), usage) for _, start, end, usage in group]
        for _, group in groupby(rows, key=lambda row: row[0])
    ]
    if summary:
        return lambda: sum(day.total for records in meters for day in group_into_daily_summary(records))
    return lambda: sum(day.usage for records in meters for day in split_into_daily_intervals(records))


def main(path: str) -> None:
    bills = pd.read_csv(path, parse_dates=["start_date", "end_date"], dtype={"meter_id": str})
    meters = bills["meter_id"].unique()
    told = {}
    for name, number in METERS.items():
        mine = bills[bills["meter_id"].isin(meters[:number])]
        run = opendsm(mine) if name.startswith("opendsm") else energy_shaper(mine, summary="summary" in name)
        start = time.perf_counter()
        total = run()
        seconds = time.perf_counter() - start
        told[name] = {"meters": number, "bills": len(mine), "seconds": seconds, "usage": total}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
