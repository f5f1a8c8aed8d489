"""Pages as HTML, from the templates in `templates/`: what they are given is text, and is escaped."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render"]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader

    made = Environment(
        loader=PackageLoader("nectar_notebooks.sandbox"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"json": json.dumps, "facts": _facts, "whole": _whole}
    return made


def _facts(schema: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what a schema says beside its type and meaning."""
    hidden = ("$ref", "anyOf", "type", "items", "description", "deprecated", "writeOnly")
    return [(key, value) for key, value in schema.items() if key not in hidden and not key.startswith("x-")]


def _whole(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema with what is said of the parameter itself."""
    said = {key: value for key, value in parameter.items() if key == "description" or key.startswith("x-")}
    return {**parameter["schema"], **said}


def render(template: str, **given: object) -> str:
    """Return a template's text with what is given in its places."""
    return _environment().get_template(template).render(**given)
