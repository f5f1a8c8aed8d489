"""Numbers and ids of the seeds: everything exact, everything derived from the seed.

Money is an integer of cents, a rate an integer of 1/100,000, a quantity an integer of its meter's own
decimals, so that no bill is ever off by a rounding of floats. What is drawn and why stands elsewhere.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from random import Random

__all__ = ["RATE", "bill_cents", "chance", "decimal", "make_id", "moment", "share_out"]

#: One unit of currency as an integer rate.
RATE = 100_000


def make_id(seed: int | str, *parts: object) -> str:
    """Return a UUID-like text that depends on the seed and the object's own name only."""
    name = f"{seed}/{'/'.join(map(str, parts))}"
    h = blake2b(name.encode(), digest_size=16).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def chance(seed: int | str, *parts: object) -> Random:
    """Return the random numbers of one object: another object's draws never shift them."""
    return Random(f"{seed}/{'/'.join(map(str, parts))}")  # noqa: S311 - invented bills, no secrets


def decimal(value: int, places: int) -> str:
    """Write `value` / 10**`places` exactly.

    Examples
    --------
    >>> decimal(-12305, 2)
    '-123.05'
    """
    if not places:
        return str(value)
    digits = str(abs(value)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}"
    return text if value >= 0 else f"-{text}"


def bill_cents(quantity: int, places: int, rate: int) -> int:
    """Return quantity × rate in cents, half a cent away from zero."""
    scale: int = 10 ** (places + 3)
    product = quantity * rate
    cents = (2 * abs(product) + scale) // (2 * scale)
    return cents if product >= 0 else -cents


def share_out(total: int, weights: tuple[int, ...]) -> list[int]:
    """Split `total` by `weights` into integers that sum to it; the last takes the rounding."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights[:-1]]
    return [*parts, total - sum(parts)]


def moment(day: date, rng: Random) -> datetime:
    """Return a moment within `day`, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=rng.randrange(21_600, 82_800))
