"""`Nectar`: nouns that return DataFrames of fixed columns and dtypes.

Every noun of a bill is answered from one generation of the company's tables, so that what two nouns say of
one bill fits together. Names are resolved in `scope`, questions answered in `filters`; what is fetched and
kept is the library's work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_notebooks.cache import Company, Held, Library
from nectar_notebooks.client.dates import Day, Window
from nectar_notebooks.client.filters import By, Question, checked_by, checked_commodity
from nectar_notebooks.client.resolving import Given
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.errors import InterruptedWalkError, OfflineError
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["Nectar"]


class Nectar:
    """The API as tables; made by :func:`nectar_notebooks.connect`.

    Every noun returns a DataFrame with the columns and dtypes of the table of that name, also when it is
    empty. ``frame.attrs["nectar"]`` says when its rows were fetched, from where and at what cost.

    ``company``, ``site`` and ``connection`` are an id, an external id, a name, or a row (Series, one-row
    frame, namedtuple). With one visible company, or with a site or connection, ``company`` may be left out.

    The nouns of a bill take one set of filters. ``start`` and ``end`` are days, both counted, or months
    meaning all of them; ``by`` says what they are compared with: ``"service_period"`` (any day of service
    inside), ``"bill_date"``, ``"created"`` or ``"updated"`` (UTC). A usage row is chosen by itself; a bill by
    its usage, by its own period where it has none, or by its own dates; everything else by its bill.

    Parameters
    ----------
    library : Library
    place : str
        Where the rows come from, in words: environment, host and version.
    key : str
        Which key, in words: its fingerprint and where it was found; never the key.

    Attributes
    ----------
    last_fetch : dict
        What ``frame.attrs["nectar"]`` of the latest noun says.

    Raises
    ------
    NotFoundError
        By every noun: nothing is called so; the message names what is near.
    InvalidRequestError
        By every noun: a name that fits several, several companies and none named, a malformed date.
    OfflineError
        By every noun when offline: what was asked for was never fetched.
    InterruptedWalkError
        By every noun: the walk broke in the middle; ``resume()`` goes on.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect("local")
    >>> list(nectar.companies().columns[:2])
    ['company_id', 'name']
    """

    def __init__(self, library: Library, *, place: str, key: str) -> None:
        self._library = library
        self._place = place
        self._key = key
        self.last_fetch: dict[str, Any] = {}

    def ping(self) -> dict[str, Any]:
        """Ask whether the key is accepted; return what the API says of itself (not documented)."""
        if self._library.offline:
            raise OfflineError("Offline, and a ping is nothing but a request.", advice="Call without offline=True.")
        answer = self._library.session.call("ping").json()
        return answer if isinstance(answer, dict) else {}

    def companies(self) -> pd.DataFrame:
        """Return the companies this key sees."""
        held = self._library.companies()
        return self._marked(held.frames["companies"], held, "companies", None)

    def sites(self, company: Given | None = None) -> pd.DataFrame:
        """Return a company's sites, archived ones too."""
        scope = resolve(self._library, company)
        held = Company(self._library, scope.company_id).company()
        return self._marked(held.frames["sites"], held, "sites", scope)

    def connections(self, company: Given | None = None) -> pd.DataFrame:
        """Return a company's connections with the status, family and age of each."""
        return self._walked("connections", resolve(self._library, company))

    def accounts(self, company: Given | None = None, *, connection: Given | None = None) -> pd.DataFrame:
        """Return the accounts behind a company's connections, or behind one of them."""
        scope = resolve(self._library, company, connection=connection)
        accounts = self._walked("accounts", scope)
        if scope.connection_id is None:
            return accounts
        return _only(accounts, accounts["connection_id"] == scope.connection_id)

    def meters(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return a company's meters: those that its usage rows and accounts name."""
        scope = resolve(self._library, company, site)
        wanted = checked_commodity(commodity)
        meters = self._of_portfolio("meters", scope, None)
        if scope.site_id is not None:
            meters = _only(meters, meters["site_id"] == scope.site_id)
        return meters if wanted is None else _only(meters, meters["commodity"] == wanted)

    def identifiers(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return the numbers by which a company's meters are known."""
        scope = resolve(self._library, company, site)
        meters = self.meters(scope.company_id, site=site, commodity=commodity)
        identifiers = self._of_portfolio("identifiers", scope, None)
        return _only(identifiers, identifiers["meter_id"].isin(set(meters["meter_id"])))

    def portfolio(self, company: Given | None = None) -> Portfolio:
        """Return every table of a company, of one generation, joined by their ``_id`` keys."""
        scope = resolve(self._library, company)
        rows = Company(self._library, scope.company_id)
        held = self._resumable(lambda: self.portfolio(scope.company_id), rows.portfolio)
        frames = {name: self._marked(frame, held, name, scope) for name, frame in held.frames.items()}
        return Portfolio(**frames)

    def bills(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return a company's bills, superseded ones too: ``counts`` says which count."""
        return self._of_bill("bills", company, site, connection, start, end, by, commodity)

    def bill_accounts(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return which account and connection each bill came from, and how that is known."""
        return self._of_bill("bill_accounts", company, site, connection, start, end, by, commodity)

    def line_items(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return the charges on the bills, one row each."""
        return self._of_bill("line_items", company, site, connection, start, end, by, commodity)

    def line_item_accounts(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return which accounts each charge belongs to."""
        return self._of_bill("line_item_accounts", company, site, connection, start, end, by, commodity)

    def usage(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return what each meter used in each service period."""
        return self._of_bill("usage", company, site, connection, start, end, by, commodity)

    def time_of_use(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return the time-of-use parts of usage: a breakdown of its total, never added to it."""
        return self._of_bill("time_of_use", company, site, connection, start, end, by, commodity)

    def demand(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return the demand readings on the bills."""
        return self._of_bill("demand", company, site, connection, start, end, by, commodity)

    def demand_usage(
        self,
        company: Given | None = None,
        *,
        site: Given | None = None,
        connection: Given | None = None,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: str | None = None,
    ) -> pd.DataFrame:
        """Return which usage records each demand reading belongs to."""
        return self._of_bill("demand_usage", company, site, connection, start, end, by, commodity)

    def _of_bill(
        self,
        noun: str,
        company: Given | None,
        site: Given | None,
        connection: Given | None,
        start: Day | None,
        end: Day | None,
        by: By,
        commodity: str | None,
    ) -> pd.DataFrame:
        # What can be wrong without asking anybody is said before anything is fetched.
        window, wanted = Window.of(start, end), checked_commodity(commodity)
        by_what = checked_by(by)
        scope = resolve(self._library, company, site, connection)
        question = Question(window, by_what, wanted, scope.site_id, scope.connection_id)
        return self._of_portfolio(noun, scope, question)

    def _of_portfolio(self, noun: str, scope: Scope, question: Question | None) -> pd.DataFrame:
        asked = question or Question(Window(None, None))
        rows = Company(self._library, scope.company_id)
        held = self._resumable(
            lambda: self._of_portfolio(noun, scope, question), lambda: rows.portfolio(asked.tables(noun))
        )
        return self._marked(asked.answer(noun, held.frames), held, noun, scope)

    def _walked(self, noun: str, scope: Scope) -> pd.DataFrame:
        rows = Company(self._library, scope.company_id)
        held = self._resumable(lambda: self._walked(noun, scope), rows.connections)
        return self._marked(held.frames[noun], held, noun, scope)

    @staticmethod
    def _resumable(again: Callable[[], object], read: Callable[[], Held]) -> Held:
        try:
            return read()
        except InterruptedWalkError as error:
            error.resume = again  # finished pages are staged: asking again is going on
            raise

    def _marked(self, frame: pd.DataFrame, held: Held, noun: str, scope: Scope | None) -> pd.DataFrame:
        """Write on the frame, and on `last_fetch`, where its rows are from."""
        requests = held.requests + (scope.requests if scope else 0)
        self.last_fetch = {
            "noun": noun,
            "company_id": scope.company_id if scope else None,
            "fetched": held.fetched.isoformat(),
            "source": "wire" if requests else "cache",
            "requests": requests,
            "rows": len(frame),
            "generation": held.generation,
            "place": self._place,
        }
        frame.attrs["nectar"] = dict(self.last_fetch)
        return frame

    def __repr__(self) -> str:
        return f"Nectar({self._place}; {self._key})"


def _only(frame: pd.DataFrame, keep: pd.Series) -> pd.DataFrame:
    kept = frame[keep.fillna(False).astype(bool)].reset_index(drop=True)
    kept.attrs["nectar"] = {**frame.attrs["nectar"], "rows": len(kept)}
    return kept
