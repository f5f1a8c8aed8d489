"""Where settings are stored: environment variables, a ``.env`` file and the system's keyring, in this order.

A ``.env`` file is read without changing ``os.environ``. `settings` decides what the values mean.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nectar_notebooks.errors import ConfigurationError

__all__ = ["KEY_VARIABLES", "Places", "from_keyring", "keys_in_sight", "look", "without_keyring"]

#: The environments that need a key, and the variable of each.
KEY_VARIABLES: Final = {"sandbox": "NECTAR_SANDBOX_API_KEY", "production": "NECTAR_PRODUCTION_API_KEY"}

_KEYRING_SERVICE: Final = "nectar-notebooks"
#: Variables that still apply in a rehearsal.
_REHEARSED: Final = frozenset({"NECTAR_API_VERSION", "NECTAR_SANDBOX_SEED", "NECTAR_SANDBOX_DOCUMENTED_ONLY"})


@dataclass(frozen=True, slots=True)
class Places:
    """Environment variables and the ``.env`` file, searched in this order."""

    environ: Mapping[str, str]
    dotenv: Mapping[str, str]
    dotenv_path: Path

    def get(self, variable: str) -> tuple[str, str] | None:
        """Return the value of a variable and where it was found, or None."""
        for values, where in (
            (self.environ, f"environment variable {variable}"),
            (self.dotenv, f"{variable} in {self.dotenv_path.name}"),
        ):
            value = values.get(variable, "").strip()
            if value:
                return value, where
        return None

    def of_rehearsal(self) -> Places:
        """Return these places without anything that leads to a real API or to rows cached from one."""

        def some(values: Mapping[str, str]) -> dict[str, str]:
            return {name: value for name, value in values.items() if name in _REHEARSED or "NECTAR_" not in name}

        return Places(some(self.environ), some(self.dotenv), self.dotenv_path)

    def pick(self, argument: str | None, variable: str, default: str) -> tuple[str, str]:
        """Return the argument, else the variable's value, else the default; and where it was found."""
        if argument is not None:
            return argument, "argument"
        return self.get(variable) or (default, "default")

    def switch(self, variable: str) -> bool:
        """Return True when a boolean variable is set to yes; False when it is not set."""
        hit = self.get(variable)
        if hit is None:
            return False
        value, where = hit
        if value.lower() in ("1", "true", "yes", "on"):
            return True
        if value.lower() in ("0", "false", "no", "off"):
            return False
        raise ConfigurationError(f"{value!r} ({where}) is neither yes nor no.", advice="Set it to 1 or 0.")


def look(environ: Mapping[str, str] | None, dotenv: str | Path | None) -> Places:
    """Return the places to search, by default ``os.environ`` and ``.env`` in the working folder."""
    environ = os.environ if environ is None else environ
    path = Path(".env" if dotenv is None else dotenv)
    try:
        values = _read_dotenv(path) if path.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        problem = type(error).__name__
    else:
        return Places(environ, values, path)
    raise ConfigurationError(  # not chained: the decode error holds the whole file
        f"{path.name} cannot be read: {problem}.",
        advice="It must be a text file in UTF-8 with one NAME=value per line; fix or remove it.",
    )


def _read_dotenv(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values  # imported only if there is a file to read

    with path.open(encoding="utf-8") as stream:
        read = dotenv_values(stream=stream, interpolate=False)
    return {name: value for name, value in read.items() if value is not None}


def from_keyring(environment: str) -> tuple[str, str] | None:
    """Return the keyring's key of an environment and where it was found, or None."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None  # the keyring is optional
    try:
        value = keyring.get_password(_KEYRING_SERVICE, environment)
    except keyring.errors.KeyringError as error:
        problem = type(error).__name__
    else:
        return (value, f"keyring ({_KEYRING_SERVICE}, {environment})") if value else None
    raise ConfigurationError(  # not chained: a keyring's message may quote its content
        f"The key for {environment} could not be read from the keyring: {problem}.",
        advice="Unlock it, or put the key in an environment variable.",
    )


def without_keyring() -> str:
    """Return a sentence where the keyring cannot be looked in, because it is not installed."""
    try:
        importlib.import_module("keyring")
    except ImportError:
        return " The system's keyring is not looked in: pip install 'nectar-notebooks[keyring]' brings what reads it."
    return ""


def keys_in_sight(environ: Mapping[str, str] | None = None, dotenv: str | Path | None = None) -> list[str]:
    """Return where keys of any environment are stored, in words; never a key.

    Raises
    ------
    ConfigurationError
        The ``.env`` file or the keyring cannot be read.

    Examples
    --------
    >>> keys_in_sight({"NECTAR_API_KEY": "made-up-key"}, dotenv="no-such-file")
    ['environment variable NECTAR_API_KEY']
    """
    places = look(environ, dotenv)
    hits = [places.get(variable) for variable in (*KEY_VARIABLES.values(), "NECTAR_API_KEY")]
    hits += [from_keyring(environment) for environment in KEY_VARIABLES]
    return [where for _, where in filter(None, hits)]
