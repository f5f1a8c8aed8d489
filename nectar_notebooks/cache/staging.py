"""Finished pages of an unfinished walk, so that a broken one goes on where it stopped, in any process.

Bodies are kept as they came, compressed, with a checksum, in the manifest's file; they are no snapshot and
never read as one. A walk that began too long ago is begun anew: what changed since then could not be asked for cheaply.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from nectar_notebooks.cache.manifest import Manifest

__all__ = ["OLDEST", "Staging"]

#: A walk that began earlier than this is not resumed.
OLDEST: Final = timedelta(days=1)

_HEAD: Final = struct.Struct("<QI")  # length of the body, checksum of what is kept


class Staging:
    """The pages of one walk: one snapshot key, one question, one API key.

    Parameters
    ----------
    manifest : Manifest
    name : str
        What tells this walk from any other; only its digest is stored.
    now : datetime
        The moment the walk begins, unless it is resumed.
    wanted : callable, optional
        Says whether a page that came may be kept: not where another answered than the walk is named after.
    """

    def __init__(
        self, manifest: Manifest, name: str, now: datetime, *, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self._manifest = manifest
        self._wanted = wanted
        self._walk = blake2b(name.encode(), digest_size=16).hexdigest()
        began = manifest.ask("SELECT began FROM walks WHERE walk=?", (self._walk,))
        self.began = datetime.fromisoformat(began[0][0]) if began else now
        if not began or not timedelta(0) <= now - self.began <= OLDEST:
            self.restart(now)

    def restart(self, now: datetime) -> None:
        """Forget the pages; the walk begins `now`."""
        self.began = now

        def begin(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM walks WHERE walk=?", (self._walk,))
            connection.execute("INSERT INTO walks VALUES (?, ?)", (self._walk, now.isoformat()))

        self._change(begin)

    def _change(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Change the manifest; on a full disk its copy in memory: no other process can resume the walk then."""
        try:
            with self._manifest.change(durable=False) as connection:
                work(connection)
        except ConfigurationError as error:
            self._manifest.leave_disk(error)
            with self._manifest.change(durable=False) as connection:
                work(connection)

    def keep(self, page: int, body: bytes) -> None:
        """Keep the body of a finished page; while the walk is of what answers."""
        if not self._wanted():
            return
        squeezed = _codec().compress(body, asbytes=True)
        packed = _HEAD.pack(len(body), zlib.crc32(squeezed)) + squeezed
        kept = (self._walk, page, packed)
        self._change(lambda connection: connection.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", kept))

    def pages(self) -> Iterator[tuple[int, Any]]:
        """Yield number and body (decoded) of each page that is there, in order; a damaged one is missing."""
        for (page,) in self._manifest.ask("SELECT page FROM pages WHERE walk=? ORDER BY page", (self._walk,)):
            found = self._manifest.ask("SELECT body FROM pages WHERE walk=? AND page=?", (self._walk, page))
            for (packed,) in found:
                body = _unpacked(packed)
                if body is not None:
                    yield int(page), json.loads(body)

    def finish(self) -> None:
        """Forget the walk: its rows are published."""
        self._change(lambda connection: connection.execute("DELETE FROM walks WHERE walk=?", (self._walk,)))


def _unpacked(packed: bytes) -> bytes | None:
    """Return the body, or None where it is not what was kept."""
    try:
        size, checksum = _HEAD.unpack_from(packed)
        squeezed = packed[_HEAD.size :]
        if zlib.crc32(squeezed) != checksum:  # looked at first: what is damaged is not unpacked
            return None
        body: bytes = _codec().decompress(squeezed, size, asbytes=True)
    except (struct.error, OSError, ValueError):
        return None
    return body


@cache
def _codec() -> pa.Codec:
    import pyarrow as pa

    return pa.Codec("lz4_raw")
