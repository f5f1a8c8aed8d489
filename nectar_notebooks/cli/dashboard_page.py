"""What runs in the kernel behind a page of `nectar dashboard`: the dashboard that the command asked for.

What to show comes in one environment variable, without a key: the client finds that as ever. What goes wrong on purpose
is said on the page in a sentence.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from nectar_notebooks.errors import NectarError

if TYPE_CHECKING:
    from nectar_notebooks.dashboards.shell import Shell

__all__ = ["DASHBOARDS", "SOURCE", "VARIABLE", "Refusal", "given", "open_page"]

#: What the command calls them, and their classes.
DASHBOARDS: Final = {
    "connections": "ConnectionDashboard",
    "coverage": "CoverageDashboard",
    "bills": "BillExplorer",
}
VARIABLE: Final = "NECTAR_DASHBOARD"
#: All the code there is behind the page.
SOURCE: Final = f"from {__name__} import open_page\nopen_page()"


class Refusal:
    """An error of the package, as a page shows it."""

    def __init__(self, error: NectarError) -> None:
        self._error = error

    def _repr_html_(self) -> str:
        from nectar_notebooks.dashboards.html import element, notice

        return str(element("div", notice(str(self._error)), role="alert", style="font-family:system-ui,sans-serif"))

    def __repr__(self) -> str:
        return str(self._error)


def given(which: str, environment: str, company: str | None, folder: str) -> str:
    """Return what the kernel has to know, as the variable carries it."""
    return json.dumps({"which": which, "environment": environment, "company": company, "folder": folder})


def open_page() -> Shell | Refusal:
    """Return the dashboard that `VARIABLE` describes, or why it cannot be shown."""
    import nectar_notebooks as nn

    asked = json.loads(os.environ[VARIABLE])
    os.chdir(asked["folder"])  # where the command was called: its .env file counts
    try:
        nectar = nn.connect(asked["environment"])
        made: Shell = getattr(nn, DASHBOARDS[asked["which"]])(nectar, asked["company"])
    except NectarError as error:
        return Refusal(error)
    return made
