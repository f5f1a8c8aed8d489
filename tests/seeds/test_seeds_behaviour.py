"""How the demo portfolio behaves: the same seed the same bytes, objects that do not shift each other, parts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest

from nectar_notebooks.sandbox.model import KINDS, Record, World
from nectar_notebooks.sandbox.sources.demo import Demo, defects, demo

TODAY = date(2026, 1, 15)


def records(world: World, kind: str) -> list[Record]:
    found: list[Record] = getattr(world, kind)
    return found


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import json, datetime, dataclasses, hashlib; from nectar_notebooks.sandbox.sources.demo import demo;"
        "w = dataclasses.asdict(demo(5, datetime.date(2026, 1, 15)));"
        "print(hashlib.sha256(json.dumps(w).encode()).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": number}, capture_output=True, text=True, check=True
        ).stdout
        for number in ("1", "2")
    }
    assert len(hashes) == 1


@pytest.mark.parametrize("seed", [0, 1, 2, 11])
def test_the_next_seed_changes_numbers_names_and_counts(seed: int) -> None:
    one, two = demo(seed, TODAY), demo(seed + 1, TODAY)
    assert not {row["name"] for row in one.companies} & {row["name"] for row in two.companies}
    for kind in KINDS:
        assert not {row["id"] for row in records(one, kind)} & {row["id"] for row in records(two, kind)}
        assert len(records(one, kind)) != len(records(two, kind)), kind
    assert len({row["name"] for row in one.sites} & {row["name"] for row in two.sites}) < 3
    for field, kind in (("accountNumber", "accounts"), ("invoiceId", "documents")):
        assert len({row[field] for row in records(one, kind)} & {row[field] for row in records(two, kind)}) < 3
    first = {tuple(row["identifiers"][0].values()) for row in one.meters}
    assert not first & {tuple(row["identifiers"][0].values()) for row in two.meters}
    totals = [sum(float(row["usage"]) for row in world.usage) for world in (one, two)]
    assert totals[0] != totals[1]


def test_one_more_site_shifts_no_other_object() -> None:
    small, large = demo(4, TODAY, sites=20), demo(4, TODAY, sites=21)
    for kind in ("companies", "sites", "meters", "documents", "usage"):
        of_large = {row["id"]: row for row in records(large, kind)}
        same = [row for row in records(small, kind) if of_large.get(row["id"]) == row]
        assert len(same) == len(records(small, kind)), kind
    assert len(large.sites) == 21


def test_a_shorter_history_is_a_part_of_the_longer() -> None:
    short, long = demo(4, TODAY, months=12), demo(4, TODAY, months=36)
    bills = {row["id"]: row for row in long.documents}
    charges = [(bills[row["id"]]["lineItems"], row["lineItems"]) for row in short.documents if row["id"] in bills]
    assert len(charges) > 0.98 * len(short.documents)
    same = sum([i["quantity"] for i in a] == [i["quantity"] for i in b] for a, b in charges)
    assert same > 0.98 * len(charges)


@pytest.mark.parametrize("sites", [1, 2, 5, 20, 40])
def test_as_many_sites_as_asked_for(sites: int) -> None:
    world = demo(3, TODAY, sites=sites, months=4)
    assert len(world.sites) == sites
    assert len({row["name"] for row in world.sites}) == sites
    assert {row["company"] for row in world.sites} == {row["id"] for row in world.companies}
    assert world.documents


@pytest.mark.parametrize("months", [1, 2, 12, 60])
def test_as_many_months_as_asked_for(months: int) -> None:
    world = demo(3, TODAY, sites=3, months=months)
    starts = sorted({row["startDate"] for row in world.usage if row["datasourceType"] == "ELECTRICITY"})
    assert months <= (TODAY - date.fromisoformat(starts[0])).days / 30.4 <= months + 2


@pytest.mark.parametrize(("sites", "months"), [(0, 36), (-1, 36), (3, 0)])
def test_nothing_is_refused(sites: int, months: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        demo(1, TODAY, sites=sites, months=months)


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2025, 12, 31), date(2026, 3, 1), date(2031, 6, 15)])
def test_any_day_will_do(today: date) -> None:
    world = demo(2, today)
    assert max(row["created"] for row in world.documents) < today.isoformat()
    assert {"gap", "overlap", "revised", "late_fee"} <= defects(2, today).keys()


def test_parts_are_the_whole() -> None:
    parts, whole = Demo(6, TODAY), demo(6, TODAY)
    head = parts.head()
    assert head.documents == head.usage == []
    for kind in ("companies", "sites", "connections", "accounts", "meters"):
        assert records(head, kind) == records(whole, kind)
    found: list[Record] = []
    for company in head.companies:
        for part in parts.bills(company["id"]):
            assert {row["company"] for row in part.documents} <= {company["id"]}
            assert {row["document"] for row in part.usage} <= {row["id"] for row in part.documents}
            found += part.documents
    assert sorted(found, key=lambda row: (row["created"], row["id"])) == whole.documents


def test_bills_go_on_arriving_as_the_clock_moves() -> None:
    parts = Demo(6, TODAY)
    midnight = datetime(2026, 1, 15, tzinfo=UTC)
    known = {row["id"] for part in parts.bills() for row in part.documents}
    weeks = [
        [
            row
            for part in parts.arrivals(midnight + timedelta(days=7 * n), midnight + timedelta(days=7 * n + 7))
            for row in part.documents
        ]
        for n in range(10)
    ]
    arrived = [row["id"] for week in weeks for row in week]
    assert all(len(week) >= 3 for week in weeks)
    assert len(arrived) == len(set(arrived))
    assert not known & set(arrived)
    at_once = [row["id"] for part in parts.arrivals(midnight, midnight + timedelta(days=70)) for row in part.documents]
    assert sorted(at_once) == sorted(arrived)
    broken = {
        row["id"] for row in parts.head().connections if row["status"] not in ("CONNECTED", "UNDER_INVESTIGATION")
    }
    assert not broken & {row["connection"] for week in weeks for row in week}


def test_the_future_goes_on_where_the_past_ended() -> None:
    parts = Demo(6, TODAY, sites=4)
    midnight = datetime(2026, 1, 15, tzinfo=UTC)
    past = [row for part in parts.bills() for row in part.usage]
    future = [row for part in parts.arrivals(midnight, midnight + timedelta(days=40)) for row in part.usage]
    last = {}
    for row in past:
        if row["datasourceType"] in ("ELECTRICITY", "GAS"):
            last[row["meter"]] = max(last.get(row["meter"], row["endDate"]), row["endDate"])
    first = {}
    for row in future:
        if row["meter"] in last:
            first[row["meter"]] = min(first.get(row["meter"], row["startDate"]), row["startDate"])
    assert len(first) >= 3
    for meter, start in first.items():
        assert (date.fromisoformat(start) - date.fromisoformat(last[meter])).days in (0, 1)


def test_everything_is_json_and_decimals_are_strings() -> None:
    world = asdict(demo(8, TODAY))
    assert json.loads(json.dumps(world, allow_nan=False)) == world
    assert not [row for row in world["usage"] if not isinstance(row["usage"], str)]

    def floats(value: object) -> bool:
        if isinstance(value, dict):
            return any(map(floats, value.values()))
        if isinstance(value, list):
            return any(map(floats, value))
        return isinstance(value, float)

    assert not floats(world)


def test_the_head_holds_no_bill_yet() -> None:
    head = Demo(1, TODAY).head()
    assert len(head.meters) > 0
    assert not head.documents
    assert not head.usage


def test_a_thousand_sites() -> None:
    world = Demo(1, TODAY, sites=1000).head()
    assert len(world.meters) >= 3000
    assert len({row["name"] for row in world.sites}) == 1000
    assert len({row["id"] for row in world.accounts}) == len(world.accounts)
    assert len(world.connections) < 60
