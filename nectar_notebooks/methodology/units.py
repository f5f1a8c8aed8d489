"""Units: what one unit of the API is in another, and what cannot be said.

Factors come from `pint`, as exact fractions, and are rounded once. The module decides only how one kind of
quantity becomes another (gas volume to energy, waste volume to mass): by a heat content or a density, which
are arguments. It knows nothing of sites, months or money. What cannot be converted stays missing, with a
reason; it is never 0. What the names mean stands in `unit_table`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, overload

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology.frames import TEXT, factorize, numbers, require
from nectar_notebooks.methodology.unit_table import (
    AMBIGUOUS,
    DEFAULT_HEAT_CONTENT,
    SPELLINGS,
    UNITS,
    VAPOUR,
    Rate,
    Rates,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction
    from typing import Any

__all__ = ["DEFAULT_HEAT_CONTENT", "UNITS", "Rate", "compatible", "convert", "factor", "kind", "unit_name", "why_not"]

#: Units in which a gas is measured, and a liquid is not.
#: What people write between the words of a fuel, where the API writes an underscore.
_SEPARATORS: Final = re.compile(r"[\W_]+")
_CUBIC: Final = frozenset(("CF", "cubic ft", "CCF", "HCF", "MCF", "MMCF", "cubic m"))


@cache
def _base() -> dict[str, Fraction]:
    """Return each unit's exact size in the base units of its kind; built once, on first use."""
    from fractions import Fraction

    from pint import UnitRegistry

    registry: UnitRegistry[Any] = UnitRegistry(non_int_type=Fraction)
    sizes: dict[str, Fraction] = {}
    for name, (_, expression) in UNITS.items():
        sizes[name] = Fraction(registry.Quantity(registry.parse_expression(expression)).to_base_units().magnitude)
    return sizes


@cache
def unit_name(word: str) -> str | None:
    """Return the API's name of a unit as people write it, or None where it is not known or means two things.

    Examples
    --------
    >>> unit_name("therms"), unit_name("KWH"), unit_name("m³"), unit_name("MBtu")
    ('thm (US)', 'kWh', 'cubic m', None)
    """
    if word in UNITS:
        return word
    return SPELLINGS.get(_plain(word))


def _plain(word: str) -> str:
    return re.sub(r"[\s.\-_‐-―]+", "", word.lower())


def _unknown(word: str) -> str:
    """Return why a word is no unit."""
    return AMBIGUOUS.get(_plain(word), f"{word!r} is no unit of the API")


def kind(unit: str) -> str | None:
    """Return what `unit` measures (energy, volume, mass, power, ...), or None for an unknown name.

    Examples
    --------
    >>> kind("CCF"), kind("therms"), kind("furlong")
    ('volume', 'energy', None)
    """
    name = unit_name(unit)
    return None if name is None else UNITS[name][0]


def compatible(a: str, b: str) -> bool:
    """Say whether `a` converts to `b` without a heat content or a density.

    Examples
    --------
    >>> compatible("kWh", "thm (US)"), compatible("kW", "kVA"), compatible("CCF", "kWh")
    (True, False, False)
    """
    return kind(a) is not None and kind(a) == kind(b)


def factor(
    from_unit: str,
    to: str,
    commodity: str | None = None,
    *,
    subtype: str | None = None,
    heat_content: Rates | None = None,
    density: Rates | None = None,
) -> float:
    """Return how many `to` one `from_unit` is.

    Parameters
    ----------
    from_unit, to : str
        Unit names of the API, or words people write for them; what they mean stands in `unit_table`.
    commodity, subtype : str, optional
        What is measured; decides which heat content or density applies.
    heat_content : (value, energy unit, per unit) or mapping of such, optional
        Energy in a volume or a mass. A mapping is looked up by ``"COMMODITY / SUBTYPE"`` (of a subtype of several
        words, such as type and stream, then by the first of them alone), and by ``"COMMODITY"`` where no subtype
        is given. Default: :data:`DEFAULT_HEAT_CONTENT`, 1,026 Btu in a cubic foot of natural gas and 1,194 Btu in
        a pound of steam (ENERGY STAR Portfolio Manager, Technical Reference: Thermal Energy Conversions, August
        2015, United States); fuel oil by grade, propane, diesel, kerosene, coal and wood by 40 CFR Part 98,
        Table C-1. Propane in cubic feet or metres is vapour.
    density : (value, mass unit, volume unit) or mapping of such, optional
        Mass in a volume, as for hauled waste. No default.

    Raises
    ------
    DataError
        For an unknown name, or two units that do not convert; says what would make them.

    Examples
    --------
    >>> factor("MWh", "kWh")
    1000.0
    >>> factor("CCF", "thm (EC)", "GAS")
    1.026
    >>> factor("CCF", "Btu", "GAS", heat_content=(1037, "Btu", "CF"))
    103700.0
    """
    exact, reason = _exact(from_unit, to, commodity, subtype, heat_content, density)
    if exact is None:
        raise DataError(f"One {from_unit} cannot be told in {to}: {reason}.")
    return float(exact)


def why_not(
    from_unit: str,
    to: str,
    commodity: str | None = None,
    *,
    subtype: str | None = None,
    heat_content: Rates | None = None,
    density: Rates | None = None,
) -> str | None:
    """Return why `from_unit` does not convert to `to`; None where it does.

    Takes what :func:`factor` takes.

    Examples
    --------
    >>> why_not("kWh", "kW")
    'kWh is energy, kW is power'
    """
    return _exact(from_unit, to, commodity, subtype, heat_content, density)[1]


@overload
def convert(
    data: pd.DataFrame,
    to: str | Mapping[str, str],
    *,
    value: str = "usage",
    unit: str | pd.Series[str] = "unit",
    heat_content: Rates | None = None,
    density: Rates | None = None,
) -> pd.DataFrame: ...
@overload
def convert(
    data: pd.Series[float],
    to: str | Mapping[str, str],
    *,
    value: str = "usage",
    unit: str | pd.Series[str] = "unit",
    heat_content: Rates | None = None,
    density: Rates | None = None,
) -> pd.Series[float]: ...
def convert(
    data: pd.DataFrame | pd.Series[float],
    to: str | Mapping[str, str],
    *,
    value: str = "usage",
    unit: str | pd.Series[str] = "unit",
    heat_content: Rates | None = None,
    density: Rates | None = None,
) -> pd.DataFrame | pd.Series[float]:
    """Convert a column of usage into one unit, row by row, whatever units stand in it.

    Parameters
    ----------
    data : DataFrame or Series
        A frame with the columns `value` and `unit`, and, for heat contents and densities, ``commodity`` and
        ``subtype``. A series takes its unit from `unit`: one name, or a series of names.
    to : str or mapping
        The unit wanted, or one for each commodity: ``{"ELECTRICITY": "kWh", "GAS": "thm (US)"}``.
    value : str, default "usage"
        The frame's column that is converted.
    unit : str, default "unit"
        The frame's column of units; for a series, the unit itself.
    heat_content, density
        As in :func:`factor`.

    Returns
    -------
    DataFrame
        The frame with three more columns: ``converted``, ``converted_unit`` (missing where nothing was
        converted) and ``conversion_reason`` (why not; else missing). The raw column is kept.
    Series
        For a series: the converted values, missing where they do not convert.

    Raises
    ------
    DataError
        A missing column, or a target that is no unit of the API.

    Examples
    --------
    >>> frame = pd.DataFrame({"usage": [2.0, 5.0], "unit": ["MWh", "kW"]})
    >>> convert(frame, "kWh")[["converted", "conversion_reason"]]
       converted           conversion_reason
    0     2000.0                         NaN
    1        NaN  kW is power, kWh is energy
    >>> convert(pd.Series([100.0]), "gal (US)", unit="CF").round(3).tolist()
    [748.052]
    """
    to = _targets(to)
    if isinstance(data, pd.Series):
        frame = pd.DataFrame({value: data, "unit": unit}, index=data.index)
        result: pd.Series[float] = convert(frame, to, value=value, heat_content=heat_content, density=density)[
            "converted"
        ]
        result.name = data.name
        return result
    if not isinstance(unit, str):
        raise DataError("For a frame, unit= is the name of its column of units.")
    require(data, [value, unit], "usage")
    codes, kinds = _combinations(data, unit)
    factors, targets, reasons = [], [], []
    for name, commodity, subtype in kinds:
        target = to if isinstance(to, str) else to.get(commodity or "")
        exact, reason = _row(name, target, commodity, subtype, heat_content, density)
        factors.append(np.nan if exact is None else exact)
        targets.append(None if exact is None else target)
        reasons.append(reason)
    values = numbers(data, value, "usage")
    absent = len(kinds)
    reasons.append(f"{value} is missing")
    targets.append(None)
    factors.append(np.nan)
    codes = np.where(np.isnan(values) & np.asarray([reason is None for reason in reasons])[codes], absent, codes)
    return data.assign(
        converted=values * np.asarray(factors, dtype="float64")[codes],
        converted_unit=pd.array(targets, dtype=TEXT).take(codes),
        conversion_reason=pd.array(reasons, dtype=TEXT).take(codes),
    )


def _targets(to: str | Mapping[str, str]) -> str | dict[str, str]:
    """Return the units asked for by the API's names."""
    if not isinstance(to, str):
        return {commodity: str(_targets(target)) for commodity, target in to.items()}
    name = unit_name(to)
    if name is None:
        raise DataError(f"{_unknown(to)}.", advice=f"Units are written as in: {', '.join(UNITS)}.")
    return name


def _combinations(
    frame: pd.DataFrame, unit: str
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], list[tuple[str | None, str | None, str | None]]]:
    """Return each row's place among the distinct (unit, commodity, subtype), and these."""
    total = np.zeros(len(frame), dtype="int64")
    levels: list[list[str | None]] = []
    for name in (unit, "commodity", "subtype"):
        codes, values = factorize(frame, name)
        texts: list[str | None] = [*values.tolist(), None]
        total = total * len(texts) + codes % len(texts)
        levels.append(texts)
    total, seen = pd.factorize(total)
    combinations = []
    for code in seen.tolist():
        head, third = divmod(code, len(levels[2]))
        first, second = divmod(head, len(levels[1]))
        combinations.append((levels[0][first], levels[1][second], levels[2][third]))
    return total, combinations


def _row(
    name: str | None,
    target: str | None,
    commodity: str | None,
    subtype: str | None,
    heat_content: Rates | None,
    density: Rates | None,
) -> tuple[float | None, str | None]:
    if name is None:
        return None, "unit is missing"
    if target is None:
        return None, f"no unit was asked for {commodity or 'a missing commodity'}"
    if unit_name(name) == target:
        return 1.0, None
    exact, reason = _exact(name, target, commodity, subtype, heat_content, density)
    return (None if exact is None else float(exact)), reason


def _exact(
    from_unit: str,
    to: str,
    commodity: str | None,
    subtype: str | None,
    heat_content: Rates | None,
    density: Rates | None,
) -> tuple[Fraction | None, str | None]:
    said, (from_unit, to) = (from_unit, to), (unit_name(from_unit) or "", unit_name(to) or "")
    for word, name in zip(said, (from_unit, to), strict=True):
        if not name:
            return None, _unknown(word)
    size = _base()
    if compatible(from_unit, to):
        return size[from_unit] / size[to], None
    kinds = {kind(from_unit), kind(to)}
    what = f"{from_unit} is {kind(from_unit)}, {to} is {kind(to)}"
    if kinds in ({"energy", "volume"}, {"energy", "mass"}):
        rates, bridge = DEFAULT_HEAT_CONTENT if heat_content is None else heat_content, "heat_content"
    elif kinds == {"mass", "volume"}:
        rates, bridge = {} if density is None else density, "density"
    else:
        return None, what
    rate = _rate(rates, commodity, subtype)
    if heat_content is None and {from_unit, to} & _CUBIC:
        rate = _rate(VAPOUR, commodity, subtype) or rate
    if rate is None:
        named = " / ".join(part for part in (commodity, subtype) if part) or "this commodity"
        return None, f"{what}, and no {bridge} is known for {named}"
    return _across(from_unit, to, rate, what, bridge)


def _across(from_unit: str, to: str, rate: Rate, what: str, bridge: str) -> tuple[Fraction | None, str | None]:
    from fractions import Fraction

    value, over, under = rate
    for name in (over, under):
        if unit_name(name) is None:
            raise DataError(f"{bridge}={rate!r} names {name!r}, which is no unit of the API.")
    over, under = str(unit_name(over)), str(unit_name(under))
    if not 0 < value < float("inf"):
        raise DataError(f"{bridge}={rate!r} is not a positive number.")
    size = _base()
    ratio = Fraction(str(value)) * size[over] / size[under]
    if compatible(from_unit, under) and compatible(over, to):
        return size[from_unit] * ratio / size[to], None
    if compatible(from_unit, over) and compatible(under, to):
        return size[from_unit] / ratio / size[to], None
    return None, f"{what}, and the {bridge} is told in {over} per {under}"


def _rate(rates: Rates, commodity: str | None, subtype: str | None) -> Rate | None:
    if isinstance(rates, tuple):
        return rates
    if commodity is None:
        return None
    if not subtype:
        return rates.get(commodity)
    if subtype != subtype.upper():  # as people write it: "Fuel oil #2", "Propane"
        spelled = " / ".join(_SEPARATORS.sub("_", part).strip("_") for part in subtype.upper().split(" / "))
        return _rate(rates, commodity, subtype.upper()) or _rate(rates, commodity, spelled)
    # a rate of a type holds for all of its streams; one of the commodity alone for none of its types
    parts = subtype.split(" / ")
    names = (" / ".join((commodity, *parts[:length])) for length in range(len(parts), 0, -1))
    return next((rates[name] for name in names if name in rates), None)
