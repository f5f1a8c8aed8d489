"""`connect`: the composition root of the client, which wires settings, session, store and the embedded sandbox.

Heavy imports happen on use, so that ``import nectar_notebooks`` stays cheap. `config` decides on the key and the
address. During a :func:`rehearsal`, every connection of this process goes to one embedded sandbox; the pytest plugin
uses it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nectar_notebooks.clock import SystemClock
from nectar_notebooks.config import EMBEDDED_URL, Secret, Settings, resolve
from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from nectar_notebooks.api import Session
    from nectar_notebooks.client import Nectar
    from nectar_notebooks.clock import Clock
    from nectar_notebooks.sandbox import Sandbox

__all__ = ["connect", "rehearsal"]

_DAY: Final = timedelta(days=1)
_DEFAULT_SEED: Final = 1

_lock = Lock()
_embedded: dict[tuple[int, bool], Sandbox] = {}
#: The cache folder of each sandbox of this process, by the `cache_dir` that was given.
_folders: weakref.WeakKeyDictionary[Sandbox, dict[Path | None, Path]] = weakref.WeakKeyDictionary()
#: Sandboxes of the active rehearsals, the innermost last.
_rehearsed: list[Sandbox] = []


def connect(
    environment: str | None = None,
    *,
    key: str | tuple[str, ...] | None = None,
    version: str | None = None,
    base_url: str | None = None,
    cache_dir: str | Path | None = None,
    sandbox: Sandbox | None = None,
    offline: bool = False,
    max_age: timedelta | float | None = _DAY,
    clock: Clock | None = None,
    limits: Mapping[str, float] | None = None,
) -> Nectar:
    """Connect to the API, or to the embedded sandbox if no key is found.

    Parameters
    ----------
    environment : str, optional
        ``"production"``, ``"sandbox"`` (Nectar's environment for test keys) or ``"local"`` (the embedded sandbox).
        Default: NECTAR_ENVIRONMENT, else the environment whose own key variable is set. Without any key it is the
        embedded sandbox, and a line on stderr says so.
    key : str or tuple of str, optional
        The API key, or two (new, old) during a rotation. Default: from the environment, a ``.env`` file or the keyring.
    version : str, optional
        ``"v2.2"`` (default), ``"v2.1"`` or ``"v2.0"``.
    base_url : str, optional
        Another address of the API, such as a served embedded sandbox.
    cache_dir : path, optional
        Where fetched rows are cached; if it is not writable, they are kept in memory. Rows of an in-process embedded
        sandbox are deleted with it: they are in a temporary folder, inside this one if given.
    sandbox : Sandbox, optional
        Connect to this embedded sandbox, in this process.
    offline : bool, default False
        Make no requests: answer from the cache, whatever its age, or say what is missing.
    max_age : timedelta, seconds or None, default one day
        How old cached rows may be before they are refreshed; None: any age.
    clock : Clock, optional
        Default: the system's clock, or the embedded sandbox's own.
    limits : Mapping, optional
        Limits beyond which an error is raised: ``deadline`` (seconds a request may take on the wire), ``answer_mb`` and
        ``download_mb`` (unpacked), ``pages`` (of one list). Default: NECTAR_LIMIT_DEADLINE, NECTAR_LIMIT_ANSWER_MB and
        the like, else the defaults in ``nectar_notebooks.limits``.

    Returns
    -------
    Nectar

    Raises
    ------
    ConfigurationError
        There is no key for the environment, the environment or version does not exist, or the address may not receive
        a key.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nn.connect("local").ping()["status"]
    'ok'
    """
    if sandbox is not None and (base_url is not None or environment not in (None, "local")):
        raise ConfigurationError(
            "sandbox= cannot be combined with a base_url or another environment.", advice="Give one of them."
        )
    age = _age(max_age)
    _must_be_usable(sandbox, clock, offline)
    rehearsed = _rehearsed[-1] if _rehearsed and sandbox is None else None
    settings = resolve(
        "local" if sandbox is not None else environment,
        key=key,
        version=version,
        base_url=EMBEDDED_URL if sandbox is not None else base_url,
        cache_dir=cache_dir,
        limits=limits,
        rehearsal=rehearsed is not None,
    )
    if settings.base_url != EMBEDDED_URL:
        return _served(settings, offline=offline, max_age=age, clock=clock or SystemClock())
    sandbox = sandbox or rehearsed
    if sandbox is None:
        sandbox = _default_sandbox(settings)
        if settings.found["environment"] == "default":
            sys.stderr.write(
                "No API key was found: this is the embedded sandbox, with made-up bills on this machine.\n"
            )
    return _in_process(settings, sandbox, offline=offline, max_age=age, clock=clock or sandbox.clock)


def _must_be_usable(sandbox: object, clock: object, offline: object) -> None:
    """Raise if the sandbox, the clock or the offline flag has the wrong type."""
    if sandbox is not None:
        from nectar_notebooks.sandbox import Sandbox

        if not isinstance(sandbox, Sandbox):
            raise ConfigurationError(f"sandbox must be a Sandbox, not of type {type(sandbox).__name__}.")
    if clock is not None and not all(callable(getattr(clock, name, None)) for name in ("now", "today", "sleep")):
        raise ConfigurationError(f"clock must be a Clock, not of type {type(clock).__name__}.")
    if not isinstance(offline, bool):
        raise ConfigurationError(f"offline must be True or False, not of type {type(offline).__name__}.")


def _age(given: object) -> timedelta | None:
    """Return `max_age` as a timedelta, None for any age."""
    if given is None or isinstance(given, timedelta):
        return given
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        with suppress(ValueError, OverflowError):  # NaN, or too large for a timedelta
            return timedelta(seconds=given)
    raise ConfigurationError(
        f"max_age cannot be {given!r:.40}.", advice="Give a timedelta, a number of seconds, or None for any age."
    )


@contextmanager
def rehearsal(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Redirect every connection made by this process to one embedded sandbox, while the context is active.

    Whatever environment, key, address and cache folder the code under test names, :func:`connect` returns a client of
    this sandbox; ``version``, ``offline``, ``max_age`` and ``clock`` are respected. ``sandbox=`` and a ``base_url=`` on
    this machine are not redirected, as they lead to no real API. For tests; the fixtures of the pytest plugin use it.

    Parameters
    ----------
    sandbox : Sandbox
        The sandbox to connect to.

    Yields
    ------
    Sandbox
        The same one.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> with rehearsal(nn.Sandbox(seed=7)) as sandbox:
    ...     nn.connect("production").sandbox is sandbox
    True
    """
    with _lock:
        _rehearsed.append(sandbox)
    try:
        yield sandbox
    finally:
        with _lock:
            _rehearsed.remove(sandbox)


def _served(settings: Settings, *, offline: bool, max_age: timedelta | None, clock: Clock) -> Nectar:
    from nectar_notebooks.api import Session

    session = Session(settings.base_url, settings.keys, version=settings.version, clock=clock, limits=settings.limits)
    host = urlsplit(settings.base_url).netloc
    return _nectar(
        settings,
        session,
        host=host,
        folder=settings.cache_dir,
        offline=offline,
        max_age=max_age,
        clock=clock,
        local=settings.environment == "local",
    )


def _in_process(
    settings: Settings, sandbox: Sandbox, *, offline: bool, max_age: timedelta | None, clock: Clock
) -> Nectar:
    from nectar_notebooks.api import Session, WSGIAdapter
    from nectar_notebooks.sandbox.model import FILES

    keys = settings.keys or (Secret(sandbox.key),)
    session = Session(
        settings.base_url,
        keys,
        version=settings.version,
        clock=clock,
        adapter=WSGIAdapter(sandbox.app),
        files=FILES,
        limits=settings.limits,
    )
    nectar = _nectar(
        settings,
        session,
        host="embedded sandbox",
        folder=_folder_of(sandbox, settings.cache_dir if settings.cache_dir_given else None),
        offline=offline,
        max_age=max_age,
        clock=clock,
        durable=False,
        keys=keys,
        identity=lambda: f"{sandbox.identity} {sandbox.revision}",  # any change invalidates the cached rows at once
    )
    nectar.sandbox = sandbox
    return nectar


def _nectar(
    settings: Settings,
    session: Session,
    *,
    host: str,
    folder: Path | None,
    offline: bool,
    max_age: timedelta | None,
    clock: Clock,
    durable: bool = True,
    keys: tuple[Secret, ...] | None = None,
    identity: Callable[[], str] | None = None,
    local: bool = False,
) -> Nectar:
    from nectar_notebooks.cache import Library, Realm, Store
    from nectar_notebooks.client import Nectar

    fingerprints = [one.fingerprint() for one in (settings.keys if keys is None else keys)]
    store = Store(folder, durable=durable)
    library = Library(
        store,
        session,
        realm=Realm(host, settings.version, settings.environment),
        fingerprints=fingerprints or [""],
        clock=clock,
        max_age=max_age,
        offline=offline,
        quiet=not durable,  # no progress display: an embedded sandbox answers at once
        identity=identity,
        local=local,
    )
    shown = " and ".join(name[:8] for name in fingerprints) or "none"
    return Nectar(
        library,
        place=f"{settings.environment}, {host}, {settings.version}{', offline' if offline else ''}",
        key=f"key {shown} ({settings.found['key']})",
    )


def _default_sandbox(settings: Settings) -> Sandbox:
    """Return this process's embedded sandbox for these settings; connections with the same settings share one."""
    from nectar_notebooks.sandbox import Sandbox

    seed = _DEFAULT_SEED if settings.sandbox_seed is None else settings.sandbox_seed
    with _lock:
        wanted = (seed, settings.sandbox_documented_only)
        if wanted not in _embedded:
            _embedded[wanted] = Sandbox(seed=seed, documented_only=settings.sandbox_documented_only)
        return _embedded[wanted]


def _folder_of(sandbox: Sandbox, named: Path | None) -> Path | None:
    """Return the folder for a sandbox's rows, inside `named` if given; None if it cannot be created.

    It is deleted with the sandbox; a folder inside `named` stays until the process ends, so that it can be inspected.
    """
    from nectar_notebooks.cache.files import EMBEDDED, make_folder

    with _lock:
        folders = _folders.setdefault(sandbox, {})
        if named in folders:
            return folders[named]
        try:
            if named is None:
                made = Path(tempfile.mkdtemp(prefix="nectar-sandbox-"))
            else:
                make_folder(named)
                made = Path(tempfile.mkdtemp(prefix=EMBEDDED, dir=named))
        except OSError:
            return None
        folders[named] = made
        if named is None:
            weakref.finalize(sandbox, _remove, made, os.getpid())
        else:
            atexit.register(_remove, made, os.getpid())
        sandbox.on_reset.append(partial(_forget_rows, made))
        return made


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child must not delete its parent's rows
        shutil.rmtree(folder, ignore_errors=True)


def _forget_rows(folder: Path) -> None:
    """Delete the rows of a sandbox that was reset: they are out of date."""
    from nectar_notebooks.cache import Store

    if folder.is_dir():
        store = Store(folder, durable=False)
        store.clear()
        store.close()
