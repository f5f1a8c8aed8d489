"""Where the key, the environment, the version, the base URL and the cache folder come from.

Looked for in this order: the argument, environment variables, a ``.env`` file (read without touching
``os.environ``), the system's keyring where one is installed. :func:`resolve` answers with
:class:`Settings`, which says where each was found and never shows a key. Connecting is left to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["EMBEDDED_URL", "ENVIRONMENTS", "NECTAR_URL", "VERSIONS", "Secret", "Settings", "resolve"]

EMBEDDED_URL = "https://embedded-sandbox.invalid"
NECTAR_URL = "https://external.nectarclimate.com"
ENVIRONMENTS = ("local", "sandbox", "production")
VERSIONS = ("v2.2", "v2.1", "v2.0")


class Secret:
    """A key that does not print: ``repr``, ``str``, ``format`` show dots, copies to disk are refused."""

    def __init__(self, value: str) -> None:
        raise NotImplementedError

    def reveal(self) -> str:
        """Return the key itself; only the session's header asks for it."""
        raise NotImplementedError

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that tell two keys apart and do not lead back to the key."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Settings:
    """What a connection needs to know, and where each part was found (never a key's value)."""

    environment: str
    keys: tuple[Secret, ...]
    version: str
    base_url: str
    cache_dir: Path
    cache_dir_given: bool = False
    sandbox_seed: int | None = None
    sandbox_documented_only: bool = False
    found: Mapping[str, str] = field(default_factory=dict)


def resolve(
    environment: str | None = None,
    *,
    key: str | tuple[str, ...] | None = None,
    version: str | None = None,
    base_url: str | None = None,
    cache_dir: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: str | Path | None = None,
) -> Settings:
    """Find the settings of a connection.

    `environ` stands for ``os.environ`` and `dotenv` for ``.env`` in the working folder, for tests.
    """
    raise NotImplementedError
