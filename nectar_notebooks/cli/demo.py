"""`nectar demo`: from a key to monthly numbers and attributed costs, on one terminal page.

The numbers come from the client and the methodology. This module chooses what to show: the company with the most
usage, and its bill spread over the most sites. `demo_sections` lays it out in tables. Two charts are saved to a folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nectar_notebooks.cli.sandbox import add_bills
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import pandas as pd

    from nectar_notebooks.client import Nectar

__all__ = ["add", "run"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "demo",
        help="a tour: bills, monthly numbers, attributed costs, two charts",
        description="Read a portfolio from the embedded sandbox and show what its bills add up to. Needs no key.",
    )
    add_bills(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/demo"),
        metavar="FOLDER",
        help="where the charts go (default build/demo)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect
    from nectar_notebooks.sandbox import Sandbox, World

    arguments.out.mkdir(parents=True, exist_ok=True)  # fail early if it cannot be written
    if arguments.bills is None:
        nectar = connect("local")
        print_lines("From the embedded sandbox: made-up companies, no key needed.")
    else:
        sandbox = Sandbox(world=World())
        print_lines(sandbox.load_bills(arguments.bills, columns=arguments.columns))
        nectar = connect(sandbox=sandbox)
    for section in run(nectar, arguments.out):
        print_lines(section)
    return 0


def run(nectar: Nectar, out: Path) -> Iterator[str]:
    """Yield the page section by section as text, and save the charts to `out`.

    Parameters
    ----------
    nectar : Nectar
        The client to read from.
    out : Path
        An existing folder.
    """
    from nectar_notebooks import plots
    from nectar_notebooks.cli import demo_sections as sections
    from nectar_notebooks.methodology import attribute, monthly

    portfolios = [nectar.portfolio(company_id) for company_id in nectar.companies()["company_id"]]
    yield sections.portfolio(portfolios)
    yield sections.connections(portfolios)
    shown = max(portfolios, key=lambda portfolio: len(portfolio.usage))
    months = monthly(shown)
    usage_picture = plots.monthly_usage(months, title=f"Monthly usage of {shown.name}")
    yield sections.months(shown, months, usage_picture.frame, plots.monthly_cost(months).frame)
    attributed = attribute(
        shown.line_items,
        shown.usage,
        shown.meters,
        shown.demand,
        line_item_accounts=shown.line_item_accounts,
        demand_usage=shown.demand_usage,
        bills=shown.bills,
    )
    bill = _telling_bill(shown.bills, attributed)
    parts = attributed[attributed["bill_id"] == bill["bill_id"]]
    title = f"Where one bill's money went: {bill['utility']}, {bill['bill_date']:%Y-%m-%d}"
    bill_picture = plots.bill_charges(parts, meters=shown.meters, sites=shown.sites, title=title)
    yield sections.bill(bill, bill_picture.frame)
    yield sections.rules(bill, parts, shown.line_items)
    yield sections.sums(shown, attributed, months)
    yield sections.pictures(
        [usage_picture.save(out / "monthly-usage.png"), bill_picture.save(out / "bill-charges.png")]
    )


def _telling_bill(bills: pd.DataFrame, attributed: pd.DataFrame) -> pd.Series:
    """Return the bill spread over the most sites, then the most meters; the newest of those that count."""
    paid = attributed.groupby("bill_id").agg(sites=("site_id", "nunique"), meters=("meter_id", "nunique"))
    ranked = bills.merge(paid, left_on="bill_id", right_index=True)
    ranked = ranked[ranked["counts"].fillna(True).astype(bool)]
    ranked = ranked.sort_values(["sites", "meters", "bill_date", "bill_id"])
    return ranked.iloc[-1]
