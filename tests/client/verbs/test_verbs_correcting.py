"""Which accounts are tracked, and corrections of usage: done, seen at once, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from client.verbs.truth import Place, everywhere, same_row
from sandbox_app.small_world import (
    BETA,
    FEBRUARY_USAGE,
    JANUARY_USAGE,
    NOBODY,
    POWER_ACCOUNT,
    POWER_METER,
    SEWER_USAGE,
    WATER_ACCOUNT,
    small_world,
)

from nectar_notebooks import Nectar, Sandbox
from nectar_notebooks.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError

Warm = Callable[..., Nectar]


def tracking(nectar: Nectar, company: str) -> dict[str, str]:
    return nectar.accounts(company).set_index("account_id")["tracking"].to_dict()


@everywhere
def test_an_account_is_tracked_no_more_and_again(warm: Warm, place: Place, company: str, version: str) -> None:
    nectar = warm(version)
    row = nectar.untrack(POWER_ACCOUNT, company)
    assert row["tracking"].tolist() == ["DISABLED"]
    same_row(row, nectar.accounts(company))
    assert not nectar.meters(company).set_index("meter_id").loc[POWER_METER, "tracked"]
    assert set(nectar.usage(company, commodity="ELECTRICITY")["meter_tracked"]) == {False}
    place.assert_true(nectar, company, version=version)
    again = nectar.track(nectar.accounts(company, connection="Ohio Power").iloc[0], update_meters=False)
    assert again["tracking"].tolist() == ["ENABLED"]
    assert not nectar.meters(company).set_index("meter_id").loc[POWER_METER, "tracked"]
    place.assert_true(nectar, company, version=version)


@everywhere
def test_several_accounts_at_once(warm: Warm, place: Place, company: str, version: str) -> None:
    nectar = warm(version)
    before = place.spent()
    rows = nectar.track(nectar.accounts(company))
    assert rows["tracking"].tolist() == ["ENABLED", "ENABLED"]
    assert place.writes() == ["PATCH"]
    assert rows.attrs["nectar"]["requests"] == place.spent() - before
    same = nectar.accounts(company)
    pd.testing.assert_frame_equal(rows, same[same["account_id"].isin(rows["account_id"])].reset_index(drop=True))
    assert set(nectar.untrack(list(rows["account_id"]), company)["tracking"]) == {"DISABLED"}
    place.assert_true(nectar, company, version=version)


@pytest.mark.parametrize(("fault", "kind"), [(500, ServerError), (400, InvalidRequestError)])
def test_all_or_nothing(warm: Warm, place: Place, company: str, fault: int, kind: type[Exception]) -> None:
    nectar = warm()
    before = tracking(nectar, company)
    place.sandbox.faults.add(f"/account/company/{company}", status=fault, times=9)
    with pytest.raises(kind):
        nectar.untrack([POWER_ACCOUNT, WATER_ACCOUNT], company)
    assert tracking(place.fresh(), company) == tracking(nectar, company) == before


def test_where_the_api_has_no_bulk_form_it_is_said_and_one_by_one_works(tmp_path: Path, company: str) -> None:
    with closing(Sandbox(world=small_world(), documented_only=True)) as bare, bare.serve() as address:
        place = Place(bare, tmp_path, address.url)
        nectar = place.connect()
        before = tracking(nectar, company)
        with pytest.raises((NotFoundError, PermissionDeniedError)):
            nectar.untrack([POWER_ACCOUNT, WATER_ACCOUNT], company)
        assert tracking(place.fresh(), company) == before
        nectar.untrack(POWER_ACCOUNT, company)
        assert tracking(place.fresh(), company)[POWER_ACCOUNT] == "DISABLED"
        place.assert_true(nectar, company)


NO_ACCOUNTS: list[tuple[object, type[Exception], str]] = [
    ([], NotFoundError, "No account was named"),
    (NOBODY, NotFoundError, f"no account {NOBODY}"),
    ([POWER_ACCOUNT, NOBODY], NotFoundError, f"no account {NOBODY}"),
    (12, InvalidRequestError, "12 is no account"),
    ([POWER_ACCOUNT, None], InvalidRequestError, "is no account"),
    (pd.DataFrame({"meter_id": ["m"]}), InvalidRequestError, "row with account_id"),
    ({"meter_id": "m", "account_id": POWER_ACCOUNT}, InvalidRequestError, "is a meter, not an account"),
    ({"account_id": POWER_ACCOUNT, "company_id": BETA}, InvalidRequestError, "belong to company"),
    (
        [{"account_id": "a", "company_id": "1"}, {"account_id": "b", "company_id": "2"}],
        InvalidRequestError,
        "of 2 companies",
    ),
]


def test_what_is_no_account_of_the_company_changes_nothing(served: Place, company: str) -> None:
    nectar = served.connect()
    before = tracking(nectar, company)
    for given, kind, said in NO_ACCOUNTS:
        with pytest.raises(kind, match=said):
            nectar.untrack(given, company)  # type: ignore[arg-type]  # wrong on purpose
    assert served.writes() == []
    assert tracking(served.fresh(), company) == before


def test_an_account_of_another_company_stays_as_it_is(served: Place, company: str) -> None:
    nectar = served.connect()
    with pytest.raises(NotFoundError, match=f"Company {BETA} has no account"):
        nectar.untrack(POWER_ACCOUNT, BETA)
    assert tracking(nectar, company)[POWER_ACCOUNT] == "ENABLED"


@everywhere
def test_a_usage_record_is_corrected(warm: Warm, place: Place, company: str, version: str) -> None:
    nectar = warm(version)
    row = nectar.update_usage(
        FEBRUARY_USAGE, start_date="2025-02-02", end_date="2025-03-01", unit="MWh", exclusion=True, estimated=True,
        implied=False, tariff="T-1",
    )  # fmt: skip
    now = nectar.usage(company).set_index("usage_id").loc[FEBRUARY_USAGE]
    assert (str(now["start_date"].date()), str(now["end_date"].date())) == ("2025-02-02", "2025-03-01")
    assert now[["unit", "exclusion", "estimated", "tariff"]].tolist() == ["MWh", True, True, "T-1"]
    counted = ["counts", "counts_reason"]
    assert row["counts"].isna().all()  # only all tables together tell
    same_row(row.drop(columns=counted), nectar.usage(company).drop(columns=counted))
    place.assert_true(nectar, company, version=version)


def test_a_correction_is_seen_by_a_question_that_was_narrow(served: Place, company: str) -> None:
    nectar = served.connect()
    window = {"start": "2025-02", "end": "2025-02"}
    assert set(nectar.usage(company, **window)["tariff"].dropna()) == set()
    nectar.update_usage(FEBRUARY_USAGE, tariff="N")
    assert set(nectar.usage(company, **window)["tariff"].dropna()) == {"N"}
    served.assert_true(nectar, company)


@pytest.mark.parametrize("sandbox", [{"children_move_updated": "no"}], indirect=True)
def test_a_correction_is_seen_where_the_bill_does_not_count_as_updated(served: Place, company: str) -> None:
    nectar = served.connect()
    nectar.portfolio(company)
    nectar.update_usage(nectar.usage(company).set_index("usage_id").loc[[SEWER_USAGE]].reset_index(), tariff="S")
    assert nectar.usage(company).set_index("usage_id").loc[SEWER_USAGE, "tariff"] == "S"
    served.assert_true(nectar, company)


NO_CORRECTIONS: list[tuple[object, dict[str, object], type[Exception], str]] = [
    (FEBRUARY_USAGE, {}, InvalidRequestError, "nothing to change"),
    (FEBRUARY_USAGE, {"usage": 3}, InvalidRequestError, "'usage' cannot be set"),
    (FEBRUARY_USAGE, {"unit": "furlong"}, InvalidRequestError, "no unit of the API"),
    (FEBRUARY_USAGE, {"start_date": "2025-13-01"}, InvalidRequestError, "2025-13-01"),
    (FEBRUARY_USAGE, {"start_date": "2025-02"}, InvalidRequestError, "no day"),
    (FEBRUARY_USAGE, {"estimated": "yes"}, InvalidRequestError, "must be True or False"),
    (FEBRUARY_USAGE, {"tariff": 7}, InvalidRequestError, "tariff must be a string"),
    (FEBRUARY_USAGE, {"end_date": "2025-01-01"}, InvalidRequestError, "before its start, 2025-02-01"),
    (NOBODY, {"tariff": "x"}, NotFoundError, "404"),
    ([FEBRUARY_USAGE, JANUARY_USAGE], {"tariff": "x"}, InvalidRequestError, "one after the other"),
    (3.5, {"tariff": "x"}, InvalidRequestError, "3.5 is no usage record"),
]


def test_a_correction_that_cannot_be_meant_changes_nothing(served: Place, company: str) -> None:
    nectar = served.connect()
    for given, changes, kind, said in NO_CORRECTIONS:
        with pytest.raises(kind, match=said):
            nectar.update_usage(given, company, **changes)  # type: ignore[arg-type]  # wrong on purpose
    assert served.writes() == []


def test_usage_of_another_company_is_not_corrected_by_mistake(served: Place) -> None:
    nectar = served.connect()
    with pytest.raises(InvalidRequestError, match="usage of company"):
        nectar.update_usage(FEBRUARY_USAGE, BETA, tariff="x")
    assert nectar.update_usage(FEBRUARY_USAGE, tariff="x")["tariff"].tolist() == ["x"]  # the record says whose it is


@pytest.mark.parametrize("version", ["v2.1", "v2.0"])
def test_one_of_several_records_by_time_of_use_is_not_corrected_alone(
    served: Place, company: str, version: str
) -> None:
    nectar = served.connect(version=version)
    parted = nectar.time_of_use(company)["usage_id"].iloc[0]
    before = nectar.usage(company)
    with pytest.raises(InvalidRequestError, match=r"by time of use.*v2\.2"):
        nectar.update_usage(parted, estimated=True)
    pd.testing.assert_frame_equal(served.fresh(version).usage(company), before)
