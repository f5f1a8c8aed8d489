"""Companies, sites and connections: made, changed and deleted, and seen by the next noun."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from client.verbs.truth import Place, everywhere, same_row

from nectar_notebooks import Nectar
from nectar_notebooks.errors import NotFoundError

MOCK = ("https://nectarclimate.com", "nectar-sandbox-username", "nectar-sandbox-password")
Warm = Callable[..., Nectar]


@everywhere
def test_a_company_from_its_first_to_its_last_day(warm: Warm, place: Place, version: str) -> None:
    nectar = warm(version)
    before = len(nectar.companies())
    made = nectar.create_company(
        "Harbor Mills", external_id="HM", data_collection_start="2024-03-01", demand_enabled=True,
        implied_metering_fraction=0.25,
    )  # fmt: skip
    same_row(made, nectar.companies())
    assert (made["name"].iloc[0], made["external_id"].iloc[0]) == ("Harbor Mills", "HM")
    assert made["data_collection_start"].iloc[0] == pd.Timestamp("2024-03-01")
    assert len(nectar.companies()) == before + 1
    assert made.attrs["nectar"]["noun"] == "companies"

    changed = nectar.update_company("Harbor Mills", name="Harbor Mill", external_id=None)
    same_row(changed, nectar.companies())
    assert (changed["name"].iloc[0], changed["external_id"].isna().iloc[0]) == ("Harbor Mill", True)
    assert changed["data_collection_start"].iloc[0] == pd.Timestamp("2024-03-01")

    pd.testing.assert_frame_equal(nectar.delete_company("Harbor Mill"), changed)
    assert len(nectar.companies()) == before
    with pytest.raises(NotFoundError):
        nectar.sites(changed)  # the row is known, the company is gone
    place.assert_true(nectar, version=version)


@everywhere
def test_a_site_is_made_and_changed(warm: Warm, place: Place, company: str, version: str) -> None:
    nectar = warm(version)
    before = nectar.sites(company)
    made = nectar.create_site("Mill 1", company, external_id="M1", address="1 Quay", path="US / Ohio / Toledo")
    same_row(made, nectar.sites(company))
    assert made["path"].iloc[0] == "US / Ohio / Toledo"
    assert len(nectar.sites(company)) == len(before) + 1

    changed = nectar.update_site("M1", company, name="Mill One", occupancy_percent="62.5", path=["US"])
    same_row(changed, nectar.sites(company))
    assert changed.iloc[0][["name", "address", "path", "occupancy_percent"]].tolist() == [
        "Mill One", "1 Quay", "US", 62.5,
    ]  # fmt: skip
    row = changed.iloc[0]
    assert nectar.update_site(row, external_id=None)["external_id"].isna().all()
    place.assert_true(nectar, company, version=version)


@everywhere
def test_a_connection_brings_bills_and_leaves_them(warm: Warm, place: Place, company: str, version: str) -> None:
    nectar = warm(version)
    bills = len(nectar.bills(company))
    wrong = nectar.create_connection(*MOCK[:2], "not it", company, sites=nectar.sites(company).head(2), country="ca")
    same_row(wrong, nectar.connections(company))
    assert (wrong["status"].iloc[0], wrong["needs_customer"].iloc[0]) == ("PASSWORD_INCORRECT", True)
    assert wrong["country"].iloc[0] == "CA"
    assert len(nectar.bills(company)) == bills

    mended = nectar.update_connection(wrong.iloc[0], password=MOCK[2], security_questions={"Pet?": "Rex"})
    same_row(mended, nectar.connections(company))
    assert mended["status"].iloc[0] == "CONNECTED"
    behind = nectar.bills(company, connection=mended)
    assert len(nectar.bills(company)) == bills + len(behind) > bills
    site = nectar.sites(company)["name"].iloc[1]
    same_row(nectar.update_connection(mended, sites=site), nectar.connections(company))
    place.assert_true(nectar, company, version=version)

    pd.testing.assert_frame_equal(
        nectar.delete_connection(mended.iloc[0])[["connection_id", "status"]], mended[["connection_id", "status"]]
    )
    assert mended["connection_id"].iloc[0] not in set(nectar.connections(company)["connection_id"])
    assert len(nectar.bills(company)) == bills + len(behind)  # the sandbox leaves them with the company
    place.assert_true(nectar, company, version=version)


@pytest.mark.parametrize("url", ["https://power.example:8443/login", "https://power.example?tenant=7"])
def test_a_provider_s_address_may_have_a_port_and_a_query(warm: Warm, company: str, url: str) -> None:
    nectar = warm()
    made = nectar.create_connection(url, "ann", "a word", company, sites=nectar.sites(company).head(1))
    assert made[["url", "status"]].iloc[0].tolist() == [url, "PENDING"]


def test_rows_of_every_form_are_understood(warm: Warm, company: str) -> None:
    nectar = warm()
    site = next(nectar.sites(company).itertuples(index=False))
    assert nectar.update_site(site, address="9 Quay")["address"].iloc[0] == "9 Quay"
    assert nectar.update_site({"site_id": site.site_id, "company_id": company}, address="8 Quay")["address"].iloc[0]
    made = nectar.create_connection(*MOCK, company, sites=[site, site.site_id])
    assert made["status"].iloc[0] == "CONNECTED"


def test_what_was_seen_behind_a_deleted_connection_is_not_answered_any_more(warm: Warm, company: str) -> None:
    nectar = warm()
    connection = nectar.connections(company).iloc[0]
    nectar.intervals(connection)
    nectar.delete_connection(connection)
    with pytest.raises(NotFoundError):
        nectar.intervals(connection)


def test_the_password_stands_nowhere(place: Place, warm: Warm, company: str) -> None:
    nectar = warm()
    secret = "correct-horse-battery"
    made = nectar.create_connection(
        "https://power.example", "ann", secret, company, sites=nectar.sites(company).head(1)
    )
    nectar.connections(company)
    assert secret not in made.to_csv() + repr(nectar.last_fetch) + repr(nectar)
    for file in (place.folder / "cache").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file
