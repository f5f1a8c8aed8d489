"""How a portfolio is computed, once: one object for what `monthly`, `explain` and exports take as keywords.

What each word does stands with the function that does it; here are their names, their usual values, and the words by
which results are grouped.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Any, Final, Literal, ParamSpec, TypeAlias, TypedDict, TypeVar

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.adjust import EXCLUSIONS, OCCUPANCY, Exclusions, Occupancy
from nectar_notebooks.methodology.frames import choose
from nectar_notebooks.methodology.net_metering import NET_METERING, NetMetering
from nectar_notebooks.methodology.time.calendar import CONVENTIONS, SHARED_DAY, Convention, SharedDay
from nectar_notebooks.schema.periods import Plausible
from nectar_notebooks.schema.values import HAULED

__all__ = ["USUAL", "By", "Counted", "Options", "Spread", "Words", "columns_of", "options_of", "short_form"]

#: By what a result has rows: the same words everywhere.
By: TypeAlias = Literal["site", "meter", "account", "commodity", "subtype", "unit", "month"]
_COLUMNS: Final = {"site": "site_id", "meter": "meter_id", "account": "account_id"}
_BY: Final = ("site", "meter", "account", "commodity", "subtype", "unit", "month")


@dataclass(frozen=True, slots=True)
class Options:
    """How usage and charges of a portfolio are counted; the keywords of the functions are its short form.

    Parameters
    ----------
    convention : {"inclusive", "exclusive", "midday"}
        Which days of a service period count, as for :func:`calendarize`.
    shared_day : {"keep", "later"}
        Whether a day that two periods share counts for both, or for the later one.
    exclusions : {"subtract", "drop"}
        What becomes of usage that is excluded, as for :func:`adjust`.
    occupancy : {"disabled", "all", "connection"}
        Where usage is multiplied by the occupied share of a site.
    scale_charges : bool
        Whether occupancy scales charges too.
    net_metering : {"net", "as_is"}
        Exported energy subtracted, or as it stands.
    implied_sewer : bool or float, optional
        Whether, or by which fraction, sewer is implied from water; None: as each company says.
    flagged : bool
        Whether bills with an open issue count.
    spot : collection of str
        Commodities that are delivered, and belong to their month whole.
    plausible : tuple of two days or months, optional
        The first and the last day that a period may have.

    Examples
    --------
    >>> Options(occupancy="all").of(convention="midday").convention
    'midday'
    """

    convention: Convention = "inclusive"
    shared_day: SharedDay = "keep"
    exclusions: Exclusions = "subtract"
    occupancy: Occupancy = "disabled"
    scale_charges: bool = False
    net_metering: NetMetering = "net"
    implied_sewer: bool | float | None = None
    flagged: bool = True
    spot: Collection[str] = HAULED
    plausible: Plausible | None = None

    def __post_init__(self) -> None:
        choose("convention", self.convention, CONVENTIONS)
        choose("shared_day", self.shared_day, SHARED_DAY)
        choose("exclusions", self.exclusions, EXCLUSIONS)
        choose("occupancy", self.occupancy, OCCUPANCY)
        choose("net_metering", self.net_metering, NET_METERING)

    def of(self, **words: Any) -> Options:
        """Return these options with some of them said anew."""
        return replace(self, **words) if words else self


#: What holds when nobody says otherwise.
USUAL: Final = Options()


class _Most(TypedDict, total=False):
    shared_day: SharedDay
    exclusions: Exclusions
    occupancy: Occupancy
    scale_charges: bool
    net_metering: NetMetering
    implied_sewer: bool | float | None
    spot: Collection[str]
    plausible: Plausible | None


class Spread(_Most, total=False):
    """The fields of `Options` as keywords, but for `flagged`."""

    convention: Convention


class Counted(_Most, total=False):
    """The fields of `Options` as keywords, but for `convention`."""

    flagged: bool


class Words(Spread, Counted, total=False):
    """The short form of `Options`: its fields as keywords."""


Given = ParamSpec("Given")
Result = TypeVar("Result")


def short_form(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Have a function whose last argument is ``**words`` say, and take, the fields of `Options` as keywords."""
    signature = inspect.signature(function)
    *own, last = signature.parameters.values()
    known = {one.name for one in own}
    words = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type)
        for one in fields(Options)
        if one.name not in known
    ]
    names = known | {one.name for one in words}

    @wraps(function)
    def called(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for name in kwargs:
            if name not in names:
                raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}")
        if not isinstance(kwargs.get("options"), Options | None):
            raise InvalidRequestError(f"options must be nn.Options, not {type(kwargs['options']).__name__}.")
        return function(*args, **kwargs)

    del last
    called.__signature__ = signature.replace(parameters=[*own, *words])  # type: ignore[attr-defined]
    return called


def columns_of(by: str | Sequence[str], known: Collection[str] | None = None) -> list[str]:
    """Return the columns that words like ``"site"`` mean, each once; the name of a column is a word too.

    Parameters
    ----------
    by : str or sequence of str
    known : collection of str, optional
        The columns that may be asked for. Default: those of `By`.

    Raises
    ------
    InvalidRequestError
        A word that is not known.

    Examples
    --------
    >>> columns_of("site"), columns_of(["meter", "month"])
    (['site_id'], ['meter_id', 'month'])
    """
    words = [by] if isinstance(by, str) else list(by)
    allowed = {_COLUMNS.get(word, word) for word in _BY} if known is None else set(known)
    for word in words:
        if not isinstance(word, str) or _COLUMNS.get(word, word) not in allowed:
            told = [word for word in _BY if _COLUMNS.get(word, word) in allowed]
            raise InvalidRequestError(f"by={word!r} is not known.", advice=f"Use {', '.join(told)}.")
    return list(dict.fromkeys(_COLUMNS.get(word, word) for word in words))


def options_of(options: Options | None, words: Mapping[str, Any]) -> Options:
    """Return the options that were given, whole or in short form, or both: a keyword wins."""
    return (options or USUAL).of(**words)
