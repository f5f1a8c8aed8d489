"""The notebooks hold what their readers are promised: the data's own outputs, on any machine, on any day."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from places import PROJECT

if TYPE_CHECKING:
    from types import ModuleType

    from nbformat import NotebookNode

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
#: A cell with this tag says the same whatever the data: a type, a rule, a refusal.
ANY_SEED = "any-seed"

pytestmark = [
    pytest.mark.reference_only,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the kernel client leaves sockets to the collector
]


@pytest.fixture(scope="session")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_notebooks", PROJECT / "docs" / "build_notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(cell: NotebookNode) -> list[dict[str, Any]]:
    """Return what nbval compares of a cell: everything but pictures, counts and tracebacks."""
    kept = []
    for output in cell.get("outputs", []):
        plain = json.loads(json.dumps(output))
        for name in ("execution_count", "traceback", "metadata"):
            plain.pop(name, None)
        plain["data"] = {kind: data for kind, data in plain.get("data", {}).items() if not kind.startswith("image/")}
        kept.append(plain)
    return kept


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


@pytest.mark.heavy
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_another_seed_gives_another_answer_wherever_there_is_data(builder: ModuleType, path: Path) -> None:
    kept = code_cells(nbformat.read(path, as_version=4))
    other = code_cells(builder.run(path, NECTAR_SANDBOX_SEED="2", ALLOW_ERRORS="1"))
    with_output = [(mine, his) for mine, his in zip(kept, other, strict=True) if mine.outputs]
    assert with_output
    same = {mine.id for mine, his in with_output if shown(mine) == shown(his)}
    tagged = {mine.id for mine, _ in with_output if ANY_SEED in tags(mine)}
    assert same == tagged


@pytest.mark.heavy
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_says_the_same_next_year(builder: ModuleType, path: Path, tmp_path: Path) -> None:
    """The kernel's own clock stands a year ahead, for every way Python has of asking it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import datetime, time_machine\n"
        "ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=365)\n"
        "time_machine.travel(ahead, tick=True).start()\n"
    )
    later = builder.run(path, PYTHONPATH=str(tmp_path))
    kept = nbformat.read(path, as_version=4)
    assert [shown(cell) for cell in code_cells(later)] == [shown(cell) for cell in code_cells(kept)]


@pytest.mark.heavy
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_runs_on_what_is_documented_alone(builder: ModuleType, path: Path) -> None:
    run = builder.run(path, NECTAR_SANDBOX_DOCUMENTED_ONLY="1")
    assert builder.faults(run) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_kept_outputs_are_whole_and_show_no_machine(builder: ModuleType, path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert builder.faults(notebook) == []
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    again = builder.normalise(nbformat.from_dict(json.loads(json.dumps(notebook))))
    assert again == notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_nothing_is_left_out_of_the_comparison(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"nbval|NBVAL|Styler|datetime\.now|date\.today", text)
    known = {ANY_SEED, "raises-exception"}
    for cell in code_cells(nbformat.read(path, as_version=4)):
        assert set(tags(cell)) <= known
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in tags(cell))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_after_each_picture_a_cell_shows_the_frame_it_was_drawn_from(path: Path) -> None:
    cells = code_cells(nbformat.read(path, as_version=4))
    for place, cell in enumerate(cells):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            after = cells[place + 1]
            assert ".frame" in after.source
            assert any("text/html" in output.get("data", {}) for output in after.outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_the_skeleton_is_the_same_in_every_notebook(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    first = cells[0].source
    assert first.startswith("# ")
    assert "**You will learn**" in first
    assert re.search(r"\*\*Time\*\*:? about \d+ minutes", first)
    assert "**You need**" in first
    heads = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    heads = [line for line in heads if line.startswith("## ")]
    assert heads[0] == "## Imports"
    assert heads[-2:] == ["## Summary", "## What next"]
    assert next(cell for cell in cells if cell.cell_type == "code").source.startswith("import ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_links_lead_somewhere_and_every_notebook_stands_on_the_map(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (path.parent / target).exists(), target
    if path.stem.startswith("00"):
        assert {other.name for other in NOTEBOOKS} - {path.name} <= set(re.findall(r"\]\(([^)#/]+\.ipynb)", text))


def test_what_a_notebook_may_not_show_is_found(builder: ModuleType) -> None:
    def cell(**output: Any) -> NotebookNode:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
        return builder.normalise(nbformat.from_dict(notebook))

    def result(text: str) -> NotebookNode:
        return cell(output_type="execute_result", data={"text/plain": text}, metadata={}, execution_count=1)

    assert builder.faults(result("1,204 kWh in 2025-01")) == []
    assert builder.faults(result("/home/ann/bills.csv")) == ["cell-00 shows a path"]
    assert builder.faults(result("http://127.0.0.1:8765/v2.2")) == ["cell-00 shows a port"]
    assert builder.faults(result("<Thing at 0x7f00aa11>")) == ["cell-00 shows the address of an object"]
    assert "stderr" in builder.faults(cell(output_type="stream", name="stderr", text="Warning"))[0]


def test_the_script_leaves_a_notebook_that_may_not_be_kept_as_it_was(builder: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "bad.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('/home/ann')")]), path)
    before = path.read_bytes()
    assert builder.main([str(path)]) == 1
    assert path.read_bytes() == before


def test_a_year_ahead_reaches_every_clock_of_python(tmp_path: Path) -> None:
    """The test above would pass on a machine whose clock did not move: here it is seen to move."""
    import subprocess

    (tmp_path / "sitecustomize.py").write_text(
        "import datetime, time_machine\n"
        "ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=365)\n"
        "time_machine.travel(ahead, tick=True).start()\n"
    )
    code = "import time, datetime, pandas as p; print(time.time(), datetime.date.today().year, p.Timestamp.now().year)"
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ahead = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(tmp_path)}
    ).stdout.split()
    assert float(ahead[0]) - float(plain[0]) > 364 * 86400
    assert int(ahead[1]) == int(plain[1]) + 1
    assert int(ahead[2]) == int(plain[2]) + 1
