"""`docs/fidelity.md` names every switch, every mark of the contract, every write that may refuse."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from nectar_notebooks.sandbox.contract import assumptions, document, refusals
from nectar_notebooks.sandbox.contract.assumed import Assumption
from nectar_notebooks.sandbox.http.router import ROUTES
from nectar_notebooks.sandbox.switches import Switches

PAGE = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("switch", list(get_type_hints(Switches)))
def test_every_switch_stands_there_with_its_positions_the_default_first(switch: str) -> None:
    default = getattr(Switches(), switch)
    others = [position for position in get_args(get_type_hints(Switches)[switch]) if position != default]
    assert f"| `{switch}` | {', '.join(f'`{position}`' for position in [default, *others])} |" in PAGE


def test_every_assumed_field_stands_there() -> None:
    objects = ("Meter", "Document", "UsageData", "InvitationDetails")
    places = [place.partition(".") for found in assumptions() if found.kind == "field" for place in found.where]
    fields = [name for of, _, name in places if of in objects]
    assert len(fields) > 10
    assert [name for name in fields if f"`{name}`" not in PAGE and f".{name}`" not in PAGE] == []


def test_every_assumed_path_stands_there() -> None:
    section = PAGE.partition("## Paths that are assumed")[2].partition("##")[0]
    for route in ROUTES:
        if route.assumed:
            path = "/".join("{id}" if part.startswith("{") else part for part in route.path.split("/"))
            assert f"{path}`" in section, route.path
            assert route.method in section


def test_every_mark_of_the_contract_stands_there() -> None:
    section = PAGE.partition("## Every mark of the contract")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert rows == [told(found) for found in assumptions() if found.kind != "endpoint"]


def told(found: Assumption) -> str:
    """Return the row of an assumption: two of its places, how many more, and why."""
    more = f" and {len(found.where) - 2} more" if len(found.where) > 2 else ""
    return f"| {', '.join(f'`{place}`' for place in found.where[:2])}{more} | {found.kind} | {found.why} |"


def test_exactly_the_writes_that_may_refuse_stand_there() -> None:
    section = PAGE.partition("## Writes")[2].partition("| behaviour")[0]
    listed = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}
    assert listed == set(refusals())
    for call, reasons in refusals().items():
        [line] = [line for line in section.splitlines() if f"`{call}`" in line]
        for reason in reasons:
            assert reason in line


@pytest.mark.parametrize("alone", [False, True])
def test_routes_and_contract_name_the_same_paths(alone: bool) -> None:
    methods = ("get", "post", "patch", "delete", "put")
    paths = document("v2.2", documented_only=alone)["paths"]
    contract = {(method.upper(), path) for path, item in paths.items() for method in item if method in methods}
    routes = {
        (route.method, path)
        for route in ROUTES
        for path in (route.path, route.alias)
        if path is not None and not (alone and route.assumed)
    }
    assert routes == contract
