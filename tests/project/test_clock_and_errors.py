"""The clock and the errors, on which every room stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from nectar_notebooks import errors
from nectar_notebooks.clock import FrozenClock, SystemClock


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
