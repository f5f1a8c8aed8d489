"""`nectar export`: tables, months or the upload for ENERGY STAR as a file. What is exported: `exports`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.cli.companies import only
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
        help="write months, tables or ENERGY STAR's upload to CSV, Excel or Parquet",
        description="Write usage and cost per site, meter, commodity and month (monthly), a table, or the bills as "
        "ENERGY STAR Portfolio Manager's upload expects them (portfolio-manager). Bills with an open issue are left "
        "out; what is left out is listed in a file beside it.",
    )
    parser.add_argument("what", choices=("monthly", _UPLOAD, *TABLES), metavar="WHAT",
                        help=f"monthly, {_UPLOAD}, or a table: {', '.join(TABLES)}")  # fmt: skip
    parser.add_argument("path", type=Path, metavar="FILE", help="its ending says the kind: .csv, .xlsx or .parquet")
    parser.add_argument("--company", help="an id, an external id or a name; may be left out where there is one")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--flagged", action="store_true", help="export bills with an open issue too")
    parser.add_argument(
        "--sites", type=Path, metavar="FILE.csv", help="your table of sites, joined: site_id or external_id, area, ..."
    )
    parser.add_argument("--convention", choices=("inclusive", "exclusive", "midday"), default="inclusive",
                        help="which days of a bill count, for monthly (default: inclusive)")  # fmt: skip
    upload = parser.add_argument_group(f"for {_UPLOAD}")
    upload.add_argument("--by", choices=("bill", "month"), default="bill", help="an entry a bill, or a whole month")
    upload.add_argument("--currency", default="USD", help="of your Portfolio Manager account (default: USD)")
    upload.add_argument("--meters", type=Path, metavar="FILE.csv", help="what Portfolio Manager calls your meters")
    parser.add_argument("--environment", choices=ENVIRONMENTS, help=f"which environment to ask; {WITHOUT_ENVIRONMENT}")
    parser.add_argument("--api-version", choices=VERSIONS, help="which version to ask")
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
        print_lines(f"{out:,} left out, {len(export.notes) - out:,} to look at: the notes say which and why")
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
    """Read a table of the user's; ids stay texts, whatever they look like."""
    if path is None:
        return None
    import pandas as pd

    from nectar_notebooks.errors import DataError

    try:
        table = pd.read_csv(path, dtype="str", encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path} is no table: {error}.", advice="Give a CSV in UTF-8 with a line of heads.") from error
    if "area" in table:
        try:
            table["area"] = pd.to_numeric(table["area"])
        except ValueError as error:
            raise DataError(f"{path} has an area that is no number: {error}.", advice="Write 1200.5.") from error
    return table
