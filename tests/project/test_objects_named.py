"""Every public argument that names an object takes an id, a name or a row in any form of pandas; mistakes are one line.

The arguments are found by their signatures: one that is new, and has no place here, fails.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.errors import InvalidRequestError, NotFoundError

#: Which table an argument of this name is about.
TABLES = {
    "company": "companies", "company_id": "companies", "site": "sites", "sites": "sites", "connection": "connections",
    "account": "accounts", "accounts": "accounts", "meter": "meters", "bill": "bills", "bill_id": "bills",
    "usage": "usage", "invitation": "invitations", "job": "jobs", "object_id": "sites",
}  # fmt: skip
#: What an object of a table is called by, beside its id.
CALLED = {
    "companies": ["name", "external_id"], "sites": ["name", "external_id"], "connections": ["provider"],
    "accounts": ["account_number"], "meters": ["primary_identifier"], "bills": ["invoice_id"],
}  # fmt: skip
KEYS = {"companies": "company_id", "usage": "usage_id"}
#: Arguments of this name take a frame, not an object, where they are annotated as one.
FRAMES = ("DataFrame",)
#: Ids are taken as they are: nothing is looked up, so that names and what is not there are not known.
BY_ID = {"Nectar.catch_up": ("company_id", "bill_id"), "Nectar.diagnose": ("object_id",)}
#: A row is read, not looked up.
ROWS_ALONE = ("invitations.page_address", "invitations.standing")

nobody = "nobody is called so"


@dataclass
class Office:
    """A client of a small sandbox, one object of each kind, and a portfolio."""

    nectar: nn.Nectar
    frames: dict[str, pd.DataFrame]
    portfolio: nn.Portfolio
    folder: Path


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return opened(tmp_path_factory)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return an office of its own for the verbs: what is changed is read anew."""
    return opened(tmp_path_factory)


def opened(tmp_path_factory: pytest.TempPathFactory) -> Office:
    nectar = nn.connect(sandbox=nn.Sandbox(sites=4, months=1))
    company = nectar.companies().iloc[0]
    for number, site in enumerate(nectar.sites(company)["site_id"]):
        nectar.update_site(site, external_id=f"EXT-{number}")
    folder = tmp_path_factory.mktemp("bills")
    for bill in ("one", "two"):
        (folder / f"{bill}.pdf").write_bytes(
            nectar.download(nectar.bills(company).iloc[0], folder / "bill.pdf", overwrite=True).read_bytes()
        )
        nectar.upload(folder / f"{bill}.pdf", company)
        nectar.invite(company, max_uses=2 + len(bill), again=True)
    portfolio = nectar.portfolio(company)
    connections = portfolio.connections
    frames = {
        **dict(portfolio),
        "companies": nectar.companies(),
        "connections": connections.drop_duplicates("provider", keep=False),
        "bills": portfolio.bills.drop_duplicates("invoice_id", keep=False),
        "invitations": nectar.invitations(company),
        "jobs": nectar.jobs(company),
    }
    return Office(nectar, frames, portfolio, folder)


def key_of(table: str) -> str:
    return KEYS.get(table, f"{table.removesuffix('s')}_id")


def forms(office: Office, table: str) -> Iterator[Any]:
    """Yield the first object of a table in every form in which it can be given, its id first."""
    frame = office.frames[table].reset_index(drop=True)
    row = frame.iloc[0]
    yield row[key_of(table)]
    yield row
    yield frame.head(1)
    yield next(frame.head(1).itertuples())
    yield next(frame.head(1).itertuples(index=False))
    yield row.to_dict()
    for column in CALLED.get(table, []):
        yield row[column]


def annotated(callable_: Callable[..., Any]) -> dict[str, str]:
    try:
        parameters = inspect.signature(callable_).parameters
    except ValueError:
        return {}
    return {name: str(one.annotation) for name, one in parameters.items()}


def objects_in(callable_: Callable[..., Any]) -> list[str]:
    """Return the parameters that name an object: by their annotation, or by their name."""
    found = []
    for name, annotation in annotated(callable_).items():
        named = "Given" in annotation or "Several" in annotation
        alike = name in TABLES or name.endswith("_id")
        if named or (alike and not any(frame in annotation for frame in FRAMES)):
            found.append(name)
    return found


def public(owner: object) -> list[tuple[str, Callable[..., Any]]]:
    return [
        (name, getattr(owner, name))
        for name in dir(owner)
        if not name.startswith("_") and callable(getattr(owner, name, None))
    ]


def arguments(owner: type) -> list[tuple[str, str]]:
    return [(name, parameter) for name, method in public(owner) for parameter in objects_in(method)]


#: What else a method of Nectar needs, and what is compared of its answer where that is not all of it.
COUNT = itertools.count()
NEEDS: dict[str, Callable[[Office], dict[str, Any]]] = {
    "catch_up": lambda o: {"company_id": o.frames["companies"].iloc[0], "noun": "bills"},
    "changes": lambda o: {"since": "2020-01-01"},
    "compare_versions": lambda o: {"old": "v2.1"},
    "create_connection": lambda o: {
        "url": "https://power.example", "username": f"ann{next(COUNT)}", "password": "x", "sites": "EXT-0",
        "company": o.frames["companies"].iloc[0],
    },
    "create_site": lambda o: {"name": f"Another {next(COUNT)}"},
    "download": lambda o: {"to": o.folder / "again.pdf", "overwrite": True, "bill": o.frames["bills"].iloc[0],
        "company": o.frames["companies"].iloc[0],
    },
    "intervals": lambda o: {"connection": o.frames["connections"].iloc[0]},
    "invite": lambda o: {"again": True, "company": o.frames["companies"].iloc[0]},
    "magic_link": lambda o: {"company": o.frames["companies"].iloc[0]},
    "reconnect": lambda o: {"again": True, "connection": o.frames["connections"].iloc[0]},
    "reconnect_link": lambda o: {"connection": o.frames["connections"].iloc[0]},
    "track": lambda o: {"accounts": o.frames["accounts"].iloc[0], "company": o.frames["companies"].iloc[0]},
    "untrack": lambda o: {"accounts": o.frames["accounts"].iloc[0], "company": o.frames["companies"].iloc[0]},
    "update_company": lambda o: {"demand_enabled": True},
    "update_connection": lambda o: {"password": "y", "connection": o.frames["connections"].iloc[0]},
    "update_site": lambda o: {"address": "1 Main Street", "site": o.frames["sites"].iloc[0]},
    "update_usage": lambda o: {"tariff": "T", "usage": o.frames["usage"].iloc[0]},
    "upload": lambda o: {"documents": o.folder / "one.pdf", "company": o.frames["companies"].iloc[0]},
}  # fmt: skip
#: Whose answer is told by these columns: the others are new each time.
TOLD = {
    "create_connection": ["company_id", "provider"], "create_site": ["company_id"],
    "invite": ["company_id", "initial_sites"],
    "reconnect": ["company_id", "connection_id"], "upload": ["company_id"], "update_connection": ["connection_id"],
    "magic_link": ["company_id"], "reconnect_link": ["connection_id"],
}  # fmt: skip
SEVERAL = ("accounts", "job", "sites", "site")
WRITES = ("create_", "update_", "track", "untrack", "upload", "refresh")
DELETE = ("delete_company", "delete_connection")


def told(method: str, answer: Any) -> Any:
    """Return what two answers are compared by."""
    if isinstance(answer, nn.Portfolio):
        return {name: len(frame) for name, frame in answer}, repr(answer)
    if isinstance(answer, pd.DataFrame):
        frame = answer[TOLD[method]] if method in TOLD else answer
        volatile = [name for name in frame if name in ("updated", "status_checked", "url", "walked")]
        return frame.drop(columns=volatile).astype(str).values.tolist()
    return repr(answer)


def wrong(call: Callable[[Any], Any], office: Office, table: str, *, several: bool, looked_up: bool) -> None:
    """See what is said of a number, of two rows, of a row of something else, and of what is not there."""
    frame = office.frames[table]
    mistakes: list[tuple[Any, type[Exception]]] = [(7, InvalidRequestError)]
    if not several:
        mistakes.append((frame.head(0), InvalidRequestError))
        mistakes.append(([frame.iloc[0], frame.iloc[0]], InvalidRequestError))
    mistakes.append((pd.Series({"colour": "red"}), InvalidRequestError))
    if looked_up:
        mistakes.append((nobody, NotFoundError))
    for given, kind in mistakes:
        with pytest.raises(kind) as caught:
            call(given)
        said = str(caught.value)
        assert isinstance(caught.value, nn.NectarError), (given, caught.value)
        assert "\n" not in said, said
        assert len(said) < 1500, said
    if not several:
        with pytest.raises(InvalidRequestError, match="frame of 2 rows") as caught:
            call(frame.head(2))
        for key in frame[key_of(table)].head(2):
            assert key in str(caught.value)


@pytest.mark.parametrize(("method", "parameter"), [one for one in arguments(nn.Nectar) if one[0] not in DELETE])
@pytest.mark.filterwarnings("ignore:Nectar deprecated magic links")
def test_every_argument_of_the_client(
    office: Office, method: str, parameter: str, request: pytest.FixtureRequest
) -> None:
    if method.startswith(WRITES):
        office = request.getfixturevalue("written")

    def call(given: Any) -> Any:
        needed = NEEDS.get(method, lambda _: {})(office)
        if parameter == "company" and method in ("reconnect", "update_connection"):
            needed["connection"] = office.frames["connections"]["connection_id"].iloc[0]
        words = {**needed, parameter: given}
        first = [words.pop("usage")] if method == "update_usage" else []
        return getattr(office.nectar, method)(*first, **words)

    table = TABLES[parameter]
    by_id = parameter in BY_ID.get(f"Nectar.{method}", ()) or table in ("invitations", "jobs", "usage")
    wanted = None
    for form in forms(office, table):
        if by_id and isinstance(form, str) and form != office.frames[table][key_of(table)].iloc[0]:
            continue
        answer = told(method, call(form))
        wanted = answer if wanted is None else wanted
        assert answer == wanted, form
    several = parameter in SEVERAL and not (parameter == "site" and method in ("update_site", "upload"))
    wrong(call, office, table, several=several, looked_up=f"Nectar.{method}" not in BY_ID)


@pytest.mark.parametrize(("method", "parameter"), [one for one in arguments(nn.Nectar) if one[0] in DELETE])
def test_what_is_deleted_is_what_was_named(method: str, parameter: str, tmp_path: Path) -> None:
    sandbox = nn.Sandbox(sites=2, months=1)
    sandbox.prepare()
    seen = set()
    for place in range(7):
        sandbox.reset()
        nectar = nn.connect(sandbox=sandbox)
        company = nectar.companies().iloc[0]
        frames = {"companies": nectar.companies(), "connections": nectar.connections(company)}
        frames["connections"] = frames["connections"].drop_duplicates("provider", keep=False)
        office = Office(nectar, frames, nectar.portfolio(company), tmp_path)
        named = dict(zip(("companies", "connections"), ("company", "connection"), strict=True))
        form = list(forms(office, TABLES[parameter]))[place]
        given = {parameter: form}
        if method == "delete_connection" and parameter == "company":
            given["connection"] = frames["connections"]["connection_id"].iloc[0]
        gone = getattr(nectar, method)(**given)
        seen.add(gone[key_of("companies" if method == "delete_company" else "connections")].iloc[0])
        assert named
    assert len(seen) == 1


@pytest.mark.parametrize("noun", ["company", "site", "connection", "account", "meter", "bill"])
def test_every_noun_of_a_portfolio(office: Office, noun: str) -> None:
    assert arguments(nn.Portfolio) == [
        (one, one) for one in sorted(["company", "site", "connection", "account", "meter", "bill"])
    ]
    table = TABLES[noun]
    answers = [told(noun, getattr(office.portfolio, noun)(form)) for form in forms(office, table)]
    assert answers.count(answers[0]) == len(answers)
    wrong(getattr(office.portfolio, noun), office, table, several=False, looked_up=True)


def test_every_argument_of_a_computation(office: Office) -> None:
    found = {
        f"{name}.{parameter}"
        for name in nn.__all__
        if inspect.isfunction(getattr(nn, name))
        for parameter in objects_in(getattr(nn, name))
    }
    assert found == {"explain.site", "explain.bill", "diagnose.object_id"}  # the last is passed on to Nectar.diagnose
    month = office.portfolio.usage["start_date"].dropna().iloc[0]
    site = office.portfolio.usage["site_id"].dropna().iloc[0]
    office.frames["sites"] = office.frames["sites"].sort_values("site_id", key=lambda ids: ids != site)
    for call, table in (
        (lambda given: nn.explain(office.portfolio, month=month, site=given), "sites"),
        (lambda given: nn.explain(office.portfolio, bill=given), "bills"),
    ):
        answers = [told("explain", call(form)) for form in forms(office, table)]
        assert answers.count(answers[0]) == len(answers)
        assert answers[0]
        wrong(call, office, table, several=False, looked_up=True)


def test_every_argument_of_the_public_modules(office: Office) -> None:
    found = {
        f"{name}.{word}"
        for name in ("exports", "invitations", "plots", "webhooks", "statuses")
        for word, made in public(getattr(nn, name))
        if objects_in(made)
    }
    # Frames and links are made below; the id of a message is no object of the API.
    assert found - {"invitations.ConnectFrame", "invitations.Link", "webhooks.sign"} == set(ROWS_ALONE)
    for form in list(forms(office, "invitations"))[1:]:
        assert nn.invitations.standing(form) == "open"
        assert nn.invitations.page_address(office.nectar, form) is None
    for one in (nn.invitations.standing, lambda given: nn.invitations.page_address(office.nectar, given)):
        for given in (7, "x", office.frames["invitations"].head(2), pd.Series({"colour": "red"})):
            with pytest.raises(nn.NectarError) as caught:
                one(given)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "made", [nn.BillExplorer, nn.ConnectionDashboard, nn.CoverageDashboard, nn.ConnectFrame, nn.invitations.Link]
)
def test_every_argument_with_which_a_dashboard_is_made(office: Office, made: Any) -> None:
    assert set(objects_in(made)) <= {"company", "connection", "invitation"}
    for parameter in objects_in(made):
        table = TABLES[parameter]

        def call(given: Any, parameter: str = parameter) -> str:
            board = made(office.nectar, **{parameter: given})
            said = repr(board) if hasattr(board, "widget") else str(board.company_id)
            if hasattr(board, "close"):
                board.close()
            return said

        found = [form for form in forms(office, table) if table != "invitations" or not isinstance(form, str)]
        answers = [call(form) for form in found]
        assert answers.count(answers[0]) == len(answers)
        wrong(call, office, table, several=False, looked_up=True)


#: What can be set on a dashboard, and the table it is about; None: no object.
SETTERS = {
    nn.BillExplorer: {
        "bill": "bills", "company": "companies", "site": "sites", "account": "accounts", "meter": "meters",
        "convention": None, "occupancy": None, "side": None,
    },
    nn.ConnectionDashboard: {"selected": "connections", "filters": "filters", "order": None},
    nn.CoverageDashboard: {"selected": "cell", "by": None},
}  # fmt: skip


@pytest.mark.parametrize("made", SETTERS)
def test_every_object_that_is_set_on_a_dashboard(office: Office, made: Any) -> None:
    settable = {name for name in dir(made) if getattr(getattr(made, name), "fset", None)}
    assert settable == set(SETTERS[made])
    board = made(office.nectar, office.frames["companies"].iloc[0])
    for name, table in SETTERS[made].items():
        if table is None:
            continue
        tables = {"filters": ["companies", "sites"], "cell": ["sites"]}.get(table, [table])
        for one in tables:

            def call(given: Any, name: str = name, table: str = table, one: str = one) -> Any:
                months = {"cell": lambda: (given, board.frame["month"].iloc[0])}
                word = {"companies": "company", "sites": "site"}.get(one, "")
                value = {word: given} if table == "filters" else months[table]() if table in months else given
                setattr(board, name, value)
                return told(name, board.frame if table == "filters" else getattr(board, name))

            answers = [call(form) for form in forms(office, one)]
            assert answers.count(answers[0]) == len(answers), name
            wrong(call, office, one, several=False, looked_up=True)
    if made is nn.ConnectionDashboard:
        board.selected = office.frames["connections"].iloc[0]
        account = office.portfolio.accounts.pipe(lambda frame: frame[frame["connection_id"] == board.selected])
        office.frames["accounts"] = account
        for form in forms(office, "accounts"):
            board.track(form, on=True)
        office.frames["accounts"] = office.portfolio.accounts
        wrong(board.track, office, "accounts", several=False, looked_up=True)
    methods = [(name, parameter) for name, parameter in arguments(made)]
    assert methods == ([("track", "account")] if made is nn.ConnectionDashboard else [])
    board.close()


def test_two_of_one_name_are_listed_wherever_that_name_is_given(office: Office) -> None:
    sandbox = nn.Sandbox(sites=2, months=1)
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    twins = [nectar.create_site("Twin", company)["site_id"].iloc[0] for _ in range(2)]
    portfolio = nectar.portfolio(company)
    explorer = nn.BillExplorer(nectar, company)
    logins = nn.ConnectionDashboard(nectar, company)

    def setting(board: Any, name: str, value: Any) -> Callable[[], None]:
        return lambda: setattr(board, name, value)

    calls: list[Callable[[], Any]] = [
        lambda: nectar.usage(company, site="Twin"),
        lambda: nectar.invite(company, sites=["Twin"]),
        lambda: nectar.update_site("Twin", company, address="x"),
        lambda: portfolio.site("Twin"),
        lambda: nn.explain(portfolio, month="2024-01", site="Twin"),
        setting(explorer, "site", "Twin"),
        setting(logins, "filters", {"site": "Twin"}),
    ]
    for place, call in enumerate(calls):
        with pytest.raises(InvalidRequestError, match="fits 2 sites") as caught:
            call()
        assert all(twin in str(caught.value) for twin in twins), place
    for board in (explorer, logins):
        board.close()
