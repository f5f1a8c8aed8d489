"""Which meters each of many line items may charge, as rows of arrays that are narrowed step by step.

A pool knows nothing of charges, commodities or money: the rules that narrow it stand in `shares`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Pool"]


@dataclass(slots=True)
class Pool:
    """Candidate rows: `owner` numbers `items`, sorted; each row is a meter, and where else it was found."""

    items: Ints
    owner: Ints
    meter: Ints
    slot: Ints

    def sizes(self) -> Ints:
        """Return how many rows each item has."""
        return np.bincount(self.owner, minlength=len(self.items))

    def any(self, flag: Flags) -> Flags:
        """Say which items have a flagged row."""
        return np.asarray(np.bincount(self.owner[flag], minlength=len(self.items)) > 0)

    def differs(self, code: Ints) -> Flags:
        """Say which items have rows of different codes."""
        one = np.zeros(len(self.items), dtype=np.int64)
        one[self.owner] = code
        return self.any(code != one[self.owner])

    def where(self, keep: Flags) -> Pool:
        """Keep some rows; items stay, perhaps without any."""
        if keep.all():
            return self
        return Pool(self.items, self.owner[keep], self.meter[keep], self.slot[keep])

    def prefer(self, better: Flags, otherwise: Flags | None = None) -> Pool:
        """Keep the better rows of each item, or those `otherwise` allowed (all) where it has none."""
        if better.all():
            return self
        lacking = ~self.any(better)[self.owner]
        return self.where(better | (lacking if otherwise is None else lacking & otherwise))

    def only(self, chosen: Flags) -> Pool:
        """Keep some items with their rows."""
        if chosen.all():
            return self
        keep = chosen[self.owner]
        number = np.cumsum(chosen) - 1
        return Pool(self.items[chosen], number[self.owner[keep]], self.meter[keep], self.slot[keep])
