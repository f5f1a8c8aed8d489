"""Where the key, the environment, the version, the base URL and the cache folder come from.

Looked for in this order: the argument, environment variables, a ``.env`` file, the system's keyring where one is
installed. :func:`resolve` answers with :class:`Settings`, which says where each was found and never shows a key.
Connecting is left to others.

In a *rehearsal* (asked for by NECTAR_REHEARSAL, or by whoever tests) every connection ends at an embedded sandbox,
whatever environment, address, key and cache folder it names.
"""

from nectar_notebooks.config.places import keys_in_sight
from nectar_notebooks.config.secret import Secret
from nectar_notebooks.config.settings import EMBEDDED_URL, ENVIRONMENTS, NECTAR_URL, VERSIONS, Settings, resolve

__all__ = ["EMBEDDED_URL", "ENVIRONMENTS", "NECTAR_URL", "VERSIONS", "Secret", "Settings", "keys_in_sight", "resolve"]
