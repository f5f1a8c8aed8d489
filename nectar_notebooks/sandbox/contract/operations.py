"""What an operation is: one line of the endpoint table, from which a path of the document is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from nectar_notebooks.sandbox.contract.schemas import Json, ref

__all__ = ["FORM", "JSON", "MULTIPART", "Body", "Method", "Operation", "page_of"]

Method = Literal["get", "post", "patch", "delete"]

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

#: What a thing is of, written after the thing.
_RESOURCE_FIRST: Final = re.compile(r"/(?P<thing>\w+)/(?P<owner>[a-z]+)/(?P<id>\{\w+\})(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: a component schema and the media types it may come in.

    `forms_documented` is True where the documentation itself says that forms are taken (create-site).
    """

    schema: str
    media: tuple[str, ...] = (JSON, FORM, MULTIPART)
    required: bool = True
    forms_documented: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint.

    Attributes
    ----------
    name, method, path, tag
        `operationId`, HTTP method, path template, and the group it is shown in.
    summary, description
        In a few words, and what else there is to know.
    answer
        Schema of the successful answer; None for an empty one.
    status
        Of the successful answer.
    makes
        Component whose `id` the answer carries, as a JSON pointer: links lead on from there.
    refuses
        Why a body that fits its schema may still be a 400.
    assumed
        What is silent in the documentation, where the endpoint itself is our assumption.
    status_assumed
        Whether the success status is our assumption.
    """

    name: str
    method: Method
    path: str
    tag: str
    summary: str
    answer: Json | None
    description: str = ""
    status: int = 200
    parameters: tuple[Json, ...] = ()
    body: Body | None = None
    refuses: tuple[str, ...] = ()
    assumed: str = ""
    status_assumed: bool = False
    missing_documented: bool = False
    deprecated: bool = False
    alias_of: str = ""

    @property
    def path_parameter(self) -> str:
        """Return the name of the id in the path, or an empty text: no path has two."""
        return self.path.partition("{")[2].partition("}")[0]

    def nested(self) -> Operation | None:
        """Return the spelling of the guides, ``/company/{id}/site`` for ``/site/company/{id}``, if there is one."""
        spelled = _RESOURCE_FIRST.fullmatch(self.path)
        if spelled is None:
            return None
        return replace(
            self,
            name=f"{self.name}Nested",
            path=f"/{spelled['owner']}/{spelled['id']}/{spelled['thing']}{spelled['rest']}",
            description=f"The guides' spelling of `{self.path}`.",
            alias_of=self.path,
        )


def page_of(things: str, item: str, *, assumed: str = "") -> Json:
    """Return a page of a list: the envelope around `things`, counted in ``total<Things>``."""
    total = f"total{things[0].upper()}{things[1:]}"
    counts: Json = {
        total: {"type": "integer", "minimum": 0, "description": "Rows of the whole list, filters applied."},
        "perPage": {"type": "integer", "minimum": 1, "description": "Rows of a full page."},
        "totalPages": {
            "type": "integer",
            "minimum": 1,
            "description": "Pages of the whole list.",
            "x-nectar-assumed-reading": True,
            "x-nectar-assumption": "An empty list has one page.",
        },
        "currentPage": {"type": "integer", "minimum": 1, "description": "Which page this is."},
        "hasNext": {"type": "boolean", "description": "Whether a page follows."},
        "hasPrevious": {"type": "boolean", "description": "Whether a page goes before."},
        things: {"type": "array", "description": "The rows.", "items": ref(item)},
    }
    page: Json = {
        "type": "object",
        "description": "One page of a list, in the order in which the rows were made.",
        "properties": counts,
        "required": list(counts),
    }
    if assumed:
        page |= {"x-nectar-assumed-reading": True, "x-nectar-assumption": assumed}
    return page
