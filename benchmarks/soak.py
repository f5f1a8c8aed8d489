"""The long counts: `make soak` runs every test that has a long form, and writes what came out beside this file.

Each test is a run of its own, and keeps its own dated place in ``soak.md``: ``python benchmarks/soak.py
tests/webhooks`` renews what that folder's tests found and leaves the rest. A soak test prints lines that begin with
``soak:``; they, the day, the minutes and the machine are kept when it passed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from machine import describe

from nectar_notebooks.clock import SystemClock, stopwatch

RESULT = Path(__file__).with_name("soak.md")
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
TITLE = "# The long counts\n\nWritten by `make soak`; each test passed on its day.\n"


def tests(chosen: list[str]) -> list[str]:
    """Return the ids of the tests that have a long form."""
    command = [*PYTEST, "-m", "soak", "--collect-only", "-q", *chosen]
    told = subprocess.run(command, cwd=RESULT.parent.parent, capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if "::" in line]


def run(test: str) -> list[str] | None:
    """Run the long form of a test and return what it told, or None where it failed."""
    process = subprocess.Popen(
        [*PYTEST, "-s", test],
        cwd=RESULT.parent.parent,
        env=os.environ | {"NECTAR_TESTS_SOAK": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        told += re.findall(r"soak: (.+)", line)
    return None if process.wait() else told


def kept() -> dict[str, str]:
    """Return what stands in the file, by test."""
    text = RESULT.read_text() if RESULT.exists() else ""
    return dict(re.findall(r"^## (.+)\n\n((?:.+\n)+)", text, re.MULTILINE))


def keep(test: str, told: list[str], minutes: float) -> None:
    """Renew a test's place in the file."""
    facts = "".join(f"- {line}\n" for line in told)
    places = kept() | {test: f"{SystemClock().today()}, {minutes:.1f} minutes, {describe()}.\n{facts}"}
    RESULT.write_text(TITLE + "".join(f"\n## {name}\n\n{places[name]}" for name in sorted(places)))


def main(chosen: list[str]) -> int:
    """Run the soak tests under the paths chosen (all where none is), and return how many failed."""
    failed = []
    for test in tests(chosen):
        start = stopwatch()
        told = run(test)
        if told is None:
            failed.append(test)
        else:
            keep(test, told, (stopwatch() - start) / 60)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
