"""The project's own promises: its files agree with each other, and nothing of one machine is in them."""

from __future__ import annotations

import ast
import csv
import inspect
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from places import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0].lower().replace("_", "-") for line in requirements}


def pins(file: str) -> dict[str, str]:
    lines = [line for line in (PROJECT / file).read_text().splitlines() if line and not line.startswith("#")]
    return {line.split("==")[0].lower().replace("_", "-"): line for line in lines}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (PROJECT / name).is_file()]


def text_of(name: str) -> str:
    """Return what can be read of a file; of an archive, what can be read of its members."""
    path = PROJECT / name
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as packed:
            return "\n".join(packed.read(member).decode("utf-8", "replace") for member in packed.namelist())
    return path.read_bytes().decode("utf-8", "replace")


def test_the_conda_environment_holds_python_and_pip_and_leaves_the_rest_to_pyproject() -> None:
    lines = [line.strip().removeprefix("- ") for line in (PROJECT / "environment.yml").read_text().splitlines()]
    listed = lines[lines.index("dependencies:") + 1 :]
    assert listed == [f"python{PYPROJECT['project']['requires-python']}", "pip", "pip:", "-e .[lab]"]
    assert "lab" in PYPROJECT["project"]["optional-dependencies"]


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-pandas2.txt"])
def test_constraints_are_names_and_versions_and_pin_every_dependency(file: str) -> None:
    pinned = pins(file)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in pinned.values())
    extras = PYPROJECT["project"]["optional-dependencies"]
    wanted = names(PYPROJECT["project"]["dependencies"]) | names(extras["lab"]) | names(extras["dev"])
    assert wanted - {"nectar-notebooks"} <= pinned.keys()


def test_pandas_3_is_the_reference_and_2_3_is_tested_too() -> None:
    assert pins("constraints.txt")["pandas"].startswith("pandas==3.")
    assert pins("constraints-pandas2.txt")["pandas"].startswith("pandas==2.3.")


def test_no_file_names_this_machine_or_a_registry() -> None:
    forbidden = re.compile(r"(?<![\w.])/(?:work|root|farm|tmp)/\w|files\.pythonhosted|registry\.npmjs|pypi\.org/simple")
    own_name = "tests/project/test_project.py"
    found = []
    for name in tracked():
        if name == own_name or name.endswith((".png", ".svg", ".pdf")):
            continue
        for number, line in enumerate(text_of(name).splitlines(), 1):
            if forbidden.search(line):
                found.append(f"{name}:{number}")
    assert found == []


def test_nothing_of_the_real_bills_is_in_the_project(real_bills: Path) -> None:
    with real_bills.open(newline="") as file:
        rows = list(csv.DictReader(file))
    telling = ("Site ID", "Site Name", "Vendor Code", "Vendor Name", "Account Number", "Meter Number")
    cells = {row[column] for row in rows for column in telling if len(row[column]) >= 6}
    assert len(cells) >= 6
    lines = set(real_bills.read_text().splitlines()[1:])
    for name in tracked():
        if name.endswith((".png", ".pdf")):
            continue
        content = text_of(name)
        assert not [cell for cell in cells if cell in content], name
        assert not lines.intersection(content.splitlines()), name


def test_what_ci_runs_is_the_readme_command() -> None:
    assert "\nmake test-all\n" in (PROJECT / ".ci" / "run").read_text()
    everything = (PROJECT / "Makefile").read_text().partition("\ntest-all: ")[2].partition("##")[0].split()
    assert everything == ["lint", "unit-all", "notebooks-test", "pandas2"]
    assert "make test" in (PROJECT / "README.md").read_text() + (PROJECT / "CONTRIBUTING.md").read_text()


def test_ci_names_windows_and_macos_as_untried() -> None:
    text = (PROJECT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert {"windows-latest", "macos-latest"} == set(jobs["untried"]["strategy"]["matrix"]["os"])
    assert jobs["untried"]["continue-on-error"] is True
    assert "UNTRIED" in text
    assert "make test-all" in str(jobs["linux"]["steps"])


def test_modules_say_what_they_do() -> None:
    for path in sorted((PROJECT / "nectar_notebooks").rglob("*.py")):
        doc = ast.get_docstring(ast.parse(path.read_text()))
        assert doc, f"{path.relative_to(PROJECT)} opens without saying what it does"
        assert inspect.cleandoc(doc) != "Placeholder.", path.relative_to(PROJECT)
