"""What every benchmark prints first, and how it times: the machine, the versions, the median of several runs."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable
from importlib.metadata import version

from nectar_notebooks.clock import stopwatch


def describe() -> str:
    """Return the machine and the versions that decide about speed, in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("pandas", "numpy", "pyarrow"))
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {sys.version.split()[0]}, {versions}"


def median_seconds(run: Callable[[], object], times: int = 5) -> float:
    """Return the median time of `times` runs after one that does not count."""
    run()
    taken = []
    for _ in range(times):
        start = stopwatch()
        run()
        taken.append(stopwatch() - start)
    return statistics.median(taken)
