"""The pytest plugin as a user has it: in a project of their own, in a pytest of its own, found by its entry point."""

from __future__ import annotations

import re
import tomllib

import pytest
from places import PROJECT

pytest_plugins = ["pytester"]

#: Code under test as a user writes it: it names production, an address, a key and a folder, and keeps its client.
UNDER_TEST = """
from functools import cache
from pathlib import Path

import nectar_notebooks as nn


@cache
def client():
    return nn.connect("production", cache_dir=Path("kept"), base_url="https://api.example.org", key="a-real-key")


def companies():
    return sorted(client().companies()["name"])


def statuses():
    nectar = client()
    return nectar.connections(nectar.companies().iloc[0])["status"].tolist()
"""

TESTS = """
import os
import subprocess
import sys
from pathlib import Path

import pytest
import under_test

import nectar_notebooks as nn

SEEN = {}
ASK = "import nectar_notebooks as nn; print(sorted(nn.connect('production').companies()['name']))"


def test_the_code_talks_to_the_sandbox(nectar_sandbox):
    SEEN["companies"] = under_test.companies()
    assert SEEN["companies"]
    assert nectar_sandbox.journal.count("/company", 200) == 1
    assert not Path("kept").exists()
    assert not Path("real-rows").exists()


def test_a_test_may_change_everything(nectar_sandbox, nectar):
    SEEN["statuses"] = under_test.statuses()
    nectar_sandbox.advance(days=1.5)
    nectar_sandbox.scenario("bad_login")
    assert under_test.statuses() != SEEN["statuses"]
    nectar_sandbox.faults.add("ping", status=503, times=50)
    nectar_sandbox.create_key("sandbox")
    nectar_sandbox.revoke_key(nectar_sandbox.key)
    with pytest.raises(nn.errors.AuthenticationError):
        nectar.companies()


def test_and_the_next_finds_nothing_of_it(nectar_sandbox, nectar):
    assert nectar_sandbox.clock.now().isoformat() == "2026-01-15T09:00:00+00:00"
    assert nectar.ping()["status"] == "ok"
    assert under_test.statuses() == SEEN["statuses"]
    nectar_sandbox.scenario("bad_login")


def test_also_when_no_time_passed(nectar_sandbox):
    assert under_test.statuses() == SEEN["statuses"]
    nectar_sandbox.close()


def test_also_when_one_closed_it(nectar):
    assert sorted(nectar.companies()["name"]) == SEEN["companies"]


@pytest.mark.nectar_seed(8)
def test_another_seed(nectar, nectar_sandbox):
    assert nectar.sandbox is nectar_sandbox
    assert nectar_sandbox.seed == 8
    assert sorted(nectar.companies()["name"]) != SEEN["companies"]


def test_a_process_is_led_too(nectar):
    said = subprocess.run([sys.executable, "-W", "error", "-c", ASK], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(sorted(nectar.companies()["name"]))
    assert not Path("real-rows").exists()


def test_what_stays_on_this_machine_is_left_alone(nectar_sandbox):
    own = nn.Sandbox(seed=3)
    assert nn.connect(sandbox=own).sandbox is own
    with own.serve() as served:
        there = nn.connect("local", base_url=served.url, key=own.key)
        assert there.sandbox is None
        assert there.ping()["status"] == "ok"
    assert nectar_sandbox.journal.count() == 0
    own.close()


def test_a_word_that_is_no_environment_is_refused_as_ever(nectar_sandbox):
    with pytest.raises(nn.errors.ConfigurationError, match="prod"):
        nn.connect("prod")


def test_without_the_fixture_nothing_is_led():
    assert "NECTAR_REHEARSAL" not in os.environ
    assert nn.connect("production", offline=True).sandbox is None
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's project, on a machine with a real key, a real address and kept rows."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("NECTAR_SANDBOX_SEED", raising=False)
    monkeypatch.setenv("NECTAR_PRODUCTION_API_KEY", "a-real-key")
    monkeypatch.setenv("NECTAR_BASE_URL", "https://api.example.org")
    monkeypatch.setenv("NECTAR_CACHE_DIR", "real-rows")
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\naddopts = "--strict-markers -p no:cacheprovider"\n')
    return pytester


def test_code_that_names_production_is_tested_on_the_embedded_sandbox(project: pytest.Pytester) -> None:
    """And the page that explains it holds code and tests that run."""
    page = (PROJECT / "docs" / "testing.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE):
        name = re.match(r"# (\w+\.py)\n", block)
        assert name is not None
        (project.path / name[1]).write_text(block, encoding="utf-8")
    project.makepyfile(under_test=UNDER_TEST, test_under_test=TESTS)
    project.runpytest_subprocess("-n0", "-W", "error").assert_outcomes(passed=10 + 3)


def test_the_project_sets_the_seed_and_a_wrong_one_is_a_sentence(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_seeds="""
        import pytest

        def test_of_the_project(nectar_sandbox):
            assert nectar_sandbox.seed == 5

        @pytest.mark.nectar_seed("five")
        def test_of_a_word(nectar_sandbox): ...

        @pytest.mark.nectar_seed
        def test_of_nothing(nectar_sandbox): ...
        """
    )
    ended = project.runpytest_subprocess("-n0", "-o", "nectar_seed=5")
    ended.assert_outcomes(passed=1, errors=2)
    assert ended.stdout.str().count("nectar_seed takes one integer: @pytest.mark.nectar_seed(2)") >= 2
    assert "Traceback" not in ended.stdout.str()


def test_a_suite_without_the_fixtures_loads_nothing(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    project.makepyfile(
        test_light="""
        import sys

        def test_what_is_loaded():
            ours = {name for name in sys.modules if name.split(".")[0] == "nectar_notebooks"}
            assert ours == {"nectar_notebooks", "nectar_notebooks.pytest_plugin"}
            assert not sys.modules.keys() & {"pandas", "numpy", "flask", "requests", "matplotlib"}
        """
    )
    project.runpytest_subprocess("-p", "nectar_notebooks.pytest_plugin").assert_outcomes(passed=1)


def test_pytest_is_no_dependency_of_the_package_and_its_plugin_is_announced() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert not [line for line in project["dependencies"] if line.startswith("pytest")]
    assert project["entry-points"]["pytest11"] == {"nectar_notebooks": "nectar_notebooks.pytest_plugin"}
