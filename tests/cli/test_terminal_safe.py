"""Text of an API on a terminal: nothing in it is obeyed, and lines of two threads never mix."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from api.wire import Reply, Request, serve

from nectar_notebooks import connect, diagnose
from nectar_notebooks.cli import main
from nectar_notebooks.errors import NectarError

pytestmark = pytest.mark.fault

NASTY = "Mill\x1b]0;owned\x07\x1b[2J\x9b31m\r\nThe key is accepted\u202e\u2066\u200f\ud83d"
CALM = r"Mill\x1b]0;owned\x07\x1b[2J\x9b31m  The key is accepted\u202e\u2066\u200f"


def harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def nasty_api(request: Request) -> Reply:
    name = NASTY.removesuffix("\ud83d")
    if request.path.endswith("/ping"):
        return Reply({"status": name, "version": name})
    if request.path.endswith("/company"):
        return Reply([{"id": "c1", "name": name}, {"id": "c2\x1b[2J", "name": name}])
    if request.path.endswith("/company/c1") and request.path.count("/") == 3:
        return Reply({"id": "c1", "name": name, "sites": []})
    if "/connection/" in request.path:
        row = {"id": "k1", "status": name, "username": name, "datasource": {"name": name}, "statusError": name}
        return Reply({"connections": [row], "totalConnections": 1, "totalPages": 1, "currentPage": 1})
    return Reply({"detail": name, name: [name]}, 403)


@pytest.fixture
def nasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with serve(nasty_api) as wire:
        monkeypatch.setenv("NECTAR_PRODUCTION_API_KEY", "nk_made_up_key_of_this_test")
        monkeypatch.setenv("NECTAR_BASE_URL", wire.url)
        monkeypatch.setenv("NECTAR_CACHE_DIR", str(tmp_path / "cache"))
        yield wire


@pytest.mark.parametrize(
    "words",
    [
        ["ping", "production"],
        ["doctor", "production"],
        ["doctor", "production", "--id", "b\x1b[2J"],
        ["status", "production"],
        ["status", "production", "--company", "nobody"],
        ["versions", "production"],
        ["versions", "production", "--company", "c1"],
        ["export", "production", "--company", "c1", "--out", "here"],
        ["cache", "list"],
    ],
    ids=" ".join,
)
def test_no_command_passes_on_what_moves_a_cursor(nasty, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with suppress(SystemExit):  # argparse did not take it
        main(words)
    printed = capsys.readouterr()
    assert printed.out + printed.err
    assert harmless(printed.out)
    assert harmless(printed.err)


def test_an_error_is_one_line_that_shows_what_was_sent(nasty) -> None:
    with pytest.raises(NectarError) as caught:
        connect("production").bills("c1")
    for text in (str(caught.value), caught.value.message, caught.value.advice):
        assert text.isprintable()
    assert CALM in str(caught.value)


def test_a_diagnosis_is_calm(nasty) -> None:
    assert harmless(repr(diagnose("production")))
    assert harmless(repr(connect("production")))


def test_a_bills_file_is_reported_calmly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bills.csv"
    path.write_text("Account,Bill Date,Cost,Site\n1,2025-01-01,5.00,Mill\u202e\u2066\n1,never\u202e,5.00,Mill\n")
    main(["demo", "--bills", str(path), "--out", str(tmp_path / "out")])
    printed = capsys.readouterr()
    assert r"\u202e" in printed.out
    assert harmless(printed.out)
    assert harmless(printed.err)


LINES = """
import sys, threading
from nectar_notebooks.printing import print_lines, print_status
def work(name):
    for number in range(200):
        print_lines(f"{name} {number} " + name * 300)
        print_status(f"{name} {number}")
threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
for one in threads: one.start()
for one in threads: one.join()
print_status("")
"""


def test_two_threads_never_mix_their_lines() -> None:
    command = [sys.executable, "-c", LINES]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True)
    lines = [line.split("\r")[-1] for line in done.stdout.decode().split("\n")]
    whole = [f"{name} {number} {name * 300}" for name in "abcd" for number in range(200)]
    assert sorted(line for line in lines if line.strip()) == sorted(whole)
