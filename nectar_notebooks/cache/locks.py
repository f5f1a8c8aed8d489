"""One writer at a time for one snapshot, across threads and processes.

The operating system holds the lock and takes it back when a process dies, however it dies: nothing to time
out and nothing to clean up. Where a file system cannot lock, work goes on without: publishing is atomic
anyway, so that the worst case is the same walk done twice.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from nectar_notebooks.cache.folders import refuse_links

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["exclusive"]

#: What Windows says where another process has the lock.
_HELD: Final = {errno.EACCES, errno.EDEADLK}

if sys.platform == "win32":  # tried by simulation alone
    import msvcrt

    def _acquire(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError as error:
                if error.errno not in _HELD:
                    raise  # a file system that cannot lock never will
                continue  # LK_LOCK gives up after ten seconds; the other writer may need longer
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
        refuse_links(folder.parent, folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{blake2b(name.encode(), digest_size=10).hexdigest()}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError:  # a read-only cache can still be read, and a full disk has its own message later
        descriptor = None
    if descriptor is None:
        yield
        return
    try:
        with suppress(OSError):
            _acquire(descriptor)
        yield
    finally:
        os.close(descriptor)
