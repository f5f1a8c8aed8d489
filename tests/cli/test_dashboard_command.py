"""`nectar dashboard`: a page of this machine alone, with neither code nor key, and plain words when it cannot be."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from commands import NECTAR_AS_INSTALLED, assert_one_sentence, clean_environment, nectar

import nectar_notebooks as nn
from nectar_notebooks.cli import dashboard

pytest.importorskip("voila", reason="Voilà is not installed: it comes with the extra lab")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[tuple[nn.Sandbox, dict[str, str]]]:
    one = nn.Sandbox(seed=1, sites=3, months=4)
    with one.serve(0) as served:
        yield one, {"NECTAR_BASE_URL": served.url, "NECTAR_API_KEY": one.key, "NECTAR_ENVIRONMENT": "local"}
    one.close()


@contextmanager
def serving(folder: Path, *words: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command and yield the process and the address it printed."""
    environment |= {"NECTAR_CACHE_DIR": str(folder / "cache"), "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [*NECTAR_AS_INSTALLED, "dashboard", *words, "--port", "0"],
        cwd=folder, env=clean_environment(**environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = None
        while address is None:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
        yield process, address.group()
    finally:
        process.kill()
        process.communicate()


def asked(address: str, **headers: str) -> requests.Response:
    """Ask for a page, patiently: the address is printed a moment before it answers."""
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=requests.adapters.Retry(8, backoff_factor=0.1)))
    return session.get(address, headers=headers, timeout=60, allow_redirects=False)


def listening_addresses(port: int) -> set[str]:
    """Return the addresses on which anything of this machine listens on a port."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                found.add(address)
    return found


@pytest.mark.fault
@pytest.mark.served
def test_the_page_holds_no_code_and_no_key_and_only_this_machine_gets_it(
    sandbox: tuple[nn.Sandbox, dict[str, str]], tmp_path: Path
) -> None:
    one, environment = sandbox
    with serving(tmp_path, "coverage", "--company", "Bluestem Logistics", **environment) as (process, address):
        page = asked(address)
        assert page.status_code == 200
        assert "jupyter.widget-view" in page.text, "the dashboard is on it"
        for secret in (one.key, "open_page", "import ", "nectar_notebooks", str(tmp_path), "NECTAR_"):
            assert secret not in page.text, secret
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        bare = address.partition("?")[0]
        assert asked(bare).status_code == 302, "who has not the address is asked for the token"
        assert asked(address, Host="evil.example").status_code == 403
        home, kernel = address.partition("/?")[0], re.search(r'"kernelId": "([0-9a-f-]+)"', page.text)
        assert kernel is not None
        socket_ = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
        for origin, status in ((home, 101), ("https://evil.example", 403), ("null", 403), ("http://localhost:1", 403)):
            # A browser brings the page's cookie along, whichever page asks.
            with requests.get(
                f"{home}/api/kernels/{kernel[1]}/channels", headers=socket_ | {"Origin": origin},
                cookies=page.cookies, timeout=60, stream=True,
            ) as answer:  # fmt: skip
                assert answer.status_code == status, origin
        assert page.headers["Access-Control-Allow-Origin"] == ""
        if Path("/proc/net/tcp").exists():
            assert listening_addresses(urlsplit(address).port or 0) == {"0100007F"}
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert one.key not in said
        assert "Traceback" not in said
    assert not list(tmp_path.glob("nectar-dashboard-*"))


def test_what_cannot_be_shown_is_said_before_anything_is_served(
    sandbox: tuple[nn.Sandbox, dict[str, str]], tmp_path: Path
) -> None:
    _, environment = sandbox
    environment = environment | {"NECTAR_CACHE_DIR": str(tmp_path / "cache")}
    code = (
        "import sys; sys.modules['voila'] = None; from nectar_notebooks.cli import main; sys.exit(main(['dashboard']))"
    )
    without = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert_one_sentence(without, "Voilà, which is not installed", "pip install 'nectar-notebooks[lab]'")

    def ended(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return nectar(tmp_path, "dashboard", *words, **environment | more)

    assert_one_sentence(ended("--company", "Nobody Ltd"), "Nobody Ltd")
    assert_one_sentence(ended(NECTAR_API_KEY="nectar_local_wrong"), "key")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_one_sentence(ended("--port", str(port)), f"port {port}", "--port")


@pytest.mark.usefixtures("no_settings")
def test_what_goes_wrong_later_is_a_sentence_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = dashboard.given("connections", "local", "<b>Nobody</b> Ltd", str(tmp_path))
    monkeypatch.setenv(dashboard.VARIABLE, where)
    refusal = dashboard.open_page()
    assert isinstance(refusal, dashboard.Refusal)
    page = refusal._repr_html_()
    assert "&lt;b&gt;Nobody&lt;/b&gt; Ltd" in page
    assert "<b>Nobody" not in page
    assert 'role="alert"' in page
