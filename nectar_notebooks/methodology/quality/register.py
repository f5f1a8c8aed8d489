"""One row a meter: what its records and the tables beside them say about it.

Which bills that makes one expect is decided in `expectation`; this module only gathers what is known of each
meter. A record without a meter (usage of an account) is lent to the account's meters of its commodity; where there
are none it stands for a meter of its own, one for each site, commodity and account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import TEXT, counted, days, factorize, flags, require, text
from nectar_notebooks.methodology.keys import expand, group_keys, places_in
from nectar_notebooks.methodology.time.spans import MISSING_DAY
from nectar_notebooks.schema.accounts import NOT_DUPLICATE, has_ended, why_not_counted

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.time.spans import Whole

__all__ = ["Tables", "meter_register", "with_accounts"]

_ATTRIBUTES: Final = ("site_id", "commodity", "account_id", "subtype", "utility")
_OF_METER: Final = _ATTRIBUTES[:4]
_NEVER: Final = int(np.iinfo(np.int64).max)

#: The tables beside usage records, by name; what is not given is not known.
Tables = dict[str, "pd.DataFrame | None"]


def with_accounts(usage: pd.DataFrame, bill_accounts: pd.DataFrame | None) -> pd.DataFrame:
    """Return usage records with the account of their bill where they name none, and one alone is known."""
    if bill_accounts is None or not {"bill_id", "account_id"} <= set(bill_accounts.columns) or "bill_id" not in usage:
        return usage
    own = text(usage, "account_id")
    bill, bills = pd.factorize(text(bill_accounts, "bill_id"))
    account, accounts = pd.factorize(text(bill_accounts, "account_id"))
    told = np.flatnonzero((bill >= 0) & (account >= 0))
    low, high = np.full(len(bills) + 1, len(accounts)), np.full(len(bills) + 1, -1)
    np.minimum.at(low, bill[told], account[told])
    np.maximum.at(high, bill[told], account[told])
    single = np.where(low == high, low, -1)
    place = places_in(text(usage, "bill_id"), pd.Series(bills, dtype=TEXT), distinct=True)
    names = pd.Series(accounts, dtype=TEXT).array.take(single[place], allow_fill=True)
    of_bill = pd.Series(names, index=usage.index, dtype=TEXT)
    return usage.assign(account_id=own.where(own.notna(), of_bill))


def meter_register(
    usage: pd.DataFrame, rows: Whole, first: Whole, last: Whole, tables: Tables
) -> tuple[Whole, Whole, pd.DataFrame]:
    """Return rows and the meter number of each, and one row a meter.

    Parameters
    ----------
    usage : DataFrame
        Usage records, of which `rows` (row numbers) are looked at; `first` and `last` are the days of all.
    tables : dict
        ``meters, accounts, sites, connections, companies`` as far as they are known. Where the meters table knows a
        meter's site, account or commodity, it wins over the records (a moved meter moves all of its past). Meters
        without a record are added.

    Returns
    -------
    tuple
        Row numbers (a record that is lent to several meters stands there several times), meter numbers from 0, and a
        frame of ``meter_id, site_id, commodity, account_id, subtype, utility`` (of the latest record that names one);
        as days with `MISSING_DAY`: ``seen`` and ``last`` (first and last day of its records), ``starts`` (account's
        collection start), ``others_start`` (its connection's, else its company's), ``archived`` (its site);
        ``counts``, ``tracked`` and ``ended`` (the account is old).
    """
    code, register = _from_records(usage, rows, last, first)
    register["tracked"] = True
    meters, accounts, sites = (tables.get(name) for name in ("meters", "accounts", "sites"))
    if meters is not None:
        register = _with_meters(register, meters)
    rows, code, register = _lend(rows, code, register)
    for name, days_of, best in (("seen", first, np.minimum), ("last", last, np.maximum)):
        found = np.full(len(register), _NEVER if best is np.minimum else MISSING_DAY)
        best.at(found, code, days_of[rows])
        register[name] = np.where(found == _NEVER, MISSING_DAY, found)
    nothing = np.full(len(register), MISSING_DAY)
    register = register.assign(starts=nothing, others_start=nothing, archived=nothing, counts=True, ended=False)
    company = pd.Series(np.nan, index=register.index).astype(TEXT)
    if sites is not None:
        require(sites, ("site_id",), "sites")
        place = _places(sites, "site_id", register["site_id"])
        register["archived"] = _taken(days(sites, "archived_on", "sites").astype("int64"), place, MISSING_DAY)
        company = _named(sites, "company_id", place)
    if accounts is not None:
        require(accounts, ("account_id",), "accounts")
        place = _places(accounts, "account_id", register["account_id"])
        starts = days(accounts, "data_collection_start", "accounts").astype("int64")
        register["starts"] = _taken(starts, place, MISSING_DAY)
        register["counts"] = _taken(_accounts_count(accounts), place, True)
        state, states = pd.factorize(text(accounts, "status"))
        over = np.array([*map(has_ended, states), False], dtype=bool)[state]
        register["ended"] = _taken(over, place, False)
        told = _named(accounts, "company_id", place)
        company = told.where(told.notna(), company)
        connection = _named(accounts, "connection_id", place)
        register["others_start"] = _start_of(tables.get("connections"), "connections", "connection_id", connection)
    of_company = _start_of(tables.get("companies"), "companies", "company_id", company)
    others = register["others_start"].to_numpy()
    register["others_start"] = np.where(others == MISSING_DAY, of_company, others)
    return rows, code, register


def _from_records(usage: pd.DataFrame, rows: Whole, last: Whole, first: Whole) -> tuple[Whole, pd.DataFrame]:
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
    known = pd.DataFrame({name: text(meters, name) for name in ("meter_id", *_OF_METER)})
    known["tracked"] = flags(meters, "tracked", "meters", missing=True)
    known = known[known["meter_id"].notna()].drop_duplicates("meter_id").reset_index(drop=True)
    place = _places(known, "meter_id", register["meter_id"])
    register = register.copy()
    for name in _OF_METER:
        told = _named(known, name, place)
        register[name] = told.where(told.notna(), register[name])
    register["tracked"] = _taken(known["tracked"].to_numpy(), place, True)
    seen = np.zeros(len(known) + 1, dtype=bool)
    seen[place] = True
    silent = known[~seen[:-1]].sort_values("meter_id")
    silent = silent.assign(utility=pd.array([np.nan] * len(silent), dtype=TEXT))
    return pd.concat([register, silent[register.columns]], ignore_index=True) if len(silent) else register


def _lend(rows: Whole, code: Whole, register: pd.DataFrame) -> tuple[Whole, Whole, pd.DataFrame]:
    """Give the usage of an account, which names no meter, to each of the account's meters of its commodity."""
    bare = register["meter_id"].isna().to_numpy() & register["account_id"].notna().to_numpy()
    if not bare.any():
        return rows, code, register
    keys = ["account_id", "commodity"]
    mine = register.loc[bare, keys].assign(loose=np.flatnonzero(bare))
    theirs = register[register["meter_id"].notna()]
    pairs = mine.merge(theirs[keys].assign(meter=theirs.index.to_numpy()), on=keys).sort_values(["loose", "meter"])
    lent = np.isin(np.arange(len(register)), pairs["loose"])
    if not lent.any():
        return rows, code, register
    each = np.flatnonzero(lent[code])
    loose = pairs["loose"].to_numpy()
    begin, stop = (np.searchsorted(loose, code[each], side=side) for side in ("left", "right"))
    owner, place = expand(begin, stop - begin)
    kept = ~lent[code]
    rows = np.concatenate([rows[kept], rows[each][owner]])
    code = np.concatenate([code[kept], pairs["meter"].to_numpy()[place]])
    number = np.cumsum(~lent) - 1
    return rows, number[code], register[~lent].reset_index(drop=True)


def _accounts_count(accounts: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which accounts count: as the table says, else by what is known of their state."""
    if "counts" in accounts:
        return counted(accounts, "accounts")
    told = pd.DataFrame({name: text(accounts, name) for name in ("status", "tracking", "duplicate")})
    told["duplicate"] = ~told["duplicate"].fillna("").str.lower().isin(NOT_DUPLICATE)
    group, known = pd.factorize(pd.MultiIndex.from_frame(told))
    counts = np.array([why_not_counted(*state) is None for state in known], dtype=bool)
    return np.append(counts, True)[group]


def _start_of(table: pd.DataFrame | None, name: str, key: str, ids: pd.Series) -> Whole:
    """Return from which day a table of connections or companies says that bills are collected."""
    if table is None:
        return np.full(len(ids), MISSING_DAY)
    require(table, (key,), name)
    starts = days(table, "data_collection_start", name).astype("int64")
    return np.asarray(_taken(starts, _places(table, key, ids), MISSING_DAY), dtype=np.int64)


def _places(table: pd.DataFrame, key: str, wanted: pd.Series) -> Whole:
    """Return the row of `table` that has each wanted key (-1 for none); of doubled keys the first."""
    return places_in(wanted, text(table, key))


def _named(table: pd.DataFrame, name: str, place: Whole) -> pd.Series:
    return pd.Series(text(table, name).array.take(place, allow_fill=True), dtype=TEXT)


def _taken(values: npt.NDArray[np.generic], place: Whole, missing: int | bool) -> npt.NDArray[np.generic]:
    filled = np.append(values, np.asarray(missing, dtype=values.dtype))
    return filled[np.where(place < 0, len(values), place)]
