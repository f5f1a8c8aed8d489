"""States of accounts, and which accounts are known not to count: the one home of the rule and of its words.

All accounts count but those *known* not to. `tables` marks what was fetched by it, `methodology` what it is given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from nectar_notebooks.printing import printable
from nectar_notebooks.schema.values import ACCOUNT_STATUSES

__all__ = [
    "NOT_DUPLICATE",
    "UnknownStateWarning",
    "account_state",
    "has_ended",
    "name_states",
    "unknown_states",
    "why_not_counted",
]


class UnknownStateWarning(UserWarning):
    """Accounts are in a state that nobody knows; they count, and the message names the state."""


#: What `duplicate` may say, in lower case, of an account that repeats no other; any other text says that it does.
NOT_DUPLICATE: Final = ("", "false", "0")

_NOT_TRACKED: Final = "account not tracked"
_REPEATED: Final = "duplicate account"
#: States that take an account out of every sum, and the reason; every other state counts.
_WHY: Final[Mapping[str, str]] = {
    "CUSTOMER_NOT_TRACKED": _NOT_TRACKED,
    "DETECTED": "detected account",
    "DUPLICATE": _REPEATED,
    "INACTIVE": "inactive account",
}
#: States of accounts whose bills ended with the last one there is; a closed account is not documented, and is old too.
_ENDED: Final = ("OLD_ACCOUNT", "INACTIVE")
_CLOSED: Final = ("CLOSED", "CLOSEDACCOUNT")
_ACCOUNT: Final = "ACCOUNT"


def _letters(status: str) -> str:
    return re.sub(r"[\W_]+", "", status).upper()


_BY_LETTERS: Final = {
    key: state
    for state in ACCOUNT_STATUSES
    for ending in ("", _ACCOUNT)
    for key in (_letters(state).removesuffix(_ACCOUNT) + ending,)
}


@lru_cache(maxsize=1024)
def account_state(status: Hashable) -> str | None:
    """Return a state in the API's spelling, however it is spelled; one that nobody knows as it is; None for none.

    Examples
    --------
    >>> account_state("Old account"), account_state("old_account"), account_state("MERGED"), account_state(" ")
    ('OLD_ACCOUNT', 'OLD_ACCOUNT', 'MERGED', None)
    """
    if not isinstance(status, str) or not status.strip():
        return None
    return _BY_LETTERS.get(_letters(status), status.strip())


def has_ended(status: Hashable) -> bool:
    """Say whether no bill is expected of an account in this state after its last one.

    Examples
    --------
    >>> has_ended("Old account"), has_ended("closed"), has_ended("ONBOARDED")
    (True, True, False)
    """
    state = account_state(status)
    return state is not None and (state in _ENDED or _letters(state) in _CLOSED)


def unknown_states(statuses: Iterable[Hashable]) -> dict[str, int]:
    """Return the states that nobody knows, and how many accounts are in each; such accounts count.

    Examples
    --------
    >>> unknown_states(["ONBOARDED", "MERGED", "Needs pull", None, "MERGED"])
    {'MERGED': 2}
    """
    found = Counter(state for state in map(account_state, statuses) if state and state not in ACCOUNT_STATUSES)
    return dict(sorted(found.items()))


def name_states(states: Mapping[str, int]) -> str:
    """Return one sentence that names states nobody knows; empty where there are none."""
    if not states:
        return ""
    told = ", ".join(f"{state} ({number:,})" for state, number in states.items())
    return printable(f"Accounts in a state that is not documented, which count in every sum: {told}.")


def why_not_counted(status: Hashable, tracking: object, duplicate: bool) -> str | None:
    """Return why an account does not count; None where it does.

    Parameters
    ----------
    status, tracking : str
        As the API says them, spelled in any case, with spaces or underscores; whatever is no text is not known.
    duplicate : bool
        Whether it repeats another account.

    Examples
    --------
    >>> why_not_counted("Detected", "ENABLED", False), why_not_counted("OLD_ACCOUNT", None, False)
    ('detected account', None)
    """
    if duplicate:
        return _REPEATED
    state = account_state(status)
    if state is not None and state in _WHY:
        return _WHY[state]
    disabled = isinstance(tracking, str) and tracking.strip().upper() == "DISABLED"
    return _NOT_TRACKED if disabled else None
