"""What a snapshot is: its key, its details, and the record of both in the manifest and beside its files.

A snapshot holds the tables of one resource of one scope, as one host answered for one environment and API version.
The record beside the files allows a lost manifest to be rebuilt; it names the fingerprint of the API key that fetched
the rows, never the key. Nothing here reads or writes a file; who may read a snapshot stands in the manifest.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from nectar_notebooks.cache.files import columns_digest, folder_name
from nectar_notebooks.printing import printable

__all__ = ["Details", "ForeignColumnsError", "Realm", "Snapshot", "SnapshotKey"]

#: Of a snapshot's folder, so that the paths of its files fit into the 260 characters of Windows.
_LONGEST_FOLDER: Final = 130
_SHORTENED: Final = 24


@dataclass(frozen=True, slots=True, order=True)
class Realm:
    """Whose answers these are: rows of two realms are never mixed.

    Parameters
    ----------
    host : str
        Host (and port) that answered, or the name of an embedded sandbox: see :meth:`of_instance`.
    version : str
        API version, such as ``"v2.2"``.
    profile : str
        Environment: ``local``, ``sandbox`` or ``production``.
    """

    host: str
    version: str
    profile: str

    def of_instance(self, name: str) -> Realm:
        """Return the realm of the embedded sandbox with this unique name at this host."""
        return replace(self, host=f"{self.host} {name}") if name else self


@dataclass(frozen=True, slots=True, order=True)
class SnapshotKey:
    """One resource of one scope in one realm.

    Parameters
    ----------
    realm : Realm
    resource : str
        What was fetched, such as ``"documents"``.
    scope : str
        Of what, such as ``"company/c-1"``.

    Examples
    --------
    >>> key = SnapshotKey(Realm("localhost:8080", "v2.2", "local"), "usage", "company/../c1")
    >>> key.folder.as_posix()
    'localhost%3A8080/v2.2/local/company/%2E%2E/c1/usage'
    """

    realm: Realm
    resource: str
    scope: str

    @property
    def folder(self) -> PurePosixPath:
        """Return the folder of its generations, relative to the store's root."""
        parts = (self.realm.host, self.realm.version, self.realm.profile, *self.scope.split("/"))
        folder = PurePosixPath(*(folder_name(part) for part in (*parts, self.resource)))
        if len(str(folder)) > _LONGEST_FOLDER:
            folder = PurePosixPath(*(folder_name(part, _SHORTENED) for part in (*parts, self.resource)))
        return folder

    @property
    def columns(self) -> tuple[str, str, str, str, str]:
        """Return the columns of its row in the manifest."""
        return (self.realm.host, self.realm.version, self.realm.profile, self.resource, self.scope)

    def __str__(self) -> str:
        return printable(f"{self.resource} of {self.scope.replace('/', ' ')}")  # ids are the API's


class ForeignColumnsError(ValueError):
    """The tables have other columns than those of this release."""


@dataclass(frozen=True, slots=True)
class Details:
    """Everything known of a snapshot besides its key.

    Parameters
    ----------
    began : str
        When the walk began (ISO, UTC): later changes may be missing.
    walked : str
        When the last walk of the whole list began; refreshes since then asked for changes only.
    total : int
        Rows the API announced.
    requests : int
        Requests spent on it.
    inputs : str
        Generations this snapshot was computed from; empty for a walk of its own.
    whole : bool
        True if this is that walk; False after a refresh by changes.
    revision : str
        The state of the embedded sandbox it was read from; empty for any other API.
    given : str
        When the oldest answer in it was given (ISO, UTC), by the API's `Date`; empty if unknown.
    given_by_api : bool
        True if `given` is the API's `Date`; False if it is the client's clock.
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
    """One published generation of a key; `fetched` is when its rows were last known to be right."""

    key: SnapshotKey
    generation: str
    fetched: datetime
    details: Details

    @property
    def bytes(self) -> int:
        """Return the size of its files."""
        return sum(size for size, _ in self.details.files.values())

    def details_text(self) -> str:
        """Return the details as JSON, with a digest of each table's columns."""
        columns = {table: columns_digest(table) for table in self.details.files}
        return json.dumps({**asdict(self.details), "columns": columns})

    @classmethod
    def read(cls, key: SnapshotKey, generation: str, fetched: str, details: str) -> Snapshot:
        """Return the snapshot of a row of the manifest.

        Raises
        ------
        ForeignColumnsError
            The tables have other columns than those of this release.
        ValueError, TypeError, KeyError, AttributeError
            The row is not one that this package wrote.
        """
        record = json.loads(details)
        columns = record.pop("columns")
        snapshot = cls(key, generation, datetime.fromisoformat(fetched), Details(**record))
        if columns != {table: columns_digest(table) for table in snapshot.details.files}:
            raise ForeignColumnsError
        return snapshot

    def record(self, reader: str) -> str:
        """Return the record kept beside the files; `reader` is the fingerprint of the key that fetched them."""
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
    def from_record(cls, text: str) -> tuple[Snapshot, str]:
        """Return the snapshot and the reader of a :meth:`record`; raises as :meth:`read` does."""
        record = json.loads(text)
        key = SnapshotKey(Realm(*record["realm"]), record["resource"], record["scope"])
        return cls.read(key, record["generation"], record["fetched"], record["details"]), str(record["reader"])
