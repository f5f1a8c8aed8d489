"""Which site, account, meter or company is meant, and what the pickers offer: pure functions on a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.dashboards.bill_list import NO_ACCOUNT
from nectar_notebooks.dashboards.html import missing
from nectar_notebooks.errors import InvalidRequestError, NotFoundError
from nectar_notebooks.plots.style import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from nectar_notebooks.dashboards.ledger import Ledger
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["COMPANY", "NAMES", "Named", "key_of", "labels", "meant", "offered", "widened"]

#: What is given for an object: its id, what it is called, a row, or None for all.
Named = Any

#: Columns by which a company is found: its id, then what it is called.
COMPANY: Final = ("company_id", "external_id", "name")

_TABLES: Final = {
    "site": ("sites", ("site_id", "external_id", "name")),
    "account": ("accounts", ("account_id", "account_number")),
    "meter": ("meters", ("meter_id", "primary_identifier")),
}
#: What a bill can be found by, in the order in which one narrows the next.
NAMES: Final = tuple(_TABLES)


def key_of(frame: pd.DataFrame, what: str, given: Named, columns: tuple[str, ...]) -> str:
    """Return the id of the row that is meant by an id, a name or a row.

    Raises
    ------
    NotFoundError
        No row.
    InvalidRequestError
        Several rows.
    """
    wanted = given if isinstance(given, str) else str(given[columns[0]])
    for one in columns:
        rows = frame[frame[one].eq(wanted).fillna(False).to_numpy(dtype=bool)]
        if len(rows) > 1:
            ids = ", ".join(rows[columns[0]].head(5))
            raise InvalidRequestError(f"{wanted!r} fits {len(rows)} of them: say which {what} by its id: {ids}.")
        if len(rows):
            return str(rows[columns[0]].iloc[0])
    raise NotFoundError(f"No {what} here is called {wanted!r}.", advice="Check the name, or give its id.")


def meant(ledger: Ledger, name: str, given: Named) -> str | None:
    """Return the id of the site, account or meter that is meant; None leaves it open.

    Raises
    ------
    NotFoundError, InvalidRequestError
        As :func:`key_of`; also where no bill belongs to it.
    """
    if given is None:
        return None
    table, columns = _TABLES[name]
    open_account = name == "account" and isinstance(given, str) and given == NO_ACCOUNT
    key = NO_ACCOUNT if open_account else key_of(getattr(ledger.portfolio, table), name, given, columns)
    if key not in ledger.bills.places[name]:
        raise NotFoundError(f"No bill here is of the {name} {key!r}.", advice="See explorer.bills.")
    return key


def widened(ledger: Ledger, asked: Mapping[str, str | None], name: str, key: str | None) -> dict[str, str | None]:
    """Return what stays asked when `name` becomes `key`: what follows it is open, and what would hide it."""
    place = NAMES.index(name)
    before = {one: asked[one] for one in NAMES[:place]}
    if key is not None and ledger.bills.narrowed({**before, name: key}).empty:
        before = dict.fromkeys(before)
    return {**before, **dict.fromkeys(NAMES[place:])}


def offered(ledger: Ledger, name: str, asked: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Return what a picker offers, given what those before it ask for: labels with their ids."""
    told = labels(ledger.portfolio, name)
    return [(told.get(key, key), key) for key in ledger.bills.among(name, ledger.bills.narrowed(asked))]


def labels(portfolio: Portfolio, name: str) -> dict[str, str]:
    """Return what each site, account or meter is called."""
    if name == "site":
        named = portfolio.sites.dropna(subset=["name"])
        return dict(zip(named["site_id"], named["name"], strict=True))
    if name == "account":
        numbers = portfolio.accounts["account_number"].fillna("No number")
        return dict(zip(portfolio.accounts["account_id"], numbers, strict=True))
    rows = portfolio.meters[["meter_id", "primary_identifier", "commodity"]].itertuples(index=False)
    return {
        key: f"{'No number' if missing(number) else number}{'' if missing(what) else ', ' + words(what).lower()}"
        for key, number, what in rows
    }
