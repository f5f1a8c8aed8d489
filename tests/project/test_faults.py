"""The page of faults names every test of a fault, and no test that there is not; so do the promises of SECURITY.md."""

from __future__ import annotations

import ast
import re

from places import PROJECT

TESTS = PROJECT / "tests"


def all_and_faults() -> tuple[set[str], set[str]]:
    """Return the ids of all tests, without parameters, and of those marked `fault`."""
    tests, faults = set(), set()
    for file in TESTS.rglob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        whole = any(
            isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark" and is_fault(node.value)
            for node in tree.body
        )
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name = f"{file.relative_to(PROJECT).as_posix()}::{node.name}"
                tests.add(name)
                if whole or any(is_fault(one) for one in node.decorator_list):
                    faults.add(name)
    return tests, faults


def is_fault(node: ast.expr) -> bool:
    return "pytest.mark.fault" in {ast.unparse(one) for one in ast.walk(node)}


def rows() -> list[list[str]]:
    page = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")
    ]
    return [row for row in cells if row[0] != "fault" and set(row[0]) != {"-"}]


def test_each_row_says_what_is_seen_or_kept_and_names_a_test() -> None:
    tests, _ = all_and_faults()
    assert len(rows()) > 50
    for row in rows():
        assert len(row) == 4, row
        assert row[0]
        assert row[1] or row[2], row
        found = re.findall(r"`(tests/[^`]+)`", row[3])
        assert found, row
        assert set(found) <= tests, row


def test_each_test_of_a_fault_has_a_row() -> None:
    _, faults = all_and_faults()
    named = [name for row in rows() for name in re.findall(r"`(tests/[^`]+)`", row[3])]
    assert sorted(named) == sorted(faults)


def test_security_names_files_that_there_are() -> None:
    page = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"tests/[a-z_/]+\.py", page)
    assert len(named) > 10
    assert [name for name in named if not (PROJECT / name).is_file()] == []
