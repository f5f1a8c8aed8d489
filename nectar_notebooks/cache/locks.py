"""One writer at a time for one snapshot, across threads and processes.

The operating system holds the lock and takes it back when a process dies, however it dies: nothing to time
out and nothing to clean up. Where a file system cannot lock, work goes on without: publishing is atomic
anyway, so that the worst case is the same walk done twice.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["exclusive"]

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _acquire(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError:  # LK_LOCK gives up after ten seconds; the other writer may need longer
                continue
            return

else:
    import fcntl

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def exclusive(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock called `name` in `folder`; wait for it as long as another writer has it.

    Parameters
    ----------
    folder : Path
        Folder of lock files; made when it is not there.
    name : str
        Anything; lock files are named by its digest.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{blake2b(name.encode(), digest_size=10).hexdigest()}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # a read-only cache can still be read, and a full disk has its own message later
        yield
        return
    try:
        with suppress(OSError):
            _acquire(descriptor)
        yield
    finally:
        os.close(descriptor)
