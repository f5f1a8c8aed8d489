"""The life of a connection as data, against the transitions as the documentation prints them."""

from __future__ import annotations

import pytest

import nectar_notebooks as nn
from nectar_notebooks import statuses

CUSTOMER = {"PASSWORD_INCORRECT", "NEW_PASSWORD_NEEDED", "MFA_TOKEN_EXPIRED", "ADDITIONAL_CREDENTIALS_NEEDED"}
WEBSITE = {"WEBSITE_DOWN", "URL_INACCESSIBLE", "NO_ACCOUNTS_FOUND", "OTHER_ERROR"}
#: Copied by hand from the documentation.
DOCUMENTED = {
    "PENDING": {"CONNECTED", "PASSWORD_INCORRECT", "MFA_TOKEN_EXPIRED", "WEBSITE_DOWN", "OTHER_ERROR"},
    "CONNECTED": {
        "CONNECTED", "PASSWORD_INCORRECT", "MFA_TOKEN_EXPIRED", "NEW_PASSWORD_NEEDED", "WEBSITE_DOWN",
        "NO_ACCOUNTS_FOUND", "UNDER_INVESTIGATION", "OTHER_ERROR",
    },
    **{status: {"CONNECTED"} for status in CUSTOMER},
}  # fmt: skip
ASSUMED = {
    "PENDING": {"ADDITIONAL_CREDENTIALS_NEEDED", "URL_INACCESSIBLE"},
    "CONNECTED": {"ADDITIONAL_CREDENTIALS_NEEDED", "URL_INACCESSIBLE"},
    "UNDER_INVESTIGATION": {"CONNECTED"},
    **{status: {"CONNECTED"} for status in WEBSITE},
}


def test_transitions_are_those_of_the_documentation_and_assumptions_are_marked() -> None:
    found: dict[bool, dict[str, set[str]]] = {True: {}, False: {}}
    for one in statuses.TRANSITIONS:
        found[one.assumed].setdefault(one.before, set()).add(one.after)
    anywhere = set(statuses.STATUSES) - {"COMPANY_INACTIVE"}
    assert found[True] == ASSUMED
    assert found[False] == {before: DOCUMENTED.get(before, set()) | {"COMPANY_INACTIVE"} for before in anywhere}


def test_every_status_belongs_to_a_family_that_is_described() -> None:
    assert {one.family for one in statuses.STATUSES.values()} | {"unknown"} == set(statuses.FAMILIES)
    # Advice is documented for the healthy and the customer family alone.
    assert {one.name for one in statuses.FAMILIES.values() if not one.assumed} == {"healthy", "customer"}


@pytest.mark.parametrize(
    ("status", "needed"),
    [
        ("PENDING", False),
        ("CONNECTED", False),
        ("UNDER_INVESTIGATION", False),
        ("WEBSITE_DOWN", False),
        ("URL_INACCESSIBLE", True),
        ("NO_ACCOUNTS_FOUND", True),
        ("OTHER_ERROR", True),
        ("PASSWORD_INCORRECT", True),
        ("INCORRECT_PASSWORD", True),
        ("MFA_TOKEN_EXPIRED", True),
        ("COMPANY_INACTIVE", True),
        ("A_STATUS_OF_TOMORROW", True),
    ],
)
def test_what_needs_somebody(status: str, needed: bool) -> None:
    assert statuses.needs_action(status) is needed
    words = statuses.describe(status).next_step
    assert words.startswith(("Wait", "Nothing")) is not needed


def test_of_an_unknown_status_nothing_is_excluded_and_aliases_are_understood() -> None:
    assert statuses.may_follow("CONNECTED", "A_STATUS_OF_TOMORROW")
    assert statuses.may_follow("A_STATUS_OF_TOMORROW", "PENDING")
    assert statuses.may_follow("CONNECTED", "INCORRECT_PASSWORD")
    assert not statuses.may_follow("INCORRECT_PASSWORD", "MFA_TOKEN_EXPIRED")
    assert not statuses.may_follow("COMPANY_INACTIVE", "CONNECTED")


def test_a_year_of_the_embedded_sandbox_takes_only_known_steps() -> None:
    sandbox = nn.Sandbox(seed=3, sites=3, months=3)
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    scenarios = ("bad_login", "mfa_required", "website_down", "no_accounts", "password_reset", "under_investigation")
    nectar.connections(company)
    for name in scenarios:
        connection = sandbox.scenario(name)
        nectar.catch_up(company["company_id"], "connections")
        sandbox.advance(days=1)
        sandbox.scenario("recovered", connection=connection)
        nectar.catch_up(company["company_id"], "connections")
        sandbox.advance(days=1)
    history = nectar.status_history(company)
    steps = {
        (before, after)
        for _, seen in history.groupby("connection_id")["status"]
        for before, after in zip(seen, seen.iloc[1:], strict=False)
    }
    assert len(steps) >= len(scenarios)
    assert {step for step in steps if not statuses.may_follow(*step)} == set()
    sandbox.close()


def test_the_documented_statuses_are_all_known() -> None:
    # Counted from the API's status page: three healthy, four website, four customer, one system.
    by_family: dict[str, set[str]] = {}
    for status in statuses.STATUSES.values():
        by_family.setdefault(status.family, set()).add(status.name)
    assert by_family == {
        "healthy": {"PENDING", "CONNECTED", "UNDER_INVESTIGATION"},
        "website": {"WEBSITE_DOWN", "URL_INACCESSIBLE", "NO_ACCOUNTS_FOUND", "OTHER_ERROR"},
        "customer": {
            "PASSWORD_INCORRECT",
            "NEW_PASSWORD_NEEDED",
            "MFA_TOKEN_EXPIRED",
            "ADDITIONAL_CREDENTIALS_NEEDED",
        },
        "system": {"COMPANY_INACTIVE"},
    }
    assert statuses.needs_customer("INCORRECT_PASSWORD")
    assert not statuses.needs_customer("A_STATUS_OF_TOMORROW")
    known = set(statuses.STATUSES)
    assert all(set(status.followed_by) <= known for status in statuses.STATUSES.values())
