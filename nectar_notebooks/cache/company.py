"""One company: the walks of its resources, and the portfolio put together from them.

Each walk is a snapshot of its own. The portfolio is computed from five of them and kept too, with the generations it
was computed from. Whether a snapshot is fresh is decided by `library`, how a list is walked by `listing`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.api import fetch, oldest, walk
from nectar_notebooks.cache.assembling import (
    INPUTS,
    account_counts,
    assemble,
    dangling,
    gone_usage,
    misplaced,
    strayed,
    unplaced,
)
from nectar_notebooks.cache.library import Held
from nectar_notebooks.cache.listing import Listing
from nectar_notebooks.cache.manifest import status_history
from nectar_notebooks.cache.meters import MeterReader
from nectar_notebooks.cache.snapshots import Details, SnapshotKey
from nectar_notebooks.cache.store import DamagedSnapshotError
from nectar_notebooks.errors import ContractError, OfflineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nectar_notebooks.cache.library import Library
    from nectar_notebooks.cache.listing import Changes, Pulled

__all__ = ["Company"]

#: The whole list is walked again after this long: refreshes by changes miss what the API does not date.
_MAX_DELTA_AGE: Final = timedelta(days=7)


class Company:
    """The rows of one company, from a library.

    Parameters
    ----------
    library : Library
    company_id : str
    """

    def __init__(self, library: Library, company_id: str) -> None:
        self._library = library
        #: Taken once, so that a question is answered by one embedded sandbox.
        self.realm = library.look()
        self.id = company_id
        #: Scope of the kept answers to narrow questions, see `narrow`.
        self.questions = f"question/{company_id}"

    def key(self, resource: str) -> SnapshotKey:
        """Return the snapshot key of one of this company's resources."""
        return SnapshotKey(self.realm, resource, f"company/{self.id}")

    def held(self, resource: str) -> bool:
        """Return whether a resource is kept, however old; asks no API."""
        return self._library.fresh(self.key(resource), any_age=True) is not None

    def company(self, *, renew: bool = False) -> Held:
        """Return tables ``companies`` (one row) and ``sites``."""

        def pull(_: Held | None) -> Pulled:
            row = fetch(self._library.session, "company.get", company_id=self.id)
            return self._library.pulled(tables.build("companies", [row], company_id=self.id), 1, 1)

        return self._library.held(self.key("company"), pull, renew=renew)

    def connections(self, *, renew: bool = False) -> Held:
        """Return tables ``connections``, ``accounts`` and ``account_meters``."""
        held = self._listed("connections", renew=renew)
        if held.requests:
            key = self.key("connections")
            if self._library.keeps(key):
                self._library.store.record_statuses(key.realm, key.scope, held.frames["connections"], held.fetched)
        return held

    def status_history(self) -> pd.DataFrame:
        """Return the statuses of the connections in the order in which they were seen; asks no API."""
        key = self.key("connections")
        return status_history(self._library.store.manifest, key.realm, key.scope)

    def forget(self, *resources: str) -> None:
        """Drop these resources (default: all), because a write or an event changed them."""
        for resource in resources or (*INPUTS, "portfolio"):
            self._library.forget(self.key(resource))
        self.forget_answers()

    def kept_answers(self) -> list[SnapshotKey]:
        """Return the keys of the kept answers to narrow questions, however old."""
        return self._library.keys_within(self.realm, self.questions)

    def forget_answers(self) -> int:
        """Drop the kept answers to narrow questions; return their number."""
        kept = self.kept_answers()
        for key in kept:
            self._library.forget(key)
        return len(kept)

    def changes(self, since: datetime) -> Changes:
        """Ask which bills were updated or deleted since the UTC day of `since`."""
        return self._listing("documents").changes(since)

    def documents(self, *, renew: bool = False, whole: bool = False) -> Held:
        """Return the bills, their line items and demand; `whole` walks the whole list, whatever is kept."""
        return self._listed("documents", renew=renew or whole, whole=whole)

    def usage(self, *, renew: bool = False, whole: bool = False) -> Held:
        """Return the usage and its time of use; `whole` walks the whole list, whatever is kept."""
        return self._listed("usage", renew=renew or whole, whole=whole)

    def _listed(self, resource: str, *, renew: bool, whole: bool = False) -> Held:
        key = self.key(resource)
        listing = self._listing(resource)

        def pull(old: Held | None) -> Pulled:
            if old is not None and not whole and self._may_ask_changes(resource, old.details):
                gone = () if resource != "usage" else gone_usage(old.frames["usage"], self.documents().frames)
                began = datetime.fromisoformat(old.details.began)
                changes = listing.refresh(old.frames, began, old.details.walked, gone)
                if changes is not None:
                    return changes
            staging = self._library.staging(key)
            try:
                pulled = listing.pull(staging)
            except ContractError:
                staging.finish()  # unreadable pages must not be resumed from
                raise
            staging.finish()
            if resource == "connections":
                return replace(pulled, frames=account_counts(pulled.frames))
            return pulled

        return self._library.held(key, pull, renew=renew)

    def _listing(self, resource: str) -> Listing:
        library = self._library
        return Listing(library.session, library.clock, resource, self.id, quiet=library.quiet)

    def _may_ask_changes(self, resource: str, details: Details) -> bool:
        if resource == "usage" and self.realm.version != "v2.2":
            # Before v2.2 demand is listed with the usage and has no id to merge by.
            return False
        walked = datetime.fromisoformat(details.walked)
        return timedelta(0) <= self._library.clock.now() - walked <= _MAX_DELTA_AGE

    def meters(self, *, renew: bool = False) -> Held:
        """Return tables ``meters`` and ``identifiers``."""
        usage, connections = self.usage(), self.connections()
        reader = MeterReader(self._library.session, self.id, usage.frames, connections.frames)

        def pull(old: Held | None) -> Pulled:
            within = old is not None and self._may_ask_changes("meters", old.details)
            frames, requests, whole = reader.read(None if old is None or not within else old.frames)
            pulled = self._library.pulled(frames, len(frames["meters"]), requests)
            return pulled if whole or old is None else replace(pulled, walked=old.details.walked)

        held = self._library.held(self.key("meters"), pull, renew=renew)
        if not self._library.offline and reader.missing(held.frames):
            held = self._library.held(self.key("meters"), pull, renew=True)
        return replace(held, requests=held.requests + usage.requests + connections.requests)

    def intervals(self, connection_id: str, *, renew: bool = False) -> Held:
        """Return table ``intervals`` of one of this company's connections: a snapshot of its own."""
        library = self._library
        key = self._intervals_key(connection_id)

        def pull(_: Held | None) -> Pulled:
            walked = walk(library.session, "intervals.connection", connection_id=connection_id)
            frame = tables.build("intervals", walked.rows)["intervals"]
            frame["connection_id"] = pd.Series(connection_id, index=frame.index, dtype=frame["connection_id"].dtype)
            return library.pulled({"intervals": frame}, walked.total, walked.requests)

        return library.held(key, pull, renew=renew)

    def forget_intervals(self, connection_id: str) -> None:
        """Drop the intervals of a connection that was deleted."""
        self._library.forget(self._intervals_key(connection_id))

    def _intervals_key(self, connection_id: str) -> SnapshotKey:
        return SnapshotKey(self.realm, "intervals", f"connection/{connection_id}")

    def portfolio(self, wanted: Iterable[str] | None = None, *, renew: bool = False) -> Held:
        """Return every table of the company (or those `wanted`), computed from one generation of each walk.

        Raises
        ------
        OfflineError
            Offline, and a walk is missing; the message names each.
        """
        kept = None if renew else self._kept_portfolio(wanted)
        if kept is not None:
            return kept
        if self._library.offline:
            missing = [name for name in INPUTS if self._library.fresh(self.key(name)) is None]
            if missing:
                raise OfflineError(f"Offline, and of company {self.id} these were never fetched: {', '.join(missing)}.")
        return self._assembled(wanted, renew=renew)

    def _kept_portfolio(self, wanted: Iterable[str] | None) -> Held | None:
        inputs = [self._library.fresh(self.key(name)) for name in INPUTS]
        snapshot = self._library.fresh(self.key("portfolio"), any_age=True)
        if snapshot is None:
            return None
        generations = [one.generation for one in inputs if one is not None]
        if len(generations) < len(INPUTS) or snapshot.details.inputs != " ".join(generations):
            return None
        try:
            frames = self._library.store.read(snapshot, wanted)
        except DamagedSnapshotError:
            return None
        walks = [Held({}, one.fetched, one.generation, one.details) for one in inputs if one is not None]
        fetched = min(walk.fetched for walk in walks)
        return Held(frames, fetched, snapshot.generation, _given(snapshot.details, walks))

    def _assembled(self, wanted: Iterable[str] | None, *, renew: bool) -> Held:
        held, spent = self._gathered(renew=renew)
        parts = {name: part.frames for name, part in held.items()}
        given = oldest(*(part.given for part in held.values()))
        frames = assemble(parts, given=given)
        lost = unplaced(frames)
        if len(lost) and not self._library.offline:
            walked, requests = self.connection_lists(lost, frames["connections"])
            frames = assemble(parts, walked, given=given)
            spent += requests
        fetched = min(part.fetched for part in held.values())
        inputs = [part.generation for part in held.values()]
        details = _given(Details(began=fetched.isoformat(), requests=spent, inputs=" ".join(inputs)), held.values())
        generation = self._keep(frames, fetched, details) if all(inputs) else ""
        if generation:
            self.forget_answers()  # the portfolio answers their questions
        if wanted is not None:
            frames = {name: frames[name] for name in wanted}
        return Held(frames, fetched, generation, details, spent)

    def _gathered(self, *, renew: bool) -> tuple[dict[str, Held], int]:
        """Return the five walks, matching each other, and the number of requests."""
        readers: Mapping[str, Callable[..., Held]] = {name: getattr(self, name) for name in INPUTS}
        held = {name: readers[name](renew=renew) for name in INPUTS}
        spent = sum(part.requests for part in held.values())
        if self._library.offline:
            return held, spent
        # Ids that a walk references and another lacks are newer than the latter.
        for name in sorted(dangling({name: part.frames for name, part in held.items()}), key=INPUTS.index):
            held[name] = readers[name](renew=True)
            spent += held[name].requests
        if strayed({name: part.frames for name, part in held.items()}):
            # A bill replaced by another leaves the total unchanged, and perhaps no date to find it by.
            for name, read in (("documents", self.documents), ("usage", self.usage)):
                held[name] = read(whole=True)
                spent += held[name].requests
        usage = held["usage"]
        if misplaced(held["meters"].frames, usage.frames) and not usage.details.whole:
            # A meter was moved without an update of its usage: asking for changes would never show it.
            held["usage"] = self.usage(whole=True)
            spent += held["usage"].requests
        return held, spent

    def _keep(self, frames: dict[str, pd.DataFrame], fetched: datetime, details: Details) -> str:
        key = self.key("portfolio")
        with self._library.store.lock(key):
            fingerprint = self._library.session.fingerprint
            return self._library.store.publish(
                key, frames, fingerprint=fingerprint, fetched=fetched, details=details, computed=True
            ).generation

    def connection_lists(self, bills: pd.DataFrame, connections: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Look for bills in the list of each connection; return connection_id and bill_id, and the requests spent."""
        question: dict[str, str] = {}
        if bills["bill_date"].notna().all():
            question = {
                "dateType": "BILL_DATE",
                "startDate": bills["bill_date"].min().date().isoformat(),
                "endDate": bills["bill_date"].max().date().isoformat(),
            }
        found: list[tuple[str, str]] = []
        spent = 0
        for connection_id in connections["connection_id"]:
            walked = walk(self._library.session, "documents.connection", params=question, connection_id=connection_id)
            spent += walked.requests
            found += [(connection_id, str(row["id"])) for row in walked.rows]
        frame = pd.DataFrame(found, columns=["connection_id", "bill_id"])
        return frame.astype(connections["connection_id"].dtype), spent


def _given(details: Details, walks: Iterable[Held]) -> Details:
    """Return the details with the time of the oldest answer among the walks; a refresh counts as an answer."""
    given = oldest(*(walk.given for walk in walks))
    return details if given is None else replace(details, given=given.at.isoformat(), given_by_api=given.by_api)
