"""Notebook 02, step by step, with curl against `nectar sandbox serve`: real processes, the same seed, the same ids.

A step of this file stands for a section of the notebook; what it makes must be what the notebook's kept outputs show.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from commands import NECTAR, clean_environment
from places import PROJECT

NOTEBOOK = nbformat.read(PROJECT / "notebooks" / "02-sandbox-testing.ipynb", as_version=4)
CURL = shutil.which("curl")
LOGIN = {"username": "nectar-sandbox-username", "password": "nectar-sandbox-password"}

pytestmark = [
    pytest.mark.served,
    pytest.mark.skipif(CURL is None, reason="curl, which follows the notebook, is not installed"),
]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Terminal:
    """Somebody with curl, an address and a key, who remembers what was answered."""

    url: str
    key: str
    known: dict[str, Any] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        command = [
            *(str(CURL), "--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "20"),
            *("--request", method, "--header", f"X-API-Key: {key or self.key}"),
            *(() if body is None else ("--header", "Content-Type: application/json", "--data", json.dumps(body))),
            self.url + path,
        ]
        said = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        head, _, text = said.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        return Answer(int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), text)

    def api(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return self(method, f"/v2.2{path}", body, **more)

    def own(self, method: str, path: str, body: Any = None) -> Any:
        answer = self(method, f"/_sandbox/{path}", body)
        assert answer.status == 200, answer.text
        return answer.json

    def ids(self, things: str, path: str) -> set[str]:
        """Return the ids of every page of a list."""
        found: set[str] = set()
        page = 1
        while True:
            rows = self.api("GET", f"{path}{'&' if '?' in path else '?'}page={page}").json
            found |= {row["id"] for row in rows[things]}
            if not rows["hasNext"]:
                return found
            page += 1


@pytest.fixture
def curl(tmp_path: Path) -> Iterator[Terminal]:
    process = subprocess.Popen(
        [*NECTAR, "sandbox", "serve", "--port", "0", "--seed", "1"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=clean_environment(),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        told = ""
        while "curl" not in told:
            line = process.stdout.readline()
            assert line, "the sandbox ended before it said where it is"
            told += line
        url, key = re.search(r"(http://\S+)/v2\.2", told), re.search(r"key\s+(\S+)", told)
        assert url is not None
        assert key is not None
        yield Terminal(url[1], key[1])
    finally:
        process.terminate()
        process.communicate(timeout=20)


def own_sandbox(curl: Terminal) -> None:
    companies = curl.api("GET", "/company").json
    curl.known |= {"demo": companies[0]["id"], "second": companies[1]["id"], "fourth": companies[3]["id"]}
    curl.known["start"] = companies
    shown(*[company["id"] for company in companies], *[company["name"] for company in companies])


def credentials(curl: Terminal) -> None:
    old, new = [curl.own("POST", "keys", {"environment": "production"})["key"] for _ in range(2)]
    curl.own("POST", "keys/revoke", {"key": old})
    assert curl.api("GET", "/company", key=new).json == curl.known["start"]
    refused = curl.api("GET", "/company", key=old)
    assert refused.status == 401
    shown(refused.json["detail"])


def first_connection(curl: Terminal) -> None:
    made = curl.api("POST", "/company", {"name": "Rehearsal Bakery", "externalId": "rehearsal-1"})
    assert made.status == 201
    company = curl.known["company"] = made.json["id"]
    place = {"name": "Oven Street", "address": "1 Oven Street, Springfield"}
    made = curl.api("POST", f"/site/company/{company}", place)
    assert made.status == 201
    site = curl.known["site"] = made.json["id"]
    login = {"url": "https://nectarclimate.com", "sites": [site], "country": "US", **LOGIN, "password": "mistyped"}
    made = curl.api("POST", f"/connection/company/{company}", login)
    assert (made.status, made.json["status"]) == (201, "PASSWORD_INCORRECT")
    connection = made.json["id"]
    repaired = curl.api("PATCH", f"/connection/{connection}", LOGIN)
    assert (repaired.status, repaired.json["status"]) == (200, "CONNECTED")
    bills = curl.api("GET", f"/document/company/{company}").json
    assert bills["totalDocuments"] == 60
    newest = sorted(bills["documents"], key=lambda bill: (bill["billDate"], bill["id"]))[-5:]
    shown(company, site, connection, *[bill["invoiceId"] for bill in newest])
    kinds = {row["datasourceType"] for row in curl.api("GET", f"/usage/company/{company}").json["usageData"]}
    assert kinds == {"ELECTRICITY", "FUEL", "GAS", "SOLAR", "WATER"}


def wait_for_data(curl: Terminal) -> None:
    company = curl.known["company"]
    login = {"url": "https://power.example", "username": "owner", "password": "a-password", "country": "US"}
    made = curl.api("POST", f"/connection/company/{company}", {**login, "sites": [curl.known["site"]]})
    assert made.json["status"] == "PENDING"
    assert curl.own("POST", "advance", {"days": 35}) == {"now": "2026-02-19T09:00:00Z"}
    assert curl.api("GET", f"/document/company/{company}").json["totalDocuments"] == 65
    connections = curl.api("GET", f"/connection/company/{company}").json["connections"]
    assert {connection["status"] for connection in connections} == {"CONNECTED"}
    shown(made.json["id"], "PENDING", "(datetime.date(2026, 2, 19), 60, 65)")


def what_goes_wrong(curl: Terminal) -> None:
    demo = curl.known["demo"]

    def statuses() -> dict[str, str]:
        rows = curl.api("GET", f"/connection/company/{demo}").json["connections"]
        return {row["id"]: row["status"] for row in rows}

    working = [id_ for id_, status in statuses().items() if status == "CONNECTED"]
    become = {
        "bad_login": "PASSWORD_INCORRECT",
        "mfa_required": "MFA_TOKEN_EXPIRED",
        "password_reset": "NEW_PASSWORD_NEEDED",
        "website_down": "WEBSITE_DOWN",
        "no_accounts": "NO_ACCOUNTS_FOUND",
        "under_investigation": "UNDER_INVESTIGATION",
    }
    for (name, status), connection in zip(become.items(), working, strict=False):
        assert curl.own("POST", "scenario", {"name": name, "connection": connection}) == {"id": connection}
        assert statuses()[connection] == status
        shown(connection, name, status)
    curl.own("POST", "scenario", {"name": "bad_login_after", "connection": working[-1], "days": 3})
    assert statuses()[working[-1]] == "CONNECTED"
    curl.own("POST", "advance", {"days": 4})
    curl.own("POST", "scenario", {"name": "recovered", "connection": working[0]})
    assert (statuses()[working[-1]], statuses()[working[0]]) == ("PASSWORD_INCORRECT", "CONNECTED")
    things_change(curl, demo)
    company = curl.known["company"]
    curl.own("POST", "scenario", {"name": "company_inactive", "company": company})
    rows = curl.api("GET", f"/connection/company/{company}").json["connections"]
    assert {(row["status"], row["isActive"]) for row in rows} == {("COMPANY_INACTIVE", False)}
    unknown = curl("POST", "/_sandbox/scenario", {"name": "power_cut"})
    assert unknown.status == 400
    shown(unknown.json["detail"])


def things_change(curl: Terminal, demo: str) -> None:
    """Let happen to a bill, another bill and a meter what the notebook lets happen to the same ones."""
    revised, deleted, meter, before, after = re.findall(
        r"[0-9a-f]{8}-[0-9a-f-]{27}", output_of('index=["revised: counts"')
    )
    assert curl.api("GET", f"/meter/{meter}").json["site"] == before
    for name, of in (
        ("bill_revised", {"bill": revised}),
        ("bill_deleted", {"bill": deleted}),
        ("meter_moved", {"meter": meter}),
    ):
        curl.own("POST", "scenario", {"name": name, **of})
    successor = curl.api("GET", f"/document/{revised}").json["revisedDocumentId"]
    assert curl.api("GET", f"/document/{successor}").status == 200
    assert deleted not in curl.ids("documents", f"/document/company/{demo}")
    assert deleted in curl.ids("documents", f"/document/company/{demo}?isDeleted=true")
    assert curl.api("GET", f"/meter/{meter}").json["site"] == after
    curl.own("POST", "advance", {"days": 1})


def faults(curl: Terminal) -> None:
    bills = f"/document/company/{curl.known['second']}"
    before = curl.ids("documents", bills)
    shown(f"({len(before)}, 1, [2.0])")
    curl.own("POST", "faults", {"route": "/document/company", "at": 2, "status": 429, "retry_after": 2})
    assert curl.api("GET", bills).status == 200
    busy = curl.api("GET", f"{bills}?page=2")
    assert (busy.status, busy.headers["retry-after"]) == (429, "2")
    assert curl.api("GET", f"{bills}?page=2").json["currentPage"] == 2
    curl.own("DELETE", "faults")
    curl.own("POST", "faults", {"route": "/document/company", "status": 503, "times": 3})
    assert [curl.api("GET", bills).status for _ in range(4)] == [503, 503, 503, 200]
    curl.own("POST", "faults", {"route": "/connection/company", "html": True})
    page = curl.api("GET", f"/connection/company/{curl.known['fourth']}")
    assert page.headers["content-type"].startswith("text/html")
    shown(f"answered with {len(page.text)} bytes that are no JSON")
    curl.own("POST", "faults", {"route": "/document/company", "drift": "swap"})
    after = curl.ids("documents", bills)
    shown(f"({len(before - after)}, {len(after - before)}, True)")
    refused = curl("POST", "/_sandbox/faults", {"kind": "timeout"})
    assert refused.status == 400
    shown(refused.json["detail"])


def what_was_asked(curl: Terminal) -> None:
    curl.own("DELETE", "faults")
    curl.own("DELETE", "journal")
    curl.api("GET", f"/company/{curl.known['fourth']}")
    journal = curl.own("GET", "journal")
    asked = [(row["method"], row["route"], row["status"]) for row in journal["requests"]]
    assert ("GET", "/company/{company_id}", 200) in asked
    assert journal["highestConcurrency"] <= 10
    assert journal["dropped"] == 0


def start_over(curl: Terminal) -> None:
    assert curl.api("GET", "/company").json != curl.known["start"]
    assert curl.own("POST", "reset") == {"now": "2026-01-15T09:00:00Z"}
    assert curl.api("GET", "/company").json == curl.known["start"]


#: The notebook's sections that ask for anything, and what does the same here.
STEPS: dict[str, Callable[[Terminal], None]] = {
    "An embedded sandbox of your own": own_sandbox,
    "Credentials": credentials,
    "The first connection": first_connection,
    "Wait for data": wait_for_data,
    "What goes wrong, by name": what_goes_wrong,
    "Faults of the API": faults,
    "What your code asked": what_was_asked,
    "Start over": start_over,
}


def shown(*texts: str) -> None:
    """Check that the notebook's outputs show these texts."""
    outputs = "\n".join(map(str, map(outputs_text, NOTEBOOK.cells)))
    assert [text for text in texts if text not in outputs] == []


def outputs_text(cell: Any) -> str:
    return "\n".join(
        str(output.get("text", "")) + str(output.get("evalue", "")) + "".join(output.get("data", {}).values())
        for output in cell.get("outputs", [])
    )


def output_of(source: str) -> str:
    """Return the HTML that the cell with this piece of source shows."""
    [cell] = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code" and source in cell.source]
    return str(cell.outputs[0]["data"]["text/html"])


def test_every_section_that_runs_something_has_a_step() -> None:
    section, running = "", []
    for cell in NOTEBOOK.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            section = cell.source.splitlines()[0].removeprefix("## ")
        elif cell.cell_type == "code" and section != "Imports" and section not in running:
            running.append(section)
    assert running == list(STEPS)


def test_the_page_s_lines_for_curl_are_answered(curl: Terminal) -> None:
    page = (PROJECT / "docs" / "testing.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("curl ")]
    assert len(lines) == 6
    for line in lines:
        here = line.replace("http://127.0.0.1:8765", curl.url).replace("curl ", "curl --noproxy '*' --fail ", 1)
        subprocess.run(["bash", "-c", here], env={**os.environ, "KEY": curl.key}, capture_output=True, check=True)


def test_curl_goes_the_same_way(curl: Terminal) -> None:
    for step in STEPS.values():
        step(curl)
