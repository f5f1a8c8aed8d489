"""A company's meters, although no list of them is documented.

Usage rows and accounts name the meters; each is then fetched by its id, at most ten at once. The undocumented list is
used if the API has it: one request instead of hundreds. A meter that may not be read keeps what its usage rows say.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.api import fetch, walk
from nectar_notebooks.cache.assembling import misplaced
from nectar_notebooks.errors import NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_notebooks.api import Session

__all__ = ["MeterReader"]

_AT_ONCE: Final = 10


class MeterReader:
    """Fetches the meters that a company's usage rows and accounts name.

    Parameters
    ----------
    session : Session
    company_id : str
    usage, connections : mapping of str to DataFrame
        The tables of these walks.
    """

    def __init__(
        self,
        session: Session,
        company_id: str,
        usage: Mapping[str, pd.DataFrame],
        connections: Mapping[str, pd.DataFrame],
    ) -> None:
        self._session = session
        self._company_id = company_id
        self._usage = usage
        self._connections = connections
        named = pd.concat([usage["meters"]["meter_id"], connections["account_meters"]["meter_id"]])
        self._ids = sorted(set(named.dropna()))

    def missing(self, held: Mapping[str, pd.DataFrame]) -> bool:
        """Return whether a meter is named that `held` lacks."""
        return not set(self._ids) <= set(held["meters"]["meter_id"])

    def read(self, held: Mapping[str, pd.DataFrame] | None) -> tuple[dict[str, pd.DataFrame], int, bool]:
        """Return tables ``meters`` and ``identifiers``, the requests spent, and whether all meters were fetched.

        Parameters
        ----------
        held : mapping of str to DataFrame, optional
            Tables of an earlier call: if there is no list, only moved and new meters are fetched.
        """
        rows, spent, listed = self._list()
        known = {row["id"] for row in rows}
        if held is not None and not listed:
            known = set(held["meters"]["meter_id"]) - misplaced(held, self._usage)
        wanted = [meter_id for meter_id in self._ids if meter_id not in known]
        rows += self._one_by_one(wanted)
        read = tables.build("meters", rows, company_id=self._company_id)
        sources = [read, self._usage]
        if held is not None and not listed:
            # Rows fetched now replace all earlier rows of their meter.
            again = set(read["meters"]["meter_id"])
            sources.insert(1, {name: held[name][~held[name]["meter_id"].isin(again)] for name in read})
        meters, identifiers = tables.combine_meters(
            [(source["meters"], source["identifiers"]) for source in sources],
            self._connections["account_meters"],
        )
        frames = {"meters": meters, "identifiers": identifiers}
        frames = {
            name: frame.sort_values("meter_id", kind="stable", ignore_index=True) for name, frame in frames.items()
        }
        return frames, spent + len(wanted), listed or held is None

    def _list(self) -> tuple[list[dict[str, Any]], int, bool]:
        """Return the rows of the undocumented list, the requests spent, and whether the API has it."""
        try:
            walked = walk(self._session, "meters.company", company_id=self._company_id)
        except (NotFoundError, PermissionDeniedError):
            return [], 1, False
        return walked.rows, walked.requests, True

    def _one_by_one(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        """Return the rows of the meters that may be read; the others are left out."""

        def read(meter_id: str) -> dict[str, Any] | None:
            try:
                return fetch(self._session, "meter.get", meter_id=meter_id)
            except (NotFoundError, PermissionDeniedError):
                return None

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="nectar-meters") as pool:
            return [row for row in pool.map(read, ids) if row is not None]
