"""`diagnose`: what is wrong with a connection, even if it cannot be made.

The only place that turns a failure to connect into a finding; the checks themselves are in `diagnosis`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks.config import keys_in_sight
from nectar_notebooks.connecting import connect
from nectar_notebooks.diagnosis import not_connected
from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from nectar_notebooks.diagnosis import Diagnosis

__all__ = ["diagnose"]


def diagnose(
    environment: str | None = None,
    *,
    key: str | tuple[str, ...] | None = None,
    version: str | None = None,
    base_url: str | None = None,
    object_id: str | None = None,
) -> Diagnosis:
    """Find out what is wrong with a connection, and what to check first, in the order of Nectar's developer FAQ.

    It never raises: a missing or refused key, a wrong host or no network are findings. It makes few requests: a ping
    for each key, the list of companies, and the first ten companies one by one.

    Parameters
    ----------
    environment, key, version, base_url : optional
        As in :func:`connect`.
    object_id : str, optional
        An id that a call refused: report what kind of object it belongs to, if the key can read it.

    Returns
    -------
    Diagnosis
        Displays itself in notebooks and terminals; has ``ok``, ``wrong``, ``checks``, ``frame`` and ``to_dict()``. It
        never contains a key.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nn.diagnose("production", key="'in quotes'").checks[0].check_first
    ('Copy it once more, without quotes.',)
    """
    try:
        nectar = connect(environment, key=key, version=version, base_url=base_url)
    except ConfigurationError as error:
        return not_connected(error, _in_sight() if key is None else ["the argument key"])
    return nectar.diagnose(object_id)


def _in_sight() -> list[str]:
    try:
        return keys_in_sight()
    except ConfigurationError:
        return []  # the file or keyring cannot be read: that is the finding already
