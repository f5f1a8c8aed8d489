"""Finished pages of an unfinished walk, so that a broken one goes on where it stopped, in any process.

Bodies are kept as they came, compressed, with a checksum, in the manifest's file; they are no snapshot and
never read as one. A walk that began too long ago is begun anew: what changed since then could not be asked for cheaply.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.api import AnswerTime, oldest
from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from nectar_notebooks.cache.manifest import Manifest

__all__ = ["OLDEST", "Staging"]

#: A walk that began earlier than this is not resumed.
OLDEST: Final = timedelta(days=1)

_HEAD: Final = struct.Struct("<Qd?")  # length of the body, when it was given, whether the API said so
_SUM: Final = struct.Struct("<I")  # checksum of all that follows


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

    Attributes
    ----------
    given : AnswerTime or None
        When the oldest of the pages read by :meth:`pages` was answered.
    """

    def __init__(
        self, manifest: Manifest, name: str, now: datetime, *, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self._manifest = manifest
        self._wanted = wanted
        self.given: AnswerTime | None = None
        self._walk = blake2b(name.encode(), digest_size=16).hexdigest()
        began = manifest.ask("SELECT began FROM walks WHERE walk=?", (self._walk,))
        self.began = datetime.fromisoformat(began[0][0]) if began else now
        if not began or not timedelta(0) <= now - self.began <= OLDEST:
            self.restart(now)

    def restart(self, now: datetime) -> None:
        """Forget the pages; the walk begins `now`."""
        self.began, self.given = now, None

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

    def keep(self, page: int, body: bytes, given: AnswerTime | None = None) -> None:
        """Keep the body of a finished page; while the walk is of what answers."""
        if not self._wanted():
            return
        squeezed = _codec().compress(body, asbytes=True)
        if given is None:
            given = AnswerTime(self.began, by_api=False)
        packed = _HEAD.pack(len(body), given.at.timestamp(), given.by_api) + squeezed
        packed = _SUM.pack(zlib.crc32(packed)) + packed
        kept = (self._walk, page, packed)
        self._change(lambda connection: connection.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", kept))

    def pages(self) -> Iterator[tuple[int, Any]]:
        """Yield number and body (decoded) of each page that is there, in order; a damaged one is missing."""
        for (page,) in self._manifest.ask("SELECT page FROM pages WHERE walk=? ORDER BY page", (self._walk,)):
            found = self._manifest.ask("SELECT body FROM pages WHERE walk=? AND page=?", (self._walk, page))
            for (packed,) in found:
                unpacked = _unpacked(packed)
                if unpacked is not None:
                    body, given = unpacked
                    self.given = oldest(self.given, given)
                    yield int(page), json.loads(body)

    def finish(self) -> None:
        """Forget the walk: its rows are published."""
        self._change(lambda connection: connection.execute("DELETE FROM walks WHERE walk=?", (self._walk,)))


def _unpacked(packed: bytes) -> tuple[bytes, AnswerTime] | None:
    """Return the body and when it was given, or None where it is not what was kept."""
    try:
        [checksum] = _SUM.unpack_from(packed)
        packed = packed[_SUM.size :]
        if zlib.crc32(packed) != checksum:  # looked at first: what is damaged is not unpacked
            return None
        size, given, by_api = _HEAD.unpack_from(packed)
        squeezed = packed[_HEAD.size :]
        body: bytes = _codec().decompress(squeezed, size, asbytes=True)
        return body, AnswerTime(datetime.fromtimestamp(given, UTC), by_api)
    except (struct.error, OSError, ValueError, OverflowError):
        return None


@cache
def _codec() -> pa.Codec:
    import pyarrow as pa

    return pa.Codec("lz4_raw")
