"""The `nectar` command as a user meets it: in a process of its own, over real ports, ended by real signals."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from commands import NECTAR, assert_one_sentence, clean_environment, nectar

import nectar_notebooks as nn
from nectar_notebooks.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*NECTAR, "sandbox", "serve", "--port", "0", "--seed", "5"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


def welcome(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = []
    while not any(line.strip().startswith("python:") for line in lines):
        line = process.stdout.readline()
        assert line, "the command ended before it said where it serves"
        lines.append(line)
    return "".join(lines)


def test_the_version_is_the_package_s(tmp_path: Path) -> None:
    from importlib.metadata import version

    ended = nectar(tmp_path, "--version")
    assert (ended.returncode, ended.stdout) == (0, f"nectar_notebooks {version('nectar-notebooks')}\n")


def test_without_a_command_it_says_which_there_are(tmp_path: Path) -> None:
    ended = nectar(tmp_path)
    assert ended.returncode == 2
    assert "usage: nectar" in ended.stderr
    help_text = nectar(tmp_path, "--help").stdout
    assert all(command in help_text for command in ("demo", "sandbox", "ping"))


def test_ping_answers_from_the_embedded_sandbox_without_a_key(tmp_path: Path) -> None:
    ended = nectar(tmp_path, "ping")
    assert ended.returncode == 0
    assert "embedded sandbox" in ended.stdout


def test_ping_without_a_key_for_production_says_where_one_is_made(tmp_path: Path) -> None:
    assert_one_sentence(nectar(tmp_path, "ping", "production"), "API Keys", "NECTAR_PRODUCTION_API_KEY")


def test_a_wrong_key_is_one_sentence_and_is_not_repeated(tmp_path: Path) -> None:
    with nn.Sandbox().serve() as served:
        ended = nectar(
            tmp_path, "ping", "production",
            NECTAR_BASE_URL=served.url, NECTAR_PRODUCTION_API_KEY="wrong-key-4711", NECTAR_CACHE_DIR=str(tmp_path),
        )  # fmt: skip
    assert_one_sentence(ended, "key")
    assert "4711" not in ended.stderr + ended.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("ping", "wrong-key-4711"), ("ping", "local", "wrong-key-4711"), ("status", "wrong-key-4711"),
        ("ping", "--api-version", "wrong-key-4711"), ("ping", "--key=wrong-key-4711"), ("keys", "wrong-key-4711"),
        ("wrong-key-4711",),
    ],
)  # fmt: skip
def test_a_key_typed_where_none_belongs_is_not_repeated(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert "4711" not in said.out + said.err
    assert "may be a key" in said.err


def test_a_short_wrong_word_is_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ping", "prod"])
    said = capsys.readouterr().err
    assert "'prod'" in said
    assert "may be a key" not in said


def test_nobody_answering_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        ended = nectar(tmp_path, "ping", "production", NECTAR_BASE_URL=url, NECTAR_PRODUCTION_API_KEY="a-key-4711")
    assert_one_sentence(ended)
    assert "4711" not in ended.stderr


@pytest.mark.served
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_serve_prints_is_what_curl_needs_and_a_signal_ends_it_cleanly(
    serving: subprocess.Popen[str], number: signal.Signals, tmp_path: Path
) -> None:
    said = welcome(serving)
    found = re.search(r"curl -H '(X-API-Key): (\S+)' (\S+)", said)
    assert found is not None
    header, key, url = found.groups()
    answer = requests.get(url, headers={header: key}, timeout=10)
    assert answer.status_code == 200
    assert [company["id"] for company in answer.json()] == nn.connect(sandbox=nn.Sandbox(seed=5)).companies()[
        "company_id"
    ].tolist()
    found = re.search(r"python: nn(\.connect\(.*\))", said)
    assert found is not None
    connected = eval("nn" + found.group(1).removesuffix(")") + f", cache_dir={str(tmp_path)!r})", {"nn": nn})
    assert len(connected.companies()) == len(answer.json())
    assert re.search(r"contract +(\S+)", said).group(1) == f"{url.removesuffix('/v2.2/company')}/docs"
    assert "Nectar API" in requests.get(f"{url.removesuffix('/v2.2/company')}/docs", timeout=10).text
    assert "random" in said
    assert "--fixed-key" in said
    assert key != nn.Sandbox(seed=5).key
    assert requests.get(url, headers={header: nn.Sandbox(seed=5).key}, timeout=10).status_code == 401
    assert requests.get(url, headers={header: key, "Host": "evil.example"}, timeout=10).status_code == 403
    serving.send_signal(number)
    _, errors = serving.communicate(timeout=15)
    assert serving.returncode == 0
    assert errors == "The embedded sandbox has stopped.\n"
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=2)


@pytest.mark.served
def test_a_fixed_key_is_one_on_request_and_plainly_said(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*NECTAR, "sandbox", "serve", "--port", "0", "--seed", "5", "--fixed-key"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=clean_environment(),
    ) as process:  # fmt: skip
        said = welcome(process)
        process.terminate()
    assert nn.Sandbox(seed=5).key in said
    assert "anyone who knows the seed knows it" in said
    usage = nectar(tmp_path, "sandbox", "serve", "--help").stdout
    assert "anyone who knows the seed knows the key" in " ".join(usage.split())


@pytest.mark.parametrize(
    ("switch", "what"),
    [("decimals", "NAME=POSITION"), ("decimals=text", "string, number"), ("colour=red", "is_deleted")],
)
def test_a_switch_that_there_is_not_is_one_sentence(tmp_path: Path, switch: str, what: str) -> None:
    assert_one_sentence(nectar(tmp_path, "sandbox", "serve", "--port", "0", "--switch", switch), what)


@pytest.mark.served
def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_sentence(nectar(tmp_path, "sandbox", "serve", "--port", port), port, "another port")


@pytest.mark.parametrize("words", [("sandbox", "serve", "--port", "0"), ("demo",)])
def test_a_bills_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert_one_sentence(nectar(tmp_path, *words, "--bills", "missing.csv"), "missing.csv")
    (tmp_path / "half.csv").write_bytes(b"Account,Cost,Bill D\xff\xfe")
    assert_one_sentence(nectar(tmp_path, *words, "--bills", "half.csv"), "half.csv")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file stands where the folder should")
    assert_one_sentence(nectar(tmp_path, "demo", "--out", "build/demo"), "build")
