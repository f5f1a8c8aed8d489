"""Clock, errors, statuses and the schema: the leaves every room stands on."""

from __future__ import annotations

import ast
import inspect
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from places import PROJECT

from nectar_notebooks import errors
from nectar_notebooks.clock import FrozenClock, SystemClock
from nectar_notebooks.schema import statuses, values
from nectar_notebooks.schema.tables import DTYPES, TABLES


def test_a_frozen_clock_moves_only_when_asked() -> None:
    clock = FrozenClock("2026-01-15T09:00:00+02:00")
    clock.sleep(30)
    assert clock.now() == datetime(2026, 1, 15, 7, tzinfo=UTC)
    assert clock.pauses == [30]
    clock.advance(days=7, seconds=1)
    assert clock.today() == date(2026, 1, 22)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(days=-1)


def test_a_moment_without_a_zone_is_utc() -> None:
    assert FrozenClock(datetime(2026, 3, 29, 1, 30)).now().utcoffset() == timedelta(0)  # noqa: DTZ001  # the point


def test_the_system_clock_answers_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo in (UTC, timezone(timedelta(0)))
    assert SystemClock().today() - now.date() <= timedelta(days=1)


def test_every_error_stands_under_the_one_root_and_carries_what_a_program_decides_on() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(cls, errors.NectarError) for cls in classes)
    error = errors.RateLimitError("Too many requests to /ping.", status_code=429, retry_after=2.0)
    assert (error.status_code, error.retry_after, error.retryable) == (429, 2.0, True)
    assert str(error) == f"Too many requests to /ping. {error.advice}"
    assert not errors.AuthenticationError("The key was refused.").retryable


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


def test_every_table_has_its_key_and_kinds_that_are_stored() -> None:
    for table in TABLES.values():
        assert len(set(table.names)) == len(table.names), table.name
        assert set(table.key) <= set(table.names), table.name
        assert {column.kind for column in table.columns} <= set(DTYPES), table.name
        assert all(column.meaning.endswith(".") for column in table.columns), table.name


def test_units_and_commodities_are_listed_once() -> None:
    for name in values.__all__:
        listed = getattr(values, name)
        assert len(set(listed)) == len(listed), name


def test_modules_say_what_they_do() -> None:
    for path in sorted((PROJECT / "nectar_notebooks").rglob("*.py")):
        doc = ast.get_docstring(ast.parse(path.read_text()))
        assert doc, f"{path.relative_to(PROJECT)} opens without saying what it does"
        assert inspect.cleandoc(doc) != "Placeholder.", path.relative_to(PROJECT)
