"""Accounts and logins in unusual states: detected, not tracked, switched off, found twice, empty.

Each exists where the account it is modelled on does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.sources.demo.tariffs import Provider

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.sources.demo.structure import Account, Builder

__all__ = ["add_special"]

#: Logins without accounts: company, provider, status, days, what the provider's site said.
_EMPTY = (
    ("A", "Quarry Hills Electric", "PENDING", 1, None),
    ("A", "Saltmarsh Water District", "NO_ACCOUNTS_FOUND", 48, "No active accounts for this profile."),
    ("C", "Pinewood Electric Cooperative", "PENDING", 2, None),
)


def add_special(builder: Builder) -> None:
    """Add the accounts and logins that a tidy portfolio would not have."""
    accounts = builder.accounts
    if "A8/E" in accounts:
        _not_tracked(builder, accounts["A8/E"])
    if "A10/E" in accounts:
        closed = _beside(builder, "A10/E/disabled", "A", accounts["A10/E"], "ONBOARDED")
        closed.ended_months_ago = 14
        closed.record.update(trackingStatus="DISABLED", isTracked=False, isCollectingInvoiceData=False)
    if "B1/E" in accounts:
        _twin(builder, accounts["B1/E"])
    for company, name, status, days, detail in _EMPTY[: 2 + builder.number % 2]:
        if company in builder.companies:
            url = f"https://my.{name.replace(' ', '').lower()}.example/login"
            builder.login(company, Provider(name, url), "US", status, days, detail)
    builder.world.connections.sort(key=lambda record: (record["created"], record["id"]))


def _not_tracked(builder: Builder, model: Account) -> None:
    found = builder.account("A8/E/detected", "A", model.connection, model.provider, "DETECTED")
    found.record.update(trackingStatus="UNSET", datasourceTypes=["ELECTRICITY"], isCollectingInvoiceData=False)
    other = _beside(builder, "A8/E/not-tracked", "A", model, "CUSTOMER_NOT_TRACKED")
    other.newest_only, other.ended_months_ago = 6, 10
    other.record.update(trackingStatus="DISABLED", isTracked=False)
    other.meters[0].record["isTracked"] = False


def _twin(builder: Builder, model: Account) -> None:
    """Add the same account once more, as a second login found it: the same bills, half a year of them."""
    twin = _beside(builder, "B1/E/duplicate", "B", model, "PULL_COMPLETED")
    twin.record.update(accountNumber=model.record["accountNumber"], isDuplicated="true")
    twin.duplicate_of, twin.newest_only = model.key, 6
    twin.read_day, twin.delay = model.read_day, model.delay
    copy, source = twin.meters[0], model.meters[0]
    copy.per_day, copy.shares, copy.luck = source.per_day, source.shares, source.luck
    copy.record["identifiers"] = [dict(entry) for entry in source.record["identifiers"]]


def _beside(builder: Builder, key: str, company: str, model: Account, status: str) -> Account:
    """Return an account with a smaller meter of its own at the model's site."""
    account = builder.account(key, company, model.connection, model.provider, status)
    source = model.meters[0]
    builder.meter(f"{key}/meter", source.word, account, source.site, source.climate, 0.6)
    return account
