"""Asking for what changed: refreshes by changes alone, and which bills are new, revised or deleted.

How a refresh is made complete stands in `cache.listing`; this module reports in a frame what was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.cache import Company
from nectar_notebooks.errors import InvalidRequestError, OfflineError
from nectar_notebooks.schema.dates import Day, days_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nectar_notebooks.cache import Library

__all__ = ["changed_bills", "refresh", "refresh_kept"]

_CHANGES: Final = ["bill_id", "change", "utility", "bill_date", "created", "updated", "superseded_by"]


def refresh(library: Library, company_ids: Iterable[str]) -> pd.DataFrame:
    """Bring what is kept of these companies up to date.

    Returns
    -------
    DataFrame
        company_id, bills, usage, requests, walked (when bills were last walked whole, UTC).
    """
    lines = []
    for company_id in company_ids:
        company = Company(library, company_id)
        held = company.portfolio(("bills", "usage"), renew=True)
        walked = company.documents().details.walked
        lines.append((company_id, len(held.frames["bills"]), len(held.frames["usage"]), held.requests, walked))
    frame = pd.DataFrame(lines, columns=["company_id", "bills", "usage", "requests", "walked"])
    frame["walked"] = pd.to_datetime(frame["walked"], utc=True, format="ISO8601").dt.as_unit("us")
    frame["company_id"] = frame["company_id"].astype(pd.StringDtype(na_value=np.nan))
    return frame


def refresh_kept(library: Library, company_ids: Iterable[str]) -> pd.DataFrame:
    """Bring what is kept of these companies up to date; answers of narrow questions are dropped and asked for anew.

    Returns
    -------
    DataFrame
        As :func:`refresh`, one row a company whose bills are kept whole.
    """
    whole = []
    for company_id in company_ids:
        company = Company(library, company_id)
        company.forget_answers()
        whole += [company_id] if company.held("documents") else []
    return refresh(library, whole)


def changed_bills(library: Library, company_id: str, since: Day) -> pd.DataFrame:
    """Return the bills that changed on or after the UTC day `since`: new, revised or deleted.

    Returns
    -------
    DataFrame
        bill_id, change, utility, bill_date, created, updated, superseded_by.
    """
    if library.offline:
        raise OfflineError("Offline, and only the API can tell what changed.")
    if since is None:
        raise InvalidRequestError("Say since which day, such as since='2024-01-31'.")
    moment = pd.Timestamp(days_of(since, "since")[0]).tz_localize("UTC")
    changes = Company(library, company_id).changes(moment.to_pydatetime())
    bills = changes.frames["bills"]
    new = bills["created"] >= moment
    parts = [
        bills.assign(change=new.map({True: "new", False: "revised"})),
        changes.gone["bills"].assign(change="deleted"),
    ]
    filled = [part for part in parts if len(part)] or parts[:1]
    frame = pd.concat(filled, ignore_index=True)[_CHANGES]
    return frame.astype({"change": pd.StringDtype(na_value=np.nan)})
