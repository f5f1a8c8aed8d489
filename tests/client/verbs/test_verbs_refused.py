"""What is refused, by us before anything is sent or by the API: the sentence, nothing half-written, the cache kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
import pytest
from client.verbs.truth import Place
from sandbox_app.small_world import BETA, BETA_SITE, MAIN_SITE, NOBODY, POWER_LOGIN

from nectar_notebooks import Nectar
from nectar_notebooks.errors import InvalidRequestError, NectarError, NotFoundError, OfflineError, PermissionDeniedError

LOGIN = {"url": "https://power.example", "username": "ann", "password": "s3cret-word"}
Call = tuple[str, tuple[Any, ...], Mapping[str, Any], str]

BEFORE_THE_WIRE: list[Call] = [
    ("create_company", ("",), {}, "name must not be empty"),
    ("create_company", ("x" * 201,), {}, "name has 201 characters; the API takes 200"),
    ("create_company", (7,), {}, "name must be a string, not 7"),
    ("create_company", ("x",), {"users": "ann@acme.example"}, "users must be a list"),
    ("create_company", ("x",), {"users": ["ann"]}, r"users\[0\]='ann' is no e-mail"),
    ("create_company", ("x",), {"data_collection_start": "31.1.2024"}, "no day"),
    ("create_company", ("x",), {"demand_enabled": 1}, "must be True or False"),
    ("create_company", ("x",), {"implied_metering_fraction": 1.5}, "from 0 to 1, not 1.5"),
    ("create_company", ("x",), {"colour": "red"}, "'colour' cannot be set"),
    ("update_company", ("Acme",), {}, "nothing to change"),
    ("update_company", ("Acme",), {"name": None}, "name must be a string"),
    ("create_site", ("x" * 256, "Acme"), {}, "256 characters; the API takes 255"),
    ("create_site", ("x", "Acme"), {"address": "x" * 256}, "address has 256"),
    ("create_site", ("x", "Acme"), {"path": ["x"] * 11}, "path has 11 entries; the API takes 10"),
    ("create_site", ("x", "Acme"), {"path": ["x" * 101]}, r"path\[0\] has 101"),
    ("create_site", ("x", "Acme"), {"occupancy_percent": 101}, "from 0 to 100"),
    ("create_site", ("x", "Acme"), {"occupancy_percent": "half"}, "not 'half'"),
    ("create_site", ("x", "Acme"), {"archived_on": "2024-01-01"}, "'archived_on' cannot be set"),
    ("create_site", ("x",), {}, "sees 2 companies"),
    ("update_site", ("Main", "Acme"), {"path": 3}, "path must be a list"),
    ("update_site", (BETA_SITE, "Acme"), {"name": "x"}, "No site is called"),
    ("create_connection", ("power", "ann", "s3cret-word", "Acme"), {"sites": "Main"}, "no web address"),
    ("create_connection", (*LOGIN.values(), "Acme"), {"sites": []}, "at least one site"),
    ("create_connection", (*LOGIN.values(), "Acme"), {"sites": "Main", "country": "USA"}, "two letters"),
    ("create_connection", (*LOGIN.values(), "Acme"), {"sites": ["Main", "Nowhere"]}, "No site is called 'Nowhere'"),
    ("create_connection", (LOGIN["url"], "ann", 5, "Acme"), {"sites": "Main"}, "password must be a string"),
    ("update_connection", (POWER_LOGIN, "Acme"), {}, "nothing to change"),
    ("update_connection", (POWER_LOGIN, "Acme"), {"url": "https://x.example"}, "'url' cannot be set"),
    ("update_connection", (POWER_LOGIN, "Acme"), {"security_questions": ["Pet?"]}, "must be a mapping"),
    ("delete_connection", (NOBODY, "Acme"), {}, "No connection is called"),
    ("delete_connection", (POWER_LOGIN, "Beta"), {}, "No connection is called"),
    ("delete_company", ("Acne",), {}, "Near it: Acme"),
    ("delete_company", ({"bill_id": "b", "company_id": BETA},), {}, "is a bill, not a company"),
    ("delete_connection", ({"account_id": "a", "connection_id": POWER_LOGIN}, "Acme"), {}, "an account, not a connec"),
    ("update_site", ({"meter_id": "m", "site_id": MAIN_SITE}, "Acme"), {"name": "x"}, "is a meter, not a site"),
]  # fmt: skip

BY_THE_API: list[Call] = [
    ("create_company", ("x",), {"users": ["nobody@acme.example"]}, "nobody@acme.example"),
    ("update_company", ("Acme",), {"name": "Other", "users": ["nobody@acme.example"]}, "nobody@acme.example"),
    ("create_connection", ("https://power.example", "acme", "x", "Acme"), {"sites": "Main"}, "with this user name"),
    ("create_connection", (*LOGIN.values(), "Acme"),
     {"sites": [{"site_id": BETA_SITE, "company_id": BETA}, "Main"]}, "belongs to company"),
]  # fmt: skip

ROWS_OF_NOTHING: list[Call] = [
    ("update_company", ({"company_id": NOBODY},), {"name": "x"}, NOBODY),
    ("create_site", ("x", {"company_id": NOBODY}), {}, NOBODY),
    ("update_site", ({"site_id": NOBODY, "company_id": BETA},), {"name": "x"}, NOBODY),
    ("update_connection", ({"connection_id": NOBODY, "company_id": BETA},), {"password": "x"}, NOBODY),
]


def told(place: Place, company: str) -> dict[str, pd.DataFrame]:
    return dict(place.fresh().portfolio(company))


def untouched(served: Place, company: str, calls: list[Call], kind: type[NectarError]) -> Iterator[NectarError]:
    """Do what is refused; see that nothing came of it, and that nothing kept is asked for again."""
    nectar = served.connect()
    nectar.portfolio(company)
    nectar.portfolio(BETA)
    before = told(served, company)
    for verb, given, named, said in calls:
        with pytest.raises(kind, match=said) as caught:
            getattr(nectar, verb)(*given, **named)
        spent = served.spent()
        nectar.portfolio(company)
        assert served.spent() == spent, verb
        yield caught.value
    for name, frame in told(served, company).items():
        pd.testing.assert_frame_equal(frame, before[name], obj=name)
        pd.testing.assert_frame_equal(getattr(nectar.portfolio(company), name), before[name], obj=name)
    assert len(nectar.companies()) == 2


def test_what_cannot_be_meant_is_refused_before_anything_is_sent(served: Place, company: str) -> None:
    nectar = served.connect()
    nectar.portfolio(company)
    nectar.portfolio(BETA)
    before = told(served, company)
    for verb, given, named, said in BEFORE_THE_WIRE:
        with pytest.raises((InvalidRequestError, NotFoundError), match=said) as caught:
            getattr(nectar, verb)(*given, **named)
        assert "s3cret-word" not in str(caught.value), verb
    assert served.writes() == []
    for name, frame in told(served, company).items():
        pd.testing.assert_frame_equal(frame, before[name], obj=name)


def test_no_error_prints_a_frame(served: Place) -> None:
    nectar = served.connect()
    companies = nectar.companies()
    row, named = companies.iloc[0], next(companies.itertuples())
    calls: list[Call] = [
        ("create_site", (row, "x"), {}, "name must be a string, not a row of companies."),
        ("create_site", (named, "x"), {}, "name must be a string, not a row of companies."),
        ("create_site", (row.to_dict(), "x"), {}, "name must be a string, not a row of companies."),
        ("create_site", (companies.head(1), "x"), {}, "name must be a string, not a row of companies."),
        ("create_site", (companies, "x"), {}, "name must be a string, not a frame of 2 companies."),
        ("create_site", (companies["name"], "x"), {}, "name must be a string, not a Series of 2 values."),
        (
            "create_site",
            ("x", "Acme"),
            {"path": companies},
            "path must be a list of strings, not a frame of 2 companies.",
        ),
        ("create_site", ("x", "Acme"), {"occupancy_percent": row}, "from 0 to 100, not a row of companies."),
        ("create_company", (companies[["name"]],), {}, "name must be a string, not a frame of 2 rows."),
        ("create_company", ([companies, companies],), {}, "name must be a string, not a list."),
        ("create_company", ("x",), {"demand_enabled": row}, "must be True or False, not a row of companies."),
        ("create_company", ("x",), {"data_collection_start": row}, "=a row of companies is no day"),
        ("create_company", ("x",), {"users": [row]}, "users[0]=a row of companies is no e-mail address."),
        ("create_connection", (row, "ann", "x", "Acme"), {"sites": "Main"}, "url=a row of companies is no web address"),
        ("update_usage", ("x",), {"unit": companies}, "unit=a frame of 2 companies is no unit"),
        ("delete_company", ([row],), {}, "company=a list cannot be understood"),
        ("upload", ([row], "Acme"), {}, "a row of companies is no https address."),
        ("usage", ("Acme",), {"by": row}, "by=a row of companies is not known"),
        ("usage", ("Acme",), {"commodity": row}, "commodity=a row of companies is not known"),
    ]
    for verb, given, more, said in calls:
        with pytest.raises(InvalidRequestError) as caught:
            getattr(nectar, verb)(*given, **more)
        assert said in str(caught.value), verb
        assert "\n" not in str(caught.value), verb
    assert served.writes() == []


def test_what_the_api_refuses_is_said_once(served: Place, company: str) -> None:
    for error, call in zip(untouched(served, company, BY_THE_API, InvalidRequestError), BY_THE_API, strict=True):
        assert str(error).count(call[3]) == 1


def test_a_row_whose_object_is_not_there(served: Place, company: str) -> None:
    assert [error.status_code for error in untouched(served, company, ROWS_OF_NOTHING, NotFoundError)] == [404] * 4


def test_deleting_what_is_deleted_is_said(served: Place, company: str) -> None:
    nectar = served.connect()
    row = nectar.connections(company).iloc[0]
    nectar.delete_connection(row)
    with pytest.raises(NotFoundError, match="404"):
        nectar.delete_connection(row)


def test_a_key_that_may_not_see_a_company_changes_nothing_there(served: Place, company: str) -> None:
    only_beta = served.sandbox.create_key("sandbox", companies=[BETA])
    nectar = served.connect(key=only_beta)
    assert nectar.companies()["company_id"].tolist() == [BETA]
    with pytest.raises((PermissionDeniedError, NotFoundError)):
        nectar.update_site({"site_id": MAIN_SITE, "company_id": company}, name="Mine now")
    with pytest.raises((PermissionDeniedError, NotFoundError)):
        nectar.delete_company({"company_id": company})
    assert "Mine now" not in set(served.fresh().sites(company)["name"])


def test_offline_nothing_is_changed(served: Place, company: str) -> None:
    served.connect().portfolio(company)
    nectar = served.connect(offline=True)
    spent = served.spent()
    doing: list[Callable[[], object]] = [
        lambda: nectar.create_company("x"),
        lambda: nectar.update_company(company, name="x"),
        lambda: nectar.delete_company(company),
        lambda: nectar.create_site("x", company),
        lambda: nectar.update_site("Main", company, name="x"),
        lambda: nectar.create_connection(*LOGIN.values(), company, sites="Main"),
        lambda: nectar.update_connection(POWER_LOGIN, company, password="x"),
        lambda: nectar.delete_connection(POWER_LOGIN, company),
        lambda: nectar.track(nectar.accounts(company)),
        lambda: nectar.update_usage(nectar.usage(company).iloc[0], tariff="x"),
        lambda: nectar.upload("https://files.example/a.pdf", company),
        lambda: nectar.download(nectar.bills(company).iloc[0], served.folder),
    ]
    for one in doing:
        with pytest.raises(OfflineError):
            one()
    assert served.spent() == spent
    assert len(nectar.sites(company)) == 2  # and what is kept still answers


def test_the_older_versions_refuse_in_the_same_words(served: Place) -> None:
    for version in ("v2.1", "v2.0"):
        nectar: Nectar = served.connect(version=version)
        with pytest.raises(InvalidRequestError, match=r"no user|nobody@acme\.example"):
            nectar.create_company("x", users=["nobody@acme.example"])
