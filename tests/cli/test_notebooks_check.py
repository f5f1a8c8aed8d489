"""`nectar notebooks check` and the sanitize file, as a user runs them on notebooks of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from places import PROJECT

import nectar_notebooks as nn

NECTAR = [sys.executable, "-m", "nectar_notebooks", "notebooks", "check"]
SANITIZE = PROJECT / "docs" / "nbval-sanitize.cfg"

#: Prints something else each time: a moment, a time of day, a duration, an id, an address, a port, a folder.
CHANGING = """
import datetime, tempfile, time, uuid
moment = datetime.datetime.now(datetime.UTC)
print(moment, moment.isoformat(), moment.strftime("%H:%M:%S"), f"took {time.perf_counter() % 1 * 1000:.3f} ms")
print(uuid.uuid4(), object(), f"http://localhost:{time.time_ns() % 10000}", tempfile.mkdtemp())
print("the bill of 2026-01-15 says 12 kWh")
"""
KEPT = """\
2020-02-03 04:05:06.789012+00:00 2020-02-03T04:05:06.789012+00:00 04:05:06 took 1.234 ms
00000000-1111-4222-8333-444444444444 <object object at 0x7f0000000000> http://localhost:1 {folder}
the bill of 2026-01-15 says 12 kWh
"""


def write(path: Path, *cells: tuple[str, str]) -> None:
    """Write a notebook of sources, each with the text it is said to have printed."""
    made = [
        nbformat.v4.new_code_cell(
            source, execution_count=1, outputs=[nbformat.v4.new_output("stream", name="stdout", text=text)]
        )
        for source, text in cells
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=kernel), path)


def check(folder: Path, *words: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command where a user has a real key, kept rows and settings of pytest that fit tests alone."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NECTAR_", "PYTEST_"))}
    mine = {"NECTAR_PRODUCTION_API_KEY": "a-real-key", "NECTAR_CACHE_DIR": str(folder / "rows"), "COLUMNS": "100"}
    command = NECTAR if code is None else [sys.executable, "-c", code]
    return subprocess.run(
        [*command, *words], cwd=folder, env=kept | mine, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a notebook that names production, and a check point that is none of the user's notebooks."""
    with_names = nn.connect(sandbox=nn.Sandbox(seed=1)).companies()["name"].tolist()
    companies = "nn.connect('production', key='another-real-key').companies()['name'].tolist()"
    notebooks = tmp_path / "notebooks"
    (notebooks / ".ipynb_checkpoints").mkdir(parents=True)
    write(notebooks / "names.ipynb", ("import nectar_notebooks as nn\nprint('ready')", "ready\n"),
          (f"print({companies})", f"{with_names}\n"))  # fmt: skip
    write(notebooks / ".ipynb_checkpoints" / "names.ipynb", ("1 / 0", "1\n"))
    return tmp_path


def test_notebooks_pass_and_what_changes_each_time_passes_by_the_sanitize_file(folder: Path) -> None:
    write(folder / "notebooks" / "times.ipynb", (CHANGING, KEPT.format(folder="/" + "tmp/abcdefgh")))
    ended = check(folder, "notebooks", "--sanitize", str(SANITIZE))
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.strip().splitlines()[-1] == "Seed 1: every output of 2 notebooks matches the saved one."
    assert not (folder / "rows").exists()


def test_a_notebook_that_says_something_else_fails_and_is_named(folder: Path) -> None:
    """Also with the sanitize file: it leaves the days of bills and quantities alone."""
    kept = KEPT.format(folder="/" + "tmp/abcdefgh").replace("2026-01-15", "2026-01-16")
    write(folder / "notebooks" / "wrong.ipynb", (CHANGING, kept), ("print('12 kWh')", "13 kWh\n"))
    fresh = [nbformat.v4.new_code_cell("print(1)"), nbformat.v4.new_code_cell("")]
    nbformat.write(nbformat.v4.new_notebook(cells=fresh), folder / "notebooks" / "fresh.ipynb")
    ended = check(folder, "notebooks", "--sanitize", str(SANITIZE))
    assert ended.returncode == 1
    told = ended.stdout.splitlines()
    assert [line.split(" - ")[0] for line in told if line.startswith("FAILED")] == [
        "FAILED notebooks/wrong.ipynb::Cell 0",
        "FAILED notebooks/wrong.ipynb::Cell 1",
    ]
    assert "Seed 1: 3 notebooks checked; some outputs differ from the saved ones" in told[-2]
    assert told[-1].startswith("1 cells have no saved output and were not compared")


def test_another_seed_has_other_companies(folder: Path) -> None:
    ended = check(folder, "notebooks/names.ipynb", "--seed", "2")
    assert ended.returncode == 1
    assert "1 failed, 1 passed" in ended.stdout
    assert "Seed 2: 1 notebook checked" in ended.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing"], "There is no folder nothing."),
        (["empty"], "There are no notebooks in empty."),
        (["pytest.ini"], "There are no notebooks in pytest.ini."),
        (["notebooks", "--sanitize", "gone.cfg"], "There is no file gone.cfg."),
    ],
)
def test_nothing_to_check_is_one_sentence(folder: Path, words: list[str], says: str) -> None:
    (folder / "empty").mkdir()
    ended = check(folder, *words)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"nectar: {says} ")
    assert len(ended.stderr.splitlines()) == 1


def test_without_nbval_one_sentence_says_what_to_install(folder: Path) -> None:
    without = "import sys; sys.modules['nbval'] = None; from nectar_notebooks.cli import main; sys.exit(main())"
    ended = check(folder, "notebooks", "check", "notebooks", code=without)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("nectar: nbval, which runs and compares notebooks, is not installed.")
    assert "nectar-notebooks[lab]" in ended.stderr
