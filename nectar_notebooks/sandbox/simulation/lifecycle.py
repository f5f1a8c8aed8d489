"""What happens while time passes: first and weekly checks, planned failures, bills that arrive.

Everything happens at its own moment, in order, so that one long step and many short ones end alike. Keys and
invitations expire by themselves: whoever looks at them asks the clock. A connection that does not work collects
nothing; once it works again, what it missed arrives.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from nectar_notebooks.sandbox.connections import transitions
from nectar_notebooks.sandbox.connections.credentials import is_mock
from nectar_notebooks.sandbox.connections.logins import collect
from nectar_notebooks.sandbox.connections.transitions import Trigger
from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.model import World, moment
from nectar_notebooks.sandbox.presentation import events
from nectar_notebooks.sandbox.sources import mock_utility

__all__ = ["pass_time"]

#: A new connection is checked for the first time a day after it was made; the seed's own, a day after the start.
_FIRST_CHECK: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
#: What comes first where moments are equal.
_FAIL, _CHECK, _COLLECT, _BILL = range(4)


def pass_time(context: Context, until: datetime, arrivals: Iterable[World]) -> None:
    """Move the clock to a moment, and let happen on the way what is due.

    Parameters
    ----------
    context
        The sandbox.
    until
        Where the clock stops.
    arrivals
        The bills of the demo portfolio that arrive before it, known ones among them.
    """
    line = _Timeline(context, until, arrivals)
    line.run()
    for seq in line.working:
        record = context.state.record("connections", seq)
        last = datetime.fromisoformat(record.get("statusLastUpdateTime") or record["created"])
        checked = last + (until - last) // _WEEK * _WEEK
        if checked > last:
            transitions.checked(context, seq, moment(checked))
    _move(context, until)


class _Due(NamedTuple):
    """Something that is due: when, what, of which connection; `order` settles equal moments."""

    at: datetime
    what: int
    order: tuple[str, ...]
    connection: int
    bill: World | None = None


class _Timeline:
    """What is due until a moment, first things first."""

    def __init__(self, context: Context, until: datetime, arrivals: Iterable[World]) -> None:
        self._context, self._until = context, until
        self._due: list[_Due] = []
        self._arrived: list[_Due] = []
        self._bills = _new_bills(context, arrivals)
        #: Rows of the connections that work.
        self.working: dict[int, None] = {}
        self._start = datetime.fromisoformat(context.state.meta("start"))
        for (seq,) in context.db.execute("SELECT seq FROM connections ORDER BY seq").fetchall():
            self._expect(seq)

    def run(self) -> None:
        """Let everything happen that is due."""
        while self._due and self._due[0].at <= self._until:
            due = heapq.heappop(self._due)
            if due.what == _CHECK or due.connection in self.working:
                if due.what == _BILL:
                    self._arrived.append(due)
                    continue
                self._store_arrived()
                _move(self._context, due.at)
                self._happen(due)
        self._store_arrived()

    def _happen(self, due: _Due) -> None:
        if due.what == _COLLECT:
            collect(self._context, due.connection)
            day = mock_utility.next_arrival(due.at.date())
            self._add(datetime.combine(day, time.min, UTC), _COLLECT, due.connection)
        elif due.what == _FAIL:
            transitions.apply(self._context, due.connection, Trigger.WENT_BAD)
            del self.working[due.connection]
        else:
            transitions.apply(self._context, due.connection, Trigger.CHECKED)
            self._expect(due.connection)

    def _expect(self, seq: int) -> None:
        """Note what is to come for a connection, as it stands now."""
        record = self._context.state.record("connections", seq)
        now = self._context.clock.now()
        if record["status"] == "PENDING":
            made = record.get("created")
            since = max(self._start, datetime.fromisoformat(made)) if made else self._start
            self._add(max(now, since + _FIRST_CHECK), _CHECK, seq)
        if record["status"] != "CONNECTED":
            return
        self.working[seq] = None
        if "planned" in record:
            self._add(max(now, datetime.fromisoformat(record["planned"]["at"])), _FAIL, seq)
        if is_mock(record["url"] or ""):
            self._add(now, _COLLECT, seq)
        for world in self._bills.pop(record["id"], ()):
            bill = world.documents[0]
            at = max(now, datetime.fromisoformat(bill["created"]))
            heapq.heappush(self._due, _Due(at, _BILL, (bill["created"], bill["id"]), seq, world))

    def _add(self, at: datetime, what: int, seq: int) -> None:
        heapq.heappush(self._due, _Due(at, what, (f"{seq:012}",), seq))

    def _store_arrived(self) -> None:
        """Store the bills that have arrived since something else happened, and tell of each at its moment."""
        if not self._arrived:
            return
        (last,) = self._context.db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
        self._context.state.add_bills(due.bill for due in self._arrived if due.bill is not None)
        for seq, due in enumerate(self._arrived, last + 1):
            events.bill_created(self._context, seq, moment(due.at))
        self._arrived.clear()


def _new_bills(context: Context, arrivals: Iterable[World]) -> dict[str, list[World]]:
    """Return the bills that are not there yet, each with its usage, by the connection that they arrive behind."""
    found: defaultdict[str, list[World]] = defaultdict(list)
    for part in arrivals:
        usage: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in part.usage:
            usage[row["document"]].append(row)
        for bill in part.documents:
            if bill.get("connection") is not None and not context.state.knows("documents", bill["id"]):
                found[bill["connection"]].append(World(documents=[bill], usage=usage[bill["id"]]))
    return found


def _move(context: Context, to: datetime) -> None:
    """Move the clock forward to a moment, unless it is past it."""
    step = to - context.clock.now()
    if step > timedelta(0):
        context.clock.advance(seconds=step.total_seconds())
