"""When which status of a connection was seen: kept across refreshes, so that flapping can be told.

A line is written when a connection is seen with another status, or another "since", than the last time. The
API tells only the present; what happened between two looks is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from datetime import datetime

    from nectar_notebooks.cache.keys import Realm
    from nectar_notebooks.cache.manifest import Manifest

__all__ = ["history", "record"]

_LATEST = (
    "SELECT connection_id, status, since FROM statuses AS one WHERE host=? AND version=? AND profile=? AND scope=?"
    " AND seen = (SELECT max(seen) FROM statuses AS two WHERE two.host=one.host AND two.version=one.version"
    " AND two.profile=one.profile AND two.connection_id=one.connection_id)"
)


def record(manifest: Manifest, realm: Realm, scope: str, connections: pd.DataFrame, seen: datetime) -> int:
    """Note the statuses of a company's connections as `seen`; return how many were new.

    Parameters
    ----------
    manifest : Manifest
    realm : Realm
    scope : str
        The company's scope.
    connections : DataFrame
        Table ``connections``.
    seen : datetime
    """
    place = (realm.host, realm.version, realm.profile, scope)
    known = {row[0]: (row[1], row[2]) for row in manifest.ask(_LATEST, place)}
    lines: list[tuple[Any, ...]] = []
    columns = ["connection_id", "status", "status_since", "status_error"]
    for connection_id, status, since, error in connections[columns].itertuples(index=False):
        if pd.isna(status):
            continue
        since_text = None if pd.isna(since) else since.isoformat()
        if known.get(connection_id) != (status, since_text):
            note = None if pd.isna(error) else error
            lines.append((*place, connection_id, seen.isoformat(), status, since_text, note))
    if lines:
        with manifest.change() as connection:
            connection.executemany("INSERT OR REPLACE INTO statuses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", lines)
    return len(lines)


def history(manifest: Manifest, realm: Realm, scope: str) -> pd.DataFrame:
    """Return the statuses of a company's connections in the order they were seen.

    Returns
    -------
    DataFrame
        connection_id, seen, status, since, error (timestamps in UTC).
    """
    rows = manifest.ask(
        "SELECT connection_id, seen, status, since, error FROM statuses WHERE host=? AND version=?"
        " AND profile=? AND scope=? ORDER BY seen, connection_id",
        (realm.host, realm.version, realm.profile, scope),
    )
    frame = pd.DataFrame(rows, columns=["connection_id", "seen", "status", "since", "error"])
    text = pd.StringDtype(na_value=np.nan)
    for column in ("connection_id", "status", "error"):
        frame[column] = frame[column].astype(text)
    for column in ("seen", "since"):
        frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601").dt.as_unit("us")
    return frame
