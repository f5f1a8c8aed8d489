"""Which row of the route table a path belongs to.

A tree of path parts, built in no time: compiling some hundred rules of the web framework would cost more than the
whole first answer of a fresh sandbox may.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from nectar_notebooks.sandbox.routes import Route

__all__ = ["Router"]

_PARAMETER: Final = "{}"


@dataclass(slots=True)
class _Node:
    """What follows a path part: further parts, the parameter's name where one stands here, routes by method."""

    parts: dict[str, _Node] = field(default_factory=dict)
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class Router:
    """Finds routes by path; a literal part wins over a parameter.

    Parameters
    ----------
    routes : iterable of Route
        The table; an alias stands for its route.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            for path in (route.path, route.alias):
                if path is not None:
                    self._add(route, path)

    def find(self, path: str) -> tuple[dict[str, tuple[Route, tuple[str, ...]]], list[str]]:
        """Return the routes of a path by method, each with its parameters' names, and the values in the path.

        Both are empty where there is nothing at this path. A slash at the end is ignored.
        """
        values: list[str] = []
        parts = [part for part in path.split("/") if part] if "//" not in path else []
        node = self._walk(self._root, parts, 0, values) if parts else None
        return (node.routes, values) if node is not None else ({}, [])

    def _walk(self, node: _Node, parts: list[str], at: int, values: list[str]) -> _Node | None:
        if at == len(parts):
            return node if node.routes else None
        literal = node.parts.get(parts[at])
        if literal is not None:
            found = self._walk(literal, parts, at + 1, values)
            if found is not None:
                return found
        parameter = node.parts.get(_PARAMETER)
        if parameter is None:
            return None
        values.append(parts[at])
        found = self._walk(parameter, parts, at + 1, values)
        if found is None:
            values.pop()
        return found

    def _add(self, route: Route, path: str) -> None:
        node, names = self._root, []
        for part in path.strip("/").split("/"):
            is_parameter = part.startswith("{")
            if is_parameter:
                names.append(part.strip("{}"))
            node = node.parts.setdefault(_PARAMETER if is_parameter else part, _Node())
        node.routes[route.method] = (route, tuple(names))
