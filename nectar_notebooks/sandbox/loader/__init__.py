"""Your own bills in the embedded sandbox: a line-item export of a billing system becomes one company.

:func:`load` is the one door. A file is read as a whole or not at all; a single line that cannot be placed is
reported by number and reason and loaded nowhere. Reading the file is in `text`, its columns in
`columns`, its cells in `values` and `words`, the company in `bills`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from nectar_notebooks.errors import BillsFileError
from nectar_notebooks.limits import path_of
from nectar_notebooks.printing import printable
from nectar_notebooks.sandbox.loader.bills import assemble
from nectar_notebooks.sandbox.loader.columns import find_header, read_map
from nectar_notebooks.sandbox.loader.lines import Line, Unplaced, parse
from nectar_notebooks.sandbox.loader.text import read_rows
from nectar_notebooks.sandbox.loader.values import Reading, find_date_order, find_decimal_sign
from nectar_notebooks.sandbox.loader.words import Vocabulary
from nectar_notebooks.sandbox.model import World

__all__ = ["Loaded", "Unplaced", "load"]

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a bills file gave.

    Attributes
    ----------
    world : World
        The company with its sites, connections (one a vendor), accounts, meters, bills and usage.
    lines : int
        Charge lines loaded; each is one line item.
    unplaced : tuple of Unplaced
        Lines that were loaded nowhere, by number in the file and reason.
    remarks : tuple of Unplaced
        Lines that were loaded, and whose quantity could not be counted as one would expect.
    totals : dict of str to Decimal
        Sum of all amounts, by currency.
    file : str
        Name of the file.
    """

    world: World
    lines: int
    unplaced: tuple[Unplaced, ...]
    remarks: tuple[Unplaced, ...]
    totals: dict[str, Decimal]
    file: str

    def __str__(self) -> str:
        world = self.world
        numbers = (
            (len(world.sites), "site"), (len(world.accounts), "account"), (len(world.meters), "meter"),
            (len(world.documents), "bill"), (self.lines, "line item"),
        )  # fmt: skip
        counts = ", ".join(f"{number:,} {word}{'' if number == 1 else 's'}" for number, word in numbers)
        money = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(self.totals.items()))
        text = [f"{world.companies[0]['name']}, from {self.file}: {counts}; {money} in all."]
        for title, found in (("not placed", self.unplaced), ("placed, with a remark", self.remarks)):
            if found:
                text.append(f"{len(found):,} {'line' if len(found) == 1 else 'lines'} {title}:")
                text += [f"  {entry}" for entry in found[:_SHOWN]]
            if len(found) > _SHOWN:
                text.append(f"  and {len(found) - _SHOWN:,} more")
        return "\n".join(map(printable, text))


def _name(lines: list[Line], path: Path) -> str:
    """Return what to call the company where nobody says it: its only site, else the file."""
    sites = {line.site_name for line in lines} - {""}
    words = path.stem.replace("_", " ").replace("-", " ").split()
    return sites.pop() if len(sites) == 1 else " ".join(word.capitalize() for word in words) or "Bills"


def load(path: str | Path, columns: str | Path | Mapping[str, Any] | None = None) -> Loaded:
    r"""Read a bills file into a world of one company.

    Parameters
    ----------
    path : str or Path
        Delimited text (comma, semicolon, tab or bar) with a header, one row a charge line. Needed: an account, an
        amount, and a bill date or a service period.
    columns : str, Path or mapping, optional
        A column map, see `columns`; without it columns are recognised by common names.

    Returns
    -------
    Loaded
        The world, and which lines are not in it and why. ``str()`` of it is a report.

    Raises
    ------
    BillsFileError
        The file or the map cannot be read as a whole, or no line of it could be placed; nothing is loaded then.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "town.csv"
    >>> text = "Account,Bill Date,From,Thru,Service,Description,Usage,Units,Cost,Site\n"
    >>> text += "17,2025-02-03,2025-01-01,2025-01-31,Electric,Energy charge,3100,kWh,$465.00,Town Hall\n"
    >>> _ = file.write_text(text)
    >>> print(load(file))
    Town Hall, from town.csv: 1 site, 1 account, 1 meter, 1 bill, 1 line item; 465.00 USD in all.
    """
    try:
        path = path_of(path)
    except OSError as error:
        raise BillsFileError(
            f"{str(path)[:80]!r} cannot be a bills file: {error.strerror}.", advice="Name a file."
        ) from error
    chosen = read_map(columns)
    rows = read_rows(path)
    header, body = find_header(rows, chosen, path.name)

    def cells(*roles: str) -> list[str]:
        places = [header.places[role] for role in roles if role in header.places]
        return [row.cells[place] for row in body for place in places if place < len(row.cells)]

    reading = Reading(
        find_date_order(cells("bill_date", "start", "end", "due_date", "entry_date"), chosen.date_order, path.name),
        find_decimal_sign(cells("amount"), chosen.decimal),
    )
    words = Vocabulary(chosen)
    parsed = [parse(row, header, reading, chosen, words) for row in body]
    lines = [entry for entry in parsed if isinstance(entry, Line)]
    unplaced = tuple(entry for entry in parsed if isinstance(entry, Unplaced))
    if not lines:
        first = f": {unplaced[0]}" if unplaced else ""
        raise BillsFileError(
            f"The bills file {path.name} has no line that could be placed, of {len(body):,}{first}.",
            advice="Check the column map, or the columns of the file.",
        )
    assembly = assemble(lines, _name(lines, path), chosen, words)
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        totals[line.currency] += line.amount
    return Loaded(assembly.world, len(lines), unplaced, tuple(assembly.remarks), dict(totals), path.name)
