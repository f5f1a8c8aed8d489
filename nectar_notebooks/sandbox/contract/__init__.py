"""The contract: what the API takes and answers, as OpenAPI 3.1, one document per version.

Start with `paths` (every endpoint, in reading order); what is sent stands in `inputs` and `parameters`, what is
answered in `objects`, `bills` and `sharing`, what older versions say differently in `versions`. `openapi` puts a
document together, `page` renders it for people, `requests` checks what comes in, `assumed` lists
what the documentation leaves open. It is written from the documentation, not from the sandbox's code: the tests
hold the two against each other.

Everything is loaded on use, and a reading request without filters is passed without loading anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.contract.versions import MOUNTS

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.contract.assumed import Assumption
    from nectar_notebooks.sandbox.contract.requests import Form
    from nectar_notebooks.sandbox.contract.schemas import Json

__all__ = [
    "MOUNTS",
    "assumptions",
    "check_request",
    "document",
    "published",
    "read_form",
    "reference_page",
    "refusals",
    "writable",
]


def document(version: str, *, documented_only: bool = False) -> Json:
    """Return the OpenAPI 3.1 document of a version, new each time: what ``/openapi.json`` answers.

    Parameters
    ----------
    version
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``; another one is a ``KeyError``.
    documented_only
        Without the endpoints, parameters, fields and values that are assumed.

    Examples
    --------
    >>> document("v2.0")["info"]["version"]
    'v2.0'
    """
    if documented_only:
        from nectar_notebooks.sandbox.contract.assumed import documented

        return documented(version)
    from copy import deepcopy

    from nectar_notebooks.sandbox.contract.openapi import build

    return deepcopy(build(version))


def published(version: str) -> Json:
    """Return the lean document of a version, as `docs/openapi/` has it: see `contract.publishing`."""
    from nectar_notebooks.sandbox.contract.publishing import published as lean

    return lean(version)


def reference_page(version: str, *, documented_only: bool = False) -> str:
    """Return the document as one HTML page for people, without scripts and without anything from elsewhere."""
    from nectar_notebooks.sandbox.contract.page import page

    return page(document(version, documented_only=documented_only))


def assumptions() -> list[Assumption]:
    """Return what the contract assumes where the documentation is silent, from the marks in the documents."""
    from nectar_notebooks.sandbox.contract.assumed import assumptions as found

    return found()


def refusals() -> dict[str, tuple[str, ...]]:
    """Return the writes that may refuse a body although it fits the contract, each with the reasons.

    Examples
    --------
    >>> refusals()["POST /company"]
    ("an e-mail address that is no user's",)
    """
    from nectar_notebooks.sandbox.contract.paths import OPERATIONS

    return {
        f"{operation.method.upper()} {operation.path}": operation.refuses
        for operation in OPERATIONS
        if operation.refuses
    }


def writable(component: str) -> tuple[str, ...]:
    """Return the fields that a body of this name may set.

    Examples
    --------
    >>> writable("SiteInput")
    ('name', 'externalId', 'address', 'path', 'occupancyPercent')
    """
    from nectar_notebooks.sandbox.contract.inputs import INPUTS

    return tuple(INPUTS[component]["properties"])


def check_request(
    version: str,
    method: str,
    path: str,
    query: Mapping[str, Sequence[str]] | None = None,
    body: object = None,
) -> dict[str, str]:
    """Return what is wrong with a request, by field; an empty dict where it fits.

    For the routes: call it after the key was checked and before the state is asked, and answer 400 where it is
    not empty. See :func:`nectar_notebooks.sandbox.contract.requests.check_request` for the arguments.

    Examples
    --------
    >>> check_request("v2.2", "PATCH", "/account/{account_id}", body={"isTracked": "perhaps"})
    {'isTracked': 'must be true or false.'}
    """
    query = query or {}
    if method == "GET" and not query.keys() - {"page"} and len(query.get("page", ())) < 2:
        return {}  # any text is a page: nothing to load, nothing to check
    from nectar_notebooks.sandbox.contract.requests import check_request as check

    return check(version, method, path, query, body)


def read_form(method: str, path: str, form: Mapping[str, Sequence[str]]) -> Form:
    """Return a form's or multipart body's texts as the values that JSON would have carried."""
    from nectar_notebooks.sandbox.contract.requests import read_form as read

    return read(method, path, form)
