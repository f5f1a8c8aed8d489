"""Which connections are shown, and in what order: pure functions on the frame of `connections_view`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.html import FAMILIES
from nectar_notebooks.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["OF_BILLS", "SORTS", "Filters", "filtered", "in_order", "search_texts"]

#: Sort orders by name: columns and whether the smallest comes first. The one at first needs no bills.
SORTS: Final[dict[str, tuple[list[str], list[bool]]]] = {
    "what needs somebody": (["_family", "status_since"], [True, True]),
    "provider": (["_provider", "status_since"], [True, True]),
    "company": (["_company", "_family", "_provider"], [True, True, True]),
    "status": (["status", "status_since"], [True, True]),
    "since": (["status_since"], [True]),
    "last check": (["status_checked"], [True]),
    "last service": (["last_service"], [True]),
    "missing bills": (["missing_bills", "_family"], [False, True]),
    "accounts": (["accounts"], [False]),
}
#: Orders that bills are read for.
OF_BILLS: Final = ("last service", "missing bills")
_ORDER: Final = {name: place for place, name in enumerate(FAMILIES)}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a connection must be to be shown; None leaves a question open.

    Parameters
    ----------
    company, site : str or row, optional
        An id, an external id, a name, or a row.
    family, status, provider, owner : str, optional
        As the table has them; `owner` is the e-mail address.
    text : str, optional
        Somewhere in names, numbers of accounts, addresses, errors and ids; capitals do not matter.
    needs_customer : bool
        Only what waits for the customer.
    no_bill_for : int, optional
        Only what had no day of service on a bill for this many days, or never had one.
    """

    company: str | None = None
    family: str | None = None
    status: str | None = None
    provider: str | None = None
    site: str | None = None
    owner: str | None = None
    text: str | None = None
    needs_customer: bool = False
    no_bill_for: int | None = None

    @classmethod
    def of(cls, given: Filters | Mapping[str, Any] | None) -> Filters:
        """Return filters from a mapping; an unknown name is an error that lists the known ones."""
        if isinstance(given, Filters):
            return given
        known = [field.name for field in fields(cls)]
        strange = sorted(set(given or {}) - set(known))
        if strange:
            raise InvalidRequestError(f"There is no filter {strange[0]!r}: there are {', '.join(known)}.")
        asked: dict[str, Any] = {
            name: None if isinstance(value, str) and not value else value for name, value in (given or {}).items()
        }
        asked["needs_customer"] = bool(asked.get("needs_customer"))
        days = asked.get("no_bill_for")
        if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 0):
            raise InvalidRequestError(f"no_bill_for={days!r} is no number of days: say 45, for example.")
        return cls(**asked)

    @property
    def need_bills(self) -> bool:
        """Whether bills are read to answer: which logins are behind a site, and since when there is no bill."""
        return self.site is not None or self.no_bill_for is not None

    @property
    def active(self) -> dict[str, Any]:
        """Return the filters that are set."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) not in (None, False)}

    def __repr__(self) -> str:
        return f"Filters({', '.join(f'{name}={value!r}' for name, value in self.active.items())})"


def search_texts(frame: pd.DataFrame, accounts: pd.DataFrame) -> pd.Series:
    """Return what free text is looked for in, one text for each row of `frame`, without capitals."""
    numbers = accounts.dropna(subset=["account_number"]).groupby("connection_id")["account_number"].agg(" ".join)
    parts = [
        frame[name]
        for name in (
            "provider", "company", "status", "status_error", "username", "owner_email", "url", "external_id",
            "connection_id",
        )
    ]  # fmt: skip
    parts.append(frame["connection_id"].map(numbers))
    filled = [part.astype("object").where(part.notna(), "").astype(str).to_numpy(dtype=object) for part in parts]
    return pd.Series(
        ["\n".join(row).casefold() for row in zip(*filled, strict=True)], index=frame.index, dtype="object"
    )


def filtered(
    frame: pd.DataFrame, filters: Filters, texts: pd.Series, at_site: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return the rows of `frame` that the filters let through.

    Parameters
    ----------
    frame : DataFrame
        What :func:`connection_frame` returned.
    filters : Filters
    texts : Series
        What :func:`search_texts` returned.
    at_site : iterable of str, optional
        Ids of the connections behind the site that `filters` names.
    """
    keep = np.ones(len(frame), dtype=bool)
    if filters.company is not None:
        keep &= (frame["company_id"].eq(filters.company) | frame["company"].eq(filters.company)).to_numpy(dtype=bool)
    for column, wanted in (
        ("family", filters.family),
        ("status", filters.status),
        ("provider", filters.provider),
        ("owner_email", filters.owner),
    ):
        if wanted is not None:
            keep &= frame[column].eq(wanted).to_numpy(dtype=bool)
    if filters.needs_customer:
        keep &= frame["needs_customer"].fillna(False).to_numpy(dtype=bool)
    if filters.no_bill_for is not None:
        keep &= (
            (frame["days_without_bill"].isna() | frame["days_without_bill"].ge(filters.no_bill_for))
            .fillna(True)
            .to_numpy(dtype=bool)
        )
    if filters.site is not None:
        keep &= frame["connection_id"].isin(set(at_site or ())).to_numpy(dtype=bool)
    if filters.text:
        wanted_text = filters.text.casefold()
        keep &= np.fromiter((wanted_text in one for one in texts), dtype=bool, count=len(texts))
    return frame[keep]


def in_order(frame: pd.DataFrame, order: str, *, reverse: bool = False) -> pd.Index:
    """Return the index of `frame` in one of the orders of `SORTS`; what is missing comes last, equals by id."""
    if order not in SORTS:
        raise InvalidRequestError(f"There is no order {order!r}: there are {', '.join(SORTS)}.")
    columns, ascending = SORTS[order]
    keys = pd.DataFrame({name: _key(frame, name) for name in (*columns, "connection_id")})
    ways = [way != reverse for way in ascending]
    return keys.sort_values(list(keys.columns), ascending=[*ways, True], na_position="last", kind="stable").index


def _key(frame: pd.DataFrame, name: str) -> pd.Series:
    if name == "_family":
        return frame["family"].map(_ORDER).fillna(_ORDER["unknown"]).astype("int64")
    return frame[name[1:]].str.casefold() if name.startswith("_") else frame[name]
