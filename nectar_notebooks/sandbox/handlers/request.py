"""A request as its handler sees it: the context, the key, the version, query and body; and the answer.

Also here: how an id in a path becomes a row, with the refusals that go with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.contract import writable
from nectar_notebooks.sandbox.contract.fields import DECIMALS
from nectar_notebooks.sandbox.model import dumps, forbidden, not_found
from nectar_notebooks.sandbox.presentation.versions import View
from nectar_notebooks.sandbox.store.keys import Key
from nectar_notebooks.sandbox.store.legacy_usage import make_legacy
from nectar_notebooks.sandbox.store.state import State
from nectar_notebooks.sandbox.switches import Switches

__all__ = ["Answer", "Arguments", "Body", "Call", "Row", "Upload", "given_fields", "inside"]


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """The fields of a body (None where nothing was sent) and its files."""

    fields: Any = None
    files: dict[str, Upload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arguments:
    """A query string: a name may come several times. It is the same values that the contract was asked about."""

    values: Mapping[str, list[str]]

    def get(self, key: str) -> str | None:
        """Return the value of a name that the contract takes once."""
        found = self.values.get(key)
        return found[0] if found else None

    def getlist(self, key: str) -> list[str]:
        """Return every value of a name."""
        return self.values.get(key, [])


_NOUNS: Final = {
    "companies": "company", "sites": "site", "connections": "connection", "accounts": "account",
    "meters": "meter", "documents": "document", "usage": "usage record", "invitations": "invitation",
    "jobs": "job",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON text in bytes; a 204 has none."""

    text: bytes = b""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A found object: its row and the row of its company; of usage in an older version also that version's row."""

    seq: int
    company: int
    kind: int = 0
    legacy: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed its key and the contract."""

    context: Context
    key: Key
    view: View
    arguments: Arguments
    body: Body
    is_post: bool = False

    @property
    def state(self) -> State:
        """Return the sandbox's state."""
        return self.context.state

    @property
    def now(self) -> str:
        """Return the sandbox's time as answers spell it."""
        return self.context.now

    @property
    def db(self) -> sqlite3.Connection:
        """Return the database; the application holds the state's lock while a call is answered."""
        return self.state.db

    @property
    def switches(self) -> Switches:
        """Return the sandbox's switches."""
        return self.view.switches

    def find(self, kind: str, object_id: str) -> Row:
        """Return the row of an object, or refuse: no such id, or not one this key may see."""
        row = self._row(kind, object_id)
        if row is None and kind in {"documents", "usage"}:
            self.state.ready()
            if kind == "usage" and self.view.kinds is not None:
                for company in self.state.seqs("companies").values():
                    make_legacy(self.db, company)
            row = self._row(kind, object_id)
        if row is None:
            raise not_found(_NOUNS[kind], int(self.switches.wrong_id))
        if self.key.companies is not None and self.company_id(row.company) not in self.key.companies:
            raise forbidden(_NOUNS[kind])
        return row

    def company_id(self, seq: int) -> str:
        """Return a company's id."""
        return str(self.db.execute("SELECT id FROM companies WHERE seq = ?", (seq,)).fetchone()[0])

    def record(self, kind: str, seq: int) -> dict[str, Any]:
        """Return the stored record of anything but a bill or usage."""
        return self.state.record(kind, seq)

    def answer(self, kind: str, record: dict[str, Any], status: int = 200) -> Answer:
        """Return one object as this call's view shows it."""
        return Answer(dumps(self.view.record(kind, record)), status)

    def _row(self, kind: str, object_id: str) -> Row | None:
        if kind == "usage" and self.view.kinds is not None:
            found = self.db.execute(
                "SELECT usage, company, kind, seq FROM legacy_usage WHERE id = ? AND deleted = 0 AND kind < ?",
                (object_id, self.view.kinds),
            ).fetchone()
        else:
            company = "seq" if kind == "companies" else "company"
            visible = " AND deleted = 0" if kind in {"documents", "usage"} else ""
            sql = f"SELECT seq, {company} FROM {kind} WHERE id = ?{visible}"
            found = self.db.execute(sql, (object_id,)).fetchone()
        return None if found is None else Row(*found)


def inside(context: Context) -> Call:
    """Return a call that comes from the sandbox itself: it sees everything and asks for nothing."""
    view = View("v2.2", context.switches, documented_only=False)
    return Call(context, Key("production", None), view, Arguments({}), Body())


def given_fields(call: Call, component: str) -> dict[str, Any]:
    """Return the fields of the body that may be set, decimals as the texts that answers carry."""
    names = writable(component)
    given = {name: value for name, value in (call.body.fields or {}).items() if name in names}
    return {
        # A small number's own text would have an exponent.
        name: f"{Decimal(str(value)):f}" if name in DECIMALS and value is not None else value
        for name, value in given.items()
    }
