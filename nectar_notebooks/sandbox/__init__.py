"""The embedded sandbox: a local twin of the Nectar API with its state in SQLite.

It knows nothing of the client. :class:`Sandbox` is the way in: a WSGI application to mount or to serve,
keys, a clock that moves when asked, a journal. Importing this package loads neither Flask nor SQLite: both
come when a sandbox is made or asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.model import World
    from nectar_notebooks.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "World"]


def __getattr__(name: str) -> type[Sandbox] | type[World]:
    if name == "Sandbox":
        from nectar_notebooks.sandbox.sandbox import Sandbox

        return Sandbox
    if name == "World":
        from nectar_notebooks.sandbox.model import World

        return World
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
