"""A key that cannot be printed by accident. `places` finds keys."""

from __future__ import annotations

import hashlib
from typing import NoReturn

from nectar_notebooks.errors import ConfigurationError

__all__ = ["Secret", "read_secrets"]


class Secret:
    """A key that does not print: ``repr``, ``str`` and ``format`` show dots; pickling and copying raise.

    Examples
    --------
    >>> f"{Secret('made-up-key')}"
    '••••'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        text = value.strip()
        if not text:
            raise ConfigurationError("The API key is empty.", advice="Copy the whole key again.")
        if text[0] in "\"'`" or text[-1] in "\"'`":
            raise ConfigurationError(
                "The API key begins or ends with a quotation mark, which belongs to no key.",
                advice="Copy it once more, without quotes.",
            )
        if not all("!" <= character <= "~" for character in text):
            raise ConfigurationError(
                "The API key contains a space, a line break or a character that cannot be part of a key.",
                advice="Copy it once more, without quotes or comments.",
            )
        self._value = text

    def reveal(self) -> str:
        """Return the key itself; used only for the request header."""
        return self._value

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that tell keys apart and do not reveal the key."""
        return hashlib.sha256(b"nectar-notebooks key\0" + self._value.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self.fingerprint())

    def __repr__(self) -> str:
        return "Secret('••••')"

    def __str__(self) -> str:
        return "••••"

    def __format__(self, spec: str) -> str:
        return format("••••", spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A key cannot be copied or pickled.")


def _kind(given: object) -> str:
    """Describe a wrong value by its type only: the value itself may be a key."""
    if isinstance(given, (tuple, list)):
        return f"a {type(given).__name__} of {', '.join(sorted({type(part).__name__ for part in given}))}"
    return f"of type {type(given).__name__}"


def read_secrets(given: str | tuple[str, ...], where: str) -> tuple[Secret, ...]:
    """Return the given key, or the two of a rotation (new, old); `where` is for error messages.

    Raises
    ------
    ConfigurationError
        A value that cannot be a key, or more than two.
    """
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, (tuple, list)) or not all(isinstance(part, str) for part in parts):
        raise ConfigurationError(
            f"The API key in {where} must be a string, not {_kind(parts)}.",
            advice="Pass one string, or a tuple of two (new, old); decode bytes with key.decode().",
        )
    found = tuple(dict.fromkeys(Secret(part) for part in parts))
    if not 1 <= len(found) <= 2:
        raise ConfigurationError(f"There are {len(found)} keys in {where}.", advice="Give one key, or two (new, old).")
    return found
