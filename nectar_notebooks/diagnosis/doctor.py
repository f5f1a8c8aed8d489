"""The doctor: is there a key, is it accepted, what can it see. Read-only, with few requests and few retries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nectar_notebooks.api import RetryPolicy
from nectar_notebooks.diagnosis.meanings import Meaning, refused_key, unreachable, unseen
from nectar_notebooks.diagnosis.report import Check, Diagnosis
from nectar_notebooks.errors import (
    AuthenticationError,
    ContractError,
    NectarError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)
from nectar_notebooks.schema.accounts import name_states, unknown_states

if TYPE_CHECKING:
    from nectar_notebooks.api import Session

__all__ = ["FEW_RETRIES", "SHORT_DEADLINE", "SHORT_WAIT", "Patient", "examine", "list_companies", "not_connected"]

#: A diagnosis must not take long: attempts, and seconds to connect and to answer.
FEW_RETRIES: Final = RetryPolicy(attempts=2, longest_wait=10.0)
SHORT_WAIT: Final = (5.0, 15.0)
SHORT_DEADLINE: Final = 30.0
#: How many companies are read one by one; the others are only listed.
_READ_AT_MOST: Final = 10
#: How many connections per company are checked for account states: the maximum of one page.
_CONNECTIONS_AT_ONCE: Final = 500
#: The kinds of objects an id may belong to, and the endpoint to ask: for bills the usage endpoint, which is documented.
_KINDS: Final = (
    ("company", "company.get", "company_id"),
    ("site", "site.get", "site_id"),
    ("connection", "connection.get", "connection_id"),
    ("bill", "usage.document", "document_id"),
    ("account", "account.get", "account_id"),
    ("meter", "meter.get", "meter_id"),
    ("usage record", "usage.get", "usage_id"),
    ("invitation", "invitation.get", "invitation_id"),
    ("upload", "job.get", "job_id"),
)
_VERSIONS: Final = ("v2.2", "v2.1", "v2.0")
_NAMES: Final = {0: "new", 1: "old"}


@dataclass(frozen=True, slots=True)
class Patient:
    """The connection to examine.

    Attributes
    ----------
    session : Session
    environment : str
        The environment of the connection: ``"local"``, ``"sandbox"`` or ``"production"``.
    place : str
        Environment, host and version in words.
    key : str
        Which key and where it was found, in words; never the key itself.
    offline : bool
        Whether no requests may be made.
    other_keys : sequence of str
        Where keys of other environments were found, in words.
    """

    session: Session
    environment: str
    place: str
    key: str
    offline: bool = False
    other_keys: Sequence[str] = ()


def not_connected(error: NectarError, keys_in_sight: Sequence[str]) -> Diagnosis:
    """Return the diagnosis if there is no connection to examine because the settings are unusable."""
    sight = f"A key stands in: {', '.join(keys_in_sight)}." if keys_in_sight else "No key is in sight."
    return Diagnosis(
        (
            Check("settings", "wrong", error.message, (error.advice,) if error.advice else ()),
            Check("key", "note", f"{sight} Its value is shown nowhere."),
        )
    )


def examine(patient: Patient, object_id: str | None = None) -> Diagnosis:
    """Examine a connection and, if given, what `object_id` belongs to; every failure becomes a finding."""
    checks = [
        Check("settings", "ok", f"{patient.place}."),
        Check("key", "ok", f"{patient.key}; the digits tell keys apart and are not the key."),
    ]
    if patient.offline:
        checks.append(Check("ping", "not asked", "Offline: connect without offline=True to ask the API."))
        return Diagnosis(tuple(checks))
    session = patient.session.sibling(retry=FEW_RETRIES, timeout=SHORT_WAIT, deadline=SHORT_DEADLINE)
    checks += _pings(patient, session)
    if all(check.result == "wrong" for check in checks if check.check.startswith("ping")):
        return Diagnosis(tuple(checks))
    companies, found = _companies(session)
    checks += found
    if companies:
        checks.append(_environment(patient, [name for _, name in companies]))
    if object_id is not None:
        checks.append(_belongs(session, object_id, None if companies is None else [name for _, name in companies]))
    return Diagnosis(tuple(checks), tuple(companies or ()))


def list_companies(session: Session) -> list[tuple[str, str]]:
    """Return id and name of the companies that the key can see.

    Raises
    ------
    ContractError
        The answer is not a list of companies.
    """
    rows = session.call("companies.list").json()
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise ContractError("GET /company: the answer is not a list of companies.")
    return [(str(row["id"]), str(row.get("name") or row["id"])) for row in rows]


def _pings(patient: Patient, session: Session) -> Iterator[Check]:
    """Ping with each key: if one is refused, the other may still be accepted."""
    if session.key_count < 2:
        yield _ping(patient, session, "ping")
        return
    for number, name in _NAMES.items():
        yield _ping(patient, session.sibling(key=number), f"ping, {name} key")


def _ping(patient: Patient, session: Session, name: str) -> Check:
    try:
        answer = session.call("ping").json()
    except AuthenticationError as error:
        return _wrong(name, refused_key(error, patient.environment, patient.other_keys))
    except NectarError as error:
        meaning = unreachable(error, session.base_url, session.version)
        others = _answering(session) if isinstance(error, (NotFoundError, ContractError)) else []
        if others:
            meaning = Meaning(
                f"{error.message} {', '.join(others)} answers here: most probably {session.version} does not.",
                (f"The version: say version={others[0]!r}, or set NECTAR_API_VERSION.",),
            )
        return _wrong(name, meaning)
    said = answer.get("version") if isinstance(answer, dict) else None
    if said is not None and str(said).removeprefix("v") not in session.version:
        return Check(name, "note", f"{session.version} was asked and accepts the key, but calls itself {said}.")
    return Check(name, "ok", f"{session.version} answers and accepts the key.")


def _answering(session: Session) -> list[str]:
    found = []
    for version in _VERSIONS:
        if version == session.version:
            continue
        try:
            session.sibling(version=version).call("ping").json()
        except NectarError:
            continue
        found.append(version)
    return found


def _companies(session: Session) -> tuple[list[tuple[str, str]] | None, list[Check]]:
    try:
        companies = list_companies(session)
    except (PermissionDeniedError, NotFoundError) as error:
        return None, [_wrong("companies", unseen(error, "the list of companies"))]
    except NectarError as error:
        return None, [_wrong("companies", unreachable(error, session.base_url, session.version))]
    names = [name for _, name in companies]
    if not companies:
        steps = (
            "The key belongs to the organization whose companies you expect.",
            "The key was made for the environment whose companies you expect.",
            "There is a company yet: a new organization has none until one is created.",
        )
        return companies, [Check("companies", "wrong", "The key is accepted and sees no company.", steps)]
    return companies, [Check("companies", "ok", _counted(names)), *_reads(session, companies, names)]


def _reads(session: Session, companies: Sequence[tuple[str, str]], names: Sequence[str]) -> Iterator[Check]:
    """Read companies one by one; every listed company should be readable."""
    asked = companies[:_READ_AT_MOST]
    read = 0
    states: list[str] = []
    for company_id, name in asked:
        try:
            session.call("company.get", company_id=company_id).json()
        except (PermissionDeniedError, NotFoundError) as error:
            yield _wrong(f"company {name}", unseen(error, "the company", names))
        except NectarError as error:
            yield _wrong(f"company {name}", unreachable(error, session.base_url, session.version))
            if not isinstance(error, RateLimitError):
                continue
            return  # more requests would make it worse
        else:
            read += 1
            states += _states(session, company_id)
    if states:
        told = name_states(unknown_states(states))
        if told:
            yield Check("account states", "note", told)
    if read:
        left = len(companies) - len(asked)
        more = f"; {left} more were not tried" if left else ""
        yield Check("reading", "ok", f"{read} of {len(asked)} companies tried can be read{more}.")


def _states(session: Session, company_id: str) -> list[str]:
    """Return the states of the accounts of a company's connections, as far as they fit on one page."""
    try:
        page = session.call("connections.company", company_id=company_id, params={"limit": _CONNECTIONS_AT_ONCE}).json()
    except NectarError:
        return []  # other checks report that
    connections = page.get("connections") if isinstance(page, dict) else None
    accounts = [one for connection in connections or () for one in _accounts(connection)]
    return [str(account["status"]) for account in accounts if isinstance(account, dict) and account.get("status")]


def _accounts(connection: object) -> list[object]:
    found = connection.get("accounts") if isinstance(connection, dict) else None
    return found if isinstance(found, list) else []


def _environment(patient: Patient, names: Sequence[str]) -> Check:
    if patient.environment == "local":
        return Check("environment", "note", "The embedded sandbox: every company and bill in it is made up.")
    return Check(
        "environment",
        "note",
        f"The API does not say which environment a key is for. This connection calls it {patient.environment}"
        f" ({patient.key}); that it reads {names[0]} should fit.",
    )


def _belongs(session: Session, object_id: str, names: Sequence[str] | None) -> Check:
    """Find out what kind of object an id belongs to."""
    refusal: NectarError | None = None
    for kind, endpoint, parameter in _KINDS:
        try:
            session.request(endpoint, {parameter: object_id}).json()
        except (PermissionDeniedError, NotFoundError) as error:
            if refusal is None or isinstance(error, PermissionDeniedError):
                refusal = error  # 403 says more than 404: the object exists, but out of reach
        except NectarError as error:
            return _wrong("id", unreachable(error, session.base_url, session.version))
        else:
            return Check("id", "ok", f"{object_id} is the id of a {kind} that the key can read.")
    assert refusal is not None  # noqa: S101 - every kind was refused
    told = unseen(refusal, "the object", names)
    kinds = ", ".join(kind for kind, _, _ in _KINDS)
    return _wrong(
        "id", Meaning(f"{object_id} is nothing that the key can read ({kinds}). {told.finding}", told.check_first)
    )


def _wrong(name: str, meaning: Meaning) -> Check:
    return Check(name, "wrong", meaning.finding, meaning.check_first)


def _counted(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_READ_AT_MOST])
    left = len(names) - _READ_AT_MOST
    return f"The key sees {len(names)}: {shown}{f' and {left} more' if left > 0 else ''}."
