"""What the dashboards read of the client first: connections, accounts and the kept history of statuses.

A look is whole or raises: what a dashboard holds is never half old and half new. What needs bills stands in
`closer`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from nectar_notebooks.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nectar_notebooks.client.refreshing import Change
    from nectar_notebooks.clock import Clock
    from nectar_notebooks.schema.naming import Given

__all__ = ["Look", "LookPart", "Reader", "day_of", "fetched_at", "first_look", "look_again", "together"]


class Reader(Protocol):
    """What the dashboards ask of a client."""

    @property
    def clock(self) -> Clock:
        """Where the time comes from."""

    def companies(self) -> pd.DataFrame:
        """Companies the key sees."""

    def sites(self, company: Given | None = None) -> pd.DataFrame:
        """Sites of a company."""

    def connections(self, company: Given | None = None) -> pd.DataFrame:
        """Its connections."""

    def accounts(self, company: Given | None = None) -> pd.DataFrame:
        """Accounts behind them."""

    def meters(self, company: Given | None = None) -> pd.DataFrame:
        """Meters of a company."""

    def usage(self, company: Given | None = None) -> pd.DataFrame:
        """Usage of its meters."""

    def bills(self, company: Given | None = None) -> pd.DataFrame:
        """Its bills."""

    def bill_accounts(self, company: Given | None = None) -> pd.DataFrame:
        """Which account each bill came from."""

    def status_history(self, company: Given | None = None) -> pd.DataFrame:
        """Statuses as they were seen."""

    def refresh(self, company: Given | None = None) -> pd.DataFrame:
        """Ask for what changed."""

    def on_change(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Have `callback` called when an event brought rows; the returned function ends it."""


@dataclass(frozen=True, slots=True)
class LookPart:
    """What a first look reads of one company, when its connections were fetched, and the API's day at that time."""

    sites: pd.DataFrame
    connections: pd.DataFrame
    accounts: pd.DataFrame
    history: pd.DataFrame
    fetched: datetime | None
    today: date


@dataclass(frozen=True, slots=True)
class Look:
    """A first look: tables of one company or all, when the oldest of them was fetched, and the API's day at that time.

    `parts` holds what each company brought, by its id: when one changes, the others need not be read again.
    """

    companies: pd.DataFrame
    sites: pd.DataFrame
    connections: pd.DataFrame
    accounts: pd.DataFrame
    history: pd.DataFrame
    fetched: datetime
    today: date
    parts: Mapping[str, LookPart]


def first_look(nectar: Reader, company: Given | None = None) -> Look:
    """Read connections, accounts and the history of statuses of one company, or of all."""
    companies = nectar.companies()
    if company is None:
        parts = {one: _of_company(nectar, one) for one in companies["company_id"]}
    else:
        part = _of_company(nectar, company)
        company_id = part.connections.attrs["nectar"]["company_id"]
        companies, parts = companies[companies["company_id"] == company_id], {company_id: part}
    return _whole(nectar, companies.reset_index(drop=True), parts)


def look_again(nectar: Reader, look: Look, company_ids: Iterable[str]) -> Look:
    """Read some companies of a look again, and keep what it has of the others."""
    return _whole(nectar, look.companies, {**look.parts, **{one: _of_company(nectar, one) for one in company_ids}})


def _of_company(nectar: Reader, company: Given) -> LookPart:
    connections = nectar.connections(company)
    accounts, sites, history = nectar.accounts(company), nectar.sites(company), nectar.status_history(company)
    return LookPart(sites, connections, accounts, history, fetched_at(connections), day_of(connections, nectar.clock))


def _whole(nectar: Reader, companies: pd.DataFrame, parts: Mapping[str, LookPart]) -> Look:
    known = [part.fetched for part in parts.values() if part.fetched is not None]
    return Look(
        companies,
        together((part.sites for part in parts.values()), "sites"),
        together((part.connections for part in parts.values()), "connections"),
        together((part.accounts for part in parts.values()), "accounts"),
        together((part.history for part in parts.values()), None),
        min(known) if known else nectar.clock.now(),
        min((part.today for part in parts.values()), default=nectar.clock.today()),
        parts,
    )


def fetched_at(frame: pd.DataFrame) -> datetime | None:
    """Return when a frame of the client was fetched, if it says so."""
    told = frame.attrs.get("nectar", {}).get("fetched")
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def day_of(frame: pd.DataFrame, clock: Clock) -> date:
    """Return the day on which the API gave a frame of the client, by its own word; else the day of `clock`."""
    told = frame.attrs.get("nectar", {}).get("as_of")
    return datetime.fromisoformat(told).date() if isinstance(told, str) else clock.today()


def together(frames: Iterable[pd.DataFrame], table: str | None, columns: list[str] | None = None) -> pd.DataFrame:
    """Return frames of one table below each other; of none, the table's columns."""
    given = list(frames)
    # Empty frames say nothing about dtypes: leaving them out keeps those of the others.
    filled = [frame for frame in given if len(frame)] or given[:1]
    if filled:
        whole = filled[0].copy(deep=False) if len(filled) == 1 else pd.concat(filled, ignore_index=True)
        whole.attrs = {}
        return whole
    if table is None:
        return pd.DataFrame(columns=["connection_id", "seen", "status", "since", "error"])
    return pd.DataFrame(columns=columns or list(TABLES[table].names))
