"""The rows that one API key may read: from the cache while fresh, else from the API, and then kept.

Decides about freshness, offline and who may read, for any snapshot key. Which resources a company has stands in
`company`, how a list is walked in `listing`, how snapshots are kept in `store`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from nectar_notebooks import tables
from nectar_notebooks.api import AnswerTime, fetch, oldest, walk
from nectar_notebooks.cache.listing import Pulled
from nectar_notebooks.cache.manifest import Staging
from nectar_notebooks.cache.snapshots import Details, Realm, Snapshot, SnapshotKey
from nectar_notebooks.cache.store import DamagedSnapshotError, Store
from nectar_notebooks.errors import NetworkError, OfflineError

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.api import Session
    from nectar_notebooks.clock import Clock

__all__ = ["Held", "Library", "Pull"]

#: In place of the name of an embedded sandbox that has not answered yet.
_UNHEARD: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Held:
    """Tables from one snapshot, when they were fetched, and how many requests this call made."""

    frames: dict[str, pd.DataFrame]
    fetched: datetime
    generation: str
    details: Details
    requests: int = 0

    @property
    def source(self) -> str:
        """Return ``"wire"`` if this call asked the API, else ``"cache"``."""
        return "wire" if self.requests else "cache"

    @property
    def given(self) -> AnswerTime:
        """Return when the oldest answer in them was given; if unknown, when they were fetched."""
        at = datetime.fromisoformat(self.details.given) if self.details.given else self.fetched
        return AnswerTime(at, self.details.given_by_api)


#: Fetches rows from the API; takes the kept rows, however old, or None.
Pull = Callable[[Held | None], Pulled]


class Library:
    """What one API key may read, kept in a store of snapshots.

    Parameters
    ----------
    store : Store
    session : Session
    realm : Realm
    fingerprints : sequence of str
        Of the key, or of both keys during a rotation.
    clock : Clock
    max_age : timedelta or None
        How old rows may be before they are fetched again; None: any age.
    offline : bool
        Never use the network; rows of any age will do.
    quiet : bool
        Never show the progress of a walk.
    identity : callable, optional
        Returns the name of the embedded sandbox of this process and the number of its changes:
        ``"3f2a9c41d07e 2 17"``. Rows of two sandboxes are kept apart; rows from before the latest change are too old.
    local : bool
        Whether the API is a served embedded sandbox, which must be asked for its identity. Any other host is asked once
        an answer has shown that it is one. The real API has no identity: only age counts there.
    """

    def __init__(
        self,
        store: Store,
        session: Session,
        *,
        realm: Realm,
        fingerprints: Sequence[str],
        clock: Clock,
        max_age: timedelta | None,
        offline: bool,
        quiet: bool = False,
        identity: Callable[[], str] | None = None,
        local: bool = False,
    ) -> None:
        self.quiet = quiet
        self._identity = identity
        self._local = local
        #: The latest identity of a served embedded sandbox.
        self._said = ""
        self.store = store
        self.session = session
        self.place = realm
        self.clock = clock
        self.offline = offline
        self.max_age = max_age
        self._fingerprints = tuple(fingerprints)

    @property
    def realm(self) -> Realm:
        """Return whose rows may answer: those of the host, or of the embedded sandbox that is there now."""
        return self.place.of_instance(self._state().partition(" ")[0] or (_UNHEARD if self._local else ""))

    def _state(self) -> str:
        return self._said if self._identity is None else self._identity()

    def look(self) -> Realm:
        """Ask an embedded sandbox for its identity at the beginning of a question; return whose rows may answer it."""
        if self._identity is not None:
            return self.realm
        if self.offline:
            self._said = self._said or (self.store.latest_instance(self.place) if self._local else "")
        elif self._local or self.session.identity:
            said = self.session.ask_identity()
            if said is not None:  # no answer: assume that it is still the same
                if said.partition(" ")[0] != self._said.partition(" ")[0]:
                    self.store.drop_instances(self.place, but=said.partition(" ")[0])
                self._said, self._local = said, bool(said)
        return self.realm

    def keeps(self, key: SnapshotKey) -> bool:
        """Return whether the last answer came from the embedded sandbox of `key`; rows of another are not kept."""
        said = self.session.identity
        return said is None or self.place.of_instance(said.partition(" ")[0]) == key.realm

    def companies(self, *, renew: bool = False) -> Held:
        """Return the companies that this API key sees: table ``companies``."""
        self.look()

        def pull(_: Held | None) -> Pulled:
            walked = walk(self.session, "companies.list")
            frames = tables.build("companies", walked.rows)
            return self.pulled({"companies": frames["companies"]}, walked.total, walked.requests)

        return self.held(self.companies_key(), pull, renew=renew)

    def companies_key(self) -> SnapshotKey:
        """Return the snapshot key of the list of companies; each API key has its own."""
        keys = [SnapshotKey(self.realm, "companies", f"key/{name}") for name in self._fingerprints]
        return next((key for key in keys if self._find(key) is not None), keys[0])

    def forget_companies(self) -> None:
        """Drop the lists of companies of these API keys, because a write changed them."""
        for name in self._fingerprints:
            self.forget(SnapshotKey(self.realm, "companies", f"key/{name}"))

    def forget(self, key: SnapshotKey) -> None:
        """Drop a snapshot and its staged pages, once a walk in progress, which began before the change, has ended."""
        with self.store.lock(key):
            for name in self._fingerprints:
                self._staging(key, name).finish()
            self.store.drop(key)

    def held(self, key: SnapshotKey, pull: Pull, *, renew: bool = False) -> Held:
        """Return the tables of `key`: kept ones if they are fresh, else fetched by `pull` and kept.

        Raises
        ------
        OfflineError
            Offline, and nothing is kept.
        """
        if renew and self.offline:
            raise OfflineError(f"Offline, and the {key} was to be fetched anew.")
        spent = 0 if renew else self._admit(key)
        kept = None if renew else self._read_fresh(key, spent)
        if kept is not None:
            return kept
        if self.offline:
            raise OfflineError(f"Offline, and the {key} was never fetched.")
        with self.store.lock(key):
            # Another writer may have fetched it while this one waited.
            kept = None if renew else self._read_fresh(key, spent)
            return kept or self._pull(key, pull, spent)

    def _pull(self, key: SnapshotKey, pull: Pull, spent: int) -> Held:
        snapshot = self._find(key)
        old = None if snapshot is None else self._read(snapshot)
        state = self._state()  # taken before the walk: a change during it makes the rows too old
        if self._identity is not None:
            self.session.heard(state)
        turns = self.session.turns
        with self.session.dating() as dating:
            pulled = pull(old)
        known = key.realm not in (self.place, self.place.of_instance(_UNHEARD))
        if self.session.turns != turns or (known and not self.keeps(key)):
            raise NetworkError(
                f"The embedded sandbox was reset, or another took its place, while the {key} was read.",
                advice="Ask again.",
            )
        given = oldest(dating.oldest, pulled.given) or (
            AnswerTime(pulled.fetched, by_api=False) if old is None else old.given
        )
        details = Details(
            began=pulled.began.isoformat(),
            walked=pulled.walked,
            total=pulled.total,
            requests=pulled.requests,
            whole=pulled.whole,
            revision=state,
            given=given.at.isoformat(),
            given_by_api=given.by_api,
        )
        spent += pulled.requests
        if not self.keeps(key):
            return Held(pulled.frames, pulled.fetched, "", details, spent)
        fingerprint = self.session.fingerprint
        if pulled.unchanged and old is not None and snapshot is not None:
            self.store.touch(snapshot, fetched=pulled.fetched, details=details, fingerprint=fingerprint)
            return Held(old.frames, pulled.fetched, snapshot.generation, details, spent)
        published = self.store.publish(
            key, pulled.frames, fingerprint=fingerprint, fetched=pulled.fetched, details=details
        )
        return Held(pulled.frames, pulled.fetched, published.generation, details, spent)

    def fresh(self, key: SnapshotKey, *, any_age: bool = False) -> Snapshot | None:
        """Return the snapshot of `key` if this API key may read it and it is fresh (or of any age); asks no API."""
        snapshot = self._find(key)
        if snapshot is None or any_age or self.offline or self.max_age is None:
            return snapshot
        if snapshot.details.revision != self._state():  # an embedded sandbox that has changed since
            return None
        # A snapshot from the future was made by another clock: its age is unknown.
        return snapshot if timedelta(0) <= self.clock.now() - snapshot.fetched <= self.max_age else None

    def _read_fresh(self, key: SnapshotKey, spent: int) -> Held | None:
        for _ in range(3):  # look a snapshot up again if another writer replaced it meanwhile
            snapshot = self.fresh(key)
            if snapshot is None:
                return None
            held = self._read(snapshot, spent)
            if held is not None:
                return held
        return None

    def _read(self, snapshot: Snapshot, spent: int = 0) -> Held | None:
        try:
            frames = self.store.read(snapshot)
        except DamagedSnapshotError:
            return None
        return Held(frames, snapshot.fetched, snapshot.generation, snapshot.details, spent)

    def _find(self, key: SnapshotKey) -> Snapshot | None:
        found = (self.store.find(key, fingerprint) for fingerprint in self._fingerprints)
        return next((snapshot for snapshot in found if snapshot is not None), None)

    def keys_within(self, realm: Realm, scope: str) -> list[SnapshotKey]:
        """Return the keys of all snapshots of a scope that this API key may read, however old; asks no API."""
        found = (self.store.keys_within(realm, scope, fingerprint) for fingerprint in self._fingerprints)
        return next((keys for keys in found if keys), [])

    def _admit(self, key: SnapshotKey) -> int:
        """Check that a new API key may read a company that another fetched; return the requests spent."""
        kind, _, company_id = key.scope.partition("/")
        if self.offline or kind != "company" or self._find(key) is not None or not self.store.holds(key):
            return 0
        fetch(self.session, "company.get", company_id=company_id)
        self.store.admit(key.realm, key.scope, self.session.fingerprint)
        return 1

    def staging(self, key: SnapshotKey) -> Staging:
        """Return the staged pages of the walk of `key`."""
        return self._staging(key, self.session.fingerprint)

    def _staging(self, key: SnapshotKey, fingerprint: str) -> Staging:
        return Staging(
            self.store.manifest, "/".join((*key.columns, fingerprint)), self.clock.now(), wanted=lambda: self.keeps(key)
        )

    def pulled(self, frames: dict[str, pd.DataFrame], total: int, requests: int) -> Pulled:
        """Return frames that were just fetched, as the result of a walk of the whole."""
        now = self.clock.now()
        return Pulled(frames, now, now, now.isoformat(), total, requests)
