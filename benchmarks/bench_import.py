"""What ``import nectar_notebooks`` costs beyond ``import pandas, requests``.

Method: fresh interpreters, the two imports in turn, so that a busy machine hits both alike; the median of the
differences of neighbours. Goal: at most 10 %.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time

YARDSTICK = "import pandas, requests"
OURS = f"{YARDSTICK}; import nectar_notebooks"
CONNECT = f"{YARDSTICK}; import nectar_notebooks as nn; nn.connect"


def seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    for code in (YARDSTICK, OURS, CONNECT):
        seconds(code)  # bytecode and disk caches
    base, ours, connect = [], [], []
    for _ in range(rounds):
        base.append(seconds(YARDSTICK))
        ours.append(seconds(OURS))
        connect.append(seconds(CONNECT))
    yardstick = statistics.median(base)
    print(f"machine    {platform.platform()}, Python {platform.python_version()}, {rounds} rounds, median")
    print(f"yardstick  {YARDSTICK}: {yardstick:.3f} s")
    for name, figures, goal in (("package", ours, "goal 1.10"), ("connect", connect, "no goal")):
        more = statistics.median(own - other for own, other in zip(figures, base, strict=True))
        print(f"{name:10} + {more * 1000:.0f} ms, ratio {1 + more / yardstick:.3f} ({goal})")


if __name__ == "__main__":
    main()
