"""Who is known to an organization: the members that a list of users may name.

The API's keys belong to an organization and act for a member, *the caller*; the embedded sandbox has one such member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_notebooks.sandbox.problems import bad_field

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.calls import Call

__all__ = ["CALLER", "MEMBERS", "check_known", "with_caller"]

#: The member for whom every key acts.
CALLER: Final = "owner@example.com"
#: Members that every embedded sandbox knows beside the users of its companies.
MEMBERS: Final = (CALLER, "analyst@example.com", "onboarding@example.com")


def check_known(call: Call, users: list[str]) -> None:
    """Refuse a list of users that names nobody's address."""
    listed = call.db.execute("SELECT j.value FROM companies c, json_each(c.record, '$.users') j")
    known = {*MEMBERS, *(user for (user,) in listed)}
    unknown = [user for user in users if user not in known]
    if unknown:
        raise bad_field("users", f"{unknown[0][:80]!r} is no user of this organization.")


def with_caller(users: list[str]) -> list[str]:
    """Return a list of users, each once, with the caller in it."""
    return list(dict.fromkeys([CALLER, *users]))
