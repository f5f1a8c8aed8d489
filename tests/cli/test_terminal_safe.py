"""Text of an API on a terminal: nothing in it is obeyed, and lines of two threads never mix."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from api.wire import Reply, Request, serve
from client.hand_written_api import account, document, usage

from nectar_notebooks import connect, diagnose, monthly, plots
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
        broken = {"id": "k2", "status": "PASSWORD_INCORRECT", "datasource": {"name": name}}
        row = {
            "id": "k1",
            "status": name,
            "accounts": [account("a1", ["m1"], status=name)],
            "username": name,
            "datasource": {"name": name},
            "statusError": name,
        }
        return Reply({"connections": [row, broken], "totalConnections": 2, "totalPages": 1, "currentPage": 1})
    if "/document/" in request.path or "/usage/" in request.path:
        return Reply(nasty_rows(request, name))
    return Reply({"detail": name, name: [name]}, 403)


def nasty_rows(request: Request, name: str) -> dict[str, object]:
    key, row = "documents", document("b1", "2026-01-05", "a1", "10.25", ["u1"])
    row |= {"utilityCompany": name, "fileName": name, "status": name, "chargesUnits": name, "invoiceId": name}
    row["lineItems"] = [row["lineItems"][0] | {"description": name, "chargeType": name, "quantityUnits": name}]
    if "/usage/" in request.path:
        key, row = "usageData", usage("u1", "b1", "m1", "s1", "2025-12-01", "2025-12-31", "100.5")
        row |= {
            "datasourceType": name,
            "usageUnits": name,
            "supplierName": name,
            "identifiers": [{"name": name, "value": name, "rawName": name}],
        }
    rows = [] if "dateType" in request.query else [row]
    total = f"total{key[0].upper()}{key[1:]}"
    return {key: rows, total: len(rows), "totalPages": 1, "currentPage": 1}


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
        ["export", "bills", "here.csv", "--environment", "production", "--company", "c1"],
        ["export", "monthly", "there.csv", "--environment", "production", "--company", "c1"],
        ["demo", "--out", "pictures"],
        ["cache", "list"],
        ["keys", "compare"],
    ],
    ids=" ".join,
)
def test_no_command_passes_on_what_moves_a_cursor(
    nasty, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    if words[0] == "demo":  # which asks the local one
        monkeypatch.setenv("NECTAR_ENVIRONMENT", "local")
    with warnings.catch_warnings(record=True) as caught:  # for people they are printed
        warnings.simplefilter("always")
        main(words)
    printed = capsys.readouterr()
    assert all(harmless(str(one.message)) for one in caught)
    assert printed.out + printed.err
    assert not [line for line in printed.out.splitlines() if line.startswith("The key is accepted\\u")]
    assert harmless(printed.out)
    assert harmless(printed.err)


def test_an_error_is_one_line_that_shows_what_was_sent(nasty) -> None:
    with pytest.raises(NectarError) as caught:
        connect("production").jobs("c1")
    for text in (str(caught.value), caught.value.message, caught.value.advice):
        assert text.isprintable()
    assert CALM in str(caught.value)


def test_what_a_notebook_shows_of_a_portfolio_and_its_pictures_is_calm(nasty) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        portfolio = connect("production").portfolio("c1")
        picture = plots.monthly_usage(monthly(portfolio), title=f"Usage of {portfolio.name}")
        shown = [repr(portfolio), portfolio._repr_html_(), repr(picture), picture._repr_mimebundle_()[0]["text/plain"]]
    shown += [str(one.message) for one in caught]
    assert all(map(harmless, shown)), shown
    assert CALM in shown[0]
    assert any("state that is not documented" in one for one in shown)


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
