"""Where a question about a part of a company's bills is answered from: the whole, a kept answer, or the wire.

Where any of the whole is kept it is brought up to date and filtered: that costs little. Where nothing is, a narrow
question goes to the wire as it is. Which rows it then chooses is the client's business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nectar_notebooks.api import oldest
from nectar_notebooks.cache.assembling import INPUTS, assemble, dangling, unplaced
from nectar_notebooks.cache.meters import MeterReader
from nectar_notebooks.cache.narrow import BILL_TABLES, Narrow, NotNarrowError
from nectar_notebooks.cache.texts import within

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import pandas as pd

    from nectar_notebooks.api import AnswerTime
    from nectar_notebooks.cache.company import Company
    from nectar_notebooks.cache.library import Held, Library
    from nectar_notebooks.cache.narrow import NarrowQuestion
    from nectar_notebooks.cache.walks import Pulled

__all__ = ["Questions"]

#: Before v2.2 demand stands among the usage, and rows for times of the day fold: a part of them is not a part of this.
_VERSION: Final = "v2.2"


class Questions:
    """Narrow questions about one company.

    Parameters
    ----------
    library : Library
    company : Company
    """

    def __init__(self, library: Library, company: Company) -> None:
        self._library = library
        self._company = company

    def answer(self, question: NarrowQuestion, wanted: Collection[str]) -> Held:
        """Return the tables `wanted`, with at least all rows that the question needs."""
        company, offline = self._company, self._library.offline
        if offline:
            whole = all(company.held(name) for name in INPUTS)
        else:
            whole = company.held("documents") or company.held("usage")
        if not whole:
            kept = company.one_offs.find(question.needs, wanted)
            if kept is not None:
                return kept
        if whole or offline or self._library.place.version != _VERSION or company.one_offs.are_many():
            return company.portfolio(wanted)
        try:
            held = self._narrowly(question)
        except NotNarrowError as refusal:
            held = company.portfolio(wanted)
            return replace(held, requests=held.requests + refusal.requests)
        return replace(held, frames={name: held.frames[name] for name in wanted})

    def _narrowly(self, question: NarrowQuestion) -> Held:
        key = self._company.one_offs.key(question.asks)

        def pull(_: Held | None) -> Pulled:
            began = self._library.clock.now()
            narrow = Narrow(self._library, self._company.id, key, question)
            try:
                parts = narrow.read()
            except NotNarrowError as refusal:
                refusal.requests = narrow.requests
                raise
            frames, requests, given = self._put_together(parts)
            pulled = self._library.pulled(frames, len(frames["bills"]), narrow.requests + requests)
            return replace(pulled, began=began, given=oldest(narrow.given, given))

        return self._library.held(key, pull)

    def _put_together(
        self, parts: Mapping[str, Mapping[str, pd.DataFrame]]
    ) -> tuple[dict[str, pd.DataFrame], int, AnswerTime | None]:
        """Return the tables of these bills, the requests that all the rest took, and when it was answered."""
        readers: dict[str, Callable[..., Held]] = {
            "company": self._company.company,
            "connections": self._company.connections,
        }
        held = {name: read() for name, read in readers.items()}
        spent = sum(one.requests for one in held.values())
        for name in dangling({**parts, **{name: one.frames for name, one in held.items()}}) & set(held):
            if not held[name].requests:  # what was asked just now will not know more
                held[name] = readers[name](renew=True)
                spent += held[name].requests
        meters, requests = self._meters(parts["usage"], held["connections"].frames)
        spent += requests
        every = {**parts, **{name: one.frames for name, one in held.items()}, "meters": meters}
        given = oldest(*(one.given for one in held.values()))
        frames = assemble(every, given=given)
        lost = unplaced(frames)
        if len(lost):
            walked, requests = self._company.connection_lists(lost, frames["connections"])
            frames = assemble(every, walked, given=given)
            spent += requests
        return {name: frames[name] for name in BILL_TABLES}, spent, given

    def _meters(
        self, usage: Mapping[str, pd.DataFrame], connections: Mapping[str, pd.DataFrame]
    ) -> tuple[dict[str, pd.DataFrame], int]:
        """Return the meters of these usage rows, whose accounts say which rows count; and the requests."""
        named = connections["account_meters"]
        named = named[within(named["meter_id"], usage["meters"]["meter_id"])]
        reader = MeterReader(self._library.session, self._company.id, usage, {"account_meters": named})
        meters, requests, _ = reader.read(None)
        return meters, requests
