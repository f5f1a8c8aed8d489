"""From a change in Nectar to an open dashboard that shows it (goal: within a second, without a full refresh).

Method: one process with the served embedded sandbox, which sends signed webhooks to a receiver over a real socket; the
receiver brings the cache of a client up to date (over the sandbox's socket too), and the dashboard, of which nothing
else is asked, draws anew by itself on its event loop. Timed from the change to the changed picture, 15 times each.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from wsgiref.simple_server import WSGIRequestHandler, make_server

from machine import describe

import nectar_notebooks as nn
from nectar_notebooks.clock import stopwatch

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TIMES = 15


class Quiet(WSGIRequestHandler):
    """A handler that prints nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


async def seconds(act: Callable[[], object], drawn: Callable[[], object]) -> float:
    """Return the seconds from a change until a dashboard has been drawn anew, which it does in one go."""
    before = drawn()
    started = stopwatch()
    act()
    while drawn() is before:
        await asyncio.sleep(0.005)
        if stopwatch() - started > 60:
            raise SystemExit("the change was never shown")
    taken = stopwatch() - started
    await asyncio.sleep(0.3)  # a status fires two events: the second is drawn too
    return taken


async def measure(sandbox: nn.Sandbox, nectar: nn.Nectar) -> dict[str, list[float]]:
    logins = nn.ConnectionDashboard(nectar)
    logins.widget  # noqa: B018 - opened, as a notebook does
    statuses = [await seconds(partial(sandbox.scenario, "mfa_required"), lambda: logins._look) for _ in range(TIMES)]
    logins.close()
    company = nectar.companies().iloc[0]
    months = nn.CoverageDashboard(nectar, company, by="account")
    months.widget  # noqa: B018
    usage = nectar.usage(company)
    gone = usage.loc[usage["counts"] & usage["start_date"].ge("2025-02-01"), "bill_id"].unique()[:TIMES]
    bills = [
        await seconds(partial(sandbox.scenario, "bill_deleted", document=bill), lambda: months._drawn) for bill in gone
    ]
    months.close()
    return {
        "a login that breaks, on the ConnectionDashboard": statuses,
        "a bill that goes, on the CoverageDashboard": bills,
    }


def main() -> None:
    print(describe())
    sandbox = nn.Sandbox(seed=5)
    with tempfile.TemporaryDirectory() as folder, sandbox.serve(0) as served:
        nectar = nn.connect(
            "local", base_url=served.url, key=sandbox.key, cache_dir=folder, clock=sandbox.clock, max_age=None
        )
        syncing = nn.webhooks.Syncing(nectar)
        receiver = nn.webhooks.Receiver(SECRET, f"{folder}/ledger.db", syncing, clock=sandbox.clock)
        with make_server("127.0.0.1", 0, receiver, handler_class=Quiet) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            sandbox.webhooks.register(f"http://127.0.0.1:{server.server_port}/", secret=SECRET, clock=sandbox.clock)
            told = asyncio.run(measure(sandbox, nectar))
            server.shutdown()
        receiver.close()
    sandbox.close()
    for what, taken in told.items():
        print(f"{what:<50} median {statistics.median(taken):.2f} s, longest {max(taken):.2f} s (goal 1)")


if __name__ == "__main__":
    main()
