"""`diagnose`: what is wrong with a connection, also where there is none to be had.

The one place that turns a failure to connect into a finding; what is looked at stands in `diagnosis`.
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
    """Say what is wrong with a connection and what to check first, in the order of Nectar's developer FAQ.

    It never fails: a missing key, a refused one, a wrong host, no network are findings. It asks little: a ping for each
    key, the list of companies, and the first ten of them one by one.

    Parameters
    ----------
    environment, key, version, base_url : optional
        As :func:`connect` takes them.
    object_id : str, optional
        An id that a call refused: say which kind of object it belongs to, if any that the key can read.

    Returns
    -------
    Diagnosis
        Shows itself in a notebook and a terminal; ``ok``, ``wrong``, ``checks``, ``frame``, ``to_dict()``. It holds no
        key.

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
        return []  # a file or keyring that cannot be read: that is the finding already
