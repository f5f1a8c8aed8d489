"""Settings of a connection: found, validated, and where each one came from.

`places` reads files and the keyring; connecting is left to others.
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

from platformdirs import user_cache_path

from nectar_notebooks.config.places import KEY_VARIABLES, Places, from_keyring, look, without_keyring
from nectar_notebooks.config.secret import Secret, read_secrets
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.limits import Limits
from nectar_notebooks.loopback import THIS_MACHINE

__all__ = ["EMBEDDED_URL", "ENVIRONMENTS", "NECTAR_URL", "VERSIONS", "Settings", "resolve"]

#: The address of the in-process embedded sandbox: a name that never resolves.
EMBEDDED_URL: Final = "https://embedded-sandbox.invalid"
NECTAR_URL: Final = "https://external.nectarclimate.com"
#: Folders nested deeper than this are refused; the system calls that create them fail later anyway.
_DEEPEST: Final = 200
ENVIRONMENTS: Final = ("local", "sandbox", "production")
VERSIONS: Final = ("v2.2", "v2.1", "v2.0")

#: A longer word may be a key in the wrong place, and is not repeated.
_LONGEST_WORD: Final = 12
_WHERE_KEYS_ARE_MADE: Final = (
    "Make one under Settings > Organization > API Keys and put it in {variable} "
    "(environment or .env), or pass key=...; nn.connect('local') needs none."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a connection, and where each was found.

    Attributes
    ----------
    environment : str
        ``"local"`` (the embedded sandbox), ``"sandbox"`` (Nectar's) or ``"production"``.
    keys : tuple[Secret, ...]
        Empty for a local environment without a key; otherwise one, or two (new, old) during a rotation.
    version : str
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``.
    base_url : str
        Scheme, host and port; without the version's prefix.
    cache_dir : Path
        Folder for snapshots; `cache_dir_given` is false if it is the default.
    sandbox_seed, sandbox_documented_only
        For the embedded sandbox.
    limits : Limits
        Limits on input sizes.
    found : Mapping[str, str]
        Where ``environment``, ``key``, ``version``, ``base_url``, ``cache_dir`` were found, in words; never a key.
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
        ``"local"``, ``"sandbox"`` or ``"production"``. Default: NECTAR_ENVIRONMENT, else the environment whose own key
        variable is set, else, without any key, ``"local"``.
    key : str or tuple of str, optional
        The API key, or two (new, old) during a rotation, as a tuple or separated by a comma. Default:
        NECTAR_SANDBOX_API_KEY or NECTAR_PRODUCTION_API_KEY, else NECTAR_API_KEY, else the keyring's entry for the
        service ``nectar-notebooks`` and the environment's name.
    version, base_url, cache_dir : optional
        Default: NECTAR_API_VERSION, NECTAR_BASE_URL, NECTAR_CACHE_DIR. A base URL may end with the requested version,
        as in a curl command.
    limits : Mapping, optional
        Limits on input sizes, by the names of :class:`Limits`. Default: NECTAR_LIMIT_ANSWER_MB and the like.
    rehearsal : bool
        Connect to an embedded sandbox, as NECTAR_REHEARSAL does. Environment, key, base URL (unless on this machine)
        and cache folder are then ignored, wherever they come from.
    environ, dotenv : optional
        Used in place of ``os.environ`` and of ``.env`` in the working folder.

    Returns
    -------
    Settings

    Raises
    ------
    ConfigurationError
        There is no key for the environment, the environment or version does not exist, the base URL may not receive a
        key, or the ``.env`` file cannot be read.

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
        str(user_cache_path("nectar_notebooks", appauthor=False, opinion=False)),
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
    advice = f"Use one of {', '.join(ENVIRONMENTS)}."
    if not isinstance(environment, str) or len(environment) <= _LONGEST_WORD:
        raise ConfigurationError(f"There is no environment {environment!r:.40} ({where}).", advice=advice)
    raise ConfigurationError(
        f"The given environment ({where}) does not exist. It is not repeated here, as it may be a key.",
        advice=f"{advice} If it is a key: nn.connect('production', key=...), or put it in NECTAR_PRODUCTION_API_KEY.",
    )


def _on_this_machine(url: str | None) -> bool:
    """Return True when a given address is on this machine, such as a served embedded sandbox."""
    with suppress(ValueError):
        return url is not None and urlsplit(url.strip()).hostname in THIS_MACHINE
    return False


def _environment(environment: str | None, key: str | tuple[str, ...] | None, places: Places) -> tuple[str, str]:
    """Return the environment and where it was found; a key without an environment never silently means made-up data."""
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
            "A key was found, but not which environment it is for.",
            advice="Call nn.connect('sandbox') or nn.connect('production'), or set NECTAR_ENVIRONMENT; "
            "nn.connect('local') is the embedded sandbox.",
        )
    return "local", "default"


def _keys(
    environment: str, key: str | tuple[str, ...] | None, places: Places, *, embedded: bool
) -> tuple[tuple[Secret, ...], str]:
    if key is not None:
        return read_secrets(key, "the argument key"), "argument"
    if embedded:
        return (), "made by the embedded sandbox"  # never send it a real key
    own = KEY_VARIABLES.get(environment)
    hit = (places.get(own) if own else None) or places.get("NECTAR_API_KEY") or from_keyring(environment)
    if hit is None:
        raise ConfigurationError(
            f"There is no API key for {environment}.",
            advice=_WHERE_KEYS_ARE_MADE.format(variable=own or "NECTAR_API_KEY") + without_keyring(),
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
        refuse("contains a space or an unprintable character")
    host = parts.hostname or ""
    if not host or parts.scheme not in ("https", "http"):
        refuse("has no https:// and host")
    if parts.username is not None or parts.password is not None:
        refuse("contains a user name or password, which do not belong there")
    beyond = parts.path.strip("/")
    if beyond in VERSIONS and beyond != version:
        refuse(f"ends with {beyond}, but version {version} is requested; leave it out of the URL and pass version=")
    if beyond not in ("", version) or parts.query or parts.fragment:
        refuse("has more than scheme, host and port; the version is set by version=")
    loopback = host in THIS_MACHINE
    if parts.scheme != "https" and not loopback:
        refuse(f"would send the key to {host} without https")
    origin = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    if local and not loopback and origin != EMBEDDED_URL:
        refuse(f"points to {host}, but the environment is local: the embedded sandbox on this machine")
    if not local and origin == EMBEDDED_URL:
        refuse("is that of the embedded sandbox, but the environment is not local")
    return origin


def _checked_version(version: str, where: str) -> str:
    text = version.strip().lower()
    text = text if text.startswith("v") else f"v{text}"
    text = "v2.0" if text == "v2" else text
    if text not in VERSIONS:
        raise ConfigurationError(
            f"There is no API version {version!r} ({where}).", advice=f"Use one of {', '.join(VERSIONS)}."
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
            f"The seed {value!r} ({where}) is not an integer.", advice="Set it to an integer, or remove it."
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
        folder = Path(text).expanduser()  # RuntimeError if there is no such user
        if b"\0" not in str(folder).encode() and len(folder.parts) < _DEEPEST:  # lone surrogate: raises
            return folder
    except (ValueError, RuntimeError):
        pass
    raise ConfigurationError(
        f"{text[:200]!r} ({where}) cannot be a cache folder.",
        advice="Give the path of a folder with cache_dir= or NECTAR_CACHE_DIR.",
    )
