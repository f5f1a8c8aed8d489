"""A figure that shows, saves and describes itself, without pyplot; the other modules draw on it."""

from __future__ import annotations

import io
import warnings
from base64 import b64encode
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from nectar_notebooks.errors import DataError
from nectar_notebooks.plots.style import HOUSE, QUIET
from nectar_notebooks.printing import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["Picture", "empty", "grouped_digits", "house_style", "require"]

_DPI = 100
_SHARPNESS = 2  # scale factor, for high-density screens


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the house style, whatever the user's settings are, and restore them afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(HOUSE)
        yield


class Picture(Figure):
    """A matplotlib figure that displays itself in a notebook and keeps the data it was drawn from.

    Attributes
    ----------
    frame : pandas.DataFrame
        The numbers drawn, one row or column per bar: show it below the picture.
    title : str
    description : str
        One sentence, for readers who cannot see the picture.
    """

    def __init__(self, frame: pd.DataFrame, title: str, description: str, size: tuple[float, float]) -> None:
        super().__init__(figsize=size, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(self)
        self.frame = frame
        self.title = printable(title)
        self.description = printable(description)
        self.suptitle(self.title, x=0.01, ha="left", fontsize=12, fontweight="bold")

    def png(self) -> bytes:
        """Return the picture as PNG at double resolution; the same bytes for the same frame."""
        buffer = io.BytesIO()
        with house_style(), _calm_warnings():
            self.savefig(buffer, format="png", dpi=_DPI * _SHARPNESS, metadata={"Software": None})
        return buffer.getvalue()

    def svg(self) -> str:
        """Return the picture as SVG with its title and description; the same text for the same frame."""
        buffer = io.StringIO()
        with house_style(), _calm_warnings():
            self.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": self.title})
        text = buffer.getvalue()
        return text.replace("</title>", f"</title>\n <desc>{escape(self.description)}</desc>", 1)

    def save(self, path: str | Path) -> Path:
        """Save the picture to `path`, as SVG if it ends with ``.svg``, else as PNG; create the folder if needed."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix.lower() == ".svg":
            target.write_text(self.svg(), encoding="utf-8", newline="\n")
        else:
            target.write_bytes(self.png())
        return target

    def __repr__(self) -> str:
        return f"Picture: {self.title}. {self.description}"

    __str__ = __repr__

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        width, height = (round(inches * _DPI) for inches in self.get_size_inches())
        data = {"text/plain": repr(self), "image/png": b64encode(self.png()).decode("ascii")}
        return data, {"image/png": {"width": width, "height": height}}


@contextmanager
def _calm_warnings() -> Iterator[None]:
    """Pass on what matplotlib warns of, each once and printable: it quotes characters that a font lacks."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for category, text in dict.fromkeys((one.category, printable(str(one.message))) for one in caught):
        warnings.warn(text, category, stacklevel=4)


def empty(frame: pd.DataFrame, title: str, missing: str) -> Picture:
    """Return a picture that says what is missing, instead of empty axes."""
    with house_style():
        picture = Picture(frame, title, missing, (7.2, 1.4))
        picture.text(0.01, 0.4, missing, va="center", color=QUIET, fontsize=10, wrap=True)
    return picture


def grouped_digits() -> FuncFormatter:
    """Return a formatter for axis numbers: thousands separators, no more decimals than needed."""
    return FuncFormatter(lambda value, _: f"{value:,.10g}")


def require(frame: pd.DataFrame, columns: tuple[str, ...], picture: str, source: str) -> None:
    """Raise :class:`DataError` if `frame` is not a DataFrame or lacks a column that `picture` needs."""
    if not hasattr(frame, "columns"):
        raise DataError(
            f"{picture} is drawn from a DataFrame, not from a {type(frame).__name__}.", advice=f"Pass {source}."
        )
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"{picture} needs the columns {', '.join(missing)}, which this frame does not have.",
            advice=f"Pass {source}.",
        )
