"""The live controls of a dashboard, found as a person finds them: by what is written on them, where they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets


def shown(dashboard: Any) -> Iterator[widgets.Widget]:
    """Yield every control and place that a person sees, from top to bottom."""
    waiting = [dashboard.widget]
    while waiting:
        one = waiting.pop()
        if one.layout.display != "none":
            yield one
            waiting += reversed(getattr(one, "children", ()))


def labelled(dashboard: Any, label: str) -> list[Any]:
    """Return the controls shown under a label; none where it is hidden."""
    return [one for one in shown(dashboard) if getattr(one, "description", None) == label]


def control(dashboard: Any, label: str) -> Any:
    """Return the one control shown under a label."""
    [found] = labelled(dashboard, label)
    return found


def press(dashboard: Any, label: str) -> None:
    """Press a button that can be pressed."""
    button = control(dashboard, label)
    assert not button.disabled, f"{label} cannot be pressed"
    button.click()


def fill(dashboard: Any, label: str, value: object) -> None:
    """Type into a control, tick it, or choose in it."""
    control(dashboard, label).value = value


def rows(dashboard: Any) -> list[widgets.Button]:
    """Return the buttons of the rows shown, in the table whose rows can be pressed."""
    found = []
    for table in shown(dashboard):
        lines = [one.children for one in getattr(table, "children", ())[1:] if isinstance(one, widgets.HBox)]
        if isinstance(table, widgets.VBox) and lines and all(_is_row(line) for line in lines):
            found += [one.children[0] for one in table.children[1:] if one.layout.display != "none"]
    return found


def page(dashboard: Any) -> str:
    """Return the markup shown, without the controls."""
    return "\n".join(one.value for one in shown(dashboard) if isinstance(one, widgets.HTML))


def place(dashboard: Any, words: str) -> widgets.HTML:
    """Return the one place of the page that shows these words."""
    [found] = [one for one in shown(dashboard) if isinstance(one, widgets.HTML) and words in one.value]
    return found


def _is_row(line: tuple[widgets.Widget, ...]) -> bool:
    return [type(one) for one in line] == [widgets.Button, widgets.HTML]
