"""The long counts: `make soak` runs every test that has a long form, and writes what came out beside this file.

A soak test prints lines that begin with ``soak:``; they, the machine and the day make up ``soak.md``.
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


def main() -> int:
    """Run the soak tests, keep their result when they passed, and return pytest's exit code."""
    start = stopwatch()
    command = [sys.executable, "-m", "pytest", "-m", "soak", "-s", "-p", "no:cacheprovider", "-v"]
    environment = os.environ | {"NECTAR_TESTS_SOAK": "1"}
    process = subprocess.Popen(
        command, cwd=RESULT.parent.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        sys.stdout.write(line)
        told += re.findall(r"soak: (.+)", line)
    code = process.wait()
    if code == 0:
        minutes = (stopwatch() - start) / 60
        facts = "\n".join(f"- {line}" for line in told)
        RESULT.write_text(
            f"# The long counts\n\nWritten by `make soak` on {SystemClock().today()}, {minutes:.0f} minutes, "
            f"{describe()}. All passed.\n\n{facts}\n"
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
