"""What a person may call an object by: one rule over frames."""

from __future__ import annotations

import pandas as pd
import pytest

from nectar_notebooks.errors import InvalidRequestError, NotFoundError
from nectar_notebooks.schema.naming import ACCOUNT, BILL, COMPANY, METER, SITE, find, named, several

COMPANIES = pd.DataFrame(
    {
        "company_id": ["c-1", "c-2", "c-3", "c-4"],
        "name": ["Harbor Foods", "Harbor Foods", "North Clinic", "c-1"],
        "external_id": ["X1", "X2", float("nan"), "North Clinic Annex"],
    }
)


@pytest.mark.parametrize(("given", "found"), [("c-1", "c-1"), ("X2", "c-2"), ("North Clinic", "c-3")])
def test_an_id_an_external_id_or_a_name_is_enough_and_the_id_wins(given: str, found: str) -> None:
    assert find(given, COMPANY, COMPANIES) == found


def test_a_name_that_fits_two_lists_both() -> None:
    with pytest.raises(InvalidRequestError, match=r"Harbor Foods \(c-1\), Harbor Foods \(c-2\)"):
        find("Harbor Foods", COMPANY, COMPANIES)


def test_an_unknown_name_tells_what_is_near() -> None:
    with pytest.raises(NotFoundError, match=r"North Clinic \(c-3\)"):
        find("north klinic", COMPANY, COMPANIES)


def test_a_name_far_from_all_tells_what_there_is() -> None:
    with pytest.raises(NotFoundError, match=r"There are: Harbor Foods \(c-1\)"):
        find("zzzz", COMPANY, COMPANIES)
    with pytest.raises(NotFoundError, match="no companies"):
        find("zzzz", COMPANY, COMPANIES.iloc[:0])


@pytest.mark.parametrize(
    "row",
    [
        COMPANIES.iloc[2],
        COMPANIES.iloc[[2]],
        next(COMPANIES.iloc[[2]].itertuples()),
        next(COMPANIES.iloc[[2]].itertuples(index=False)),
        {"company_id": "c-3"},
        COMPANIES.iloc[[2]].set_index("company_id"),
        COMPANIES.iloc[[2]]["company_id"],
    ],
)
def test_a_row_in_any_of_pandas_forms_is_a_company(row) -> None:
    assert find(row, COMPANY, COMPANIES) == "c-3"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (COMPANIES, r"frame of 4 rows: Harbor Foods \(c-1\), .*: choose one"),
        (COMPANIES.head(0), "frame of 0 rows: choose one"),
        (pd.Series({"site_id": "s-1", "company_id": "c-1"}), "pass it as site="),
        (pd.Series({"connection_id": "k-1", "company_id": "c-1"}), "is a connection, .* pass it as connection="),
        (pd.Series({"bill_id": "b-1", "company_id": "c-1", "job_id": None}), "is a bill, .* give its company_id"),
        (pd.Series({"account_id": "a-1", "company_id": "c-1"}), "is an account, .* give its company_id"),
        (pd.Series({"name": "x"}), "has no company_id"),
        (pd.Series({"company_id": float("nan")}), "has no company_id"),
        (COMPANIES["company_id"], "has no company_id"),
        (17, "cannot be understood"),
        (["c-1", "c-2"], "cannot be understood"),
        (float("nan"), "cannot be understood"),
    ],
)
def test_what_is_no_company_is_refused_with_what_to_give(given, sentence: str) -> None:
    with pytest.raises(InvalidRequestError, match=sentence) as caught:
        find(given, COMPANY, COMPANIES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "column", "text"),
    [
        (ACCOUNT, "account_number", "543 1390118"),
        (METER, "primary_identifier", "E-1"),
        (BILL, "invoice_id", "29556437"),
    ],
)
def test_people_call_accounts_meters_and_bills_by_their_numbers(kind, column: str, text: str) -> None:
    frame = pd.DataFrame({kind.key: ["x-1", "x-2", "x-3"], column: [text, "other", None]})
    assert find(text, kind, frame) == "x-1"
    twice = pd.concat([frame, frame.assign(**{kind.key: ["y-1", "y-2", "y-3"]})], ignore_index=True)
    with pytest.raises(InvalidRequestError, match=r"fits 2 .*\(x-1\).*\(y-1\). Say which by its id"):
        find(text, kind, twice)


@pytest.mark.parametrize("dtype", ["object", "category", "string", "string[pyarrow]"])
def test_a_table_of_any_kind_of_text_under_any_index_will_do(dtype: str) -> None:
    sites = pd.DataFrame({"site_id": ["s1", "s2", "s3"], "name": ["Mill", "Depot", None]}, index=[7, 7, 3])
    sites = sites.astype({"site_id": dtype, "name": dtype})
    assert find("Depot", SITE, sites) == "s2"
    assert find(sites.iloc[2], SITE, sites) == "s3"
    with pytest.raises(NotFoundError, match=r"Near it: Mill \(s1\)"):
        find("Mil", SITE, sites)


def test_a_table_with_numbers_for_ids_will_do() -> None:
    sites = pd.DataFrame({"site_id": [1, 2], "external_id": [10.0, float("nan")]})
    assert (find("2", SITE, sites), find("10", SITE, sites), find(sites.iloc[1:], SITE, sites)) == ("2", "1", "2")


def test_an_id_in_a_row_is_an_id_and_no_name() -> None:
    with pytest.raises(NotFoundError, match="No company is called 'X1'"):
        find({"company_id": "X1"}, COMPANY, COMPANIES)


def test_several_are_a_list_a_frame_a_column_or_one() -> None:
    rows = COMPANIES.iloc[:2]
    for given in (rows, ["c-1", "c-2"], rows["company_id"], [rows.iloc[0], "c-2"], (one for one in ("c-1", "c-2"))):
        assert [one.text for one in several(given, COMPANY)] == ["c-1", "c-2"]
    for given in ("c-1", rows.iloc[0], rows.head(1), next(rows.itertuples()), {"company_id": "c-1"}):
        assert [one.text for one in several(given, COMPANY)] == ["c-1"]
    for nothing in ([], rows.head(0)):
        with pytest.raises(NotFoundError, match="No company was named"):
            several(nothing, COMPANY)


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(InvalidRequestError, match="half a character"):
        named("\ud800", SITE)
