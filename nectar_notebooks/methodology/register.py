"""One row a meter: what its records and the tables beside them say about it, and since when it should report.

Completeness and readiness judge meters; this module only gathers what is known of each. A record without a
meter (usage of an account) stands for a meter of its own, one for each site, commodity and account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.checks import TEXT, counted, days, factorize, flags, require, text
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.spans import MISSING_DAY

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.spans import Whole

__all__ = ["meter_register"]

_ATTRIBUTES = ("site_id", "commodity", "account_id", "utility")
_NEVER = int(np.iinfo(np.int64).max)


def meter_register(
    usage: pd.DataFrame,
    rows: Whole,
    first: Whole,
    last: Whole,
    *,
    meters: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
) -> tuple[Whole, pd.DataFrame]:
    """Return the meter number of each of `rows`, and one row a meter.

    Parameters
    ----------
    usage : DataFrame
        Usage records, of which `rows` (row numbers) are looked at; `first` and `last` are the days of all.
    meters, accounts, sites : DataFrame, optional
        The tables of that name. Where the meters table knows a meter's site, account or commodity, it wins
        over the records (a moved meter moves all of its past). Meters without a record are added.

    Returns
    -------
    tuple
        Numbers from 0, and a frame of ``meter_id, site_id, commodity, account_id, utility`` (of the latest
        record that names one), ``seen`` (first day of the first record), ``starts`` (account's collection
        start), ``ends`` (site archived on), as days with `MISSING_DAY`, ``counts`` and ``tracked``.
    """
    code, register = _from_records(usage, rows, first, last)
    register["tracked"] = True
    if meters is not None:
        register = _with_meters(register, meters)
    size = len(register)
    register["starts"] = np.full(size, MISSING_DAY)
    register["ends"] = np.full(size, MISSING_DAY)
    register["counts"] = True
    if accounts is not None:
        require(accounts, ("account_id",), "accounts")
        place = _places(accounts, "account_id", register)
        starts = days(accounts, "data_collection_start", "accounts").astype("int64")
        register["starts"] = _taken(starts, place, MISSING_DAY)
        register["counts"] = _taken(counted(accounts, "accounts"), place, True)
    if sites is not None:
        require(sites, ("site_id",), "sites")
        place = _places(sites, "site_id", register)
        register["ends"] = _taken(days(sites, "archived_on", "sites").astype("int64"), place, MISSING_DAY)
    return code, register


def _from_records(usage: pd.DataFrame, rows: Whole, first: Whole, last: Whole) -> tuple[Whole, pd.DataFrame]:
    code, names = factorize(usage, "meter_id")
    code = code[rows]
    used, code = np.unique(code, return_inverse=True)
    code = code.astype("int64")
    bare = np.zeros(len(rows), dtype=bool)
    if len(used) and used[0] < 0:
        bare = code == 0
        inner, _ = group_keys(usage.iloc[rows[bare]], ("site_id", "commodity", "account_id"))
        used, code = used[1:], code - 1
        code[bare] = len(used) + inner
    size = len(used) + (int(code[bare].max()) + 1 - len(used) if bare.any() else 0)
    ids = pd.Series(names.array.take(used), dtype=TEXT).reindex(range(size))
    register = pd.DataFrame({"meter_id": ids.astype(TEXT)})
    for name in _ATTRIBUTES:
        register[name] = _latest(usage, name, rows, code, last, size)
    seen = np.full(size, _NEVER)
    np.minimum.at(seen, code, first[rows])
    register["seen"] = np.where(seen == _NEVER, MISSING_DAY, seen)
    return code, register


def _latest(usage: pd.DataFrame, name: str, rows: Whole, code: Whole, last: Whole, size: int) -> pd.Series:
    """Return what each meter's latest record that says something says; of equals the last in the alphabet."""
    values, names = factorize(usage, name)
    values = values[rows]
    told = np.flatnonzero(values >= 0)
    best = np.full(size, MISSING_DAY)
    np.maximum.at(best, code[told], last[rows[told]] * (len(names) + 1) + values[told])
    place = np.where(best == MISSING_DAY, -1, best % (len(names) + 1))
    return pd.Series(names.array.take(place, allow_fill=True), dtype=TEXT)


def _with_meters(register: pd.DataFrame, meters: pd.DataFrame) -> pd.DataFrame:
    require(meters, ("meter_id",), "meters")
    known = pd.DataFrame({name: text(meters, name) for name in ("meter_id", *_ATTRIBUTES[:3])})
    known["tracked"] = flags(meters, "tracked", "meters", missing=True)
    known = known[known["meter_id"].notna()].drop_duplicates("meter_id").reset_index(drop=True)
    place = _places(known, "meter_id", register)
    register = register.copy()
    for name in _ATTRIBUTES[:3]:
        told = pd.Series(known[name].array.take(place, allow_fill=True), dtype=TEXT)
        register[name] = told.where(told.notna(), register[name])
    register["tracked"] = _taken(known["tracked"].to_numpy(), place, True)
    silent = known[~known["meter_id"].isin(register["meter_id"])].sort_values("meter_id")
    silent = silent.assign(seen=MISSING_DAY, utility=pd.array([np.nan] * len(silent), dtype=TEXT))
    return pd.concat([register, silent[register.columns]], ignore_index=True) if len(silent) else register


def _places(table: pd.DataFrame, key: str, register: pd.DataFrame) -> Whole:
    """Return the row of `table` that has each meter's key (-1 for none); of doubled keys the first."""
    keys = text(table, key)
    rows = np.flatnonzero((keys.notna() & ~keys.duplicated()).to_numpy())
    found = pd.Index(keys.iloc[rows]).get_indexer(pd.Index(register[key]))
    return np.where(found < 0, -1, np.append(rows, -1)[found]).astype("int64")


def _taken(values: npt.NDArray[np.generic], place: Whole, missing: int | bool) -> npt.NDArray[np.generic]:
    filled = np.append(values, np.asarray(missing, dtype=values.dtype))
    return filled[np.where(place < 0, len(values), place)]
