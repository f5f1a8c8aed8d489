"""`nectar export`: monthly numbers, tables or ENERGY STAR's upload as files. What goes into them: `exports`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.cli.ask import only
from nectar_notebooks.cli.terminal import WITHOUT_ENVIRONMENT
from nectar_notebooks.config import ENVIRONMENTS, VERSIONS
from nectar_notebooks.printing import print_lines
from nectar_notebooks.schema.tables import TABLES

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from nectar_notebooks.exports import Export
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["add"]

_UPLOAD: Final = "portfolio-manager"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "export",
        help="write monthly numbers, tables or ENERGY STAR's upload to CSV, Excel or Parquet",
        description="Write usage and cost per site, meter, commodity and month (monthly), a table, or bills in the "
        "format of ENERGY STAR Portfolio Manager's upload (portfolio-manager). Bills with an open issue are left out "
        "and listed in a second file.",
    )
    parser.add_argument("what", choices=("monthly", _UPLOAD, *TABLES), metavar="WHAT",
                        help=f"monthly, {_UPLOAD}, or a table: {', '.join(TABLES)}")  # fmt: skip
    parser.add_argument("path", type=Path, metavar="FILE", help="output file: .csv, .xlsx or .parquet")
    parser.add_argument("--company", help="an id, an external id or a name; optional if there is only one")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    parser.add_argument("--flagged", action="store_true", help="include bills with an open issue")
    parser.add_argument(
        "--sites", type=Path, metavar="FILE.csv", help="your own site table, joined by site_id or external_id"
    )
    parser.add_argument("--convention", choices=("inclusive", "exclusive", "midday"), default="inclusive",
                        help="which days of a bill count, for monthly (default: inclusive)")  # fmt: skip
    upload = parser.add_argument_group(f"for {_UPLOAD}")
    upload.add_argument("--by", choices=("bill", "month"), default="bill", help="one entry per bill or per whole month")
    upload.add_argument("--currency", default="USD", help="currency of your Portfolio Manager account (default: USD)")
    upload.add_argument("--meters", type=Path, metavar="FILE.csv", help="Portfolio Manager's names of your meters")
    parser.add_argument("--environment", choices=ENVIRONMENTS, help=f"which environment to ask; {WITHOUT_ENVIRONMENT}")
    parser.add_argument("--api-version", choices=VERSIONS, help="API version")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect
    from nectar_notebooks.exports import free

    free(arguments.path, overwrite=arguments.force)  # before anything is fetched
    sites, meters = _table(arguments.sites), _table(arguments.meters)
    nectar = connect(arguments.environment, version=arguments.api_version)
    company = arguments.company or only(nectar.companies())
    export = _chosen(nectar.portfolio(company), arguments, sites, meters)
    for path in export.save(arguments.path, overwrite=arguments.force):
        print_lines(path)
    for sheet, frame in export.sheets.items():
        print_lines(f"{len(frame):,} rows of {sheet}")
    if len(export.notes):
        out = int((~export.notes["exported"]).sum())
        print_lines(f"{out:,} left out, {len(export.notes) - out:,} to check: the notes say which and why")
    return 0


def _chosen(
    portfolio: Portfolio, arguments: argparse.Namespace, sites: pd.DataFrame | None, meters: pd.DataFrame | None
) -> Export:
    from nectar_notebooks import exports

    if arguments.what == "monthly":
        return exports.monthly(portfolio, flagged=arguments.flagged, sites=sites, convention=arguments.convention)
    if arguments.what == _UPLOAD:
        return exports.portfolio_manager(
            portfolio, by=arguments.by, currency=arguments.currency, flagged=arguments.flagged, meters=meters
        )
    return exports.table(portfolio, arguments.what, flagged=arguments.flagged, sites=sites)


def _table(path: Path | None) -> pd.DataFrame | None:
    """Read the user's CSV; ids stay strings, even if they look like numbers."""
    if path is None:
        return None
    import pandas as pd

    from nectar_notebooks.errors import DataError

    try:
        table = pd.read_csv(path, dtype="str", encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(
            f"{path} cannot be read as a table: {error}.", advice="Use a CSV file in UTF-8 with a header row."
        ) from error
    if "area" in table:
        try:
            table["area"] = pd.to_numeric(table["area"])
        except ValueError as error:
            raise DataError(f"{path} has an area that is not a number: {error}.", advice="Write 1200.5.") from error
    return table
