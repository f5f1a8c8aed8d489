"""When an account is read and when its bill arrives; nothing of what stands on the bill.

Periods of an account abut exactly (the next starts the day after the last ended) unless its provider prints
shared days. Read days wander by a day, bills arrive some days after their period's end, and a login made
later brings the history of its accounts on its first night.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.sources.demo.structure import Account

__all__ = ["Period", "Window", "periods"]

_DAY = timedelta(days=1)


class Window(NamedTuple):
    """What is asked for: the seed's history ends at `today`; bills that arrive until `until` are made."""

    seed: int | str
    today: date
    months: int
    until: datetime

    @property
    def years(self) -> tuple[int, int]:
        """Return the years whose weather is needed."""
        return self.today.year - self.months // 12 - 2, self.until.year + 1


class Period(NamedTuple):
    """One billing period: its month (year × 12 + month − 1), days, arrival, luck and place from the end."""

    month: int
    start: date
    end: date
    created: datetime
    luck: bytes
    back: int  # 0 is the newest bill at the seed's today; negative ones arrived later


def _luck(seed: int | str, key: str, month: int) -> bytes:
    return blake2b(f"{seed}/{key}/{month}".encode(), digest_size=24).digest()


def _month_end(month: int) -> date:
    return date((month + 1) // 12, (month + 1) % 12 + 1, 1) - _DAY


def _not_before(arrived: datetime, login: datetime | None, luck: bytes) -> datetime:
    """Return when a bill arrived: what is older than its login came within the login's first day."""
    if login is None or arrived > login:
        return arrived
    return login + timedelta(seconds=3_600 + 256 * luck[18] + luck[19])


def periods(account: Account, window: Window) -> list[Period]:
    """Return the account's billing periods, oldest first."""
    step = account.provider.months
    twin = account.duplicate_of or account.key
    newest = window.until.year * 12 + window.until.month - 1
    today = window.today.year * 12 + window.today.month - 1
    oldest = today - window.months - 3 * step
    midnight = datetime(window.today.year, window.today.month, window.today.day, tzinfo=UTC)
    limit = window.until if account.connection is not None else min(window.until, midnight)
    if account.stops is not None:
        limit = min(limit, account.stops)
    last_end = _month_end(today - account.ended_months_ago) if account.ended_months_ago else date.max

    found: list[tuple[int, date, date, datetime, bytes]] = []
    seen = 0  # how many had arrived by the seed's today, had nothing stopped them
    start = end = date.min
    for month in range(oldest - oldest % step - step, newest + 1, step):
        luck = _luck(window.seed, twin, month)
        start = end
        if account.month_end:
            end = _month_end(month)
        else:
            end = date(month // 12, month % 12 + 1, account.read_day + luck[23] % 3 - 1)
        if start == date.min:
            continue
        days = account.delay + luck[20] % 3
        arrived = datetime(end.year, end.month, end.day, tzinfo=UTC) + timedelta(
            days=days, seconds=21_600 + 240 * luck[21] + luck[22] % 60
        )
        seen += arrived < midnight
        found.append((month, start if account.shared_days else start + _DAY, end, arrived, luck))
    found = found[max(0, seen - max(1, window.months // step)) :]
    kept = [entry for entry in found if entry[3] < limit and entry[2] < last_end]
    past = sum(entry[3] < midnight for entry in kept)
    if account.newest_only:
        kept = kept[max(0, past - account.newest_only) :]
        past = min(past, account.newest_only)
    login = datetime.fromisoformat(account.connection["created"]) if account.connection is not None else None
    return [
        Period(month, start, end, _not_before(arrived, login, luck), luck, past - 1 - place)
        for place, (month, start, end, arrived, luck) in enumerate(kept)
    ]
