"""The tables of one company, of one generation, held together.

A portfolio holds frames and finds rows in them: it is made by the client (or by hand) and read by the
methodology, the plots and the dashboards. It computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from html import escape
from typing import TYPE_CHECKING, Final

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.naming import ACCOUNT, BILL, COMPANY, CONNECTION, METER, SITE, Given, find, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pandas as pd

__all__ = ["Portfolio"]

#: What one line says of it: the table, one of its rows, several.
_SAID: Final = (
    ("sites", "site", "sites"),
    ("connections", "connection", "connections"),
    ("accounts", "account", "accounts"),
    ("meters", "meter", "meters"),
    ("bills", "bill", "bills"),
    ("usage", "usage record", "usage records"),
    ("demand", "demand reading", "demand readings"),
)


@dataclass(frozen=True, repr=False, eq=False)
class Portfolio:
    """One company's tables, joined by their ``_id`` keys.

    Each field is a frame with the columns of the table of that name (see the reference). All were fetched
    together, so that every key in one is found in the other, or is missing there with a reason.

    ``as_of`` is no table: when the oldest answer that went into them was given (aware, UTC), by the API's own ``Date``
    header. What is counted up to today is counted to its day; None where nobody said.
    """

    companies: pd.DataFrame
    sites: pd.DataFrame
    connections: pd.DataFrame
    accounts: pd.DataFrame
    meters: pd.DataFrame
    identifiers: pd.DataFrame
    bills: pd.DataFrame
    bill_accounts: pd.DataFrame
    usage: pd.DataFrame
    line_items: pd.DataFrame
    line_item_accounts: pd.DataFrame
    demand: pd.DataFrame
    demand_usage: pd.DataFrame
    time_of_use: pd.DataFrame
    as_of: pd.Timestamp | None = None

    @property
    def name(self) -> str:
        """Return the company's name, or how many companies there are."""
        names = self.companies["name"].dropna().tolist()
        return str(names[0]) if len(names) == 1 else f"{len(self.companies)} companies"

    def __getitem__(self, table: str) -> pd.DataFrame:
        """Return the table of that name: ``portfolio["bills"]`` is ``portfolio.bills``."""
        if not isinstance(table, str) or table not in self.tables:
            raise InvalidRequestError(
                f"There is no table {shown(table)}.", advice=f"Use one of {', '.join(self.tables)}."
            )
        frame: pd.DataFrame = getattr(self, table)
        return frame

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables."""
        return tuple(field.name for field in fields(self) if field.name != "as_of")

    def company(self, company: Given) -> Portfolio:
        """Return the same tables of one company alone; else as :meth:`site`."""
        key = find(company, COMPANY, self.companies, where="here")
        sites, bills = _keys(self.sites, "site_id", company_id=key), _keys(self.bills, "bill_id", company_id=key)
        accounts = _keys(self.accounts, "account_id", company_id=key)
        part = self._of(
            bills, sites=sites, accounts=accounts, meters=_keys(self.meters, "meter_id", account_id=accounts)
        )
        return replace(part, companies=_rows(self.companies, "company_id", {key}))

    def site(self, site: Given) -> Portfolio:
        """Return the same tables with the bills of one site alone.

        A bill that several sites share keeps all that stands on it, because its charges are shared by that; so do the
        other meters of its accounts. What :func:`nectar_notebooks.monthly` says of the site is then what it says of it
        in the whole.

        Parameters
        ----------
        site
            An id, an external id, a name, or a row: Series, frame of one row, namedtuple.

        Raises
        ------
        NotFoundError
            None is called so; the message names what is near.
        InvalidRequestError
            Several are, and are listed; or the row is no site.

        Examples
        --------
        >>> import nectar_notebooks as nn
        >>> portfolio = nn.connect("local").portfolio("Bluestem Logistics")
        >>> portfolio.site("Milwaukee Headquarters").name
        'Bluestem Logistics'
        """
        key = find(site, SITE, self.sites, where="here")
        meters = _keys(self.meters, "meter_id", site_id=key) | _keys(self.usage, "meter_id", site_id=key)
        bills = _keys(self.usage, "bill_id", site_id=key) | self._bills_of(meters)
        return self._of(bills, sites={key}, meters=meters)

    def meter(self, meter: Given) -> Portfolio:
        """Return the same tables with the bills of one meter (id, primary identifier, row); as :meth:`site`."""
        key = find(meter, METER, self.meters, where="here")
        return self._of(self._bills_of({key}), meters={key})

    def account(self, account: Given) -> Portfolio:
        """Return the same tables with the bills of one account (id, number, row); as :meth:`site`."""
        key = find(account, ACCOUNT, self.accounts, where="here")
        return self._of(_keys(self.bill_accounts, "bill_id", account_id=key), accounts={key})

    def connection(self, connection: Given) -> Portfolio:
        """Return the same tables with the bills that one connection brought alone; as :meth:`site`.

        `connection` is an id, an external id, a user name, a provider, or a row.
        """
        key = find(connection, CONNECTION, self.connections, where="here")
        accounts = _keys(self.accounts, "account_id", connection_id=key)
        part = self._of(_keys(self.bill_accounts, "bill_id", connection_id=key), accounts=accounts)
        known = _keys(part.connections, "connection_id") | {key}
        return replace(part, connections=_rows(self.connections, "connection_id", known))

    def bill(self, bill: Given) -> Portfolio:
        """Return the same tables with the rows of one bill alone; sites, accounts and meters stay whole.

        Parameters
        ----------
        bill
            An id, an invoice id, or a row of :attr:`bills`: Series, frame of one row, namedtuple.

        Raises
        ------
        NotFoundError
            The portfolio holds no such bill.
        InvalidRequestError
            An invoice id that several bills have; the message lists them. Or the row is no bill.
        """
        return self._on({find(bill, BILL, self.bills, where="here")})

    def _on(self, bills: set[str]) -> Portfolio:
        """Return the rows of bills; all other tables stay whole."""
        usage, items = _rows(self.usage, "bill_id", bills), _rows(self.line_items, "bill_id", bills)
        demand = _rows(self.demand, "bill_id", bills)
        return replace(
            self,
            bills=_rows(self.bills, "bill_id", bills),
            bill_accounts=_rows(self.bill_accounts, "bill_id", bills),
            usage=usage,
            line_items=items,
            line_item_accounts=_rows(self.line_item_accounts, "line_item_id", items["line_item_id"]),
            demand=demand,
            demand_usage=_rows(self.demand_usage, "demand_id", demand["demand_id"]),
            time_of_use=_rows(self.time_of_use, "usage_id", usage["usage_id"]),
        )

    def _bills_of(self, meters: set[str]) -> set[str]:
        """Return the bills of meters: by their usage, by name, or by their account where a bill has no usage at all."""
        accounts = _keys(self.meters, "account_id", meter_id=meters)
        bare = _keys(self.bill_accounts, "bill_id", account_id=accounts) - _keys(self.usage, "bill_id")
        return _keys(self.usage, "bill_id", meter_id=meters) | _keys(self.line_items, "bill_id", meter_id=meters) | bare

    def _of(
        self,
        bills: set[str],
        *,
        sites: set[str] | None = None,
        accounts: set[str] | None = None,
        meters: set[str] | None = None,
    ) -> Portfolio:
        """Return the rows of bills, and of the other tables those that they or the objects given name."""
        part, sites, accounts, meters = self._on(bills), sites or set(), accounts or set(), meters or set()
        if meters:  # records that stand on no bill
            bare = self.usage["bill_id"].isna() & self.usage["meter_id"].isin(meters)
            mine = self.usage["bill_id"].isin(bills) | bare
            usage = self.usage[mine.to_numpy(dtype=bool)].reset_index(drop=True)
            times = _rows(self.time_of_use, "usage_id", usage["usage_id"])
            part = replace(part, usage=usage, time_of_use=times)
        meters = meters | _keys(part.usage, "meter_id") | _keys(part.line_items, "meter_id")
        accounts = accounts | _keys(part.bill_accounts, "account_id") | _keys(part.line_item_accounts, "account_id")
        accounts |= _keys(self.meters, "account_id", meter_id=meters)
        meters |= _keys(self.meters, "meter_id", account_id=accounts)
        sites = sites | _keys(part.usage, "site_id") | _keys(self.meters, "site_id", meter_id=meters)
        of_accounts = _rows(self.accounts, "account_id", accounts)
        logins = _keys(of_accounts, "connection_id") | _keys(part.bill_accounts, "connection_id")
        return replace(
            part,
            sites=_rows(self.sites, "site_id", sites),
            connections=_rows(self.connections, "connection_id", logins),
            accounts=of_accounts,
            meters=_rows(self.meters, "meter_id", meters),
            identifiers=_rows(self.identifiers, "meter_id", meters),
        )

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the words for its ids in front: `site`, `meter`, `line_item`, where it has the ids.

        A site is called by its name, a meter by its primary identifier, a line item by its description; an id
        that stands in no table of this portfolio has no word.
        """
        words = {
            "site": ("site_id", self.sites, "name"),
            "meter": ("meter_id", self.meters, "primary_identifier"),
            "line_item": ("line_item_id", self.line_items, "description"),
        }
        found = {
            word: frame[key].map(table.set_index(key)[name]).astype(table[name].dtype)
            for word, (key, table, name) in words.items()
            if key in frame.columns and word not in frame.columns and {key, name} <= set(table.columns)
        }
        result = frame.assign(**found)
        return result[[*found, *frame.columns]]

    def __iter__(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each table's name and frame."""
        return ((name, getattr(self, name)) for name in self.tables)

    def __repr__(self) -> str:
        counts = [(len(getattr(self, table)), one, several) for table, one, several in _SAID]
        rows = ", ".join(f"{count:,} {one if count == 1 else several}" for count, one, several in counts)
        return printable(f"Portfolio of {self.name}: {rows}")

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{name}</th><td>{len(frame):,}</td></tr>" for name, frame in self)
        head = "<tr><th>table</th><th>rows</th></tr>"
        return f"<p>Portfolio of <b>{escape(printable(self.name))}</b></p><table>{head}{rows}</table>"


def _rows(frame: pd.DataFrame, key: str, values: Collection[str] | pd.Series) -> pd.DataFrame:
    """Return the rows whose key is among the values."""
    return frame[frame[key].isin(values).to_numpy(dtype=bool)].reset_index(drop=True)


def _keys(frame: pd.DataFrame, key: str, **of: str | set[str]) -> set[str]:
    """Return the values of a key, of all rows or of those with the ids named; none of a column that is not there."""
    if not {key, *of} <= set(frame.columns):
        return set()
    for name, values in of.items():
        frame = frame[frame[name].isin({values} if isinstance(values, str) else values).to_numpy(dtype=bool)]
    return set(frame[key].dropna())
