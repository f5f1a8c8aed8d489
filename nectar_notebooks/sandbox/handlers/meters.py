"""Meters of a company or a site: listed, answered."""

from __future__ import annotations

from nectar_notebooks.sandbox.contract.fields import fill
from nectar_notebooks.sandbox.handlers.lists import stored_page
from nectar_notebooks.sandbox.handlers.request import Answer, Call

__all__ = ["meter", "meters"]


def meters(call: Call, scope: str, object_id: str) -> Answer:
    """List the meters of a company or a site."""
    kind = {"company": "companies", "site": "sites"}[scope]
    seq = call.find(kind, object_id).seq
    return stored_page(call, "meters", f"{scope} = ?", [seq], lambda _, record: fill("meters", record))


def meter(call: Call, meter_id: str) -> Answer:
    """Answer one meter."""
    seq = call.find("meters", meter_id).seq
    return call.answer("meters", fill("meters", call.record("meters", seq)))
