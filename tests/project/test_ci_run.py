"""`.ci/run`: a browser is found, installed or asked for plainly, and a browser test that is skipped fails the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROJECT

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="no bash on this machine")


def machine(folder: Path, **commands: str) -> Path:
    """Make a machine that has these commands alone, and a clean checkout on it; return its checkout."""
    checkout, tools = folder / "checkout", folder / "tools"
    (checkout / ".ci").mkdir(parents=True)
    tools.mkdir()
    shutil.copy(PROJECT / ".ci" / "run", checkout / ".ci" / "run")
    for name in ("bash", "dirname", "env", "chmod"):
        (tools / name).symlink_to(str(shutil.which(name)))
    made = {"make": 'echo "make $* browser=${NECTAR_TESTS_REQUIRE_BROWSER:-}"'}
    for name, does in (made | commands).items():
        (tools / name).write_text(f"#!/usr/bin/env bash\n{does}\n")
        (tools / name).chmod(0o755)
    return checkout


def run(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout.parent / "tools")} | environment
    return subprocess.run(
        [str(BASH), ".ci/run"], cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=30
    )


def test_a_browser_that_is_there_is_used(tmp_path: Path) -> None:
    ended = run(machine(tmp_path, chromium="exit 0", **{"apt-get": "echo installed; exit 1"}))
    assert (ended.returncode, ended.stdout) == (0, "make test-all browser=1\n")


def test_root_gets_one_installed(tmp_path: Path) -> None:
    install = 'echo "exit 0" > "${0%/*}/chromium"; chmod +x "${0%/*}/chromium"'
    apt = f'echo "$*" >> "$0.log"; [ "$1" = update ] || {{ {install}; }}'
    checkout = machine(tmp_path, id="echo 0", **{"apt-get": apt})
    ended = run(checkout)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "No Chromium was found: installing it.\nmake test-all browser=1\n"
    asked = (tmp_path / "tools" / "apt-get.log").read_text().splitlines()
    assert asked == ["update -qq", "install -y -qq --no-install-recommends chromium"]


@pytest.mark.parametrize("commands", [{"id": "echo 1000", "apt-get": "exit 0"}, {"id": "echo 0"}])
def test_who_cannot_install_one_is_told_so_at_once(tmp_path: Path, commands: dict[str, str]) -> None:
    ended = run(machine(tmp_path, **commands))
    assert ended.returncode == 1
    assert "make test" not in ended.stdout
    assert "No Chromium was found" in ended.stderr
    assert "NECTAR_CHROMIUM" in ended.stderr


@pytest.mark.parametrize(("required", "code"), [("1", 1), ("", 0)])
def test_a_browser_test_that_is_skipped_fails_the_run_where_one_is_required(
    tmp_path: Path, required: str, code: int
) -> None:
    shutil.copy(PROJECT / "tests" / "conftest.py", tmp_path / "conftest.py")
    shutil.copy(PROJECT / "tests" / "places.py", tmp_path / "places.py")
    (tmp_path / "test_one.py").write_text(
        "import pytest\n\n@pytest.mark.browser\n@pytest.mark.skipif(True, reason='no Chromium was found')\n"
        "def test_page():\n    pass\n\ndef test_other():\n    pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    real_bills\n    soak\n")
    environment = {**os.environ, "NECTAR_TESTS_REQUIRE_BROWSER": required, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tmp_path)]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == code, ended.stdout
    assert "no Chromium was found" in ended.stdout
    assert ("FAILED: 1 tests on a browser were skipped" in ended.stdout) is bool(required)
