"""What a snapshot is of: host, version, profile, resource and scope, and the folder that holds it.

Names come from the API, so nothing of them is trusted as a path: each part is quoted, and a long one is
replaced by its digest. Who may read a snapshot stands in the manifest, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePosixPath
from urllib.parse import quote

__all__ = ["Realm", "SnapshotKey"]

_LONGEST_PART = 80


def _part(text: str) -> str:
    quoted = quote(text, safe=" @").replace(".", "%2E") if text.strip(".") == "" else quote(text, safe=" @")
    if len(quoted) > _LONGEST_PART:
        return f"{quoted[:40]}-{blake2b(text.encode(), digest_size=8).hexdigest()}"
    return quoted


@dataclass(frozen=True, slots=True, order=True)
class Realm:
    """Whose answers these are: rows of two realms never meet.

    Parameters
    ----------
    host : str
        Host (and port) that answered, or the name of an embedded sandbox.
    version : str
        API version, such as ``"v2.2"``.
    profile : str
        Environment: ``local``, ``sandbox`` or ``production``.
    """

    host: str
    version: str
    profile: str


@dataclass(frozen=True, slots=True, order=True)
class SnapshotKey:
    """One resource of one scope in one realm.

    Parameters
    ----------
    realm : Realm
    resource : str
        What was walked, such as ``"documents"``.
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
        return PurePosixPath(*(_part(part) for part in (*parts, self.resource)))

    @property
    def columns(self) -> tuple[str, str, str, str, str]:
        """Return the parts by which the manifest knows it."""
        return (self.realm.host, self.realm.version, self.realm.profile, self.resource, self.scope)

    def __str__(self) -> str:
        return f"{self.resource} of {self.scope.replace('/', ' ')}"
