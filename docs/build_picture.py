"""Write the README's picture from the seeded embedded sandbox: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import nectar_notebooks as nn

PICTURE = Path(__file__).resolve().parent / "images" / "monthly-usage.png"


def picture() -> nn.plots.Picture:
    """Return the picture of the company with the most usage, of what most readers have: four panels."""
    nectar = nn.connect(sandbox=nn.Sandbox())
    portfolios = [nectar.portfolio(company) for company in nectar.companies()["company_id"]]
    largest = max(portfolios, key=lambda portfolio: len(portfolio.usage))
    monthly = nn.monthly(largest)
    shown = monthly["commodity"].isin(["ELECTRICITY", "GAS", "WATER"]) & (monthly["subtype"] != "IRRIGATION")
    return nn.plots.monthly_usage(monthly[shown], title=f"Monthly usage of {largest.name}")


def main() -> int:
    """Write the picture."""
    picture().save(PICTURE)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
