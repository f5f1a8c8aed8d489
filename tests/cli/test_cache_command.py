"""`nectar cache` on a folder that a client filled."""

from __future__ import annotations

from pathlib import Path

import pytest

from nectar_notebooks import Sandbox, connect
from nectar_notebooks.cli import main


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    nectar = connect(sandbox=Sandbox(sites=1, months=1), cache_dir=tmp_path)
    nectar.sites(nectar.companies().iloc[0])
    return tmp_path


def test_the_cache_is_listed_measured_and_cleared(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--cache-dir", str(filled)]
    (filled / "mine.txt").write_text("not the toolkit's")
    assert main(["cache", "list", *place]) == 0
    listed = capsys.readouterr().out
    assert "companies" in listed
    assert "embedded sandbox" in listed
    assert main(["cache", "size", *place]) == 0
    assert "kB" in capsys.readouterr().out
    assert main(["cache", "clear", *place]) == 0
    assert main(["cache", "list", *place]) == 0
    assert "Nothing is cached" in capsys.readouterr().out
    assert [path.name for path in filled.iterdir()] == ["mine.txt"]


def test_pruning_drops_what_is_older_than_said(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--cache-dir", str(filled)]  # the embedded sandbox stands in January 2026
    assert main(["cache", "prune", "--older-than", "36500", *place]) == 0
    main(["cache", "list", *place])
    assert "companies" in capsys.readouterr().out
    assert main(["cache", "prune", "--older-than", "0", *place]) == 0
    capsys.readouterr()
    main(["cache", "list", *place])
    assert "Nothing is cached" in capsys.readouterr().out


def test_days_that_are_none_are_a_mistake_of_the_command_line(filled: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["cache", "prune", "--older-than", "-1"])
    assert caught.value.code == 2
