"""Puts the slow second implementation of the methodology on the path of the tests that compare with it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
