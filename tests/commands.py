"""The `nectar` command in a process of its own, on a machine that sets none of the package's variables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: With every warning an error. Where another program's warnings are seen, as Voilà's, `NECTAR_AS_INSTALLED` runs.
NECTAR = (sys.executable, "-W", "error", "-m", "nectar_notebooks")
NECTAR_AS_INSTALLED = (sys.executable, "-m", "nectar_notebooks")


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without the package's variables, with ``more``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NECTAR_")}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONUNBUFFERED": "1", **more}


def nectar(folder: Path, *words: str, typed: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder and return how it ended; it shows no traceback and none of the keys it was given."""
    ended = subprocess.run(
        [*NECTAR, *words], cwd=folder, env=clean_environment(**environment), input=typed,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = ended.stdout + ended.stderr
    for name, value in environment.items():
        if name.endswith("_KEY"):
            assert not any(key in said for key in value.split(","))
    assert "Traceback" not in said
    return ended


def assert_one_sentence(ended: subprocess.CompletedProcess[str], *says: str) -> None:
    """Assert that a command failed with one line that says each of these."""
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.startswith("nectar: ")
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    for part in says:
        assert part in ended.stderr
