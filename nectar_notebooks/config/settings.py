"""What a connection needs to know: found, checked, and where each part came from.

Connecting is left to others, and so is looking into files and the keyring: see `places`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn
from urllib.parse import urlsplit

from nectar_notebooks.config.places import KEY_VARIABLES, Places, from_keyring, look
from nectar_notebooks.config.secret import Secret, read_secrets
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.limits import Limits
from nectar_notebooks.loopback import THIS_MACHINE

__all__ = ["EMBEDDED_URL", "ENVIRONMENTS", "NECTAR_URL", "VERSIONS", "Settings", "resolve"]

#: The address of an embedded sandbox in this process: a name that never resolves.
EMBEDDED_URL: Final = "https://embedded-sandbox.invalid"
NECTAR_URL: Final = "https://external.nectarclimate.com"
#: So many folders in one another are no place for a cache; the system's calls that make them give up later.
_DEEPEST: Final = 200
ENVIRONMENTS: Final = ("local", "sandbox", "production")
VERSIONS: Final = ("v2.2", "v2.1", "v2.0")

#: What is longer may be a key in the wrong place, and is not repeated.
_LONGEST_WORD: Final = 12
_WHERE_KEYS_ARE_MADE: Final = (
    "Make one under Settings > Organization > API Keys and put it in {variable} "
    "(environment or .env), or pass key=...; nn.connect('local') needs none."
)


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
    limits : Limits
        How much is taken in.
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
    limits: Limits = field(default_factory=Limits)
    found: Mapping[str, str] = field(default_factory=dict)


def resolve(
    environment: str | None = None,
    *,
    key: str | tuple[str, ...] | None = None,
    version: str | None = None,
    base_url: str | None = None,
    cache_dir: str | Path | None = None,
    limits: Mapping[str, float] | None = None,
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
        Else NECTAR_API_VERSION, NECTAR_BASE_URL, NECTAR_CACHE_DIR. A base URL may end with the version that is asked
        for, as curl needs it.
    limits : Mapping, optional
        How much is taken in, by the names of :class:`Limits`; else NECTAR_LIMIT_ANSWER_MB and its like.
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
    for name, value in (("version", version), ("base_url", base_url)):
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(f"{name} must be a string, not of type {type(value).__name__}.")
    places = look(environ, dotenv)
    found: dict[str, str] = {}
    if (rehearsal or places.switch("NECTAR_REHEARSAL")) and not _on_this_machine(base_url):
        _known(environment, "argument")
        environment, key, base_url, cache_dir = environment and "local", None, None, None
        places = places.of_rehearsal()
    environment, found["environment"] = _environment(environment, key, places)
    _known(environment, found["environment"])
    local = environment == "local"
    url, found["base_url"] = places.pick(base_url, "NECTAR_BASE_URL", EMBEDDED_URL if local else NECTAR_URL)
    wanted, found["version"] = places.pick(version, "NECTAR_API_VERSION", VERSIONS[0])
    asked = _checked_version(wanted, found["version"])
    url = _checked_url(url, found["base_url"], asked, local=local)
    own, found["key"] = _keys(environment, key, places, embedded=url == EMBEDDED_URL)
    folder, found["cache_dir"] = places.pick(
        None if cache_dir is None else _path_text(cache_dir),
        "NECTAR_CACHE_DIR",
        str(_default_cache_dir(places.environ)),
    )
    return Settings(
        environment=environment,
        keys=own,
        version=asked,
        base_url=url,
        cache_dir=_checked_folder(folder, found["cache_dir"]),
        cache_dir_given=found["cache_dir"] != "default",
        sandbox_seed=_seed(places),
        sandbox_documented_only=places.switch("NECTAR_SANDBOX_DOCUMENTED_ONLY"),
        limits=_limits(limits, places),
        found=MappingProxyType(found),
    )


def _known(environment: str | None, where: str) -> None:
    if environment is None or (isinstance(environment, str) and environment in ENVIRONMENTS):
        return
    advice = f"Say one of {', '.join(ENVIRONMENTS)}."
    if not isinstance(environment, str) or len(environment) <= _LONGEST_WORD:
        raise ConfigurationError(f"There is no environment {environment!r:.40} ({where}).", advice=advice)
    raise ConfigurationError(
        f"The environment that was given ({where}) does not exist. It is not repeated here, as it may be a key.",
        advice=f"{advice} If it is a key: nn.connect('production', key=...), or put it in NECTAR_PRODUCTION_API_KEY.",
    )


def _on_this_machine(url: str | None) -> bool:
    """Say whether an address that was given leads to this machine: to a sandbox that somebody serves here."""
    with suppress(ValueError):
        return url is not None and urlsplit(url.strip()).hostname in THIS_MACHINE
    return False


def _environment(environment: str | None, key: str | tuple[str, ...] | None, places: Places) -> tuple[str, str]:
    """Decide the environment; keys without a named environment never end in made-up data silently."""
    if environment is not None:
        return environment, "argument"
    named = places.get("NECTAR_ENVIRONMENT")
    if named is not None:
        return named
    candidates = {name: hit for name, variable in KEY_VARIABLES.items() if (hit := places.get(variable)) is not None}
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
    environment: str, key: str | tuple[str, ...] | None, places: Places, *, embedded: bool
) -> tuple[tuple[Secret, ...], str]:
    if key is not None:
        return read_secrets(key, "the argument key"), "argument"
    if embedded:
        return (), "made by the embedded sandbox"  # a real key has no business there
    own = KEY_VARIABLES.get(environment)
    hit = (places.get(own) if own else None) or places.get("NECTAR_API_KEY") or from_keyring(environment)
    if hit is None:
        raise ConfigurationError(
            f"There is no API key for {environment}.",
            advice=_WHERE_KEYS_ARE_MADE.format(variable=own or "NECTAR_API_KEY"),
        )
    value, where = hit
    return read_secrets(value, where), where


def _checked_url(url: str, where: str, version: str, *, local: bool) -> str:
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
    if not url.strip().isprintable() or " " in url.strip():
        refuse("holds a space or a character that cannot be seen")
    host = parts.hostname or ""
    if not host or parts.scheme not in ("https", "http"):
        refuse("has no https:// and host")
    if parts.username is not None or parts.password is not None:
        refuse("carries a user name or password, which do not belong there")
    beyond = parts.path.strip("/")
    if beyond in VERSIONS and beyond != version:
        refuse(f"ends with {beyond}, while version {version} is asked for; leave it out there, and say version=")
    if beyond not in ("", version) or parts.query or parts.fragment:
        refuse("goes beyond scheme, host and port; the version is added by version=")
    loopback = host in THIS_MACHINE
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


def _limits(given: object, places: Places) -> Limits:
    if given is not None and not isinstance(given, Mapping):
        raise ConfigurationError("limits must be a mapping, such as {'answer_mb': 64}.")

    def value(variable: str) -> str | None:
        hit = places.get(variable)
        return None if hit is None else hit[0]

    return Limits().found_in(value).with_changes(given or {})


def _seed(places: Places) -> int | None:
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


def _path_text(cache_dir: object) -> str:
    if isinstance(cache_dir, str):
        return cache_dir
    if isinstance(cache_dir, os.PathLike) and isinstance(os.fspath(cache_dir), str):
        return str(os.fspath(cache_dir))
    raise ConfigurationError(
        f"cache_dir must be a path, not of type {type(cache_dir).__name__}.", advice="Give a string or a Path."
    )


def _checked_folder(text: str, where: str) -> Path:
    try:
        folder = Path(text).expanduser()  # no such user: RuntimeError
        if b"\0" not in str(folder).encode() and len(folder.parts) < _DEEPEST:  # half a character: UnicodeEncodeError
            return folder
    except (ValueError, RuntimeError):
        pass
    raise ConfigurationError(
        f"{text[:200]!r} ({where}) cannot be a cache folder.",
        advice="Give the path of a folder with cache_dir= or NECTAR_CACHE_DIR.",
    )


def _default_cache_dir(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path("~/.cache")) / "nectar_notebooks"
