"""The sandbox as an object: the same bytes, threads, journal, reset, files, ports."""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from sandbox_asker import Asker
from small_world import ACME, BETA, JANUARY_BILL, many_bills, small_world

from nectar_notebooks.errors import BillsFileError, ConfigurationError
from nectar_notebooks.sandbox import Sandbox

PATHS = ("/company", "/connection/company/{}", "/meter/company/{}", "/document/company/{}?page=2", "/usage/company/{}")


def digest(sandbox: Sandbox) -> str:
    """Return one number for everything the demo portfolio answers."""
    client, headers = sandbox.app.test_client(), {"X-API-Key": sandbox.key}
    seen = hashlib.sha256()
    for company in client.get("/v2.2/company", headers=headers).json:
        for path in PATHS:
            answer = client.get(f"/v2.2{path.format(company['id'])}", headers=headers)
            assert answer.status_code == 200
            seen.update(answer.data)
    return seen.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    first, again, other = (digest(Sandbox(seed=seed, months=3)) for seed in (7, 7, 8))
    assert first == again != other


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_app_life import digest;"
        "from nectar_notebooks.sandbox import Sandbox; print(digest(Sandbox(seed=7, months=3)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    assert run.stdout.strip() == digest(Sandbox(seed=7, months=3))


def test_what_is_asked_first_changes_no_byte() -> None:
    asked_backwards = Sandbox(seed=7, months=3)
    ask = Asker(asked_backwards)
    for company in reversed(ask("/company")[1]):
        ask(f"/usage/company/{company['id']}")
    assert digest(asked_backwards) == digest(Sandbox(seed=7, months=3))


def test_sites_and_months_are_as_asked() -> None:
    ask = Asker(Sandbox(seed=3, sites=5, months=2))
    assert sum(len(company["sites"]) for company in ask("/company")[1]) == 5


def test_importing_the_package_loads_neither_flask_nor_sqlite() -> None:
    code = (
        "import sys, nectar_notebooks.sandbox; print([m for m in ('flask', 'sqlite3', 'werkzeug') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_ten_requests_at_once(ask: Asker) -> None:
    def one(number: int) -> str:
        status, body = ask(f"/document/company/{ACME}?page={number}")
        assert status == 200
        return str(body["documents"])

    journal = ask.sandbox.journal
    with ThreadPoolExecutor(10) as pool:
        with ask.sandbox.state.reading():  # nobody is answered until all have asked
            answers = [pool.submit(one, number) for number in range(10)]
            patience = threading.Event()
            while journal.highest_concurrency < 10:
                patience.wait(0.01)
        assert len({answer.result() for answer in answers}) == 1
    assert len(journal) == 10
    assert journal.highest_concurrency == 10


def test_the_first_requests_may_come_at_once() -> None:
    sandbox = Sandbox(seed=7, sites=6, months=3)
    ask = Asker(sandbox)
    company = ask("/company")[1][0]["id"]
    with ThreadPoolExecutor(10) as pool:
        totals = set(pool.map(lambda _: ask(f"/usage/company/{company}")[1]["totalUsageData"], range(10)))
    assert len(totals) == 1
    assert totals.pop() > 0


def test_the_journal_notes_what_was_asked(ask: Asker) -> None:
    ask(f"/document/company/{ACME}?page=2")
    ask("/company/nothing", key="nectar_local_wrong")
    ask("/nowhere")
    rows = ask.sandbox.journal.rows()
    assert [(row["number"], row["method"], row["route"], row["status"]) for row in rows] == [
        (1, "GET", "/document/company/{company_id}", 200),
        (2, "GET", "/company/{company_id}", 401),
        (3, "GET", None, 404),
    ]
    assert rows[0]["path"] == f"/v2.2/document/company/{ACME}"
    assert rows[0]["query"] == "page=2"
    assert rows[0]["time"] == "2026-01-15T09:00:00Z"
    assert ask.sandbox.journal.count(status=200) == 1
    ask.sandbox.journal.clear()
    assert len(ask.sandbox.journal) == 0


def test_a_full_journal_keeps_the_newest_and_counts_them_all(ask: Asker) -> None:
    journal = ask.sandbox.journal
    journal.keep(3)
    for _ in range(4):
        ask("/ping")
    ask("/nowhere")
    assert [(row["number"], row["status"]) for row in journal] == [(3, 200), (4, 200), (5, 404)]
    assert len(journal) == 3
    assert journal.dropped == 2
    assert (journal.count(), journal.count("/ping"), journal.count(status=404)) == (5, 4, 1)
    assert repr(journal) == "Journal(5 requests, at most 1 at once, the oldest 2 dropped)"
    _, told = ask("/journal", version="_sandbox")
    assert (told["total"], told["dropped"], len(told["requests"])) == (5, 2, 3)
    journal.clear()
    assert (len(journal), journal.count(), journal.dropped) == (0, 0, 0)


def test_time_moves_only_when_asked(sandbox: Sandbox) -> None:
    assert sandbox.clock.now().isoformat() == "2026-01-15T09:00:00+00:00"
    sandbox.advance(days=7)
    assert sandbox.clock.today().isoformat() == "2026-01-22"
    with pytest.raises(ValueError, match="forward"):
        sandbox.advance(days=-1)


def test_reset_goes_back_to_the_start(make: Callable[..., Asker]) -> None:
    ask = make(world=many_bills(3))
    before = ask(f"/document/company/{BETA}")
    key = ask.sandbox.create_key("sandbox")
    ask.sandbox.advance(days=3)
    ask.sandbox.reset()
    assert ask("/ping", key=key)[0] == 401
    assert ask(f"/document/company/{BETA}") == before
    assert ask.sandbox.clock.today().isoformat() == "2026-01-15"
    assert len(ask.sandbox.journal) == 2


def test_a_prepared_sandbox_answers_the_same_and_comes_back_to_its_start() -> None:
    plain, prepared = Sandbox(sites=4, months=6), Sandbox(sites=4, months=6)
    prepared.scenario("bill_deleted")
    prepared.prepare()
    told = []
    prepared.on_reset.append(lambda: told.append("reset"))
    company = Asker(plain)("/company")[1][0]["id"]
    asked = ["/company", f"/document/company/{company}", f"/usage/company/{company}"]
    start = [Asker(plain)(path) for path in asked]
    for _ in range(2):
        assert [Asker(prepared)(path) for path in asked] == start
        key = prepared.create_key("sandbox")
        prepared.advance(days=40)
        prepared.scenario("bill_revised")
        assert [Asker(prepared)(path) for path in asked] != start
        prepared.reset()
        assert Asker(prepared)("/ping", key=key)[0] == 401
    assert told == ["reset", "reset"]
    prepared.advance(days=40)
    plain.advance(days=40)
    assert [Asker(prepared)(path) for path in asked] == [Asker(plain)(path) for path in asked]
    plain.close()
    prepared.close()


def test_a_prepared_sandbox_with_a_file_stays_in_its_file(tmp_path: Path) -> None:
    sandbox = Sandbox(world=small_world(), db=tmp_path / "state.db")
    sandbox.prepare()
    key = sandbox.create_key("sandbox")
    sandbox.close()
    again = Sandbox(world=small_world(), db=tmp_path / "state.db")
    assert Asker(again)("/ping", key=key)[0] == 200
    again.close()


def test_a_file_keeps_the_state(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    sandbox = Sandbox(world=small_world(), db=path)
    key = sandbox.create_key("sandbox")
    sandbox.advance(days=2)
    bill = Asker(sandbox)(f"/document/{JANUARY_BILL}")
    sandbox.close()
    again = Sandbox(world=small_world(), db=path)
    ask = Asker(again)
    assert ask("/ping", key=key)[0] == 200
    assert ask(f"/document/{JANUARY_BILL}") == bill
    assert again.clock.today().isoformat() == "2026-01-17"
    assert again.create_key("sandbox") != key
    again.close()


def test_a_file_keeps_the_bills_that_come_on_need(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    Sandbox(seed=7, sites=4, months=3, db=path).close()
    again = Sandbox(seed=7, sites=4, months=3, db=path)
    assert digest(again) == digest(Sandbox(seed=7, sites=4, months=3))
    again.close()


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is no database but it is long enough to look at." * 20)
    with pytest.raises(ConfigurationError, match=r"letter\.txt"):
        Sandbox(db=path)
    assert path.read_text().startswith("Dear reader")


@pytest.mark.fault
@pytest.mark.parametrize("db", ["/dev/zero", "/dev/null/x.db", "a\0b", "x" * 300, "\ud800", 5, b"x.db", "a pipe"])
def test_a_place_that_can_hold_no_state_is_one_sentence(tmp_path: Path, db: object) -> None:
    if db == "a pipe":
        db = tmp_path / "pipe"
        os.mkfifo(db)
    with pytest.raises(ConfigurationError):
        Sandbox(db=db)


@pytest.mark.parametrize(
    "given",
    [{"sites": "a"}, {"months": float("nan")}, {"months": "3"}, {"switches": 5}, {"world": 5}, {"clock": 5}],
    ids=str,
)
def test_what_no_sandbox_is_made_of_is_one_sentence(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Sandbox(**given)


@pytest.mark.parametrize("port", ["x", None, -1, 65536, 1.5])
def test_what_is_no_port_is_one_sentence(sandbox: Sandbox, port: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no port"):
        sandbox.serve(port)


def test_a_port_in_use_is_one_sentence(sandbox: Sandbox) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}.*in use.*another port"):
            sandbox.serve(port)


@pytest.mark.fault
def test_it_is_served_on_this_machine_alone(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match=r"0\.0\.0\.0"):
        sandbox.serve(host="0.0.0.0")


def test_a_served_sandbox_frees_its_port(sandbox: Sandbox) -> None:
    with sandbox.serve() as served:
        assert requests.get(f"{served.url}/v2.2/ping", timeout=5).status_code == 401
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{served.url}/v2.2/ping", timeout=5)
    with sandbox.serve(served.port) as again:
        assert again.port == served.port


@pytest.mark.parametrize("clock", ["yesterday", 5])
def test_a_clock_that_is_no_moment_is_refused(clock: object) -> None:
    with pytest.raises(ConfigurationError, match="no moment"):
        Sandbox(clock=clock)  # type: ignore[arg-type]  # on purpose


def test_own_bills_become_a_company_and_the_same_file_again_replaces_it(ask: Asker, tmp_path: Path) -> None:
    file = tmp_path / "town.csv"
    file.write_text(
        "Account,Bill Date,From,Thru,Service,Description,Usage,Units,Cost,Site\n"
        "17,2025-02-03,2025-01-01,2025-01-31,Electric,Energy charge,3100,kWh,$465.00,Town Hall\n"
    )
    for _ in range(2):
        report = ask.sandbox.load_bills(file)
        assert "465.00 USD" in str(report)
        companies = ask("/company")[1]
        assert [company["name"] for company in companies] == ["Acme", "Beta", "Town Hall"]
        status, usage = ask(f"/usage/company/{companies[-1]['id']}")
        assert status == 200
        [record] = usage["usageData"]
        assert (record["usage"], record["usageUnits"], record["endDate"]) == ("3100", "kWh", "2025-01-31")


def test_a_bills_file_that_cannot_be_read_changes_nothing(ask: Asker, tmp_path: Path) -> None:
    file = tmp_path / "letter.csv"
    file.write_text("Dear reader,\nthese are no bills.\n")
    with pytest.raises(BillsFileError, match=r"letter\.csv"):
        ask.sandbox.load_bills(file)
    assert len(ask("/company")[1]) == 2


@pytest.mark.parametrize("number", [{"sites": 0}, {"months": -1}])
def test_a_portfolio_of_nothing_is_refused(number: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="at least one"):
        Sandbox(**number)  # type: ignore[arg-type]  # names are chosen above


@pytest.mark.fault
@pytest.mark.served
def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from small_world import small_world;"
        "from nectar_notebooks.sandbox import Sandbox; sandbox = Sandbox(world=small_world(), db=sys.argv[2]);"
        "served = sandbox.serve(fixed_key=True); print(served.url, flush=True); served.wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        headers = {"X-API-Key": Sandbox(world=small_world()).key}
        for name in ("One", "Two"):
            answer = requests.post(f"{url}/v2.2/company", json={"name": name}, headers=headers, timeout=10)
            assert answer.status_code == 201
        process.kill()
    again = Sandbox(db=path)
    assert [company["name"] for company in Asker(again)("/company")[1]] == ["Acme", "Beta", "One", "Two"]
    again.close()


def test_a_state_of_the_first_release_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    sandbox = Sandbox(seed=7, sites=2, months=2, db=path)
    company = Asker(sandbox)("/company")[1][0]["id"]
    asked = [(f"/{noun}/company/{company}", version) for noun in ("usage", "document") for version in ("v2.2", "v2.1")]
    before = [Asker(sandbox)(path, version=version) for path, version in asked]
    sandbox.close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "DROP TABLE outbox; DROP TABLE legacy_usage; CREATE TABLE older (seq INTEGER PRIMARY KEY, id TEXT);"
            "ALTER TABLE companies RENAME COLUMN legacy TO older; UPDATE companies SET older = 1;"
            f"PRAGMA user_version = {0x6E620002};"
        )
    again = Sandbox(db=path)
    assert [Asker(again)(path, version=version) for path, version in asked] == before
    again.advance(days=1)
    assert again.scenario("bad_login")
    again.close()
