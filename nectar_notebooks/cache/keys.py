"""What a snapshot is of: host, version, profile, resource and scope, and the folder that holds it.

Names come from the API, so nothing of them is trusted as a path: each part is quoted, and one that is long, or that
another system would take for something else, is replaced by its digest. Who may read a snapshot
stands in the manifest, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from nectar_notebooks.printing import printable

__all__ = ["Realm", "SnapshotKey", "is_device"]

_LONGEST_PART: Final = 80
#: Of a whole folder, so that the files in it have paths that Windows takes (260 characters with the user's folder).
_LONGEST_FOLDER: Final = 130
_SHORTENED: Final = 24
#: What Windows takes for a device, whatever its suffix.
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"}
)


def is_device(name: str) -> bool:
    """Say whether Windows takes a file of this name for a device, such as ``aux.pdf``.

    Examples
    --------
    >>> is_device("aux.pdf"), is_device("auxiliary.pdf")
    (True, False)
    """
    return name.partition(".")[0].rstrip(" ").upper() in _DEVICES


def _part(text: str, longest: int = _LONGEST_PART) -> str:
    """Return a name for a folder that no other text has, also where case counts for nothing (Windows, macOS)."""
    quoted = quote(text, safe=" @", errors="surrogatepass")
    if text.strip(".") == "":
        quoted = quoted.replace(".", "%2E")
    elif quoted[-1] in ". ":  # which Windows leaves out
        quoted = f"{quoted[:-1]}%{ord(quoted[-1]):02X}"
    if len(quoted) > longest or text != text.lower() or is_device(quoted):
        digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()
        quoted = f"_{quoted}" if is_device(quoted) else quoted
        return f"{quoted[: min(40, longest - len(digest) - 1)]}-{digest}"
    return quoted


@dataclass(frozen=True, slots=True, order=True)
class Realm:
    """Whose answers these are: rows of two realms never meet.

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
        """Return the realm of one embedded sandbox at this place, by the name that no other has."""
        return replace(self, host=f"{self.host} {name}") if name else self


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
        folder = PurePosixPath(*(_part(part) for part in (*parts, self.resource)))
        if len(str(folder)) > _LONGEST_FOLDER:
            folder = PurePosixPath(*(_part(part, _SHORTENED) for part in (*parts, self.resource)))
        return folder

    @property
    def columns(self) -> tuple[str, str, str, str, str]:
        """Return the parts by which the manifest knows it."""
        return (self.realm.host, self.realm.version, self.realm.profile, self.resource, self.scope)

    def __str__(self) -> str:
        return printable(f"{self.resource} of {self.scope.replace('/', ' ')}")  # ids are the API's
