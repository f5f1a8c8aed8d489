"""Which accounts are known not to count, and how that is said: the one home of the rule and of its words.

All accounts count but those *known* not to. `tables` marks what was fetched by it, `methodology` what it is given.
"""

from __future__ import annotations

from typing import Final

from nectar_notebooks.schema.values import ACCOUNT_STATUSES_NOT_COUNTED

__all__ = ["NOT_DUPLICATE", "why_not_counted"]

#: What `duplicate` may say, in lower case, of an account that repeats no other; any other text says that it does.
NOT_DUPLICATE: Final = ("", "false", "0")

_DETECTED, _NOT_TRACKED = ACCOUNT_STATUSES_NOT_COUNTED


def why_not_counted(status: object, tracking: object, duplicate: bool) -> str | None:
    """Return why an account does not count; None where it does.

    Parameters
    ----------
    status, tracking : str
        As the API says them; whatever is no text is not known.
    duplicate : bool
        Whether it repeats another account.

    Examples
    --------
    >>> why_not_counted("DETECTED", "ENABLED", False), why_not_counted("ONBOARDED", None, False)
    ('detected account', None)
    """
    if duplicate:
        return "duplicate account"
    state = status.upper() if isinstance(status, str) else ""
    if state == _DETECTED:
        return "detected account"
    if state == _NOT_TRACKED or (isinstance(tracking, str) and tracking.upper() == "DISABLED"):
        return "account not tracked"
    return None
