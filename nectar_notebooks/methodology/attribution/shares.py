"""The engine under `attribute`: which meters each line item charges, by what weights, under which rule.

Arrays only: line items are places 0.., bills and meters are numbers. What a line item says is read in
`charges`, what stands on the bills in `meters`; frames are made in `attribution`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.attribution.meters import MIXED, Meters, Records, Roster
from nectar_notebooks.methodology.attribution.pools import Pool
from nectar_notebooks.methodology.attribution.reading import (
    HEADS,
    MONEY,
    NOTHING,
    Accounts,
    Items,
    Parts,
    Readings,
    Weights,
)
from nectar_notebooks.methodology.charges import Rule, words
from nectar_notebooks.methodology.keys import expand

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["METHODS", "share_out"]

METHODS: Final = ("usage", "demand", "equal", "proportional", "meter", "finance", "unattributed")
_USAGE, _DEMAND, _EQUAL, _PROPORTIONAL, _METER, _FINANCE, _UNATTRIBUTED = range(7)
_ENDS: Final = tuple(
    enumerate(
        (
            "",
            "; their usage is all zero: equally",
            "; their units do not convert: equally",
            "; a usage is missing: equally",
            "; they measure several commodities: equally",
        )
    )
)
_FIELDS: Final = ("item", "meter", "slot", "amount", "share", "method", "reason")
_WEIGHTS: Final = ("weight", "whole", "places", "measure")


def share_out(
    items: Items,
    accounts: Accounts,
    readings: Readings | None,
    records: Records,
    roster: Roster,
    meters: Meters,
    *,
    weighed: bool = False,
) -> tuple[Parts, list[str], Weights | None]:
    """Return the parts of all line items, sorted by item and meter, and the texts of their reasons.

    Where they are to be `weighed`, what each share was made by comes third, in the same order.
    """
    return _Sharing(items, accounts, readings, records, roster, meters, weighed).run()


class _Sharing:
    """The rules of the table, one method each; every line item ends in exactly one of them."""

    def __init__(
        self,
        items: Items,
        accounts: Accounts,
        readings: Readings | None,
        records: Records,
        roster: Roster,
        meters: Meters,
        weighed: bool,
    ) -> None:
        self._items, self._accounts, self._readings = items, accounts, readings
        self._records, self._roster, self._meters = records, roster, meters
        self._reasons: dict[str, int] = {}
        self._done: list[Parts] = []
        self._weighed: list[Weights] | None = [] if weighed else None

    def run(self) -> tuple[Parts, list[str], Weights | None]:
        rule = self._items.said.rule
        self._alone(np.flatnonzero(rule == Rule.FINANCE), _FINANCE, "late fee or earlier period: not energy cost")
        self._named(np.flatnonzero(rule == Rule.METER))
        self._fixed(np.flatnonzero(rule == Rule.FIXED))
        unclear = [
            self._energy(np.flatnonzero(rule == Rule.ENERGY), "energy charge: by share of usage"),
            self._demand(np.flatnonzero(rule == Rule.DEMAND)),
        ]
        self._proportional(np.sort(np.concatenate([*unclear, np.flatnonzero(rule == Rule.SHARED)])))
        parts = Parts(*(np.concatenate([getattr(done, name) for done in self._done]) for name in _FIELDS))
        order = np.argsort(parts.item, kind="stable")
        weights = None
        if self._weighed is not None:
            columns = (np.concatenate([getattr(one, name) for one in self._weighed])[order] for name in _WEIGHTS)
            weights = Weights(*columns)
        return Parts(*(getattr(parts, name)[order] for name in _FIELDS)), list(self._reasons), weights

    # how an item ends

    def _alone(self, items: Ints, method: int, reason: str) -> None:
        """Leave whole items without a meter."""
        if not len(items) and self._done:
            return
        none, number = np.full(len(items), -1), len(items)
        if self._weighed is not None:
            zero = np.zeros(number, dtype=np.int64)
            self._weighed.append(Weights(zero, zero, zero, np.full(number, NOTHING)))
        self._done.append(
            Parts(
                items, none, none, self._items.amount[items], np.ones(number),
                np.full(number, method), np.full(number, self._reason(reason)),
            )
        )  # fmt: skip

    def _settle(
        self,
        pool: Pool,
        weight: Ints,
        method: int,
        reason: str,
        why: Ints | None = None,
        measured: tuple[Ints, Ints] | None = None,
    ) -> None:
        """Share items out by weight; `why` > 0 is the place in `_ENDS` that says why not.

        `measured` is the measure and the decimals of each weight; without it meters are counted.
        """
        number = len(pool.items)
        if not number:
            return
        sizes = pool.sizes()
        whole = np.bincount(pool.owner, weights=weight, minlength=number)
        why = np.zeros(number, dtype=np.int64) if why is None else why
        why = np.where((why == 0) & (whole == 0), 1, why)
        weight = np.where(why[pool.owner] > 0, 1, weight)
        whole = np.where(why > 0, sizes, whole)
        if self._weighed is not None:
            heads = np.full(len(weight), HEADS), np.zeros(len(weight), dtype=np.int64)
            measure, places = (
                heads
                if measured is None
                else (np.where(why[pool.owner] > 0, *pair) for pair in zip(heads, measured, strict=True))
            )
            self._weighed.append(Weights(weight, whole[pool.owner], places, measure))
        reasons = np.array([self._reason(reason + end) if (why == i).any() else -1 for i, end in _ENDS])
        amount = money.apportion(self._items.amount[pool.items], weight, sizes)
        self._done.append(
            Parts(
                pool.items[pool.owner], pool.meter, pool.slot, amount, weight / whole[pool.owner],
                np.where(why > 0, _EQUAL, method)[pool.owner], reasons[why][pool.owner],
            )
        )  # fmt: skip

    def _reason(self, reason: str) -> int:
        return self._reasons.setdefault(reason, len(self._reasons))

    # which meters an item may charge

    def _allowed(self, item: Ints, meter: Ints) -> Flags:
        """Say which meters belong to an account of the item; with no account named, all do."""
        account, one = self._meters.account[meter], self._accounts.one[item]
        allowed = (one == -1) | (one == account)
        several = np.flatnonzero(one == -2)
        if len(several):
            wide = len(self._meters.accounts) + 2
            pairs = self._accounts.item * wide + self._accounts.account
            allowed[several] = np.isin(item[several] * wide + account[several], pairs)
        return np.asarray(allowed)

    def _on_bill(self, items: Ints) -> Pool:
        """Return the meters with usage on each item's bill that belong to its accounts."""
        bill = self._items.bill[items]
        owner, slot = expand(self._roster.first[bill], self._roster.count[bill])
        pool = Pool(items, owner, self._roster.meter[slot], slot)
        # a meter whose account nobody knows stands in where none is known to belong
        return pool.prefer(self._allowed(items[owner], pool.meter), self._meters.account[pool.meter] < 0)

    def _narrowed(self, pool: Pool) -> Pool:
        """Keep the meters of the commodity and subtype that the item names, by column, unit or words."""
        said, meters, roster = self._items.said, self._meters, self._roster
        for wanted, has in ((said.commodity, meters.commodity), (said.subtype, meters.subtype)):
            if (wanted[pool.items] >= 0).any():
                want = wanted[pool.items][pool.owner]
                pool = pool.prefer((want < 0) | (has[pool.meter] == want), has[pool.meter] < 0)
        mixed = pool.differs((meters.commodity * (len(meters.subtypes) + 1) + meters.subtype)[pool.meter])
        if not mixed.any():
            return pool
        for said_unit, unit in ((self._items.unit, roster.unit), (self._items.kind, roster.kind)):
            asked = np.where(mixed, said_unit[pool.items], -1)[pool.owner]
            hit = (asked >= 0) & (asked == unit[pool.slot])
            wide = len(meters.commodities) + 1
            kinds = pool.owner * wide + meters.commodity[pool.meter] + 1
            pool = pool.prefer((asked < 0) | np.isin(kinds, kinds[hit]))
        named = words(self._items.description.iloc[pool.items[mixed]], meters.commodities, meters.subtypes)
        for found, has in zip(named, (meters.commodity, meters.subtype), strict=True):
            want = np.full(len(pool.items), -1)
            want[mixed] = found
            pool = pool.prefer((want[pool.owner] < 0) | (has[pool.meter] == want[pool.owner]))
        return pool

    def _of_named(self, pool: Pool) -> Pool:
        """Keep the meters of the commodity that an item names in a column."""
        said, commodity = self._items.said, self._meters.commodity[pool.meter]
        right = ~said.named[pool.items][pool.owner] | (commodity == said.commodity[pool.items][pool.owner])
        return pool.prefer(right, commodity < 0)

    def _of_its_kind(self, pool: Pool) -> tuple[Pool, Flags]:
        """Keep the meters of the water subtype that an item names, and say where: water is not sewer."""
        meters, said = self._meters, self._items.said
        water = meters.commodity == (meters.commodities.index("WATER") if "WATER" in meters.commodities else -2)
        mixed = pool.differs(np.where(water, meters.subtype, -1)[pool.meter])
        if not mixed.any():
            return pool, mixed
        want = said.subtype[pool.items]
        unsaid = np.flatnonzero(mixed & (want < 0))
        told = self._items.description.iloc[pool.items[unsaid]]
        want[unsaid] = words(told, meters.commodities, meters.subtypes)[1]
        want[~mixed] = -1
        hit = (want[pool.owner] >= 0) & (meters.subtype[pool.meter] == want[pool.owner])
        return pool.prefer(hit | (want[pool.owner] < 0)), pool.any(hit)

    # the rules

    def _named(self, items: Ints) -> None:
        """Charge the meter that the item itself names."""
        meter = self._items.meter[items]
        slot = self._roster.find(self._items.bill[items], meter)
        pool = Pool(items, np.arange(len(items)), meter, slot)
        self._settle(pool, np.ones(len(items), dtype=np.int64), _METER, "the line item names its meter")

    def _energy(self, items: Ints, reason: str, *, last: bool = False) -> Ints:
        """Share by usage; return the items that might belong to several commodities, unless it is the `last`."""
        pool, roster = self._narrowed(self._on_bill(items)), self._roster
        pool = pool.prefer(roster.imports[pool.slot])
        empty = pool.sizes() == 0
        bare = self._roster.count[self._items.bill[items]] == 0
        self._alone(items[empty & bare], _UNATTRIBUTED, "no meter with usage on the bill")
        self._alone(items[empty & ~bare], _UNATTRIBUTED, "no meter of its account and commodity with usage on the bill")
        pool = pool.only(~empty)
        several = pool.differs(self._meters.commodity[pool.meter])
        unclear = pool.items[several & (not last)]
        pool, several = pool.only(~several | last), several[~several | last]
        why = _why_equally(pool, roster.known[pool.slot], roster.scale[pool.slot])
        measured = roster.scale[pool.slot], roster.places[pool.slot]
        self._settle(pool, roster.weight[pool.slot], _USAGE, reason, np.where(several, 4, why), measured)
        return unclear

    def _demand(self, items: Ints) -> Ints:
        """Charge the meters of the bill's demand readings; return what is left unclear."""
        readings = self._readings
        if readings is None or not len(items):
            return self._energy(items, "demand charge without a reading: by share of usage")
        bill = self._items.bill[items]
        has = readings.count[bill] > 0
        unclear = [self._energy(items[~has], "demand charge without a reading: by share of usage")]
        items, bill = items[has], bill[has]
        if readings.reading is None or readings.record is None:
            unclear.append(self._energy(items, "demand charge, its reading names no meter: by share of usage"))
            return np.concatenate(unclear)
        owner, row = expand(readings.first[bill], readings.count[bill])
        quantity, unit = self._items.quantity[items][owner], readings.item_unit[items][owner]
        same = np.isclose(quantity, readings.demand[row], rtol=1e-9) & (unit == readings.unit[row])
        matched = Pool(items, owner, row, row).prefer(same)  # the reading that the item bills, else all
        starts = np.searchsorted(readings.reading, matched.slot)
        counts = np.searchsorted(readings.reading, matched.slot, side="right") - starts
        pair, relation = expand(starts, counts)
        key = np.unique(matched.owner[pair] * (len(self._records.meter) + 1) + readings.record[relation])
        owner, record = np.divmod(key, len(self._records.meter) + 1)
        pool = Pool(items, owner, self._records.meter[record], record)
        empty = pool.sizes() == 0
        self._alone(items[empty], _UNATTRIBUTED, "the demand reading names no usage record of a meter")
        pool = pool.only(~empty)
        pool = pool.where(self._allowed(pool.items[pool.owner], pool.meter))
        foreign = pool.sizes() == 0
        unclear.append(
            self._energy(pool.items[foreign], "demand charge without a reading of its account: by share of usage")
        )
        self._by_records(pool.only(~foreign).prefer(self._records.imports[pool.only(~foreign).slot]))
        return np.concatenate(unclear)

    def _by_records(self, pool: Pool) -> None:
        """Settle demand charges whose pool names usage records in place of the roster's rows."""
        records = self._records
        key = pool.owner * (len(self._meters.about) + 1) + pool.meter
        first = np.flatnonzero(np.diff(key, prepend=-1))
        if not len(first):
            return
        weight = np.abs(np.add.reduceat(records.weight[pool.slot], first))
        why = _why_equally(pool, records.known[pool.slot], records.scale[pool.slot])
        meter = pool.meter[first]
        slot = self._roster.find(self._items.bill[pool.items][pool.owner[first]], meter)
        charged = Pool(pool.items, pool.owner[first], meter, slot)
        measured = records.scale[pool.slot][first], records.places[pool.slot][first]
        self._settle(charged, weight, _DEMAND, "demand charge: the meters of the demand reading", why, measured)

    def _fixed(self, items: Ints) -> None:
        """Share equally among all meters of the account, on the bill or not."""
        one = self._accounts.one[items]
        by_account = np.argsort(self._meters.account, kind="stable")
        sorted_accounts = self._meters.account[by_account]
        several = np.isin(self._accounts.item, items[one == -2])
        place = np.concatenate([
            np.flatnonzero(one >= 0), np.searchsorted(items, self._accounts.item[several])
        ])  # fmt: skip
        account = np.concatenate([one[one >= 0], self._accounts.account[several]])
        starts = np.searchsorted(sorted_accounts, account)
        counts = np.searchsorted(sorted_accounts, account, side="right") - starts
        pair, position = expand(starts, counts)
        wide = len(self._meters.about) + 1
        key = np.unique(place[pair] * wide + by_account[position])
        owner, meter = np.divmod(key, wide)
        pool = Pool(items, owner, meter, np.full(len(meter), -1))
        pool.slot = self._roster.find(self._items.bill[items][owner], meter)
        found = pool.sizes() > 0
        pool = self._of_named(pool)
        lost = found & (pool.sizes() == 0)
        self._alone(items[lost], _UNATTRIBUTED, "no meter of the commodity it names is known on its account")
        pool, of_kind = self._of_its_kind(pool)
        for chosen, whom in (
            (found & ~lost & ~of_kind, "all meters of the account"),
            (of_kind, "the account's meters of the kind it names"),
        ):
            part = pool.only(chosen)
            self._settle(part, np.ones(len(part.owner), dtype=np.int64), _EQUAL, f"fixed charge: equally among {whom}")
        pool = self._of_named(self._on_bill(items[~found]))
        empty = pool.sizes() == 0
        self._alone(pool.items[empty], _UNATTRIBUTED, "no meter of its account is known, and none is on the bill")
        pool = pool.only(~empty)
        reason = "fixed charge: equally among all meters on the bill"
        self._settle(pool, np.ones(len(pool.owner), dtype=np.int64), _EQUAL, reason)

    def _proportional(self, items: Ints) -> None:
        """Share in proportion to what the bill's other charges gave each meter."""
        if not len(items):
            return
        given = [done for done in self._done if len(done.item) and done.meter[0] >= 0]
        owner_item = np.concatenate([np.zeros(0, dtype=np.int64), *(done.item for done in given)])
        meter = np.concatenate([np.zeros(0, dtype=np.int64), *(done.meter for done in given)])
        amount = np.concatenate([np.zeros(0, dtype=np.int64), *(done.amount for done in given)])
        wide = len(self._meters.about) + 1
        charged, place = np.unique(self._items.pocket[owner_item] * wide + meter, return_inverse=True)
        base = np.zeros(len(charged), dtype=np.int64)
        np.add.at(base, place, amount)
        pocket = self._items.pocket[items]
        starts = np.searchsorted(charged, pocket * wide)
        counts = np.searchsorted(charged, (pocket + 1) * wide) - starts
        owner, row = expand(starts, counts)
        pool = Pool(items, owner, charged[row] % wide, row)
        pool = pool.where(self._allowed(items[owner], pool.meter) & (base[row] != 0))
        want = self._items.said.commodity[pool.items][pool.owner]
        pool = pool.where((want < 0) | (self._meters.commodity[pool.meter] == want))
        pool, _ = self._of_its_kind(pool)
        found = pool.sizes() > 0
        rest = items[~found]
        pool = pool.only(found)
        weight = np.abs(base[pool.slot])
        pool.slot = self._roster.find(self._items.bill[pool.items][pool.owner], pool.meter)
        money_of_item = np.full(len(weight), MONEY), np.zeros(len(weight), dtype=np.int64)
        self._settle(pool, weight, _PROPORTIONAL, "in proportion to the bill's other charges", measured=money_of_item)
        self._energy(rest, "no other charge on the bill to follow: by share of usage", last=True)


def _why_equally(pool: Pool, known: Flags, scale: Ints) -> Ints:
    """Return for each item why its meters' usage cannot be shared by (a place in `_ENDS`), or 0."""
    return np.where(pool.differs(scale) | pool.any(scale == MIXED), 2, np.where(pool.any(~known), 3, 0))
