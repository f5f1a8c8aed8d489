"""How much one meter used on one bill, where several lines charge the same energy.

A bill names the same kWh on its energy, delivery and fuel lines, or splits them into tiers or times of use.
Lines whose descriptions differ only in words of a part (peak, tier, a number) form a family; within a family
different quantities add up, between families the largest holds, because each charges the same energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from nectar_notebooks.sandbox.loader.lines import Line
from nectar_notebooks.sandbox.loader.words import Vocabulary

__all__ = ["Counted", "count"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A usage, its time-of-use parts (period, usage, description), and whether its lines agree on it."""

    usage: Decimal
    parts: tuple[tuple[str, Decimal, str], ...]
    agreed: bool


def count(lines: list[Line], words: Vocabulary) -> Counted:
    """Return what the lines of one meter, unit and period say was used, each unit of energy once."""
    families: dict[str, dict[tuple[str, Decimal], Line]] = {}
    for line in lines:
        assert line.quantity is not None  # noqa: S101 - for mypy: lines of usage alone come here
        families.setdefault(words.family(line.item), {}).setdefault((line.item, line.quantity), line)
    totals = {name: sum((key[1] for key in members), Decimal(0)) for name, members in families.items()}
    name = max(totals, key=lambda name: (abs(totals[name]), len(families[name])))
    parts: list[tuple[str, Decimal, str]] = []
    for item, quantity in families[name]:
        period = words.period(item)
        if period is not None:
            parts.append((period, quantity, item))
    split = len(parts) > 1 and len(parts) == len(families[name])
    agreed = all(total in (0, totals[name]) for total in totals.values())
    return Counted(totals[name], tuple(parts) if split else (), agreed)
