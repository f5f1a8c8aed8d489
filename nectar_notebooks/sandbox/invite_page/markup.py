"""How the invited person's page looks: one document, its own style, no script; what it is given is text and is escaped.

What it says is decided in `pages`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = ["POLICY", "Field", "Markup", "button", "document", "element", "field", "join", "problem", "steps"]

_STYLE: Final = """
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:#1b2430;background:#eef1f4}
main{max-width:34rem;margin:1.5rem auto;padding:1.5rem 1.75rem 1.75rem;background:#fff;border:1px solid #cfd6de;
border-radius:10px}
.house{max-width:34rem;margin:1rem auto 0;padding:.5rem .9rem;background:#fdf0c4;color:#4a3300;border-radius:8px;
font-size:.85rem;border-left:5px solid #a87800}
h1{font-size:1.35rem;line-height:1.3;margin:.2rem 0 .6rem}
p{margin:.4rem 0}
ol.steps{display:flex;flex-wrap:wrap;gap:.3rem .5rem;list-style:none;margin:0 0 .8rem;padding:0;font-size:.85rem;
color:#4b5866}
ol.steps li:not(:last-child)::after{content:"›";margin-left:.5rem;color:#6b7886}
ol.steps [aria-current]{font-weight:700;color:#0b4f86}
label,legend{display:block;font-weight:600;margin:.9rem 0 .2rem;padding:0}
fieldset{border:0;margin:.9rem 0 0;padding:0}
.hint{font-size:.85rem;color:#4b5866;margin:.1rem 0 .3rem}
input[type=text],input[type=email],input[type=url],input[type=password]{width:100%;padding:.5rem .6rem;font:inherit;
border:1px solid #6b7886;border-radius:6px;background:#fff;color:inherit}
input.short{width:7rem}
input[aria-invalid]{border:2px solid #b3261e}
.sites{max-height:12rem;overflow:auto;border:1px solid #6b7886;border-radius:6px;padding:.4rem .7rem}
.sites label{font-weight:400;margin:.15rem 0;display:flex;gap:.5rem;align-items:baseline}
.wrong{color:#8c1d18;font-size:.9rem;margin:.2rem 0}
.notice{padding:.6rem .9rem;border-radius:8px;margin:.6rem 0;border-left:5px solid}
.good{background:#d8f1e2;color:#0f4a2a;border-color:#2f9e62}
.bad{background:#fde3de;color:#7a1a0e;border-color:#c8371f}
.wait{background:#fdf0c4;color:#4a3300;border-color:#a87800}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.8rem 0}
dt{color:#4b5866}
dd{margin:0;overflow-wrap:anywhere}
.buttons{display:flex;flex-wrap:wrap;gap:.6rem;margin-top:1.2rem}
button{font:inherit;font-weight:600;padding:.55rem 1.2rem;border-radius:6px;border:1px solid #0b4f86;cursor:pointer;
background:#0b4f86;color:#fff}
button.second{background:#fff;color:#0b4f86}
:focus-visible{outline:3px solid #1668b8;outline-offset:2px}
bdi{overflow-wrap:anywhere}
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: Who may show the page in a frame: pages of this machine, as the notebook is one.
_FRAMED_BY: Final = " ".join(
    f"{scheme}://{host}:*" for scheme in ("http", "https") for host in ("127.0.0.1", "localhost")
)
#: The content security policy: nothing but this style and its own forms.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; "
    f"frame-ancestors 'self' {_FRAMED_BY}"
)


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: its name, label and hint, what stands in it, and what is wrong with it."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    hint: str = ""
    wrong: str = ""
    autocomplete: str = "off"
    short: bool = False


def element(tag: str, /, *inside: str, **attributes: str | None) -> Markup:
    """Return an element; what is inside is escaped unless it is markup, an attribute that is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{given}>{join(inside)}</{tag}>")


def join(parts: Iterable[str]) -> Markup:
    """Return pieces one after the other; what is no markup is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def field(of: Field, *, focus: bool = False) -> Markup:
    """Return a labelled field with its hint and what is wrong with it, which a screen reader reads with it."""
    told = [f"{of.name}-{part}" for part, text in (("hint", of.hint), ("wrong", of.wrong)) if text]
    attributes = {
        "id": of.name,
        "name": of.name,
        "type": of.kind,
        "value": of.value,
        "autocomplete": of.autocomplete,
        "aria-describedby": " ".join(told) or None,
        "aria-invalid": "true" if of.wrong else None,
        "class": "short" if of.short else None,
        "spellcheck": "false",
        "autofocus": "" if focus else None,
    }
    marks = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return join(
        [
            element("label", of.label, for_=of.name),
            *([element("p", of.hint, class_="hint", id=f"{of.name}-hint")] if of.hint else []),
            Markup(f"<input required{marks}>"),
            *([problem(of.name, of.wrong)] if of.wrong else []),
        ]
    )


def problem(name: str, words: str) -> Markup:
    """Return what is wrong with a field."""
    return element("p", element("strong", "Not yet: "), words, class_="wrong", id=f"{name}-wrong", role="alert")


def button(words: str, *, name: str | None = None, second: bool = False) -> Markup:
    """Return a button that sends its form; a named one sends it as it is."""
    return element(
        "button",
        words,
        type="submit",
        name=name,
        value=None if name is None else "1",
        class_="second" if second else None,
        formnovalidate=None if name is None else "",
    )


def steps(labels: Sequence[str], at: int) -> Markup:
    """Return which steps there are, and at which somebody is."""
    items = [element("li", label, aria_current="step" if place == at else None) for place, label in enumerate(labels)]
    return element("ol", *items, class_="steps", aria_label="Steps")


def document(title: str, body: Markup, *, state: str) -> str:
    """Return a whole page; `state` says for programs how the invitation stands."""
    house = element(
        "aside",
        "This page is the embedded sandbox's, on this machine, and no provider is contacted. Type no real password.",
        class_="house",
        aria_label="What this page is",
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f'<meta name="nectar-invitation" content="{escape(state)}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{house}{element('main', body)}</body></html>"
    )
