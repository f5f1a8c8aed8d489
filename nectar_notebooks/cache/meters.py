"""A company's meters, although no list of them is documented.

Which meters there are is known from usage rows and from the accounts; each is then asked for by its id, ten at
once at most. The list that we only assume is used where it answers, because it is one request instead of
hundreds. A meter that may not be read stays with what its usage rows say of it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.api import fetch, walk
from nectar_notebooks.errors import NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_notebooks.api import Session

__all__ = ["MeterReader"]

_AT_ONCE: Final = 10


class MeterReader:
    """Reads the meters that a company's usage rows and accounts name.

    Parameters
    ----------
    session : Session
    company_id : str
    usage, connections : mapping of str to DataFrame
        Tables of those walks.
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
        """Say whether a meter is named that `held` does not have."""
        return not set(self._ids) <= set(held["meters"]["meter_id"])

    def read(self, held: Mapping[str, pd.DataFrame] | None) -> tuple[dict[str, pd.DataFrame], int, bool]:
        """Return tables ``meters`` and ``identifiers``, the requests spent, and whether all were asked for.

        Parameters
        ----------
        held : mapping of str to DataFrame, optional
            What was read before: of these only the moved ones are asked for again, where there is no list.
        """
        rows, spent, listed = self._list()
        known = {row["id"] for row in rows}
        if held is not None and not listed:
            known = set(held["meters"]["meter_id"]) - _moved(held["meters"], self._usage["usage"])
        wanted = [meter_id for meter_id in self._ids if meter_id not in known]
        rows += self._one_by_one(wanted)
        sources = [] if held is None or listed else [held]
        frames = _combine(rows, sources, self._usage, self._connections, self._company_id)
        return frames, spent + len(wanted), listed or held is None

    def _list(self) -> tuple[list[dict[str, Any]], int, bool]:
        """Return the rows of the assumed list, what they cost, and whether it answers at all."""
        try:
            walked = walk(self._session, "meters.company", company_id=self._company_id)
        except (NotFoundError, PermissionDeniedError):
            return [], 1, False
        return walked.rows, walked.requests, True

    def _one_by_one(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        """Return a row for each meter that may be read; the others are left out."""

        def read(meter_id: str) -> dict[str, Any] | None:
            try:
                return fetch(self._session, "meter.get", meter_id=meter_id)
            except (NotFoundError, PermissionDeniedError):
                return None

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="nectar-meters") as pool:
            return [row for row in pool.map(read, ids) if row is not None]


def _combine(
    rows: list[dict[str, Any]],
    held: list[Mapping[str, pd.DataFrame]],
    usage: Mapping[str, pd.DataFrame],
    connections: Mapping[str, pd.DataFrame],
    company_id: str,
) -> dict[str, pd.DataFrame]:
    """Return meters and identifiers: as asked just now, else as held, else as usage rows and accounts say."""
    frames = tables.build("meters", rows, company_id=company_id)
    sources = [frames, *held, usage]
    meters = _first_of(sources, "meters")
    named = connections["account_meters"].drop_duplicates("meter_id")
    unknown = named[~named["meter_id"].isin(set(meters["meter_id"]))]
    if len(unknown):
        bare = tables.empty("meters").reindex(range(len(unknown)))
        bare["meter_id"] = unknown["meter_id"].to_numpy()
        meters = pd.concat([meters, bare.astype(meters.dtypes.to_dict())], ignore_index=True)
    account = meters["meter_id"].map(named.set_index("meter_id")["account_id"])
    meters["account_id"] = meters["account_id"].fillna(account.astype(meters["account_id"].dtype))
    return {
        "meters": meters.sort_values("meter_id", ignore_index=True),
        "identifiers": _first_of(sources, "identifiers").sort_values("meter_id", kind="stable", ignore_index=True),
    }


def _first_of(sources: list[Mapping[str, pd.DataFrame]], table: str) -> pd.DataFrame:
    """Return each meter's rows from the first source that has the meter."""
    seen: set[str] = set()
    parts = []
    for source in sources:
        frame = source[table]
        parts.append(frame[~frame["meter_id"].isin(seen)])
        seen |= set(source["meters"]["meter_id"])
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0].reset_index(drop=True)


def _moved(meters: pd.DataFrame, usage: pd.DataFrame) -> set[str]:
    """Return the ids of meters whose usage says another site: they were moved since they were read."""
    latest = usage.dropna(subset=["meter_id", "site_id"]).drop_duplicates("meter_id", keep="last")
    says = meters["meter_id"].map(latest.set_index("meter_id")["site_id"])
    return set(meters.loc[says.notna() & (says != meters["site_id"]), "meter_id"])
