"""What is known of a snapshot, and how it is written down: in the manifest and beside its own files.

The record beside the files is there so that a manifest that was lost can be made anew; it names the key
fingerprint that fetched it, never a key. Nothing here reads or writes a file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from nectar_notebooks.cache.keys import Realm, SnapshotKey
from nectar_notebooks.cache.parquet import columns_digest

__all__ = ["Details", "ForeignColumnsError", "Snapshot"]


class ForeignColumnsError(ValueError):
    """A record of tables with other columns than this release has."""


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of a snapshot beside its key.

    Parameters
    ----------
    began : str
        When the walk began (ISO, UTC): what changed later may be missing.
    walked : str
        When the last full walk began; later refreshes only asked for changes.
    total : int
        Rows the API announced.
    requests : int
        Requests spent on it.
    inputs : str
        Generations this snapshot was computed from; empty for a walk of its own.
    whole : bool
        Whether it was that walk; else only changes were asked for since.
    revision : str
        Which state of an embedded sandbox it was read from; empty where nobody can tell.
    given : str
        When the oldest answer it is made of was given (ISO, UTC), by the API's `Date`; empty where it was not noted.
    given_by_api : bool
        Whether the API said so; else it is the client's clock.
    files : mapping of str to (int, int)
        Bytes and rows of each table.
    """

    began: str
    walked: str = ""
    total: int = 0
    requests: int = 0
    inputs: str = ""
    whole: bool = True
    revision: str = ""
    given: str = ""
    given_by_api: bool = True
    files: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One published generation of one key: when it was `fetched`, and its details."""

    key: SnapshotKey
    generation: str
    fetched: datetime
    details: Details

    @property
    def bytes(self) -> int:
        """Return the size of its files."""
        return sum(size for size, _ in self.details.files.values())

    def details_text(self) -> str:
        """Return the details as JSON, with the columns they were written for."""
        columns = {table: columns_digest(table) for table in self.details.files}
        return json.dumps({**asdict(self.details), "columns": columns})

    @classmethod
    def read(cls, key: SnapshotKey, generation: str, fetched: str, details: str) -> Snapshot:
        """Make a snapshot from its texts.

        Raises
        ------
        ForeignColumnsError
            If its tables have other columns than this release has.
        ValueError, TypeError, KeyError, AttributeError
            If a text is not what was written.
        """
        record = json.loads(details)
        columns = record.pop("columns")
        snapshot = cls(key, generation, datetime.fromisoformat(fetched), Details(**record))
        if columns != {table: columns_digest(table) for table in snapshot.details.files}:
            raise ForeignColumnsError
        return snapshot

    def sidecar(self, reader: str) -> str:
        """Return the record that lies beside the files; `reader` is the fingerprint that fetched them."""
        realm = self.key.realm
        return json.dumps(
            {
                "realm": [realm.host, realm.version, realm.profile],
                "resource": self.key.resource,
                "scope": self.key.scope,
                "generation": self.generation,
                "fetched": self.fetched.isoformat(),
                "details": self.details_text(),
                "reader": reader,
            }
        )

    @classmethod
    def from_sidecar(cls, text: str) -> tuple[Snapshot, str]:
        """Return the snapshot and its reader from :meth:`sidecar`; raises as :meth:`read` does."""
        record = json.loads(text)
        key = SnapshotKey(Realm(*record["realm"]), record["resource"], record["scope"])
        return cls.read(key, record["generation"], record["fetched"], record["details"]), str(record["reader"])
