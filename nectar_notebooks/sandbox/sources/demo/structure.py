"""The portfolio without its bills: companies, sites, connections, accounts and meters of one seed.

Made in a few milliseconds, so that a fresh sandbox can answer at once; `billing` writes the bills of an
account from what stands here. Accounts in unusual states come from `special`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from nectar_notebooks.sandbox.model import Record, World
from nectar_notebooks.sandbox.sources.demo.basics import chance
from nectar_notebooks.sandbox.sources.demo.catalogue import (
    CITIES,
    EXTRA_SITES,
    KINDS,
    PLANTED,
    SITES,
    STATUSES,
    City,
    Kind,
    SiteSpec,
)
from nectar_notebooks.sandbox.sources.demo.records import (
    account_record,
    company_record,
    connection_record,
    meter_record,
    site_record,
)
from nectar_notebooks.sandbox.sources.demo.tariffs import PROVIDERS, TARIFFS, Provider, Tariff, water_provider

__all__ = ["Account", "Builder", "Meter"]

_TERRITORIES = ("NE", "GL", "SO", "WE")


@dataclass(slots=True)
class Meter:
    """A meter with what is needed to bill it."""

    key: str
    word: str
    kind: Kind
    tariff: Tariff
    record: Record
    site: Record
    climate: str
    per_day: float
    luck: str  # whose months it shares: its own key, but for an account found twice
    shares: tuple[int, ...]  # of time-of-use periods

    @property
    def exclusion(self) -> bool:
        """Say whether its usage is a tenant's, to be subtracted from the landlord's."""
        return self.word == "E-TENANT"


@dataclass(slots=True)
class Account:
    """An account with its meters, its rhythm and what is planted on it."""

    key: str
    record: Record
    company: Record
    connection: Record | None
    provider: Provider
    read_day: int
    delay: int  # days from a period's end to its bill
    meters: list[Meter] = field(default_factory=list)
    planted: dict[str, int] = field(default_factory=dict)
    month_end: bool = False  # read on the last day of each month
    shared_days: bool = False  # prints the last day of a period as the first of the next
    stops: datetime | None = None  # when its login broke
    newest_only: int = 0  # only so many bills exist
    ended_months_ago: int = 0
    duplicate_of: str | None = None


class Builder:
    """Makes the portfolio of a seed; `world` and `accounts` hold it."""

    def __init__(self, seed: int | str, today: date, sites: int | None) -> None:
        self.seed, self.today = seed, today
        self.world = World()
        self.accounts: dict[str, Account] = {}
        self.companies: dict[str, Record] = {}
        self._connections: dict[tuple[str, str], Record] = {}
        self.number = seed if isinstance(seed, int) else chance(seed, "number").randrange(1 << 16)
        first = self.number % 4  # turns with the seed, so that no two neighbours stand in the same places
        second = first + 1 + self.number // 4 % 3
        self._territories = (_TERRITORIES[first], _TERRITORIES[second % 4])
        self._turn = self.number % 2
        for key, spec in self._specs(sites).items():
            self._site(key, spec)

    def _specs(self, sites: int | None) -> dict[str, SiteSpec]:
        specs = dict(SITES)
        if self.number % 2:  # every second seed has no fifth company: counts differ from seed to seed
            del specs["E0"]
        count = len(specs) + self.number // 2 % 3 if sites is None else sites
        for number in range(count - len(specs)):
            draw = chance(self.seed, "extra", number)
            specs[f"X{number}"] = SiteSpec(
                "A", draw.choice(EXTRA_SITES), draw.choice(_TERRITORIES), draw.randrange(2), "E-SMALL G-US W-CITY"
            )
        return dict(list(specs.items())[:count])

    def _site(self, key: str, spec: SiteSpec) -> None:
        territory = self._territories[spec.territory] if isinstance(spec.territory, int) else spec.territory
        swapped = self._turn if key != "B5" else 0  # that one stands on the border
        city = CITIES[territory][(spec.city + swapped) % 2]
        number = None
        if spec.building in EXTRA_SITES:
            number = 3 * (int(key[1:]) + (120 if key[0] == "X" else 100)) + self.number % 7
        company = self.company(spec.company)
        site = site_record(self.seed, key, spec, city, number, company, self.today)
        self.world.sites.append(site)
        size = chance(self.seed, "size", key).uniform(0.75, 1.3)
        for item in spec.utilities.split():
            word, _, shared = item.partition(":")
            account = self._account_for(key, spec, word, shared, territory, city, site)
            self.meter(f"{key}/{word}", word, account, site, city.climate, size)

    def _account_for(
        self, key: str, spec: SiteSpec, word: str, shared: str, territory: str, city: City, site: Record
    ) -> Account:
        kind = KINDS[word]
        works = "W" if kind.provider == "I" else kind.provider
        where = str(spec.territory)
        if works == "W":
            provider, where = water_provider(city.name, city.country), f"{where}{spec.city}"
        elif works in "EG":
            provider = PROVIDERS[works, territory]
        else:
            provider, where = PROVIDERS[works, city.country], ""
        connection = None
        if shared != "upload":
            connection = self._connection(spec.company, works, where, provider, city.country)
            for name, value in (("initialSites", site["id"]), ("initialDatasourceTypes", kind.commodity)):
                if value not in connection[name]:
                    connection[name].append(value)
        name = f"{spec.company}/{kind.provider}/{shared}" if shared else f"{key}/{kind.provider}"
        if works == "D" and not shared:
            name = f"{key}/{word}"
        if name in self.accounts:
            return self.accounts[name]
        account = self.account(name, spec.company, connection, provider)
        account.month_end = kind.provider in "ITFP"
        account.shared_days = spec.company == "A" and works == "G" and spec.territory == 0
        account.ended_months_ago = spec.archived_months_ago
        account.newest_only = 3 if shared == "upload" else 0
        return account

    def company(self, key: str) -> Record:
        """Return a company, made when it is first needed."""
        if key not in self.companies:
            record = company_record(self.seed, key, self.number, self.today)
            self.companies[key] = record
            self.world.companies.append(record)
        return self.companies[key]

    def _connection(self, company: str, works: str, where: str, provider: Provider, country: str) -> Record:
        if (company, provider.name) not in self._connections:
            status, since, detail = STATUSES.get((company, works, where), ("CONNECTED", 0, None))
            record = self.login(company, provider, country, status, since, detail)
            record["multiplyByOccupancy"] = company == "A" and works in "EG"
            self._connections[company, provider.name] = record
        return self._connections[company, provider.name]

    def login(
        self, company: str, provider: Provider, country: str, status: str, since: int, detail: str | None
    ) -> Record:
        """Return a new connection."""
        owner = self.company(company)
        record = connection_record(self.seed, owner, provider, country, self.today, status, since, detail)
        self.world.connections.append(record)
        return record

    def account(
        self, key: str, company: str, connection: Record | None, provider: Provider,
        status: str = "PULL_COMPLETED",
    ) -> Account:  # fmt: skip
        """Return a new account; one without a connection is known from uploads only and no API answers it."""
        draw = chance(self.seed, "account", key)
        record = account_record(self.seed, key, self.company(company), connection, status)
        account = Account(
            key, record, self.company(company), connection, provider, read_day=draw.randrange(4, 26),
            delay=draw.randrange(2, 6), planted=PLANTED.get(key, {}),
        )  # fmt: skip
        if connection:
            self.world.accounts.append(record)
            if connection["status"] not in ("CONNECTED", "UNDER_INVESTIGATION"):
                account.stops = datetime.fromisoformat(connection["statusFirstSeenTime"])
        self.accounts[key] = account
        return account

    def meter(self, key: str, word: str, account: Account, site: Record, climate: str, size: float) -> Meter:
        """Return a new meter of an account."""
        kind = KINDS[word]
        draw = chance(self.seed, "meter", key)
        record = meter_record(self.seed, key, kind, account.record, site)
        meter = Meter(
            key, word, kind, TARIFFS[kind.tariff or word], record, site, climate, luck=key,
            per_day=kind.per_day * size * draw.uniform(0.85, 1.2),
            shares=(draw.randrange(26, 34), draw.randrange(20, 27), draw.randrange(42, 50)),
        )  # fmt: skip
        account.meters.append(meter)
        if kind.commodity not in account.record["datasourceTypes"]:
            account.record["datasourceTypes"].append(kind.commodity)
        self.world.meters.append(record)
        return meter
