"""A bill's charges as bars: one per meter that pays, and more for what no meter pays. Draws nothing."""

from __future__ import annotations

import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.plots.picture import require
from nectar_notebooks.plots.style import CHARGES, TEXT, in_order, series_label, shortened, told_apart

__all__ = ["KEYS", "NO_METER", "bar_labels", "folded", "looked_up", "one_currency", "payers"]

_COLUMNS = ("meter_id", "site_id", "commodity", "charge_type", "amount", "currency")
_SOURCE = "the rows of one bill from nn.attribute"
_MOST_BARS = 60
#: The columns that label a bar.
KEYS = ["site", "meter", "commodity"]
NO_METER = "no meter"


def payers(attributed: pd.DataFrame, meters: pd.DataFrame | None, sites: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row per bar, one column per kind of charge, and the total; meters first, largest sites first."""
    return _per_bar(_named(attributed, meters, sites))


def one_currency(attributed: pd.DataFrame, what: str) -> str:
    """Return the one currency of all charges, after checking the columns.

    Raises
    ------
    DataError
        A column is missing, or there is more than one currency.
    """
    require(attributed, _COLUMNS, what, _SOURCE)
    currencies = sorted(attributed["currency"].dropna().unique())
    if len(currencies) > 1:
        raise DataError(
            f"These charges are in {' and '.join(currencies)}, which cannot be added.",
            advice="Draw one currency at a time.",
        )
    return str(currencies[0]) if currencies else ""


def _named(attributed: pd.DataFrame, meters: pd.DataFrame | None, sites: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows with an amount, with the labels of their bars."""
    rows = attributed.loc[attributed["amount"].notna()].copy()
    nameless = rows["meter_id"].isna()
    rows["meter"] = looked_up(rows["meter_id"], meters, "meter_id", "primary_identifier")
    rows["site"] = looked_up(rows["site_id"], sites, "site_id", "name").fillna("no site")
    kinds = rows["subtype"] if "subtype" in rows else pd.Series(None, rows.index, dtype="object")
    rows["commodity"] = [
        series_label(commodity, None if pd.isna(kind) else kind) if isinstance(commodity, str) else ""
        for commodity, kind in zip(rows["commodity"], kinds, strict=True)
    ]
    methods = rows["method"].astype(TEXT) if "method" in rows else pd.Series(NO_METER, rows.index, dtype=TEXT)
    rows["meter"] = rows["meter"].mask(nameless, methods.fillna(NO_METER).map(_method_words).astype(TEXT))
    rows.loc[nameless, "site"] = NO_METER
    rows.loc[nameless, "commodity"] = ""
    return rows.assign(charge_type=rows["charge_type"].astype(TEXT).fillna("OTHER"))


def _method_words(method: str) -> str:
    return method[:1].upper() + method[1:]


def looked_up(ids: pd.Series, table: pd.DataFrame | None, key: str, name: str) -> pd.Series:
    """Return the name of each id, or the id itself if the table has none."""
    ids = ids.astype(TEXT)
    if table is None:
        return ids
    return ids.map(table.dropna(subset=[key]).set_index(key)[name].dropna().to_dict()).astype(TEXT).fillna(ids)


def _per_bar(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(which=rows["meter_id"].astype(TEXT).fillna(""))  # keeps two meters with one number apart
    frame = rows.groupby([*KEYS, "which", "charge_type"])["amount"].sum().unstack("charge_type").droplevel("which")
    frame = frame[in_order(frame.columns, CHARGES)].rename_axis(None, axis=1)
    frame = frame.round(6).assign(total=frame.sum(axis=1).round(6)).reset_index()
    frame["last"] = frame["site"].eq(NO_METER)
    frame["of_site"] = frame.groupby("site")["total"].transform("sum")
    frame = frame.sort_values(["last", "of_site", "site", "total", "meter"], ascending=[True, False, True, False, True])
    return frame.drop(columns=["last", "of_site"]).reset_index(drop=True)


def folded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return at most as many bars as a picture can show, the smallest combined into one."""
    if len(frame) <= _MOST_BARS:
        return frame
    nobody = frame[frame["site"] == NO_METER]
    paying = frame[frame["site"] != NO_METER]
    kept = max(_MOST_BARS - 1 - len(nobody), 0)
    head, rest = paying.iloc[:kept], paying.iloc[kept:]
    row = {
        "site": "other sites",
        "meter": f"{len(rest)} more",
        "commodity": "",
        **rest.drop(columns=KEYS).sum(min_count=1),
    }
    return pd.concat([head, pd.DataFrame([row]), nobody], ignore_index=True)


def bar_labels(frame: pd.DataFrame) -> list[str]:
    """Return the label of each bar, with long names shortened."""
    sites = told_apart(frame["site"].unique().tolist(), 32)
    labels = []
    for site, meter, commodity in zip(frame["site"], frame["meter"], frame["commodity"], strict=True):
        what = f"{meter} ({commodity.lower()})" if commodity else meter
        labels.append(what if site == NO_METER else f"{sites[site]}  ·  {shortened(what, 36)}")
    return labels
