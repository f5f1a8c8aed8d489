"""Files on this machine: what may be uploaded, checked before it is sent, and where a bill's original is put.

The limits are those the API documents. Sending and fetching are left to `uploading` and `downloading`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

from nectar_notebooks.cache.keys import is_device
from nectar_notebooks.client.shown import shown
from nectar_notebooks.errors import InvalidRequestError

__all__ = ["Documents", "File", "file_name", "place_for", "save", "uploadable"]

#: A file on this machine, an https address, or several addresses.
Documents: TypeAlias = "str | os.PathLike[str] | Iterable[str]"

_LARGEST: Final = 25 * 1024 * 1024
_MOST_PAGES: Final = 150
_KINDS: Final = {
    ".pdf": (b"%PDF-", "application/pdf"),
    ".png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    ".jpg": (b"\xff\xd8\xff", "image/jpeg"),
    ".jpeg": (b"\xff\xd8\xff", "image/jpeg"),
}
_PAGE_TREE: Final = re.compile(rb"/Type\s*/Pages\b")
_COUNT: Final = re.compile(rb"/Count\s+(\d{1,9})")
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be uploaded."""

    name: str
    content: bytes
    media_type: str


def uploadable(documents: Documents) -> File | list[str]:
    """Return the file, or the addresses, that were given.

    Raises
    ------
    InvalidRequestError
        A file that is not there, is no PDF, PNG or JPG, or is beyond the API's limits; an address that is not https.
    """
    if isinstance(documents, str) and "://" in documents:
        return [_address(documents)]
    if isinstance(documents, (str, os.PathLike)):
        return _file(Path(documents).expanduser())
    if not isinstance(documents, Iterable):
        raise InvalidRequestError(f"A {type(documents).__name__} cannot be uploaded: give a file, or https addresses.")
    addresses = [_address(one) for one in documents]
    if not addresses:
        raise InvalidRequestError("There is nothing to upload: the list of addresses is empty.")
    return addresses


def _address(given: object) -> str:
    if not isinstance(given, str) or "://" not in given:
        raise InvalidRequestError(
            f"{shown(given)} is no https address.",
            advice="Files are uploaded one after the other; only addresses go in lists.",
        )
    with suppress(ValueError):
        parts = urlsplit(given)
        if parts.scheme == "https" and parts.hostname and not re.search(r"\s", given):
            return given
    raise InvalidRequestError(f"{shown(given)} is no https address, and the API takes no other.")


def _file(path: Path) -> File:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise InvalidRequestError(f"{path.name!r} is no PDF, PNG or JPG, and the API takes no other file.")
    try:
        size = path.stat().st_size
        content = b"" if size > _LARGEST else path.read_bytes()
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}.") from error
    if size > _LARGEST:
        raise InvalidRequestError(f"{path.name} has {size / 1024 / 1024:.1f} MB; the API takes 25 at most.")
    signature, media_type = kind
    if not content.startswith(signature):
        what = "empty" if not content else f"no {path.suffix[1:].upper()}, whatever its name says"
        raise InvalidRequestError(f"{path.name} is {what}.")
    pages = _pages(content) if media_type == "application/pdf" else 0
    if pages > _MOST_PAGES:
        raise InvalidRequestError(f"{path.name} has {pages} pages; the API takes {_MOST_PAGES} at most.")
    return File(path.name, content, media_type)


def _pages(content: bytes) -> int:
    """Return how many pages a PDF says it has; 0 where it says so in compressed parts only, and the API must count."""
    trees: dict[bytes, int] = {}
    for tree in _PAGE_TREE.finditer(content):
        start = content.rfind(b"obj", 0, tree.start())
        number = content[max(content.rfind(b"\n", 0, start), 0) : start].strip()
        count = _COUNT.search(content, start, content.find(b"endobj", tree.end()))
        trees[number] = int(count[1]) if count else 0  # a later object of one number replaces the earlier
    return max(trees.values(), default=0)


def file_name(called: object, bill_id: str) -> str:
    """Return a safe name for a bill's original: what the API calls it is data, and never a path."""
    name = called if isinstance(called, str) else ""
    name = re.split(r"[/\\]", name)[-1]
    name = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "_", name).strip(" .")
    if not name:
        name = re.sub(r"[^\w-]", "_", bill_id) + ".pdf"
    if is_device(name):
        name = f"_{name}"  # Windows would write to a device
    stem, dot, suffix = name.rpartition(".")
    return name if len(name) <= _LONGEST_NAME else f"{(stem or name)[: _LONGEST_NAME - 8]}{dot}{suffix[:7]}"


def place_for(to: str | os.PathLike[str] | None, name: str, *, overwrite: bool) -> Path:
    """Return where a file goes: `to`, or `name` in it where it is a folder.

    Raises
    ------
    InvalidRequestError
        Something is there already, or the folder is not.
    """
    target = Path() if to is None else Path(to).expanduser()
    target = target / name if target.is_dir() else target
    if not target.parent.is_dir():
        raise InvalidRequestError(
            f"There is no folder {target.parent}.", advice="Make it first, or say another with to=."
        )
    if target.exists() and not overwrite:
        raise InvalidRequestError(f"{target} is there already.", advice="Say another with to=, or overwrite=True.")
    return target


def save(pieces: Iterator[bytes], target: Path) -> None:
    """Write a file whole: what was there before stays until all of it has come."""
    draft = target.with_name(f".{uuid4().hex}.part")
    try:
        try:
            with draft.open("xb") as file:
                file.writelines(pieces)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidRequestError(
            f"{target} could not be written: {error.strerror}.",
            advice="Check space and rights there, and whether it is open in another program; or say another with to=.",
        ) from error
