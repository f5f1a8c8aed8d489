"""A plan of faults: which request answers with what instead, and what changes between two pages.

Here are the faults that an application can make. Those of the wire (no answer, a reset, a cut body, a slow drip) need a
wire: `wire` makes them before a served sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from threading import Lock
from typing import Final, Literal

from nectar_notebooks.errors import ConfigurationError

__all__ = ["DRIFTS", "WIRE_FAULTS", "Fault", "Faults"]

DRIFTS: Final = ("insert", "remove", "swap")
WIRE_FAULTS: Final = ("timeout", "reset", "cut", "drip")

Drift = Literal["insert", "remove", "swap"]


@dataclass(slots=True)
class Fault:
    """One entry of the plan.

    Attributes
    ----------
    route
        Part of the paths it is for, such as ``"usage"`` or ``"/document/company"``; every path where empty.
    at
        The number of the first matching request that it hits, from 1.
    times
        How many requests in a row it hits.
    status, retry_after, html
        What is answered instead; with ``html`` a web page in place of JSON.
    drift
        What changes in the listed company before the request is answered: a row more, a row less, or both.
    """

    route: str
    at: int
    times: int
    status: int | None
    retry_after: float | None
    html: bool
    drift: Drift | None
    seen: int = field(default=0, repr=False)

    def hits(self, path: str) -> bool:
        """Count a request, and say whether it is hit."""
        if self.route not in path:
            return False
        self.seen += 1
        return self.at <= self.seen < self.at + self.times


class Faults:
    """The plan of one sandbox.

    Examples
    --------
    >>> faults = Faults()
    >>> faults.add("usage", at=3, status=429, retry_after=2)
    >>> len(faults)
    1
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._plan: list[Fault] = []

    def add(
        self,
        route: str = "",
        *,
        at: int = 1,
        times: int = 1,
        status: int | None = None,
        retry_after: float | None = None,
        html: bool = False,
        drift: Drift | None = None,
        kind: str | None = None,
    ) -> None:
        """Plan a fault, see :class:`Fault`.

        Raises
        ------
        ConfigurationError
            A fault of the wire, which an application cannot make; or a plan that says nothing or makes no sense.
        """
        if kind is not None:
            raise ConfigurationError(
                f"The fault {kind!r} is not one that an application can make.",
                advice="Serve the embedded sandbox and put nectar_notebooks.sandbox.wire.Wire before it: it makes "
                f"{', '.join(WIRE_FAULTS)}."
                if kind in WIRE_FAULTS
                else "Plan a status, html or a drift.",
            )
        if drift is not None and drift not in DRIFTS:
            raise ConfigurationError(f"There is no drift {drift!r}.", advice=f"There is: {', '.join(DRIFTS)}.")
        if (status is None and not html) == (drift is None):
            raise ConfigurationError(
                "A fault answers something else (status, html) or lets rows drift: say one of them."
            )
        if not isinstance(route, str) or not isinstance(status, int | None):
            raise ConfigurationError(
                "A fault is for a part of a path, which is a text, and answers a status, a number."
            )
        if not isinstance(at, int) or not isinstance(times, int) or not isinstance(retry_after, int | float | None):
            raise ConfigurationError("A fault counts requests in whole numbers (at, times); retry_after is in seconds.")
        if retry_after is not None and not 0 <= retry_after < inf:
            raise ConfigurationError(f"retry_after is how many seconds to wait, not {retry_after}.")
        if at < 1 or times < 1 or (status is not None and not 400 <= status <= 599):
            raise ConfigurationError("A fault counts requests from 1 and answers with a status from 400 to 599.")
        if html and status is None:
            status = 200
        with self._lock:
            self._plan.append(Fault(route, at, times, status, retry_after, html, drift))

    def clear(self) -> None:
        """Forget the plan."""
        with self._lock:
            self._plan.clear()

    def hit(self, path: str) -> list[Fault]:
        """Count a request on every entry and return those that hit it."""
        with self._lock:
            return [fault for fault in self._plan if fault.hits(path)]

    def __len__(self) -> int:
        return len(self._plan)

    def __repr__(self) -> str:
        return f"Faults({self._plan})"
