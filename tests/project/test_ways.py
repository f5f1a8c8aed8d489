"""How many modules one call enters: the way that somebody follows who reads the code for the first time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import nectar_notebooks as nn

PACKAGE = Path(nn.__file__).parent


def modules_entered(call: Callable[[], object]) -> set[str]:
    """Return the modules of the package in which a function runs during a call, in any thread it starts.

    The embedded sandbox is left out: it is the other side of the wire.
    """
    files: set[str] = set()

    def note(frame, event, argument) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
    inside = (Path(file).relative_to(PACKAGE) for file in files if Path(file).is_relative_to(PACKAGE))
    return {path.with_suffix("").as_posix() for path in inside if path.parts[0] != "sandbox"}


def test_a_cold_usage_call_enters_few_modules() -> None:
    """53 when this was counted first."""
    nectar = nn.connect(sandbox=nn.Sandbox(seed=7, sites=2, months=6))
    company = "Meridian Outfitters"
    nn.connect(sandbox=nn.Sandbox(seed=7, sites=2, months=6)).usage(company)  # imports what is imported late
    entered = modules_entered(lambda: nectar.usage(company))
    rooms = {room: sorted(one for one in entered if one.startswith(f"{room}/")) for room in ("cache", "client", "api")}
    assert len(rooms["cache"]) <= 9, rooms["cache"]
    assert len(entered) <= 39, sorted(entered)
