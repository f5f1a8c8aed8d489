"""Where the key, the environment, the version, the base URL and the cache folder come from.

Looked for in this order: the argument, environment variables, a ``.env`` file (read without touching
``os.environ``), the system's keyring where one is installed. :func:`resolve` answers with
:class:`Settings`, which says where each was found and never shows a key. Connecting is left to others.

In a *rehearsal* (asked for by NECTAR_REHEARSAL, or by whoever tests) every connection ends at an embedded sandbox,
whatever environment, address, key and cache folder it names.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn
from urllib.parse import urlsplit

from nectar_notebooks.errors import ConfigurationError

__all__ = ["EMBEDDED_URL", "ENVIRONMENTS", "NECTAR_URL", "VERSIONS", "Secret", "Settings", "keys_in_sight", "resolve"]

#: The address of an embedded sandbox in this process: a name that never resolves.
EMBEDDED_URL: Final = "https://embedded-sandbox.invalid"
NECTAR_URL: Final = "https://external.nectarclimate.com"
ENVIRONMENTS: Final = ("local", "sandbox", "production")
VERSIONS: Final = ("v2.2", "v2.1", "v2.0")

_KEYRING_SERVICE: Final = "nectar-notebooks"
_KEY_VARIABLES: Final = {"sandbox": "NECTAR_SANDBOX_API_KEY", "production": "NECTAR_PRODUCTION_API_KEY"}
#: What a rehearsal still takes from environment variables and ``.env``.
_REHEARSED: Final = frozenset({"NECTAR_API_VERSION", "NECTAR_SANDBOX_SEED", "NECTAR_SANDBOX_DOCUMENTED_ONLY"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_WHERE_KEYS_ARE_MADE: Final = (
    "Make one under Settings > Organization > API Keys and put it in {variable} "
    "(environment or .env), or pass key=...; nn.connect('local') needs none."
)


class Secret:
    """A key that does not print: ``repr``, ``str``, ``format`` show dots; pickling and copying are refused.

    Examples
    --------
    >>> f"{Secret('made-up-key')}"
    '••••'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        text = value.strip()
        if not text:
            raise ConfigurationError("The API key is empty.", advice="Copy it whole, once more.")
        if text[0] in "\"'`" or text[-1] in "\"'`":
            raise ConfigurationError(
                "The API key begins or ends with a quotation mark, which belongs to no key.",
                advice="Copy it once more, without quotes.",
            )
        if not all("!" <= character <= "~" for character in text):
            raise ConfigurationError(
                "The API key has a space, a line break or a character that no key has.",
                advice="Copy it once more, without quotes or comments.",
            )
        self._value = text

    def reveal(self) -> str:
        """Return the key itself; only the session's header asks for it."""
        return self._value

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that tell two keys apart and do not lead back to the key."""
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
        raise TypeError("A key is not copied or written to disk.")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a connection needs to know, and where each part was found (never a key's value).

    Attributes
    ----------
    environment : str
        ``"local"`` (the embedded sandbox), ``"sandbox"`` (Nectar's) or ``"production"``.
    keys : tuple[Secret, ...]
        None for a local environment without one, one, or two (new, old) during a rotation.
    version : str
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``.
    base_url : str
        Scheme, host and port; without the version's prefix.
    cache_dir : Path
        Where snapshots go; `cache_dir_given` says whether somebody asked for it.
    sandbox_seed, sandbox_documented_only
        For the embedded sandbox.
    found : Mapping[str, str]
        Where ``environment``, ``key``, ``version``, ``base_url``, ``cache_dir`` were found, in words.
    """

    environment: str
    keys: tuple[Secret, ...]
    version: str
    base_url: str
    cache_dir: Path
    cache_dir_given: bool = False
    sandbox_seed: int | None = None
    sandbox_documented_only: bool = False
    found: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Places:
    """Environment variables and the ``.env`` file, asked in this order."""

    environ: Mapping[str, str]
    dotenv: Mapping[str, str]
    dotenv_path: Path

    def get(self, variable: str) -> tuple[str, str] | None:
        for values, where in (
            (self.environ, f"environment variable {variable}"),
            (self.dotenv, f"{variable} in {self.dotenv_path.name}"),
        ):
            value = values.get(variable, "").strip()
            if value:
                return value, where
        return None

    def of_rehearsal(self) -> _Places:
        """Return these places without what leads to a real API, or to rows that were kept of one."""

        def some(values: Mapping[str, str]) -> dict[str, str]:
            return {name: value for name, value in values.items() if name in _REHEARSED or "NECTAR_" not in name}

        return _Places(some(self.environ), some(self.dotenv), self.dotenv_path)

    def pick(self, argument: str | None, variable: str, default: str) -> tuple[str, str]:
        if argument is not None:
            return argument, "argument"
        return self.get(variable) or (default, "default")


def resolve(
    environment: str | None = None,
    *,
    key: str | tuple[str, ...] | None = None,
    version: str | None = None,
    base_url: str | None = None,
    cache_dir: str | Path | None = None,
    rehearsal: bool = False,
    environ: Mapping[str, str] | None = None,
    dotenv: str | Path | None = None,
) -> Settings:
    """Find the settings of a connection.

    Parameters
    ----------
    environment : str, optional
        ``"local"``, ``"sandbox"`` or ``"production"``; else NECTAR_ENVIRONMENT. With neither, the one key
        that is found under an environment's own name decides; with no key at all it is ``"local"``.
    key : str or tuple of str, optional
        The API key; two (new, old), as a tuple or separated by a comma, carry a rotation. Else
        NECTAR_SANDBOX_API_KEY or NECTAR_PRODUCTION_API_KEY, NECTAR_API_KEY, the keyring's entry of service
        ``nectar-notebooks`` and the environment's name.
    version, base_url, cache_dir : optional
        Else NECTAR_API_VERSION, NECTAR_BASE_URL, NECTAR_CACHE_DIR.
    rehearsal : bool
        Lead to an embedded sandbox; else NECTAR_REHEARSAL. Environment, key, base URL (unless it is of this
        machine) and cache folder are not looked at then, wherever they are named.
    environ, dotenv : optional
        Stand for ``os.environ`` and for ``.env`` in the working folder.

    Returns
    -------
    Settings

    Raises
    ------
    ConfigurationError
        No key for the environment, an unknown environment or version, a base URL that may not receive a key,
        a ``.env`` file that cannot be read.

    Examples
    --------
    >>> resolve(environ={}, dotenv="no-such-file").environment
    'local'
    """
    places = _places(os.environ if environ is None else environ, Path(".env" if dotenv is None else dotenv))
    found: dict[str, str] = {}
    if (rehearsal or _switch(places, "NECTAR_REHEARSAL")) and not _on_this_machine(base_url):
        _known(environment, "argument")
        environment, key, base_url, cache_dir = environment and "local", None, None, None
        places = places.of_rehearsal()
    environment, found["environment"] = _environment(environment, key, places)
    _known(environment, found["environment"])
    local = environment == "local"
    url, found["base_url"] = places.pick(base_url, "NECTAR_BASE_URL", EMBEDDED_URL if local else NECTAR_URL)
    url = _checked_url(url, found["base_url"], local=local)
    secrets, found["key"] = _keys(environment, key, places, embedded=url == EMBEDDED_URL)
    wanted, found["version"] = places.pick(version, "NECTAR_API_VERSION", VERSIONS[0])
    folder, found["cache_dir"] = places.pick(
        None if cache_dir is None else str(cache_dir),
        "NECTAR_CACHE_DIR",
        str(_default_cache_dir(places.environ)),
    )
    return Settings(
        environment=environment,
        keys=secrets,
        version=_checked_version(wanted, found["version"]),
        base_url=url,
        cache_dir=Path(folder).expanduser(),
        cache_dir_given=found["cache_dir"] != "default",
        sandbox_seed=_seed(places),
        sandbox_documented_only=_switch(places, "NECTAR_SANDBOX_DOCUMENTED_ONLY"),
        found=MappingProxyType(found),
    )


def _known(environment: str | None, where: str) -> None:
    if environment not in (None, *ENVIRONMENTS):
        raise ConfigurationError(
            f"There is no environment {environment!r} ({where}).", advice=f"Say one of {', '.join(ENVIRONMENTS)}."
        )


def _on_this_machine(url: str | None) -> bool:
    """Say whether an address that was given leads to this machine: to a sandbox that somebody serves here."""
    with suppress(ValueError):
        return url is not None and urlsplit(url.strip()).hostname in _LOOPBACK
    return False


def keys_in_sight(environ: Mapping[str, str] | None = None, dotenv: str | Path | None = None) -> list[str]:
    """Return in words where keys stand, of every environment, in the order of the variables; never a key.

    Raises
    ------
    ConfigurationError
        A ``.env`` file or a keyring that cannot be read.

    Examples
    --------
    >>> keys_in_sight({"NECTAR_API_KEY": "made-up-key"}, dotenv="no-such-file")
    ['environment variable NECTAR_API_KEY']
    """
    places = _places(os.environ if environ is None else environ, Path(".env" if dotenv is None else dotenv))
    hits = [places.get(variable) for variable in (*_KEY_VARIABLES.values(), "NECTAR_API_KEY")]
    hits += [_from_keyring(environment) for environment in _KEY_VARIABLES]
    return [where for _, where in filter(None, hits)]


def _places(environ: Mapping[str, str], path: Path) -> _Places:
    try:
        values = _read_dotenv(path) if path.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        problem = type(error).__name__
    else:
        return _Places(environ, values, path)
    raise ConfigurationError(  # not chained: the error of a wrong byte holds the whole file
        f"{path.name} cannot be read: {problem}.",
        advice="It must be a text file in UTF-8 with one NAME=value a line; mend or remove it.",
    )


def _read_dotenv(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values  # only where there is a file to read

    with path.open(encoding="utf-8") as stream:
        read = dotenv_values(stream=stream, interpolate=False)
    return {name: value for name, value in read.items() if value is not None}


def _environment(environment: str | None, key: str | tuple[str, ...] | None, places: _Places) -> tuple[str, str]:
    """Decide the environment; keys without a named environment never end in made-up data silently."""
    if environment is not None:
        return environment, "argument"
    named = places.get("NECTAR_ENVIRONMENT")
    if named is not None:
        return named
    candidates = {name: hit for name, variable in _KEY_VARIABLES.items() if (hit := places.get(variable)) is not None}
    bare = key is not None or places.get("NECTAR_API_KEY") is not None
    if len(candidates) == 1 and not bare:
        [(name, (_, where))] = candidates.items()
        return name, f"the key in {where}"
    if candidates or bare:
        raise ConfigurationError(
            "A key was found, and nothing says which environment it is for.",
            advice="Say nn.connect('sandbox') or nn.connect('production'), or set NECTAR_ENVIRONMENT; "
            "nn.connect('local') is the embedded sandbox.",
        )
    return "local", "default"


def _keys(
    environment: str, key: str | tuple[str, ...] | None, places: _Places, *, embedded: bool
) -> tuple[tuple[Secret, ...], str]:
    if key is not None:
        return _secrets(key, "the argument key"), "argument"
    if embedded:
        return (), "made by the embedded sandbox"  # a real key has no business there
    own = _KEY_VARIABLES.get(environment)
    hit = (places.get(own) if own else None) or places.get("NECTAR_API_KEY") or _from_keyring(environment)
    if hit is None:
        raise ConfigurationError(
            f"There is no API key for {environment}.",
            advice=_WHERE_KEYS_ARE_MADE.format(variable=own or "NECTAR_API_KEY"),
        )
    value, where = hit
    return _secrets(value, where), where


def _secrets(given: str | tuple[str, ...], where: str) -> tuple[Secret, ...]:
    parts = given.split(",") if isinstance(given, str) else given
    secrets = tuple(dict.fromkeys(Secret(part) for part in parts))
    if not 1 <= len(secrets) <= 2:
        raise ConfigurationError(
            f"{len(secrets)} keys were found in {where}.", advice="Give one key, or two (new, old)."
        )
    return secrets


def _from_keyring(environment: str) -> tuple[str, str] | None:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None  # the keyring is an offer, not a need
    try:
        value = keyring.get_password(_KEYRING_SERVICE, environment)
    except keyring.errors.KeyringError as error:
        problem = type(error).__name__
    else:
        return (value, f"keyring ({_KEYRING_SERVICE}, {environment})") if value else None
    raise ConfigurationError(  # not chained: a keyring's own message may quote what it holds
        f"The keyring could not be asked for the key of {environment}: {problem}.",
        advice="Unlock it, or put the key in an environment variable.",
    )


def _checked_url(url: str, where: str, *, local: bool) -> str:
    def refuse(why: str) -> NoReturn:
        raise ConfigurationError(
            f"The base URL ({where}) {why}.",
            advice=f"It looks like {NECTAR_URL}: https, a host, perhaps a port.",
        )

    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        refuse("cannot be read")
    host = parts.hostname or ""
    if not host or parts.scheme not in ("https", "http"):
        refuse("has no https:// and host")
    if parts.username is not None or parts.password is not None:
        refuse("carries a user name or password, which do not belong there")
    if parts.path.strip("/") or parts.query or parts.fragment:
        refuse("goes beyond scheme, host and port; the version is added by version=")
    loopback = host in _LOOPBACK
    if parts.scheme != "https" and not loopback:
        refuse(f"would send the key to {host} without https")
    origin = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    if local and not loopback and origin != EMBEDDED_URL:
        refuse(f"leads to {host}, while the environment is local: the embedded sandbox on this machine")
    if not local and origin == EMBEDDED_URL:
        refuse("is the embedded sandbox's, while the environment is not local")
    return origin


def _checked_version(version: str, where: str) -> str:
    text = version.strip().lower()
    text = text if text.startswith("v") else f"v{text}"
    text = "v2.0" if text == "v2" else text
    if text not in VERSIONS:
        raise ConfigurationError(
            f"There is no API version {version!r} ({where}).", advice=f"Say one of {', '.join(VERSIONS)}."
        )
    return text


def _seed(places: _Places) -> int | None:
    hit = places.get("NECTAR_SANDBOX_SEED")
    if hit is None:
        return None
    value, where = hit
    try:
        return int(value)
    except ValueError:
        raise ConfigurationError(
            f"The seed {value!r} ({where}) is no whole number.", advice="Set it to one, or remove it."
        ) from None


def _switch(places: _Places, variable: str) -> bool:
    hit = places.get(variable)
    if hit is None:
        return False
    value, where = hit
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise ConfigurationError(f"{value!r} ({where}) is neither yes nor no.", advice="Set it to 1 or 0.")


def _default_cache_dir(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path("~/.cache")) / "nectar_notebooks"
