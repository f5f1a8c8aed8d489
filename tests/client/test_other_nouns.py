"""Invitations and uploads as frames: fixed columns, asked each time, nothing of them on disk."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nectar_notebooks import Nectar, Sandbox, connect
from nectar_notebooks.errors import NotFoundError, OfflineError
from nectar_notebooks.tables import build, empty

#: Written by hand from the documented field lists.
INVITATION = {
    "id": "i1",
    "token": "t0ken",
    "invitationType": "CREATE_CONNECTION",
    "status": "ACTIVE",
    "invitationUrl": "https://dash.nectarclimate.com/p/i/t0ken",
    "companyId": "c1",
    "connectionId": None,
    "allowedEmails": ["ann@example.org", "bob@example.org"],
    "expiresAt": "2026-02-01T00:00:00Z",
    "maxUses": 3,
    "useCount": 1,
    "createdAt": "2026-01-15T09:00:00Z",
    "prefill": {"url": "https://citylight.example", "country": "US", "initialSites": ["s1", "s2"]},
    "createdConnections": [{"id": "k1", "datasourceName": "City Light", "status": "PENDING", "created": None}],
    "events": [
        {"type": "VIEWED", "email": None, "created": "2026-01-15T10:00:00Z"},
        {"type": "USED", "email": "ann@example.org", "created": "2026-01-15T10:05:00Z"},
    ],
}
RECONNECT = {
    "id": "i2",
    "invitationType": "EDIT_CONNECTION",
    "status": "REVOKED",
    "companyId": "c1",
    "connectionId": "k9",
    "allowedEmails": [],
    "useCount": 0,
    "prefill": {},
}


def test_an_invitation_becomes_rows_of_three_tables() -> None:
    frames = build("invitations", [INVITATION, RECONNECT])
    first, second = frames["invitations"].to_dict("records")
    assert first["allowed_emails"] == "ann@example.org / bob@example.org"
    assert first["initial_sites"] == "s1 / s2"
    assert (first["max_uses"], first["use_count"]) == (3, 1)
    assert first["expires"] == pd.Timestamp("2026-02-01T00:00:00Z")
    assert second["connection_id"] == "k9"
    assert pd.isna(second["max_uses"])
    assert pd.isna(second["allowed_emails"])
    assert frames["invitation_connections"].iloc[0].tolist()[:4] == ["i1", "k1", "City Light", "PENDING"]
    assert frames["invitation_events"]["event"].tolist() == ["VIEWED", "USED"]
    assert frames["invitation_events"]["position"].tolist() == [0, 1]


@pytest.mark.parametrize("name", ["invitations", "jobs", "intervals", "job_bills", "invitation_events"])
def test_tables_without_rows_have_their_columns_and_dtypes(name: str) -> None:
    resource = {"job_bills": "jobs", "invitation_events": "invitations"}.get(name, name)
    frame = build(resource, [])[name]
    assert frame.dtypes.to_dict() == empty(name).dtypes.to_dict()
    assert len(frame) == 0


def test_an_upload_tells_what_came_of_each_file() -> None:
    job = {"id": "j1", "status": "COMPLETED", "parsedDocumentIds": ["b1"], "duplicates": 1,
           "duplicateDocumentIds": ["b0"], "nonUtilityDocumentIds": ["x"], "terminationReason": None}  # fmt: skip
    frames = build("jobs", [job], company_id="c1")
    assert frames["jobs"][["job_id", "company_id", "status", "duplicates"]].values.tolist() == [
        ["j1", "c1", "COMPLETED", 1]
    ]
    assert frames["job_bills"].values.tolist() == [
        ["j1", "b1", "parsed"], ["j1", "b0", "duplicate"], ["j1", "x", "not_utility"],
    ]  # fmt: skip


def invited(sandbox: Sandbox, company_id: str) -> str:
    made = sandbox.app.test_client().post(
        f"/v2.2/invitation/company/{company_id}", headers={"X-API-Key": sandbox.key}, json={"maxUses": 2}
    )
    assert made.status_code == 201
    return str(made.json["id"])


def embedded(**settings: object) -> tuple[Sandbox, Nectar, str]:
    sandbox = Sandbox(sites=2, months=2, **settings)
    nectar = connect(sandbox=sandbox)
    return sandbox, nectar, str(nectar.companies()["company_id"].iloc[0])


def test_invitations_are_asked_for_each_time_and_never_kept(tmp_path: Path) -> None:
    sandbox, _, company = embedded()
    nectar = connect(sandbox=sandbox, cache_dir=tmp_path)
    assert nectar.invitations(company).empty
    one = invited(sandbox, company)
    assert nectar.invitations(company)["invitation_id"].tolist() == [one]
    assert nectar.last_fetch["source"] == "wire"
    sandbox.use_invitation(
        one, "nectar-sandbox-username", "nectar-sandbox-password", url="https://nectarclimate.com",
        sites=[nectar.sites(company)["site_id"].iloc[0]], country="US",
    )  # fmt: skip
    assert nectar.invitation(one)["use_count"].tolist() == [1]
    assert len(nectar.invitation_connections(company)) == 1
    assert nectar.invitation_events(one)["position"].tolist() == list(range(len(nectar.invitation_events(one))))
    token = nectar.invitation(one)["url"].iloc[0].rpartition("/")[2]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept, "other rows are kept"
    assert not [path for path in kept if token.encode() in path.read_bytes()]


def test_offline_says_that_invitations_are_never_kept(tmp_path: Path) -> None:
    sandbox, _, company = embedded()
    connect(sandbox=sandbox, cache_dir=tmp_path).sites(company)
    with pytest.raises(OfflineError, match="invitations are never kept"):
        connect(sandbox=sandbox, cache_dir=tmp_path, offline=True).invitations(company)


def test_uploads_are_listed_or_asked_for_by_their_ids() -> None:
    sandbox, nectar, company = embedded()
    client = sandbox.app.test_client()
    made = client.post(
        f"/v2.2/job/company/{company}", headers={"X-API-Key": sandbox.key}, data={"document": (_pdf(), "bill.pdf")}
    )
    assert made.status_code == 201
    job = made.json["id"]
    assert nectar.jobs(company)["job_id"].tolist() == [job]
    assert nectar.jobs(job=job)["status"].tolist() == ["COMPLETED"]
    assert nectar.job_bills(job=[job])["outcome"].tolist() == ["not_utility"]


def test_without_a_list_of_uploads_the_error_says_what_to_ask() -> None:
    _, nectar, company = embedded(documented_only=True)
    with pytest.raises(NotFoundError) as caught:
        nectar.jobs(company)
    assert "jobs(job=" in caught.value.advice


def test_an_interval_names_the_number_people_quote() -> None:
    row = {"id": "v1", "account": "a1", "start": "2026-01-02T03:00:00Z", "end": "2026-01-02T04:00:00Z",
           "usage": "1.25", "usageUnits": "kWh", "quality": "ACTUAL",
           "identifiers": [{"name": "POD", "value": "P-9"}, {"name": "METER", "value": "M-7"}]}  # fmt: skip
    frame = build("intervals", [row, {"id": "v2", "account": {"id": "a2"}}])["intervals"]
    assert frame["primary_identifier"].iloc[0] == "M-7"
    assert pd.isna(frame["primary_identifier"].iloc[1])
    assert frame["account_id"].tolist() == ["a1", "a2"]
    assert frame["usage"].iloc[0] == 1.25
    assert frame["start"].iloc[0] == pd.Timestamp("2026-01-02T03:00:00Z")


def test_intervals_of_a_connection_are_kept_and_chosen_by_day() -> None:
    sandbox, nectar, company = embedded()
    with sandbox.state.writing() as db:  # the demo portfolio has no smart meters
        db.execute("UPDATE accounts SET record = json_set(record, '$.isCollectingSmartMeterData', json('true'))")
    accounts = nectar.accounts(company)
    meters = nectar.meters(company)
    one = str(accounts.loc[accounts["account_id"].isin(set(meters["account_id"])), "connection_id"].iloc[0])
    frame = nectar.intervals(one)
    assert frame.dtypes.to_dict() == empty("intervals").dtypes.to_dict()
    assert len(frame) >= 14 * 24
    assert set(frame["connection_id"]) == {one}
    sandbox.journal.clear()
    day = nectar.intervals(one, start="2026-01-10", end="2026-01-10")
    assert set(day["start"].dt.strftime("%Y-%m-%d")) == {"2026-01-10"}
    assert len(day) * 14 == len(frame)
    assert sandbox.journal.count() == 0


def _pdf() -> object:
    from io import BytesIO

    from fpdf import FPDF

    page = FPDF()
    page.add_page()
    page.set_font("Helvetica", size=12)
    page.cell(text="A letter, and no bill.")
    return BytesIO(bytes(page.output()))
