"""Where the settings come from, and that a key never shows."""

import copy
import logging
import pickle  # noqa: TID251 - that it is refused is what is tested
import sys
import traceback
import types
from pathlib import Path

import pytest

from nectar_notebooks.config import EMBEDDED_URL, NECTAR_URL, Secret, resolve
from nectar_notebooks.errors import ConfigurationError

KEY = "nk_made_up_0123456789"
OLD = "nk_older_9876543210"


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


def settings(environment=None, environ=None, dotenv="absent.env", **arguments):
    return resolve(environment, environ=environ or {}, dotenv=dotenv, **arguments)


def env_file(folder: Path, text: str | bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_nothing_set_is_the_embedded_sandbox() -> None:
    got = settings()
    assert (got.environment, got.keys, got.base_url, got.version) == ("local", (), EMBEDDED_URL, "v2.2")
    assert not got.cache_dir_given
    assert got.found["environment"] == "default"


def test_argument_beats_environment_beats_dotenv(tmp_path: Path) -> None:
    file = env_file(tmp_path, f"NECTAR_PRODUCTION_API_KEY='{OLD}'\nNECTAR_API_VERSION=v2.0\n# a comment\n")
    from_file = settings("production", dotenv=file)
    assert from_file.keys[0].reveal() == OLD
    assert from_file.found["key"] == "NECTAR_PRODUCTION_API_KEY in .env"
    assert from_file.version == "v2.0"
    from_environ = settings("production", {"NECTAR_PRODUCTION_API_KEY": KEY}, file)
    assert from_environ.keys[0].reveal() == KEY
    from_argument = settings("production", {"NECTAR_PRODUCTION_API_KEY": KEY}, file, key="other", version="2.1")
    assert from_argument.keys[0].reveal() == "other"
    assert from_argument.version == "v2.1"


def test_dotenv_leaves_the_process_alone(tmp_path: Path) -> None:
    import os

    before = dict(os.environ)
    file = env_file(tmp_path, f"NECTAR_SANDBOX_API_KEY={KEY}\n")
    assert resolve("sandbox", environ={}, dotenv=file).keys[0].reveal() == KEY
    assert dict(os.environ) == before


def test_own_variable_of_an_environment_beats_the_common_one() -> None:
    environ = {"NECTAR_API_KEY": OLD, "NECTAR_SANDBOX_API_KEY": KEY}
    assert settings("sandbox", environ).keys[0].reveal() == KEY
    assert settings("production", environ).keys[0].reveal() == OLD


@pytest.mark.parametrize("given", [f"{KEY},{OLD}", f" {KEY} , {OLD} ", (KEY, OLD)])
def test_two_keys_carry_a_rotation(given: str | tuple[str, ...]) -> None:
    assert [secret.reveal() for secret in settings("production", key=given).keys] == [KEY, OLD]


def test_three_keys_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"3 keys"):
        settings("production", key="a,b,c")


def test_one_environments_key_decides_the_environment() -> None:
    assert settings(environ={"NECTAR_SANDBOX_API_KEY": KEY}).environment == "sandbox"
    assert settings(environ={"NECTAR_PRODUCTION_API_KEY": KEY}).base_url == NECTAR_URL


@pytest.mark.parametrize(
    "environ",
    [
        {"NECTAR_API_KEY": KEY},
        {"NECTAR_SANDBOX_API_KEY": KEY, "NECTAR_PRODUCTION_API_KEY": OLD},
    ],
)
def test_a_key_without_an_environment_asks_which(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"nn\.connect\('production'\)"):
        settings(environ=environ)
    assert settings(environ={**environ, "NECTAR_ENVIRONMENT": "production"}).environment == "production"


def test_no_key_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings("production")
    assert "no API key for production" in str(caught.value)
    assert "NECTAR_PRODUCTION_API_KEY" in caught.value.advice


def test_a_real_key_is_not_given_to_the_embedded_sandbox() -> None:
    assert settings("local", {"NECTAR_API_KEY": KEY}).keys == ()
    served = settings("local", {"NECTAR_API_KEY": KEY}, base_url="http://127.0.0.1:8000")
    assert served.keys[0].reveal() == KEY


@pytest.mark.parametrize(
    "url",
    [
        "http://external.nectarclimate.com",
        "ftp://external.nectarclimate.com",
        "external.nectarclimate.com",
        "https://user:pass@external.nectarclimate.com",
        "https://external.nectarclimate.com/v2.2/company",
        "https://external.nectarclimate.com/v2.3",
        "http://external.nectarclimate.com/v2.2",
        "https://external.nectarclimate.com/v2.2?x=1",
        "https://external.nectarclimate.com?x=1",
        "https://",
        "https://host:99999",
        "http://127.0.0.1.example.com",
        "http://localhost@evil.example",
    ],
)
def test_base_url_that_may_not_receive_a_key(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        settings("production", key=KEY, base_url=url)


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:8000/", "http://[::1]:8000"])
def test_loopback_may_be_plain(url: str) -> None:
    assert settings("production", key=KEY, base_url=url).base_url == url.rstrip("/")


@pytest.mark.parametrize("end", ["/v2.2", "/v2.2/"])
def test_a_base_url_may_end_with_the_version_that_is_asked_for(end: str) -> None:
    """`nectar sandbox serve` prints it so, and curl needs it so."""
    served = settings("local", {"NECTAR_API_KEY": KEY, "NECTAR_BASE_URL": f"http://127.0.0.1:8765{end}"})
    assert (served.base_url, served.version) == ("http://127.0.0.1:8765", "v2.2")
    with pytest.raises(ConfigurationError, match=r"NECTAR_BASE_URL.* ends with v2\.2, but version v2\.1 is requested"):
        settings("production", {"NECTAR_BASE_URL": f"{NECTAR_URL}{end}"}, key=KEY, version="v2.1")


def test_local_does_not_leave_the_machine() -> None:
    with pytest.raises(ConfigurationError, match="environment is local"):
        settings("local", base_url="https://example.com")
    with pytest.raises(ConfigurationError, match="not local"):
        settings("production", key=KEY, base_url=EMBEDDED_URL)


@pytest.mark.parametrize("bad", ["prod", "", "LOCAL"])
def test_unknown_environment(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="local, sandbox, production"):
        settings(bad)


@pytest.mark.parametrize("where", ["argument", "NECTAR_ENVIRONMENT"])
def test_a_key_in_place_of_the_environment_is_not_repeated(where: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{where}.*key=") as caught:
        settings(KEY) if where == "argument" else settings(environ={where: KEY})
    assert KEY not in "".join(traceback.format_exception_only(caught.value))


def test_unknown_version() -> None:
    with pytest.raises(ConfigurationError, match=r"v2\.2, v2\.1, v2\.0"):
        settings(version="v3")
    assert settings(version="v2").version == "v2.0"


def test_unreadable_dotenv(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read") as caught:
        settings(dotenv=env_file(tmp_path, f"NECTAR_API_KEY={KEY}\n".encode() + b"\xff\xfe\n"))
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    folder = tmp_path / "folder" / ".env"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        settings(dotenv=folder)


@pytest.mark.parametrize("bad", ["  ", "two words", "line\nbreak", "naïve", '"quoted" # note'])
def test_a_key_copied_badly(bad: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings("production", key=bad)
    assert bad.strip() == "" or bad not in str(caught.value)


def test_sandbox_settings() -> None:
    got = settings(environ={"NECTAR_SANDBOX_SEED": "7", "NECTAR_SANDBOX_DOCUMENTED_ONLY": "yes"})
    assert (got.sandbox_seed, got.sandbox_documented_only) == (7, True)
    with pytest.raises(ConfigurationError, match="is not an integer"):
        settings(environ={"NECTAR_SANDBOX_SEED": "seven"})
    with pytest.raises(ConfigurationError, match="neither yes nor no"):
        settings(environ={"NECTAR_SANDBOX_DOCUMENTED_ONLY": "maybe"})


def test_a_rehearsal_ends_at_the_embedded_sandbox_whatever_is_named(tmp_path: Path) -> None:
    environ = {
        "NECTAR_REHEARSAL": "1",
        "NECTAR_ENVIRONMENT": "production",
        "NECTAR_API_KEY": KEY,
        "NECTAR_BASE_URL": NECTAR_URL,
        "NECTAR_CACHE_DIR": str(tmp_path / "rows"),
        "NECTAR_API_VERSION": "v2.1",
        "NECTAR_SANDBOX_SEED": "7",
    }
    for named in (None, "sandbox", "production"):
        got = settings(named, environ, key=OLD, base_url="https://api.example.org", cache_dir=tmp_path)
        assert (got.environment, got.keys, got.base_url) == ("local", (), EMBEDDED_URL)
        assert not got.cache_dir_given
        assert (got.version, got.sandbox_seed) == ("v2.1", 7)
    assert settings("production", {"NECTAR_API_KEY": KEY}, rehearsal=True).keys == ()
    assert settings(environ=environ | {"NECTAR_REHEARSAL": "0"}).base_url == NECTAR_URL
    here = settings("local", environ, base_url="http://127.0.0.1:8000", key=OLD)
    assert (here.base_url, here.keys) == ("http://127.0.0.1:8000", (Secret(OLD),))
    with pytest.raises(ConfigurationError, match="prod"):
        settings("prod", environ)


def test_cache_dir_and_where_it_was_found(tmp_path: Path) -> None:
    got = settings(environ={"NECTAR_CACHE_DIR": str(tmp_path)})
    assert got.cache_dir == tmp_path
    assert got.cache_dir_given
    assert "NECTAR_CACHE_DIR" in got.found["cache_dir"]
    assert settings(cache_dir="~/somewhere").cache_dir == Path("~/somewhere").expanduser()


def test_without_a_cache_dir_it_is_the_folder_of_this_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert settings().cache_dir == tmp_path / "nectar_notebooks"
    assert not settings().cache_dir_given


def test_keyring_is_asked_last(monkeypatch: pytest.MonkeyPatch) -> None:
    class KeyringError(Exception):
        pass

    keyring = types.SimpleNamespace(
        get_password=lambda service, user: KEY if (service, user) == ("nectar-notebooks", "production") else None,
        errors=types.SimpleNamespace(KeyringError=KeyringError),
    )
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    got = settings("production")
    assert got.keys[0].reveal() == KEY
    assert got.found["key"].startswith("keyring")
    assert settings("production", {"NECTAR_API_KEY": OLD}).keys[0].reveal() == OLD

    def locked(service: str, user: str) -> str:
        raise KeyringError(KEY)

    keyring.get_password = locked
    with pytest.raises(ConfigurationError, match="Unlock it") as caught:
        settings("production")
    assert caught.value.__context__ is None
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_key_does_not_print(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(KEY)
    got = settings("production", key=KEY)
    logging.getLogger("test").warning("%s %r", secret, got)
    shown = f"{secret} {secret!r} {secret:>40} {got} {got.found} {vars(got) if hasattr(got, '__dict__') else ''}"
    assert KEY not in shown + caplog.text + secret.fingerprint()
    for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be copied"):
            refuse(secret)


def test_fingerprint_tells_keys_apart() -> None:
    assert Secret(KEY).fingerprint() == Secret(f" {KEY}\n").fingerprint() != Secret(OLD).fingerprint()
    assert len(Secret(KEY).fingerprint()) == 16
