"""`nectar webhooks` as a process: what it takes, what it prints, how it stops."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from svix.webhooks import Webhook as Svix

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_YW5vdGhlciBzZWNyZXQsIGFzIGxvbmcgYXMgaXQ="


def run(folder: Path, *arguments: str, secret: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NECTAR_")}
    if secret is not None:
        environment["NECTAR_WEBHOOK_SECRET"] = secret
    return subprocess.run(
        [sys.executable, "-m", "nectar_notebooks", "webhooks", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@contextmanager
def listening(folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    (folder / ".env").write_text(f"NECTAR_WEBHOOK_SECRET={SECRET},{OLD}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NECTAR_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "nectar_notebooks", "webhooks", "listen", "--port", "0"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Listening on http://127.0.0.1:")
        yield int(line.split(":")[2].split()[0]), process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def post(port: int, secret: str, id_: str, body: bytes = b'{"eventType": "document.created.v2", "id": "b"}') -> int:
    now = datetime.now(UTC)  # noqa: TID251  # another process reads the system's clock
    headers = {
        "Content-Type": "application/json",
        "svix-id": id_,
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": Svix(secret).sign(id_, now, body.decode()),
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_listen_takes_both_secrets_of_a_rotation_stops_on_a_signal_and_prints_none(
    tmp_path: Path, number: signal.Signals
) -> None:
    with listening(tmp_path) as (port, process):
        assert [post(port, SECRET, "msg_1"), post(port, OLD, "msg_2"), post(port, SECRET, "msg_1")] == [204] * 3
        assert post(port, "whsec_" + "A" * 32, "msg_3") == 401
        assert post(port, SECRET, "msg_4", b" " * 1_100_000) == 413
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in range(2))
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert sorted(line.split()[1] for line in printed.splitlines()) == ["msg_1", "msg_2"]
    assert "accepted 2, duplicates 1, rejected: not verified 1, too large 1" in err
    assert "Traceback" not in err
    for secret in (SECRET, OLD):
        assert secret.removeprefix("whsec_") not in printed + out + err

    listed = run(tmp_path, "list")
    assert "msg_1" in listed.stdout
    assert "done" in listed.stdout
    shown = run(tmp_path, "show", "msg_1").stdout
    assert json.loads(shown[shown.index("{") :])["id"] == "b"
    assert run(tmp_path, "replay", "msg_1").returncode == 0
    assert "msg_1" in run(tmp_path, "list", "--state", "received").stdout
    assert run(tmp_path, "prune", "--days", "0").stdout == "Deleted 1; open and dead deliveries are kept.\n"
    assert "msg_2" not in run(tmp_path, "list").stdout
    assert "msg_1" in run(tmp_path, "list").stdout


@pytest.mark.parametrize(
    ("arguments", "secret", "said"),
    [
        (["listen"], None, "NECTAR_WEBHOOK_SECRET"),
        (["listen"], "my-secret", "begins with whsec_"),
        (["list"], None, "There is no ledger"),
        (["listen", "--port", "70000"], SECRET, "port 70000"),
        (["listen", "--host", "192.0.2.1"], SECRET, "192.0.2.1"),
        (["show", "msg_1", "--ledger", "elsewhere.db"], None, "There is no ledger elsewhere.db"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, arguments: list[str], secret: str | None, said: str) -> None:
    done = run(tmp_path, *arguments, secret=secret)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "my-secret" not in done.stderr
    assert not list(tmp_path.glob("*.db"))
