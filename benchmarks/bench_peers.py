"""From bills to days, beside opendsm and energy-shaper (goal: 1,000 times as many bills a second as their own paths).

Method: bills of 36 consecutive months per meter, text keys, from one file. ``nn.daily`` and ``nn.calendarize`` (usage
and days, and the whole result) take 1,000,000 of them, and the few that the peers take, so that the price of a call
shows too. The peers run one after the other in an environment of their own (benchmarks/peers.txt), on as many of the
same bills as they do in seconds. All end with the usage of each day and the same sum, which is checked.
energy-shaper's *daily summary* is its path from records to days; its *split* alone yields equal parts of one bill, not
summed by day.
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from bench_methodology import best, make_usage
from machine import describe

from nectar_notebooks.methodology import calendarize, daily

PEERS = Path(__file__).parent.parent / ".venv-peers/bin/python"
ROWS = 1_000_000
METERS = 300


def main() -> None:
    print(describe())
    if not PEERS.exists():
        raise SystemExit(f"{PEERS} is missing: `make bench` makes it.")
    usage = make_usage(ROWS)
    slim = usage[["meter_id", "start_date", "end_date", "usage", "unit"]]
    some = slim[slim["meter_id"].isin(slim["meter_id"].unique()[:METERS])].sort_values(["meter_id", "start_date"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bills.csv"
        some.drop(columns="unit").to_csv(path, index=False)
        answer = subprocess.run([PEERS, Path(__file__).parent / "peers.py", path], check=True, capture_output=True)
    peers = json.loads(answer.stdout.splitlines()[-1])
    third = slim.iloc[: ROWS // 3]
    ours = {
        "nn.calendarize, usage and days": len(slim) / best(lambda: calendarize(slim)),
        "nn.calendarize, whole result": len(usage) / best(lambda: calendarize(usage)),
        "nn.daily": len(third) / best(lambda: daily(third)),
    }
    for name, speed in ours.items():
        print(f"{name:<34} {speed:>12,.0f} bills/s")
    for name, told in peers.items():
        few = some[some["meter_id"].isin(some["meter_id"].unique()[: told["meters"]])]
        days = daily(few)
        if not math.isclose(days["usage"].sum(), told["usage"], rel_tol=1e-6):
            raise SystemExit(f"{name} has {told['usage']} where nn.daily has {days['usage'].sum()}.")
        speed = told["bills"] / told["seconds"]
        ratios = ", ".join(f"{label} {mine / speed:,.0f} x" for label, mine in ours.items())
        print(f"{name:<34} {speed:>12,.0f} bills/s on {told['bills']:,} bills; {ratios}; ", end="")
        print(f"nn.daily on the same bills {told['seconds'] / best(partial(daily, few)):,.0f} x")


if __name__ == "__main__":
    main()
