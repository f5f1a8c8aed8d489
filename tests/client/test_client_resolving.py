"""What a person may call an object by."""

from __future__ import annotations

import pandas as pd
import pytest

from nectar_notebooks.client.resolving import COMPANY, one, row_of
from nectar_notebooks.errors import InvalidRequestError, NotFoundError

COMPANIES = pd.DataFrame(
    {
        "company_id": ["c-1", "c-2", "c-3", "c-4"],
        "name": ["Harbor Foods", "Harbor Foods", "North Clinic", "c-1"],
        "external_id": ["X1", "X2", float("nan"), "North Clinic Annex"],
    }
)


@pytest.mark.parametrize(("given", "found"), [("c-1", "c-1"), ("X2", "c-2"), ("North Clinic", "c-3")])
def test_an_id_an_external_id_or_a_name_is_enough_and_the_id_wins(given: str, found: str) -> None:
    assert one(given, COMPANY, COMPANIES)["company_id"] == found


def test_a_name_that_fits_two_lists_both() -> None:
    with pytest.raises(InvalidRequestError, match=r"Harbor Foods \(c-1\), Harbor Foods \(c-2\)"):
        one("Harbor Foods", COMPANY, COMPANIES)


def test_an_unknown_name_tells_what_is_near() -> None:
    with pytest.raises(NotFoundError, match=r"North Clinic \(c-3\)"):
        one("north klinic", COMPANY, COMPANIES)


def test_a_name_far_from_all_tells_what_there_is() -> None:
    with pytest.raises(NotFoundError, match=r"There are: Harbor Foods \(c-1\)"):
        one("zzzz", COMPANY, COMPANIES)
    with pytest.raises(NotFoundError, match="no companies"):
        one("zzzz", COMPANY, COMPANIES.iloc[:0])


@pytest.mark.parametrize(
    "row",
    [
        COMPANIES.iloc[2],
        COMPANIES.iloc[[2]],
        next(COMPANIES.iloc[[2]].itertuples()),
        {"company_id": "c-3"},
    ],
)
def test_a_row_in_any_of_pandas_forms_is_a_company(row) -> None:
    found = row_of(row, COMPANY)
    assert found is not None
    assert found["company_id"] == "c-3"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (COMPANIES, "frame of 4 rows"),
        (pd.Series({"site_id": "s-1", "company_id": "c-1"}), "pass it as site="),
        (pd.Series({"connection_id": "k-1", "company_id": "c-1"}), "is a connection, .* pass it as connection="),
        (pd.Series({"bill_id": "b-1", "company_id": "c-1", "job_id": None}), "is a bill, .* give its company_id"),
        (pd.Series({"account_id": "a-1", "company_id": "c-1"}), "is an account, .* give its company_id"),
        (pd.Series({"name": "x"}), "has no company_id"),
        (17, "cannot be understood"),
    ],
)
def test_what_is_no_company_is_refused_with_what_to_give(given, sentence: str) -> None:
    with pytest.raises(InvalidRequestError, match=sentence):
        row_of(given, COMPANY)
