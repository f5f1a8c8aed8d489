"""The portfolio without its bills: companies, sites, connections, accounts and meters of one seed.

Made in a few milliseconds, so that a fresh sandbox can answer at once; `billing` writes the bills of an
account from what stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.seeds.basics import chance, make_id
from nectar_notebooks.sandbox.seeds.catalogue import (
    CITIES,
    COMPANY_NAMES,
    EXTRA_SITES,
    KINDS,
    PLANTED,
    SITES,
    STATUSES,
    STREETS,
    City,
    Kind,
    SiteSpec,
)
from nectar_notebooks.sandbox.seeds.tariffs import PROVIDERS, TARIFFS, Provider, Tariff, water_provider
from nectar_notebooks.sandbox.world import Record, World

if TYPE_CHECKING:
    from random import Random

__all__ = ["Account", "Meter", "Structure", "build"]

_TERRITORIES = ("NE", "GL", "SO", "WE")


@dataclass(slots=True)
class Meter:
    """A meter with what is needed to bill it."""

    key: str
    kind: Kind
    tariff: Tariff
    record: Record
    site: Record | None
    climate: str
    per_day: float
    luck: str  # whose months it shares: its own key, but for an account found twice
    exclusion: bool = False
    shares: tuple[int, ...] = ()


@dataclass(slots=True)
class Account:
    """An account with its meters, its rhythm and what is planted on it."""

    key: str
    record: Record
    company: Record
    connection: Record | None
    provider: Provider
    meters: list[Meter] = field(default_factory=list)
    read_day: int = 15
    delay: int = 5
    month_end: bool = False
    shared_days: bool = False
    stops: datetime | None = None
    newest_only: int = 0  # only so many newest bills exist
    ended_months_ago: int = 0
    planted: dict[str, int] = field(default_factory=dict)
    duplicate_of: str | None = None


@dataclass(slots=True)
class Structure:
    """Everything but the bills."""

    world: World = field(default_factory=World)
    accounts: list[Account] = field(default_factory=list)


def _month_back(today: date, months: int) -> date:
    index = today.year * 12 + today.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


class _Builder:
    def __init__(self, seed: int | str, today: date, sites: int | None) -> None:
        self.seed = seed
        self.today = today
        self.out = Structure()
        self.companies: dict[str, Record] = {}
        self.connections: dict[tuple[str, str], Record] = {}
        self.accounts: dict[str, Account] = {}
        draw = chance(seed, "territories")
        self.territories = draw.sample(_TERRITORIES, 2)
        self.turn = draw.randrange(2)
        self.number = seed if isinstance(seed, int) else draw.randrange(1 << 16)
        specs = dict(SITES)
        if self.number % 2:  # some portfolios have a fifth company: counts differ from seed to seed
            specs.pop("E0")
        count = len(specs) + self.number % 3 if sites is None else sites
        for number in range(count - len(specs)):
            specs[f"X{number}"] = self._extra(number)
        self.specs = dict(list(specs.items())[:count])

    def _extra(self, number: int) -> SiteSpec:
        draw = chance(self.seed, "extra", number)
        territory = draw.choice(_TERRITORIES)
        return SiteSpec("A", draw.choice(EXTRA_SITES), territory, draw.randrange(2), "E-SMALL G-US W-CITY")

    def company(self, key: str) -> Record:
        if key not in self.companies:
            draw = chance(self.seed, "company", key)
            name = COMPANY_NAMES[key][(self.number + len(key)) % 4]
            word = name.split()[0].lower()
            record: Record = {
                "id": make_id(self.seed, "company", key),
                "name": name,
                "externalId": f"{word[:4].upper()}-{draw.randrange(1000, 9999)}",
                "users": [f"energy@{word}.example"],
                "dataCollectionStartDate": f"{self.today.year - 3}-01-01",
                "isDemandEnabled": True,
                "isImpliedMeteringEnabled": key == "B",
                "impliedMeteringFraction": "0.9" if key == "B" else "1.0",
                "isBasicIdentifierMappingEnabled": False,
                "isLowAccuracyModeEnabled": False,
            }
            self.companies[key] = record
            self.out.world.companies.append(record)
        return self.companies[key]

    def site(self, key: str, spec: SiteSpec) -> tuple[Record, City, str, float]:
        draw = chance(self.seed, "site", key)
        territory = self.territories[spec.territory] if isinstance(spec.territory, int) else spec.territory
        fixed = key == "B5"  # on the border
        city = CITIES[territory][spec.city if fixed else (spec.city + self.turn) % 2]
        street = draw.choice(STREETS)
        number = draw.randrange(11, 2900)
        country = "United States" if city.country == "US" else "Canada"
        record: Record = {
            "id": make_id(self.seed, "site", key),
            "company": self.company(spec.company)["id"],
            "name": f"{spec.building} {city.name}, {street}",
            "externalId": f"{city.region}-{draw.randrange(100, 999)}" if draw.random() < 0.8 else None,
            "address": f"{number} {street}, {city.name}, {city.region} {city.postcode}",
            "path": [country, city.region, city.name],
            "occupancyPercent": f"{spec.occupancy}.00"
            if spec.occupancy < 100 or draw.random() < 0.5
            else None,
            "dataCollectionStopDate": _month_back(self.today, spec.archived_months_ago).isoformat()
            if spec.archived_months_ago
            else None,
        }
        self.out.world.sites.append(record)
        return record, city, territory, draw.uniform(0.75, 1.3)

    def connection(self, company: str, kind: str, place: str, provider: Provider, country: str) -> Record:
        if (company, provider.name) in self.connections:
            return self.connections[company, provider.name]
        status, since, detail = STATUSES.get((company, kind, place), ("CONNECTED", 0, None))
        record = self.login(company, provider, country, status, since, detail)
        self.connections[company, provider.name] = record
        return record

    def login(
        self, company: str, provider: Provider, country: str, status: str, since: int, detail: str | None
    ) -> Record:
        draw = chance(self.seed, "connection", company, provider.name, status)
        owner = self.company(company)
        word = str(owner["name"]).split()[0].lower()
        midnight = datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC)
        age = draw.randrange(430, 1050) if status != "PENDING" and status != "NO_ACCOUNTS_FOUND" else since
        created = midnight - timedelta(days=age, seconds=draw.randrange(3_600, 60_000))
        checked = midnight - timedelta(days=draw.randrange(1, 7), seconds=draw.randrange(3_600, 80_000))
        first = midnight - timedelta(days=since, seconds=draw.randrange(3_600, 80_000))
        if status == "CONNECTED":
            first = created + timedelta(hours=draw.randrange(3, 60))
        if status in ("PENDING", "NO_ACCOUNTS_FOUND"):
            first = created + timedelta(minutes=draw.randrange(1, 50))
        checked = max(first, checked if status != "COMPANY_INACTIVE" else first)
        record: Record = {
            "id": make_id(self.seed, "connection", company, provider.name),
            "created": _text(created),
            "updated": _text(checked),
            "externalId": None,
            "company": owner["id"],
            "datasource": {"name": provider.name, "url": provider.url},
            "url": provider.url,
            "status": status,
            "statusFirstSeenTime": _text(first),
            "statusLastUpdateTime": _text(checked),
            "statusErrorDetail": detail,
            "country": country,
            "initialSites": [],
            "initialDatasourceTypes": [],
            "username": f"{draw.choice(('ap', 'utilities', 'facilities', 'energy'))}@{word}.example",
            "password": f"sandbox-{draw.randrange(10**6, 10**7)}",
            "workflowOwnerEmail": f"{draw.choice(('dana', 'lee', 'sam', 'robin', 'alex'))}@{word}.example",
            "dataCollectionStartDate": owner["dataCollectionStartDate"],
            "multiplyByOccupancy": company == "A",
            "isActive": status != "COMPANY_INACTIVE",
            "publicCompanyId": None,
            "connectionMagicLinkSecret": None,
        }
        self.out.world.connections.append(record)
        return record

    def account(
        self,
        key: str,
        company: str,
        connection: Record | None,
        provider: Provider,
        status: str = "PULL_COMPLETED",
    ) -> Account:
        draw = chance(self.seed, "account", key)
        record: Record = {
            "id": make_id(self.seed, "account", key),
            "company": self.company(company)["id"],
            "connection": connection["id"] if connection else None,
            "accountNumber": _number(draw),
            "trackingStatus": "ENABLED",
            "isTracked": True,
            "isDuplicated": "",
            "dataCollectionStartDate": None,
            "isCollectingInvoiceData": True,
            "isCollectingSmartMeterData": False,
            "datasourceTypes": [],
            "lastServiceDate": None,
            "status": status,
        }
        made = Account(key, record, self.company(company), connection, provider, read_day=draw.randrange(4, 26),
                       delay=draw.randrange(2, 6), planted=PLANTED.get(key, {}))  # fmt: skip
        if connection and connection["status"] not in ("CONNECTED", "UNDER_INVESTIGATION"):
            made.stops = datetime.fromisoformat(connection["statusFirstSeenTime"])
        self.accounts[key] = made
        return made

    def meter(self, key: str, word: str, account: Account, site: Record, climate: str, size: float) -> Meter:
        kind = KINDS[word]
        draw = chance(self.seed, "meter", key)
        number = f"{draw.choice('ABCEGKMNT')}{draw.randrange(10**6, 10**7)}" if kind.identifier == "METER" else str(
            draw.randrange(10**5, 10**6))  # fmt: skip
        identifiers = [{"name": kind.identifier, "value": number, "rawName": kind.label}]
        if word.startswith("E-") and word != "E-EXPORT":
            identifiers.append(
                {"name": "POD", "value": str(draw.randrange(10**11, 10**12)), "rawName": "Service ID"}
            )
        subtype = dict.fromkeys(_SUBTYPES)
        for name, value in kind.subtype.items():
            subtype[name] = make_id(self.seed, name, value) if name.startswith("waste") else value
        record: Record = {
            "id": make_id(self.seed, "meter", key),
            "company": account.company["id"],
            "site": site["id"],
            "account": account.record["id"] if account.connection else None,
            "identifiers": identifiers,
            "datasourceType": kind.commodity,
            "address": site["address"],
            "isTracked": True,
            "timeOfUse": None,
            **subtype,
        }
        tariff = TARIFFS[kind.tariff or word]
        weights = (draw.randrange(26, 34), draw.randrange(20, 27), draw.randrange(42, 50))
        made = Meter(key, kind, tariff, record, site, climate, kind.per_day * size * draw.uniform(0.85, 1.2),
                     luck=key, exclusion=word == "E-TENANT", shares=weights)  # fmt: skip
        account.meters.append(made)
        if kind.commodity not in account.record["datasourceTypes"]:
            account.record["datasourceTypes"].append(kind.commodity)
        self.out.world.meters.append(record)
        return made

    def utilities(self, key: str, spec: SiteSpec) -> None:
        site, city, territory, size = self.site(key, spec)
        place = str(spec.territory)
        for item in spec.utilities.split():
            word, _, shared = item.partition(":")
            kind = KINDS[word]
            letter = "W" if kind.provider == "I" else kind.provider
            where = place
            if letter == "W":
                provider, where = water_provider(city.name, city.country), f"{place}{spec.city}"
            elif letter in "EG":
                provider = PROVIDERS[letter, territory]
            else:
                provider, where = PROVIDERS[letter, city.country], ""
            connection = None
            if shared != "upload":
                connection = self.connection(spec.company, letter, where, provider, city.country)
                if site["id"] not in connection["initialSites"]:
                    connection["initialSites"].append(site["id"])
                if kind.commodity not in connection["initialDatasourceTypes"]:
                    connection["initialDatasourceTypes"].append(kind.commodity)
            name = (
                f"{spec.company}/{kind.provider}/{shared}"
                if shared
                else f"{key}/{word if letter == 'D' else kind.provider}"
            )
            account = self.accounts.get(name) or self.account(name, spec.company, connection, provider)
            account.month_end = kind.provider in "ITFP"
            account.shared_days = spec.company == "A" and letter == "G" and spec.territory == 0
            account.ended_months_ago = spec.archived_months_ago
            account.newest_only = 3 if shared == "upload" else 0
            self.meter(f"{key}/{word}", word, account, site, city.climate, size)

    def special_accounts(self) -> None:
        """Accounts in every state: detected, not tracked, switched off, found twice."""
        if "A8/E" in self.accounts:
            model = self.accounts["A8/E"]
            found = self.account("A8/E/detected", "A", model.connection, model.provider, "DETECTED")
            found.record.update(trackingStatus="UNSET", datasourceTypes=["ELECTRICITY"])
            other = self._again("A8/E/not-tracked", "A", model, "CUSTOMER_NOT_TRACKED")
            other.newest_only, other.ended_months_ago = 6, 10
            other.record.update(trackingStatus="DISABLED", isTracked=False)
            other.meters[0].record["isTracked"] = False
        if "A10/E" in self.accounts:
            closed = self._again("A10/E/disabled", "A", self.accounts["A10/E"], "ONBOARDED")
            closed.ended_months_ago = 14
            closed.record.update(trackingStatus="DISABLED", isTracked=False, isCollectingInvoiceData=False)
        if "B1/E" in self.accounts:
            model = self.accounts["B1/E"]
            twin = self._again("B1/E/duplicate", "B", model, "PULL_COMPLETED")
            twin.record.update(accountNumber=model.record["accountNumber"], isDuplicated="true")
            twin.duplicate_of, twin.newest_only = model.key, 6
            twin.read_day, twin.delay = model.read_day, model.delay
            source = model.meters[0]
            copy = twin.meters[0]
            copy.per_day, copy.shares, copy.luck = source.per_day, source.shares, source.luck
            copy.record["identifiers"] = [dict(entry) for entry in source.record["identifiers"]]

    def _again(self, key: str, company: str, model: Account, status: str) -> Account:
        account = self.account(key, company, model.connection, model.provider, status)
        source = model.meters[0]
        assert source.site is not None  # noqa: S101 - every electricity meter of the catalogue has a site
        word = next(word for word, kind in KINDS.items() if kind is source.kind)
        self.meter(f"{key}/meter", word, account, source.site, source.climate, 0.6)
        return account

    def empty_logins(self) -> None:
        """Logins without accounts: waiting for the first check, or with nothing behind them."""
        for company, name, status, days, detail in (
            ("A", "Quarry Hills Electric", "PENDING", 1, None),
            (
                "A",
                "Saltmarsh Water District",
                "NO_ACCOUNTS_FOUND",
                48,
                "No active accounts for this profile.",
            ),
            ("C", "Pinewood Telephone", "PENDING", 2, None),
        )[: 2 + self.number % 2]:
            if company in self.companies:
                url = f"https://my.{name.replace(' ', '').lower()}.example/login"
                self.login(company, Provider(name, url), "US", status, days, detail)

    def build(self) -> Structure:
        for key, spec in self.specs.items():
            self.utilities(key, spec)
        self.special_accounts()
        self.empty_logins()
        for account in self.accounts.values():
            self.out.accounts.append(account)
            if account.connection is not None:
                self.out.world.accounts.append(account.record)
        self.out.world.connections.sort(key=lambda record: (record["created"], record["id"]))
        return self.out


_SUBTYPES = (
    "electricityType", "netMeteringType", "waterType", "meterHighLow", "gasType", "fuelType", "districtType",
    "districtMediumType", "wasteDescription", "wasteType", "wasteStream", "refrigerantType",
)  # fmt: skip


def _text(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(draw: Random) -> str:
    """Return an account number in one of the usual spellings."""
    digits = str(draw.randrange(10**9, 10**10))
    return draw.choice(
        (digits, f"{digits[:4]}-{digits[4:8]}-{digits[8:]}", f"{digits[:3]} {digits[3:]}", f"0{digits}")
    )


def build(seed: int | str, today: date, sites: int | None = None) -> Structure:
    """Return the portfolio without its bills; `sites` changes how many sites it has."""
    return _Builder(seed, today, sites).build()
