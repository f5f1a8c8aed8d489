"""The seeded demo portfolio: a :class:`World` that looks like an energy analyst's own.

Four to five invented companies (one of many sites in the United States, one in Canada that also pays US
dollars, small ones, one deactivated), every connection status, electricity, gas, water and sewer, waste,
district energy, heating oil and solar, three years of bills with tariffs, seasons and weather, and the
defects real portfolios have, each planted on purpose and listed by :func:`defects`.

How to take it:

- :func:`demo` returns everything at once, documents and usage in the order of their creation.
- :class:`Demo` gives it in parts: ``head()`` is all but the bills, in a few milliseconds, ``bills(company_id)``
  yields a company's bills, one small world of documents and usage an account (together they are what
  :func:`demo` returns), ``arrivals(after, until)`` yields what arrives in between, also after the seed's today.

What the state must know: a deleted bill (``isDeleted``) has no usage rows any more, and an uploaded bill has
neither connection nor accounts (its meters have no account). Ids, numbers and dates depend on the seed and
on the object itself: another day, history or number of sites changes no object that is in both.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.model import Record, World
from nectar_notebooks.sandbox.sources.demo.billing import Billed, bill_account
from nectar_notebooks.sandbox.sources.demo.schedule import Window, periods
from nectar_notebooks.sandbox.sources.demo.special import add_special
from nectar_notebooks.sandbox.sources.demo.structure import Account, Builder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Demo", "defects", "demo"]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class Demo:
    """The demo portfolio of one seed, in parts.

    Parameters
    ----------
    seed : int or str
        Decides every name, number and date.
    today : date
        The last day of the past: every bill arrived before it.
    sites : int, optional
        How many sites; 21 to 24 by default, by seed.
    months : int
        Months of bills up to `today`.
    """

    def __init__(self, seed: int | str, today: date, sites: int | None = None, months: int = 36) -> None:
        if sites is not None and sites < 1:
            raise ValueError(f"A portfolio has at least one site, not {sites}.")
        if months < 1:
            raise ValueError(f"A history has at least one month, not {months}.")
        self.seed, self.today, self.months = seed, today, months
        builder = Builder(seed, today, sites)
        add_special(builder)
        self._world = builder.world
        self._accounts: list[Account] = list(builder.accounts.values())
        window = Window(seed, today, months, _midnight(today))
        for account in self._accounts:
            dates = periods(account, window) if account.meters else []
            account.record["lastServiceDate"] = dates[-1].end.isoformat() if dates else None

    def head(self) -> World:
        """Return companies, sites, connections, accounts and meters; no bills yet."""
        return self._world

    def bills(self, company: str | None = None) -> Iterator[World]:
        """Yield the bills and usage of one company (or all), one world an account."""
        for billed in self._billed(company, _midnight(self.today)):
            yield World(documents=billed.documents, usage=billed.usage)

    def arrivals(self, after: datetime, until: datetime, company: str | None = None) -> Iterator[World]:
        """Yield the bills that arrive from `after` until before `until`, one world an account."""
        low, high = _stamp(after), _stamp(until)
        for billed in self._billed(company, until):
            documents = [row for row in billed.documents if low <= row["created"] < high]
            if documents:
                new = {row["id"] for row in documents}
                yield World(documents=documents, usage=[row for row in billed.usage if row["document"] in new])

    def defects(self) -> dict[str, list[str]]:
        """Return the ids of what is planted, by kind; see :func:`defects`."""
        found: dict[str, list[str]] = defaultdict(list)
        for account in self._accounts:
            billed = bill_account(account, Window(self.seed, self.today, self.months, _midnight(self.today)))
            for kind, ids in billed.planted.items():
                found[kind] += ids
            if account.shared_days:
                found["shared_days"] += [meter.record["id"] for meter in account.meters]
            found["exclusion"] += [meter.record["id"] for meter in account.meters if meter.exclusion]
            found["second_currency"] += [
                row["id"] for row in billed.documents if account.key.startswith("B") and row["chargesUnits"] == "USD"
            ]
            record: Record = account.record
            if account.connection is None:
                continue
            if record["isDuplicated"] == "true":
                found["duplicate_account"].append(record["id"])
            if record["status"] in ("DETECTED", "CUSTOMER_NOT_TRACKED"):
                found[f"account_{record['status'].lower()}"].append(record["id"])
            elif record["trackingStatus"] == "DISABLED":
                found["account_disabled"].append(record["id"])
        return {kind: ids for kind, ids in sorted(found.items()) if ids}

    def _billed(self, company: str | None, until: datetime) -> Iterator[Billed]:
        window = Window(self.seed, self.today, self.months, until)
        for account in self._accounts:
            if company is None or account.company["id"] == company:
                yield bill_account(account, window)


def _stamp(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def demo(seed: int | str, today: date, sites: int | None = None, months: int = 36) -> World:
    """Return the demo portfolio.

    Parameters are those of :class:`Demo`.

    Examples
    --------
    >>> world = demo(7, date(2026, 1, 15), sites=2, months=3)
    >>> len(world.sites), len(world.companies)
    (2, 2)
    """
    parts = Demo(seed, today, sites, months)
    world = parts.head()
    for part in parts.bills():
        world.documents += part.documents
        world.usage += part.usage
    world.documents.sort(key=_by_creation)
    world.usage.sort(key=_by_creation)
    return world


def _by_creation(row: Record) -> tuple[str, str]:
    return row["created"], row["id"]


def defects(seed: int | str, today: date, sites: int | None = None, months: int = 36) -> dict[str, list[str]]:
    """Return the ids of every planted defect of :func:`demo` with the same arguments, by kind.

    ============================================== ====================================================
    kind                                           ids of
    ============================================== ====================================================
    revised                                        superseded bills
    late_fee, previous_balance, credit, zero_cost, bills
    flagged, deleted, uploaded, second_currency
    estimated_run, overlap, usage_spike,           usage records (overlap: the later of the two)
    account_level_usage
    gap, shared_days, exclusion                    meters
    duplicate_account, account_detected,           accounts
    account_customer_not_tracked, account_disabled
    ============================================== ====================================================
    """
    return Demo(seed, today, sites, months).defects()
