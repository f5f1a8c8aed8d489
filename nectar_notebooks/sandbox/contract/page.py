"""A contract as a page for people: one HTML text that needs nothing from elsewhere, without scripts.

Made from the document alone, so that the page and ``/openapi.json`` cannot differ; how it looks is the template's.
What is assumed carries a visible mark with the reason.
"""

from __future__ import annotations

from typing import Any

from nectar_notebooks.sandbox.contract.schemas import Json
from nectar_notebooks.sandbox.html import render

__all__ = ["page"]


def page(document: Json) -> str:
    """Return `document` as an HTML page: endpoints by group, then the objects."""
    info, paths = document["info"], document["paths"]
    groups: dict[str, list[Any]] = {tag["name"]: [] for tag in document["tags"]}
    nested = {
        (method, operation["x-nectar-alias-of"]): path
        for path, item in paths.items()
        for method, operation in item.items()
        if "x-nectar-alias-of" in operation
    }
    for path, item in paths.items():
        for method, operation in item.items():
            if "x-nectar-alias-of" not in operation:
                row = (method, path, nested.get((method, path), ""), operation)
                groups[operation["tags"][0]].append(row)
    return render(
        "contract.html",
        title=f"{info['title']}, {info['version']}",
        info=info,
        base=document["servers"][0]["url"],
        groups=[
            {
                "name": tag["name"],
                "says": tag["description"],
                "anchor": "group-" + tag["name"].lower().replace(" ", "-"),
                "operations": groups[tag["name"]],
            }
            for tag in document["tags"]
            if groups[tag["name"]]
        ],
        responses=document["components"]["responses"],
        schemas=document["components"]["schemas"],
    )
