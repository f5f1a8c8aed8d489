"""What every service of the embedded sandbox works on: its state, its clock, and what is noted beside them.

`Sandbox` alone builds one. Services take it in place of the sandbox, so that nothing below the facade knows the facade.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.sandbox.faults import Faults
from nectar_notebooks.sandbox.journal import Journal
from nectar_notebooks.sandbox.model import moment
from nectar_notebooks.sandbox.store.keys import Keys
from nectar_notebooks.sandbox.store.outbox import Events
from nectar_notebooks.sandbox.store.state import State
from nectar_notebooks.sandbox.switches import Switches

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one embedded sandbox.

    Attributes
    ----------
    seed
        Decides ids, names, bills and secrets.
    state, clock, keys, switches
        Its records, its time, its API keys, and how it reads what the documentation leaves open.
    events, journal, faults
        What webhooks are told, what was asked, and which requests fail by plan.
    documented_only
        Whether assumed paths, fields and values are left out.
    """

    seed: int
    state: State
    clock: FrozenClock
    keys: Keys
    switches: Switches
    events: Events
    journal: Journal
    faults: Faults
    documented_only: bool

    @property
    def now(self) -> str:
        """The sandbox's time as answers spell it."""
        return moment(self.clock.now())

    @property
    def db(self) -> sqlite3.Connection:
        """The database; whoever uses it holds the state's lock."""
        return self.state.db
