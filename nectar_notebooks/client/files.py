"""Files on this machine: what may be uploaded, checked before it is sent, and where a bill's original is put.

The limits are those the API documents. Sending and fetching are left to `uploading` and `downloading`.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

from nectar_notebooks.cache.files import is_device
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.limits import MB, path_of, read_regular_file
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.naming import shown

__all__ = ["Documents", "File", "file_name", "place_for", "save", "uploadable"]

#: A file on this machine, an https address, or several addresses.
Documents: TypeAlias = "str | os.PathLike[str] | Iterable[str]"

_LARGEST: Final = 25 * MB
_MOST_PAGES: Final = 150
_KINDS: Final = {
    ".pdf": (b"%PDF-", "application/pdf"),
    ".png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    ".jpg": (b"\xff\xd8\xff", "image/jpeg"),
    ".jpeg": (b"\xff\xd8\xff", "image/jpeg"),
}
_PAGE_TREE: Final = re.compile(rb"/Type\s*/Pages\b")
_COUNT: Final = re.compile(rb"/Count\s+(\d{1,9})")
#: In bytes of UTF-8, as file systems count: most take 255, some 143, and a suffix may be added.
_LONGEST_NAME: Final = 120
#: How a picture begins, and the suffixes it may have; a PDF may have something before its start.
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", (".png",)),
    (b"\xff\xd8\xff", (".jpg", ".jpeg")),
    (b"GIF8", (".gif",)),
    (b"II*\x00", (".tif", ".tiff")),
    (b"MM\x00*", (".tif", ".tiff")),
)
_PROGRAMS: Final = (b"MZ", b"\x7fELF", b"#!", b"PK")
#: The suffix of unknown content, which no program opens: a spreadsheet would calculate a .csv.
_UNKNOWN: Final = ".bin"


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
        return _file(_path(documents))
    given: object = documents
    if not isinstance(documents, Iterable) or isinstance(given, (bytes, bytearray)):
        kind = type(documents).__name__
        raise InvalidRequestError(f"What is of type {kind} cannot be uploaded: give a path, or https addresses.")
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
        if parts.scheme == "https" and parts.hostname and given.isprintable() and " " not in given:
            return given
    raise InvalidRequestError(f"{shown(given)} is no https address, and the API takes no other.")


def _file(path: Path) -> File:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise InvalidRequestError(f"{path.name!r} is no PDF, PNG or JPG, and the API takes no other file.")
    try:
        content = read_regular_file(path, _LARGEST)
        size = max(path.stat().st_size, len(content))
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}.") from error
    if size > _LARGEST:
        raise InvalidRequestError(f"{path.name} has {size / MB:.1f} MB; the API takes 25 at most.")
    signature, media_type = kind
    if not content.startswith(signature):
        what = "empty" if not content else f"no {path.suffix[1:].upper()}, whatever its name says"
        raise InvalidRequestError(f"{path.name} is {what}.")
    pages = _pages(content) if media_type == "application/pdf" else 0
    if pages > _MOST_PAGES:
        raise InvalidRequestError(f"{path.name} has {pages} pages; the API takes {_MOST_PAGES} at most.")
    return File(path.name.encode("utf-8", "replace").decode(), content, media_type)  # a name may be no text at all


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
    name = "".join("_" if one in '<>:"|?*' or not one.isprintable() else one for one in name).strip(" .")
    if not name:
        name = re.sub(r"[^\w-]", "_", bill_id) + ".pdf"
    if is_device(name):
        name = f"_{name}"  # Windows would write to a device
    stem, dot, suffix = name.rpartition(".")
    if len(name.encode("utf-8", "replace")) <= _LONGEST_NAME:
        return name
    return f"{_cut(stem, _LONGEST_NAME - 8)}.{_cut(suffix, 7)}" if dot else _cut(name, _LONGEST_NAME - 8)


def _cut(text: str, most: int) -> str:
    """Return as much of a text as fits into so many bytes."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").rstrip(" .")


def _path(given: str | os.PathLike[str]) -> Path:
    try:
        return path_of(given)
    except OSError as error:
        raise InvalidRequestError(f"{shown(given)} cannot be the path of a file: {error.strerror}.") from error


def place_for(to: str | os.PathLike[str] | None, name: str, *, overwrite: bool) -> Path:
    """Return where a file goes: `to`, or `name` in it where it is a folder.

    Raises
    ------
    InvalidRequestError
        Something is there already, or the folder is not.
    """
    target = Path() if to is None else _path(to)
    target = _path(target / name) if target.is_dir() else target
    if not target.parent.is_dir():
        raise InvalidRequestError(
            f"There is no folder {target.parent}.", advice="Make it first, or say another with to=."
        )
    _must_be_free(target, overwrite=overwrite)
    return target


def _must_be_free(target: Path, *, overwrite: bool) -> None:
    if target.is_dir() or (target.exists() and not overwrite):
        raise InvalidRequestError(f"{target} is there already.", advice="Say another with to=, or overwrite=True.")


def save(pieces: Iterator[bytes], target: Path, *, named_by_api: bool, overwrite: bool) -> Path:
    """Write a file whole, and return where: what was there before stays until all of it has come.

    A name that the API chose gets the suffix of what the file is. What is no PDF or picture is kept, with a warning.
    """
    start = next(pieces, b"")
    suffixes = _suffixes(start)
    if named_by_api and target.suffix.lower() not in (suffixes or (_UNKNOWN,)):
        target = target.with_name(f"{_cut(target.name, _LONGEST_NAME)}{suffixes[0] if suffixes else _UNKNOWN}")
        _must_be_free(target, overwrite=overwrite)
    draft = target.with_name(f".{uuid4().hex}.part")
    try:
        try:
            with draft.open("xb") as file:
                file.write(start)
                file.writelines(pieces)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidRequestError(
            f"{target} could not be written: {error.strerror}.",
            advice="Check space and rights there, and whether it is open in another program; or say another with to=.",
        ) from error
    if not suffixes:
        warnings.warn(
            printable(f"{target} is no PDF and no picture, whatever it is called: look at it before you open it."),
            stacklevel=3,
        )
    return target


def _suffixes(start: bytes) -> tuple[str, ...]:
    """Return the suffixes of a PDF or picture that begins so; none for anything else."""
    if b"%PDF" in start[:1024] and not start.startswith(_PROGRAMS):
        return (".pdf",)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return (".webp",)
    return next((suffixes for sign, suffixes in _PICTURES if start.startswith(sign)), ())
