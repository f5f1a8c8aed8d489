"""From a tariff and what was used to the line items of a bill, exact to the cent.

A line is rate × quantity rounded once; a bill's current charges are the sum of its lines. What was used is
decided in `billing`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nectar_notebooks.sandbox.sources.demo.basics import RATE, bill_cents, chance, decimal

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.model import Record
    from nectar_notebooks.sandbox.sources.demo.tariffs import Step, Tariff

__all__ = ["Charged", "lines_of", "plain_line"]


class Charged(NamedTuple):
    """What a tariff charges for: the usage of `meters` meters over `days` days."""

    commodity: str
    unit: str
    places: int
    usage: int
    meters: int
    days: int
    months: int
    month: int
    by_time: tuple[int, ...] = ()
    demands: tuple[int, ...] = ()  # tenths of a kW
    pickups: int = 0


@lru_cache(maxsize=65_536)
def _rate(seed: int | str, provider: str, text: str, rate: int, market: bool, month: int) -> int:
    """Return a step's rate: the provider's level, a rise of 2.5 % a year, and the market's month."""
    level = _level(seed, provider) * 1.025 ** (month // 12 - 2024)
    if market:
        level *= 1 + 0.06 * chance(seed, "market", provider, text, month).uniform(-1, 1)
    exact = rate * level
    return round(exact) if rate < RATE else round(exact / 1_000) * 1_000  # from 1.00 up in whole cents


@lru_cache(maxsize=1_024)
def _level(seed: int | str, provider: str) -> float:
    return chance(seed, "provider", provider).uniform(0.9, 1.12)


@lru_cache(maxsize=4_096)
def _rate_text(rate: int) -> str:
    return decimal(rate, 5) if rate % 1_000 else decimal(rate // 1_000, 2)


def plain_line(text: str, cents: int, charge: str, accounts: list[str], period: str = "CURRENT") -> Record:
    """Return a line without rate and quantity: a credit, a late fee, a balance."""
    return {
        "description": text, "totalCharge": decimal(cents, 2), "rate": None, "quantity": None,
        "quantityUnits": None, "multipliers": [], "accountIds": accounts, "chargeType": charge,
        "electricityChargeType": None, "gasChargeType": None, "electricityIsDemand": False,
        "electricityTimeOfUse": None, "billingPeriod": period,
    }  # fmt: skip


def lines_of(
    seed: int | str, provider: str, tariff: Tariff, used: Charged, accounts: list[str]
) -> tuple[list[Record], int]:
    """Return the lines a tariff makes, and the taxes among them in cents."""
    lines: list[Record] = []
    base = taxes = 0
    whole = decimal(used.usage, used.places)
    electric, gas = used.commodity == "ELECTRICITY", used.commodity == "GAS"
    for step in tariff.steps:
        percent, charge = step.how == "percent", step.charge
        for text, period, quantity, places, unit, rate in _amounts(step, used, base):
            if not percent:
                rate = _rate(seed, provider, text, rate, step.market, used.month)
            cents = bill_cents(quantity, places, rate)
            if not percent:
                base += cents
            elif charge == "TAX":
                taxes += cents
            lines.append({
                "description": text, "totalCharge": decimal(cents, 2), "rate": _rate_text(rate),
                "quantity": whole if step.how == "usage" else decimal(quantity, places),
                "quantityUnits": unit, "multipliers": [], "accountIds": accounts, "chargeType": charge,
                "electricityChargeType": charge if electric else None,
                "gasChargeType": charge if gas else None,
                "electricityIsDemand": electric and step.how == "demand",
                "electricityTimeOfUse": period if electric else None, "billingPeriod": "CURRENT",
            })  # fmt: skip
    return lines, taxes


_Amount = tuple[str, str | None, int, int, str | None, int]


def _amounts(step: Step, used: Charged, base: int) -> list[_Amount]:
    """Return (text, time-of-use period, quantity, places, unit, rate) of each line of a step."""
    text, rate = step.text, step.rate
    if step.how == "usage":
        return [(text, None, used.usage, used.places, used.unit, rate)]
    if step.how == "percent":
        return [(f"{text} {rate / 1000:g}%", None, base, 2, None, rate)]
    if step.how == "fixed":
        return [(text, None, used.meters * used.months, 0, None, rate)]
    if step.how == "demand":
        return [(text, None, demand, 1, "kW", rate) for demand in used.demands]
    if step.how == "tou":
        return [
            (
                f"{text} {str(period).replace('_', '-').lower()}",
                str(period),
                part,
                used.places,
                used.unit,
                price,
            )
            for (period, price), part in zip(step.parts, used.by_time, strict=True)
        ]
    if step.how == "tiers":
        return _tiers(step, used)
    if step.how == "daily":
        return [(text, None, used.days * used.meters, 0, "days", rate)]
    if step.how == "pickup":
        return [(text, None, used.pickups, 0, None, rate)]
    return [(text, None, 1, 0, None, rate)]  # once a bill


def _tiers(step: Step, used: Charged) -> list[_Amount]:
    amounts: list[_Amount] = []
    left = used.usage
    for number, (limit, price) in enumerate(step.parts, start=1):
        size = int(limit) * used.meters * used.months * 10**used.places
        quantity = min(left, size) if size else left
        if quantity or number == 1:
            amounts.append((f"{step.text}, tier {number}", None, quantity, used.places, used.unit, price))
        left -= quantity
    return amounts
