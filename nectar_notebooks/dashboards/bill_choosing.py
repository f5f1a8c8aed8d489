"""Which site, account, meter or company is meant, and what the pickers offer: pure functions on a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_notebooks.dashboards.bill_list import NO_ACCOUNT
from nectar_notebooks.dashboards.html import missing
from nectar_notebooks.errors import NotFoundError
from nectar_notebooks.plots.style import words
from nectar_notebooks.schema.naming import ACCOUNT, METER, SITE, find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_notebooks.dashboards.ledger import Ledger
    from nectar_notebooks.schema.naming import Given
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["NAMES", "labels", "meant", "offered", "widened"]

#: What a bill can be found by, in the order in which one narrows the next.
_KINDS: Final = {"site": SITE, "account": ACCOUNT, "meter": METER}
NAMES: Final = tuple(_KINDS)


def meant(ledger: Ledger, name: str, given: Given | None) -> str | None:
    """Return the id of the site, account or meter that is meant; None leaves it open.

    Raises
    ------
    NotFoundError, InvalidRequestError
        As :func:`~nectar_notebooks.schema.naming.find`; also where no bill belongs to it.
    """
    if given is None:
        return None
    open_account = name == "account" and isinstance(given, str) and given == NO_ACCOUNT
    kind = _KINDS[name]
    key = NO_ACCOUNT if open_account else find(given, kind, ledger.portfolio[kind.plural], where="here")
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
