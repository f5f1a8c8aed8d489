"""Where the key, the environment, the version, the base URL and the cache folder come from.

Sources, in order: the argument, environment variables, a ``.env`` file, and the system's keyring if installed.
:func:`resolve` returns :class:`Settings`, which say where each value was found and never show a key. Connecting is left
to others.

In a *rehearsal* (NECTAR_REHEARSAL, or ``rehearsal=True``, for tests) every connection ends at an embedded sandbox, no
matter which environment, address, key and cache folder it names.
"""

from nectar_notebooks.config.places import keys_in_sight
from nectar_notebooks.config.secret import Secret
from nectar_notebooks.config.settings import EMBEDDED_URL, ENVIRONMENTS, NECTAR_URL, VERSIONS, Settings, resolve

__all__ = ["EMBEDDED_URL", "ENVIRONMENTS", "NECTAR_URL", "VERSIONS", "Secret", "Settings", "keys_in_sight", "resolve"]
