"""A contract as a page for people: one HTML text that needs nothing from elsewhere.

Made from the document alone, so that the page and ``/openapi.json`` cannot differ. Everything that is shown is
escaped; there is no script. What is assumed carries a visible mark with the reason.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

from nectar_notebooks.sandbox.contract.words import Json

__all__ = ["render"]

_STYLE: Final = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--mark:#b45309;--accent:#0f766e}
*{box-sizing:border-box}
body{margin:0 auto;max-width:75rem;padding:1rem 1.5rem 6rem;font:1rem/1.5 system-ui,sans-serif}
h1{margin:.5rem 0}h2{margin:3rem 0 .25rem;border-bottom:1px solid var(--line)}
h4{margin:1rem 0 .25rem;font-size:.95rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
a{color:var(--accent)}
details{margin:.4rem 0;border:1px solid var(--line);border-radius:.4rem}
summary{cursor:pointer;padding:.45rem .75rem}summary:focus-visible{outline:2px solid var(--accent)}
details>div{padding:0 .9rem .9rem;overflow-x:auto}
code{font:.9em ui-monospace,monospace}
.method{display:inline-block;min-width:4rem;font:700 .85em ui-monospace,monospace;color:var(--accent)}
.mark{border:1px solid var(--mark);border-radius:.3rem;padding:0 .3rem;font-size:.75rem;color:var(--mark)}
.why{color:var(--mark);font-size:.9rem}.gone code{text-decoration:line-through}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--soft)}
""".strip()

_HIDDEN: Final = ("$ref", "anyOf", "type", "items", "description")


def render(document: Json) -> str:
    """Return `document` as an HTML page: endpoints by group, then the objects."""
    info = document["info"]
    title = f"{info['title']}, {info['version']}"
    groups: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    nested = {
        (method, operation["x-nectar-alias-of"]): path
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "x-nectar-alias-of" in operation
    }
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "x-nectar-alias-of" not in operation:
                also = nested.get((method, path), "")
                groups[operation["tags"][0]].append(_operation(method, path, also, operation, document))
    said = {tag["name"]: tag["description"] for tag in document["tags"]}
    filled = {name: rows for name, rows in groups.items() if rows}
    contents = "".join(f'<li><a href="#{_anchor(name)}">{escape(name)}</a></li>' for name in [*filled, "Objects"])
    sections = "".join(
        f'<h2 id="{_anchor(name)}">{escape(name)}</h2><p>{escape(said[name])}</p>{"".join(rows)}'
        for name, rows in filled.items()
    )
    objects = "".join(_object(name, schema) for name, schema in document["components"]["schemas"].items())
    general = "".join(f"<li>{_prose(point)}</li>" for point in info["x-nectar-assumptions"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1><p>{_prose(info['description'])}</p>"
        f"<p>Base path <code>{escape(document['servers'][0]['url'])}</code>. Every request carries its key in the "
        "header <code>X-API-Key</code>. This page as data: <code>openapi.json</code> beside it.</p>"
        f"<p>{_MARK} marks what may not exist, {_READING} what is documented and may be meant otherwise. "
        f"Of the API as a whole we assume:</p><ul>{general}</ul>"
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>{sections}'
        f'<h2 id="{_anchor("Objects")}">Objects</h2>{objects}</main></body></html>\n'
    )


_MARK: Final = '<span class="mark">assumed</span>'
_READING: Final = '<span class="mark">our reading</span>'


def _operation(method: str, path: str, also: str, operation: Json, document: Json) -> str:
    gone = ' class="gone"' if operation.get("deprecated") else ""
    mark = _mark(operation)
    parts = [_why(operation), f"<p>{_prose(operation.get('description', ''))}</p>"]
    if also:
        parts.append(f"<p>Some guides write <code>{escape(also)}</code>, which is the same.</p>")
    if "parameters" in operation:
        rows = [
            _row(f"{part['name']} ({part['in']})", part["schema"] | _said(part), part.get("required", False))
            for part in operation["parameters"]
        ]
        parts.append(_table("Parameters", rows))
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        schema = next(iter(content.values()))["schema"]
        kinds = ", ".join(f"<code>{escape(media)}</code>" for media in content)
        parts.append(f"<h4>Body</h4><p>{_type(schema)} as {kinds}</p>")
    if "x-nectar-refuses" in operation:
        reasons = "; ".join(operation["x-nectar-refuses"])
        parts.append(f"<p>Refused with 400 although it fits its schema: {escape(reasons)}.</p>")
    answers = [_answer(status, answer, document) for status, answer in operation["responses"].items()]
    parts.append(f"<h4>Answers</h4><table><tbody>{''.join(answers)}</tbody></table>")
    return (
        f'<details id="{escape(operation["operationId"])}"><summary{gone}><span class="method">{method.upper()}</span> '
        f"<code>{escape(path)}</code> {escape(operation['summary'])}{mark}</summary>"
        f"<div>{''.join(parts)}</div></details>"
    )


def _answer(status: str, answer: Json, document: Json) -> str:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = answer.get("content", {}).get("application/json")
    kind = _type(content["schema"]) if content else "empty"
    mark = _mark(answer)
    return (
        f"<tr><th scope='row'>{escape(status)}</th><td>{kind}</td>"
        f"<td>{_prose(answer['description'])}{mark}{_why(answer)}</td></tr>"
    )


def _object(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = [_row(field, part, field in required) for field, part in schema.get("properties", {}).items()]
    return (
        f'<details id="object-{escape(name)}"><summary><code>{escape(name)}</code> '
        f"{_prose(schema.get('description', ''))}</summary><div>{_why(schema)}{_table('Fields', rows)}</div></details>"
    )


def _table(caption: str, rows: list[str]) -> str:
    return (
        f"<h4>{escape(caption)}</h4><table><thead><tr><th>name</th><th>type</th><th>always</th><th>meaning</th></tr>"
        f"</thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _row(name: str, schema: Json, required: bool) -> str:
    facts = "; ".join(
        f"{key} {_value(value)}"
        for key, value in schema.items()
        if key not in _HIDDEN and not key.startswith("x-") and key not in {"deprecated", "writeOnly"}
    )
    gone = ' class="gone"' if schema.get("deprecated") else ""
    return (
        f"<tr{gone}><td><code>{escape(name)}</code>{_mark(schema)}</td><td>{_type(schema)}</td>"
        f"<td>{'yes' if required else ''}</td><td>{_prose(schema.get('description', ''))}"
        f"{f' <small>{facts}</small>' if facts else ''}{_why(schema)}</td></tr>"
    )


def _said(parameter: Json) -> Json:
    """Return what a parameter says beside its schema."""
    return {key: value for key, value in parameter.items() if key == "description" or key.startswith("x-")}


def _mark(part: Json) -> str:
    if part.get("x-nectar-assumed"):
        return f" {_MARK}"
    return f" {_READING}" if part.get("x-nectar-assumed-reading") else ""


def _why(part: Json) -> str:
    said = [part["x-nectar-assumption"]] if "x-nectar-assumption" in part else []
    if "x-nectar-assumed-values" in part:
        said.append(
            f"Assumed values: {', '.join(part['x-nectar-assumed-values'])}. {part['x-nectar-assumed-values-why']}"
        )
    return f'<div class="why">{_prose(" ".join(said))}</div>' if said else ""


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"<code>{escape(str(item))}</code>" for item in value)
    return f"<code>{escape(value if isinstance(value, str) else json.dumps(value))}</code>"


def _type(schema: Json) -> str:
    """Return the type of a schema in words, with a link to the object it points at."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#object-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(branch) for branch in schema["anyOf"])
    kinds = schema.get("type", "anything")
    words = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(
        f"list of {_type(schema.get('items', {}))}" if word == "array" else escape(word) for word in words
    )


def _prose(text: str) -> str:
    """Return `text` escaped, with what stands between backticks as code."""
    pieces = text.split("`")
    return "".join(f"<code>{escape(piece)}</code>" if odd % 2 else escape(piece) for odd, piece in enumerate(pieces))


def _anchor(name: str) -> str:
    return "group-" + escape(name.lower().replace(" ", "-"))
