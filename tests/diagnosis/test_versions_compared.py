"""The three versions give equal frames but for what one lacks; what that is stands in one place, and on the page."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from places import PROJECT

import nectar_notebooks as nn
from nectar_notebooks.diagnosis import compare_frames
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.tables import TABLES
from nectar_notebooks.schema.versions import LACKING, LACKING_ROWS, SHAPES
from nectar_notebooks.tables import empty


def frames_of(sandbox: nn.Sandbox, version: str) -> list[nn.Portfolio]:
    nectar = nn.connect(sandbox=sandbox, version=version)
    return [nectar.portfolio(company_id) for company_id in nectar.companies()["company_id"]]


@pytest.fixture(scope="module")
def newest(sandbox: nn.Sandbox) -> list[nn.Portfolio]:
    return frames_of(sandbox, "v2.2")


@pytest.mark.parametrize("version", ["v2.1", "v2.0"])
def test_older_versions_give_equal_frames_but_for_what_one_lacks(
    sandbox: nn.Sandbox, newest: list[nn.Portfolio], version: str
) -> None:
    seen = dict.fromkeys(TABLES, 0)
    for new, old in zip(newest, frames_of(sandbox, version), strict=True):
        for name in set(TABLES) - set(LACKING_ROWS[version]):
            lacks = {*LACKING[version].get(name, ()), *LACKING["v2.2"].get(name, ())}
            mine, other = (getattr(one, name).drop(columns=list(lacks)) for one in (new, old))
            pd.testing.assert_frame_equal(mine, other, obj=f"{name} of {version}")
            seen[name] += len(mine)
        for name in LACKING_ROWS[version]:
            assert len(getattr(old, name)) == 0
            seen[name] += len(getattr(new, name))
    assert all(seen.values()), seen  # nothing was equal because there was nothing


@pytest.mark.parametrize("version", list(LACKING))
def test_what_a_version_lacks_is_missing_there_and_told_by_another(
    sandbox: nn.Sandbox, newest: list[nn.Portfolio], version: str
) -> None:
    told = {"v2.2": newest, "v2.1": frames_of(sandbox, "v2.1"), "v2.0": frames_of(sandbox, "v2.0")}
    quality = re.compile("apparentEnergy|reactiveEnergy|powerFactor")
    for table, columns in LACKING[version].items():
        for column in columns:
            own = pd.concat([getattr(one, table)[column] for one in told[version]])
            others = [getattr(one, table)[column] for name in told if name != version for one in told[name]]
            if column == "extra":  # other unknown fields may stand there
                assert not own.str.contains(quality).fillna(False).any()
                assert pd.concat(others).str.contains(quality).fillna(False).any()
            else:
                assert own.isna().all(), (table, column)
                assert pd.concat(others).notna().any(), (table, column)


def test_a_demand_reading_that_bill_and_list_tell_stands_once(sandbox: nn.Sandbox, newest: list[nn.Portfolio]) -> None:
    """v2.1 has it among the usage of the bill and among the listed usage: once it stood twice in the portfolio."""
    for new, old in zip(newest, frames_of(sandbox, "v2.1"), strict=True):
        assert old.demand["demand_id"].is_unique
        assert old.demand["demand"].sum() == new.demand["demand"].sum()
    assert sum(len(one.demand) for one in newest) > 0


def test_the_page_on_fidelity_lists_exactly_that() -> None:
    page = (PROJECT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    section = page.partition("| version | columns and tables that are missing there |")[2].partition("\n\n")[0]
    listed = {
        line.split("|")[1].strip(): set(re.findall(r"`([\w.]+)`", line.split("|")[2]))
        for line in section.splitlines()
        if line.startswith("| v")
    }
    assert listed == {
        version: {f"{table}.{column}" for table, columns in tables.items() for column in columns}
        | set(LACKING_ROWS[version])
        for version, tables in LACKING.items()
    }


def test_every_column_that_is_lacking_exists() -> None:
    for tables in LACKING.values():
        for table, columns in tables.items():
            assert set(columns) <= set(TABLES[table].names)
    assert {table for tables in LACKING_ROWS.values() for table in tables} <= set(TABLES)


@pytest.mark.parametrize("old", ["v2.1", "v2.0"])
def test_the_client_compares_versions(sandbox: nn.Sandbox, old: str) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    found = nectar.compare_versions(company, old=old)
    assert found.expected
    assert "say the same" in found.verdict
    rows = found.rows.set_index("table")
    assert list(rows.index) == list(TABLES)
    assert rows.loc["bills", "equal"] == rows.loc["bills", "new_rows"] == len(nectar.bills(company))
    assert rows.loc["demand", "only_new"] == (len(nectar.demand(company)) if old == "v2.0" else 0)
    columns = {(line.table, line.column): line.lacking_in for line in found.columns.itertuples()}
    assert columns["time_of_use", "description"] == old
    assert found.shapes == SHAPES[old]
    for text in (repr(found), found._repr_html_(), str(found.to_dict())):
        assert "timeOfUseBreakdown" in text
        assert sandbox.key not in text


def test_the_other_way_round_lists_no_shapes(sandbox: nn.Sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox, version="v2.1")
    found = nectar.compare_versions(nectar.companies().iloc[0], old="v2.2", new="v2.0")
    assert found.expected
    assert found.shapes == ()
    assert nectar.ping()["version"] == "v2.1"  # the client asks as before


@pytest.mark.parametrize(("old", "new"), [("v3", "v2.2"), ("v2.1", "v2"), ("v2.1", "v2.1")])
def test_versions_that_cannot_be_compared(sandbox: nn.Sandbox, old: str, new: str) -> None:
    nectar = nn.connect(sandbox=sandbox)
    with pytest.raises(InvalidRequestError, match="itself" if old == new else "no API version"):
        nectar.compare_versions(nectar.companies().iloc[0], old=old, new=new)


def test_what_differs_is_counted_by_row_and_by_column() -> None:
    """Three bills by hand: one equal, one with another amount and note, one that the new version has lost."""

    def bills(amounts: dict[str, float], **more: object) -> dict[str, pd.DataFrame]:
        frame = empty("bills").reindex(range(len(amounts)))
        return {"bills": frame.assign(bill_id=list(amounts), total_charges=list(amounts.values()), **more)}

    old, new = bills({"b1": 1.0, "b2": 2.0, "b3": 3.0}), bills({"b2": 2.5, "b1": 1.0}, notes=["later", None])
    found = compare_frames(old, new, old="v2.1", new="v2.2")
    assert not found.expected
    assert "should not" in found.verdict
    assert found.rows.to_dict("records") == [
        {
            "table": "bills", "old_rows": 3, "new_rows": 2, "equal": 1, "different": 1, "only_old": 1, "only_new": 0,
        },
    ]  # fmt: skip
    assert [(line.column, line.different) for line in found.columns.itertuples()] == [
        ("total_charges", 1),
        ("notes", 1),
    ]
    assert found.columns["lacking_in"].isna().all()


def test_a_difference_in_what_a_version_lacks_is_expected() -> None:
    demand = empty("demand").reindex(range(1)).assign(demand_id="d1", demand=5.0)
    new = {"demand": demand.assign(demand_type="PEAK", description="<b>")}
    found = compare_frames({"demand": demand}, new, old="v2.1", new="v2.2")
    assert found.expected
    assert found.rows["equal"].tolist() == [1]
    changed = compare_frames({"demand": demand.assign(demand=6.0)}, new, old="v2.1", new="v2.2")
    assert not changed.expected
