"""The files that a user copies from `docs/`: the workflow runs commands that exist, with options that they have."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec

import yaml
from commands import NECTAR
from places import PROJECT

WORKFLOW = yaml.safe_load((PROJECT / "docs" / "github-actions.yml").read_text(encoding="utf-8"))


def run_lines() -> list[list[str]]:
    [job] = WORKFLOW["jobs"].values()
    return [shlex.split(line) for step in job["steps"] for line in step.get("run", "").splitlines()]


def test_the_workflow_runs_on_every_push_with_no_right_and_no_secret() -> None:
    on = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
    assert on.keys() == {"push", "pull_request"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    text = (PROJECT / "docs" / "github-actions.yml").read_text(encoding="utf-8")
    assert not re.search(r"secrets|API_KEY|https?://|index-url", text)


def test_each_step_is_an_action_of_a_version_or_commands() -> None:
    [job] = WORKFLOW["jobs"].values()
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
    assert job["runs-on"] == "ubuntu-latest"


def test_each_command_of_the_workflow_exists_with_its_options() -> None:
    scripts = {script.name for script in entry_points(group="console_scripts")}
    ran = set()
    for program, *words in run_lines():
        if program == "python":
            flag, module, *words = words
            assert flag == "-m"
            assert find_spec(module) is not None
            ran.add(module)
            command = [sys.executable, "-m", module]
        else:
            assert program in scripts
            ran.add(program)
            command = [*NECTAR]
        family = [word for word in words if re.fullmatch("install|notebooks|check", word)][:2]
        said = subprocess.run([*command, *family, "--help"], capture_output=True, text=True, check=True).stdout
        assert [word for word in words if word.startswith("--") and word not in said] == []
    assert ran == {"pip", "pytest", "nectar"}


def test_what_the_workflow_installs_is_this_package_and_its_extra() -> None:
    installed = [line for line in run_lines() if any("nectar" in word and "[" in word for word in line)]
    assert installed == [["python", "-m", "pip", "install", "-e", "vendor/nectar_notebooks[lab]", "pytest"]]
