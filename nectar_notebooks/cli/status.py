"""`nectar status`: which connections need action, for people and for cron.

Exit code 0 means that nothing needs action; 1, that something does or that the API could not be reached: then stderr
says why and stdout stays empty. `schema.statuses` says what a status means. Missing bills are counted only on request:
that needs all bills, which cron should not fetch every minute.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.cli.ask import add_environment
from nectar_notebooks.cli.terminal import heading, paragraph, table
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from nectar_notebooks.client import Nectar
    from nectar_notebooks.dashboards.closer import Closer
    from nectar_notebooks.dashboards.reading import Look

__all__ = ["add"]

_COLUMNS: Final = (
    "connection_id", "company_id", "company", "provider", "status", "family", "needs_customer", "status_since",
    "days_in_status", "next_step", "status_error", "owner_email", "missing_bills",
)  # fmt: skip


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "status",
        help="list the connections that need action; exit code 1 if any does",
        description="List the connections that need action. Exit code 1 if any does, for cron.",
    )
    add_environment(parser)
    parser.add_argument("--company", help="only this company: an id, an external id or a name")
    parser.add_argument(
        "--bills",
        action="store_true",
        help="also count missing bills; reads all bills, from the cache plus what changed since",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.dashboards.connections_view import connection_frame, counts_by_family, headline
    from nectar_notebooks.schema.statuses import needs_action

    nectar, look = _look(arguments.environment, arguments.company)
    closer = _closer(nectar, look) if arguments.bills else None
    every = connection_frame(look, closer)
    action = every["status"].map(lambda status: not isinstance(status, str) or needs_action(status)).astype(bool)
    rows = every[action].sort_values(["status_since", "connection_id"], kind="stable")[list(_COLUMNS)]
    if arguments.json:
        answer = {
            "fetched": look.fetched.isoformat(),
            "connections": len(every),
            "families": counts_by_family(every["family"]),
            "bills_missing": None if closer is None else int(closer.coverage.holes["bills_expected"].sum()),
            "sites_with_holes": None if closer is None else int(closer.coverage.holes["site_id"].nunique()),
            "needs_action": [_plain(row) for row in rows.to_dict("records")],
        }
        print_lines(json.dumps(answer, indent=2))
    else:
        print_lines(heading("Connections", f"as of {look.fetched:%Y-%m-%d %H:%M} UTC"))
        print_lines(paragraph(f"{headline(every, closer)}."))
        told = f"\n{_table(rows, several=len(look.companies) > 1)}" if len(rows) else paragraph("Nothing needs action.")
        print_lines(told)
    return 1 if len(rows) else 0


def _look(environment: str | None, company: str | None) -> tuple[Nectar, Look]:
    """Return the client and the connections as they are now, however old the cached ones are."""
    from nectar_notebooks.connecting import connect
    from nectar_notebooks.dashboards.reading import first_look, look_again

    connect(environment, max_age=0).companies()  # so that a company created today is not missed
    nectar = connect(environment)
    begun = nectar.clock.now()
    look = first_look(nectar, company)
    old = [one for one, part in look.parts.items() if part.fetched is not None and part.fetched < begun]
    for company_id in old:
        nectar.catch_up(company_id, "connections")
    return nectar, look_again(nectar, look, old)


def _closer(nectar: Nectar, look: Look) -> Closer:
    """Return what the bills tell, after fetching what changed."""
    from nectar_notebooks.dashboards.closer import closer_look

    for company_id in look.parts:
        nectar.catch_up(company_id, "bills")
    return closer_look(nectar, look)


def _plain(row: dict[Any, Any]) -> dict[str, object]:
    """Return a row as JSON values; missing ones are None."""
    import pandas as pd

    return {
        str(name): None
        if pd.isna(value)
        else value.isoformat()
        if isinstance(value, pd.Timestamp)
        else bool(value)
        if name == "needs_customer"
        else int(value)
        if name in ("days_in_status", "missing_bills")
        else str(value)
        for name, value in row.items()
    }


def _table(rows: pd.DataFrame, *, several: bool) -> str:
    names = ["company"] * several + ["provider", "status", "since"]
    lines = []
    steps: dict[str, list[str]] = {}
    for row in rows.to_dict("records"):
        plain = {name: "-" if value is None else str(value) for name, value in _plain(row).items()}
        called = plain["connection_id"] if plain["provider"] == "-" else plain["provider"]
        lines.append([plain["company"]] * several + [called, plain["status"], plain["status_since"][:10]])
        asked = steps.setdefault(plain["next_step"], [])
        asked += [plain["status"]] * (plain["status"] not in asked)
    what = [paragraph(f"{', '.join(asked)}: {step}") for step, asked in steps.items()]
    return "\n".join([table(names, lines, "f" * several + "fll"), heading("Next steps"), *what])
