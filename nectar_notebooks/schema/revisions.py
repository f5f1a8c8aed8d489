"""Chains of revisions: why a replaced bill does not count, and whether a chain comes back to itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["SUPERSEDED", "circle"]

#: Why a bill that another one replaces does not count, nor what stands on it.
SUPERSEDED: Final = "superseded"


def circle(successor: Mapping[str, str]) -> list[str]:
    """Return the bills of a chain that comes back to itself, in the order of the chain; empty where none does.

    Parameters
    ----------
    successor : mapping of str to str
        The bill that replaces each superseded one.

    Examples
    --------
    >>> circle({"a": "b", "b": "c", "c": "b"})
    ['b', 'c']
    >>> circle({"a": "b"})
    []
    """
    done: set[str] = set()
    for first in successor:
        chain: list[str] = []
        bill = first
        while bill in successor and bill not in done:
            done.add(bill)
            chain.append(bill)
            bill = successor[bill]
        if bill in chain:
            return chain[chain.index(bill) :]
    return []
