"""What is exported of a portfolio, and what is not: bills by hand, sums to the cent, everything left out listed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType

import openpyxl
import pandas as pd
import pytest
from methodology_core.core_portfolios import portfolio, real_portfolio

import nectar_notebooks as nn
from nectar_notebooks import Portfolio, exports
from nectar_notebooks.errors import InvalidRequestError

HEADS = [
    "Meter ID\n(Pre-filled)", "Meter Consumption ID\n(Pre-filled)", "Portfolio Manager ID\n(Pre-filled)",
    "Property Name\n(Pre-filled)", "Meter Name\n(Pre-filled)", "Meter Type\n(Pre-filled)", "Start Date\n(Required)",
    "End Date\n(Required)", "Quantity\n(Required)", "Usage Units\n(Pre-filled)", "Cost\n(Optional)",
    "Estimation (Required)",
]  # fmt: skip
TYPE, START, END, QUANTITY, UNITS, COST, ESTIMATED = (
    HEADS[place] for place in (HEADS.index("Meter Type\n(Pre-filled)"), 6, 7, 8, 9, 10, 11)
)
LONG = "Distribution Center of a name that goes on and on " * 5

METERS = {
    "E": ("north", "ELECTRICITY", "USAGE"),
    "G": ("south", "GAS", "NATURAL_GAS"),
    "O": ("north", "FUEL", "FUEL_OIL_2"),
    "S": ("north", "WATER", "WASTEWATER"),
    "X": ("north", "ELECTRICITY", "USAGE"),
    "P": ("north", "SOLAR", None),
}


def bill(number: str, currency: str = "USD", **more: object) -> dict[str, object]:
    return {"bill_id": number, "company_id": "company", "currency": currency, **more}


def record(number: str, meter: str, start: str, end: str, usage: float | None, unit: str, **more: object) -> dict:
    site, commodity, subtype = METERS[meter]
    return {
        "usage_id": f"{number}-{meter}-{start}", "bill_id": number, "meter_id": meter, "site_id": site,
        "commodity": commodity, "subtype": subtype, "start_date": start, "end_date": end, "usage": usage,
        "unit": unit, **more,
    }  # fmt: skip


def item(number: str, amount: float, meter: str, currency: str = "USD") -> dict[str, object]:
    return {
        "line_item_id": f"{number}:{meter}:{amount}", "bill_id": number, "amount": amount, "currency": currency,
        "charge_type": "SUPPLY", "meter_id": meter,
    }  # fmt: skip


def made(bills: list[dict], usage: list[dict], items: list[dict]) -> Portfolio:
    return portfolio(
        sites=[
            {"site_id": "north", "name": "=North", "external_id": "N1"},
            {"site_id": "south", "name": LONG, "external_id": "S1"},
        ],
        meters=[
            {
                "meter_id": meter,
                "site_id": site,
                "commodity": commodity,
                "subtype": subtype,
                "primary_identifier": meter,
            }
            for meter, (site, commodity, subtype) in METERS.items()
        ],
        bills=bills,
        usage=usage,
        line_items=items,
    )


@pytest.fixture
def held() -> Portfolio:
    return made(
        [
            bill("jan"),
            bill("feb", flagged=True, flagged_status="NEEDS_REVIEW"),
            bill("old", superseded_by="jan"),
            bill("cad", "CAD"),
        ],
        [
            record("jan", "E", "2024-01-01", "2024-01-31", 3100.0, "kWh"),
            record("feb", "E", "2024-02-01", "2024-02-29", 2900.0, "kWh"),
            record("old", "E", "2024-01-01", "2024-01-31", 9999.0, "kWh"),
            record("cad", "G", "2024-01-15", "2024-02-13", 300.0, "cubic m", estimated=True),
        ],
        [item("jan", 310.01, "E"), item("feb", 290.02, "E"), item("old", 9.99, "E"), item("cad", 90.01, "G", "CAD")],
    )


def total(column: pd.Series) -> int:
    return sum(round(amount * 100) for amount in column.dropna())


def test_months_leave_open_issues_out_and_list_them(held: Portfolio) -> None:
    export = exports.monthly(held)
    frame, notes = export.frame, export.notes
    assert frame.groupby("currency")["cost"].agg(total).to_dict() == {"CAD": 9001, "USD": 31001}
    assert frame.loc[frame["currency"].eq("USD"), "usage"].sum() == 3100.0
    assert frame.loc[frame["meter_id"].eq("E"), "site"].tolist() == ["=North"]
    told = notes.set_index("id")["reason"].to_dict()
    assert told["feb"] == "open issue: NEEDS_REVIEW"
    assert told["old"] == "superseded"
    assert set(told) == {"feb", "old", "old-E-2024-01-01", "old:E:9.99"}
    assert not notes["exported"].any()
    assert "1 rows" not in repr(export)

    everything = exports.monthly(held, flagged=True)
    assert total(everything.frame.loc[everything.frame["currency"].eq("USD"), "cost"]) == 60003
    assert everything.notes.set_index("id").loc["feb", "exported"]


@pytest.mark.parametrize("name", ["bills", "usage", "line_items"])
def test_a_table_leaves_open_issues_out_with_all_that_stands_on_them(held: Portfolio, name: str) -> None:
    export = exports.table(held, name)
    assert export.frame["bill_id"].tolist() == ["jan", "old", "cad"]
    assert export.notes["id"].tolist() == ["feb"]
    assert exports.table(held, name, flagged=True).frame["bill_id"].tolist() == ["jan", "feb", "old", "cad"]
    assert exports.table(held, "sites").notes.empty
    with pytest.raises(InvalidRequestError, match=r"no table 'bill'.*bills"):
        exports.table(held, "bill")


def test_rows_that_hang_on_others_go_with_them(held: Portfolio) -> None:
    parts = portfolio(
        time_of_use=[{"usage_id": "feb-E-2024-02-01", "position": 0}, {"usage_id": "jan-E-2024-01-01", "position": 0}],
        line_item_accounts=[{"line_item_id": "feb:E:290.02", "account_id": "a"}],
    )
    held = replace(held, time_of_use=parts.time_of_use, line_item_accounts=parts.line_item_accounts)
    assert exports.table(held, "time_of_use").frame["usage_id"].tolist() == ["jan-E-2024-01-01"]
    assert exports.table(held, "line_item_accounts").frame.empty


def test_the_users_table_of_sites_is_joined(held: Portfolio) -> None:
    mine = pd.DataFrame({"external_id": ["N1"], "area": [1000.0], "area_unit": ["sq ft"], "cost_centre": ["4711"]})
    for export in (exports.monthly(held, sites=mine), exports.table(held, "usage", sites=mine)):
        at = export.frame.set_index("site_id")
        assert set(at.loc[["north"], "cost_centre"]) == {"4711"}
        assert set(at.loc[["north"], "area_unit"]) == {"ft²"}
        assert at.loc[["south"], "area"].isna().all()


@pytest.mark.parametrize("ending", ["xlsx", "csv", "parquet"])
def test_an_export_is_saved_with_its_notes(held: Portfolio, ending: str, tmp_path: Path) -> None:
    export = exports.monthly(held)
    paths = export.save(tmp_path / f"months.{ending}")
    assert [path.name for path in paths] == [f"months.{ending}", "months-notes.csv"]
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}[ending](paths[0])
    assert list(read.columns) == list(export.frame.columns)
    assert total(read["cost"]) == total(export.frame["cost"]) == 40002
    assert read["site"].iloc[0] == ("'=North" if ending == "csv" else "=North")
    assert LONG in read["site"].tolist()
    assert pd.read_csv(paths[1])["id"].tolist() == export.notes["id"].tolist()
    paths[0].unlink()
    with pytest.raises(InvalidRequestError, match=r"months-notes\.csv already exists"):
        export.save(paths[0])
    assert not paths[0].exists()
    export.save(paths[0], overwrite=True)


def test_the_upload_of_bills_has_the_layout_of_the_template(held: Portfolio, tmp_path: Path) -> None:
    upload = exports.portfolio_manager(held, flagged=True)
    electric, other = upload.sheets["Add Bills-Electricity"], upload.sheets["Add Bills-Non Electric"]
    assert list(electric.columns) == list(other.columns) == HEADS
    rows = electric[[START, END, QUANTITY, UNITS, COST, ESTIMATED]].astype({START: str, END: str}).values.tolist()
    kwh = "kWh (thousand Watt-hours)"
    assert rows == [
        ["2024-01-01", "2024-01-31", 3100.0, kwh, 310.01, "No"],
        ["2024-02-01", "2024-02-29", 2900.0, kwh, 290.02, "No"],
    ]
    assert other[[QUANTITY, UNITS, ESTIMATED]].values.tolist() == [[300.0, "cm (cubic meters)", "Yes"]]
    assert other[COST].isna().all()  # in Canadian dollars
    cad = upload.notes[upload.notes["id"] == "cad-G-2024-01-15"]
    assert cad["reason"].tolist()[0] == "its cost is not exported: 90.01 CAD"
    assert cad["exported"].all()
    assert exports.portfolio_manager(held, currency="CAD").sheets["Add Bills-Non Electric"][COST].tolist() == [90.01]

    book = openpyxl.load_workbook(upload.save(tmp_path / "upload.xlsx")[0])
    assert book.sheetnames == ["Add Bills-Electricity", "Add Bills-Non Electric", "Deliveries"]
    assert [cell.value for cell in book.worksheets[0][1]] == HEADS
    assert book.worksheets[0]["G2"].number_format == "yyyy-mm-dd"
    assert (book.worksheets[0]["D2"].value, book.worksheets[0]["D2"].data_type) == ("=North", "s")
    names = [path.name for path in upload.save(tmp_path / "upload.csv", overwrite=True)]
    assert names[:2] == ["upload-add-bills-electricity.csv", "upload-add-bills-non-electric.csv"]


def test_what_portfolio_manager_rejects_is_listed_and_not_exported() -> None:
    held = made(
        [bill("a"), bill("b"), bill("c"), bill("d"), bill("e")],
        [
            record("a", "E", "2024-01-01", "2024-03-31", 9000.0, "kWh"),
            record("b", "E", "2024-02-01", "2024-02-29", 2900.0, "kWh"),  # inside a
            record("c", "E", "2024-03-01", "2024-03-31", 3100.0, "kWh"),  # beside b, and inside a as well
            record("d", "E", "2024-05-01", "2024-05-31", 3.1, "MWh"),
            record("e", "S", "2024-01-01", "2024-01-31", 10.0, "kgal (US)"),
            record("e", "G", "2024-01-01", "2024-01-31", None, "thm (US)"),
            record("e", "O", "2024-01-07", "2024-01-07", 500.0, "ft"),
            {"usage_id": "nobody", "bill_id": "e", "start_date": "2024-01-01", "usage": 1.0, "unit": "kWh"},
        ],
        [item(number, 10.0, "E") for number in "abcd"] + [item("e", 7.5, "S"), item("e", 1.25, "G")],
    )
    upload = exports.portfolio_manager(held)
    electric = upload.sheets["Add Bills-Electricity"]
    assert electric[QUANTITY].tolist() == [9000.0, 3100.0]
    assert set(electric[UNITS]) == {"kWh (thousand Watt-hours)"}
    out = upload.notes[~upload.notes["exported"]].set_index("id")["reason"].to_dict()
    assert {name: reason.split(":")[0] for name, reason in out.items()} == {
        "b-E-2024-02-01": "overlap",
        "c-E-2024-03-01": "overlap",
        "e-S-2024-01-01": "Portfolio Manager has no type of meter for WATER / WASTEWATER, with a cost of 7.50 USD",
        "e-G-2024-01-01": "missing usage",
        "e-O-2024-01-07": "no Fuel Oil (No. 2) meter can be in ft",
        "nobody": "the record has no meter",
    }
    assert out["b-E-2024-02-01"].endswith(", with a cost of 10.00 USD")
    looked = upload.notes[upload.notes["exported"]]
    gap = looked[looked["reason"].str.startswith("gap")]
    assert gap[["start_date", "end_date"]].astype(str).values.tolist() == [["2024-04-01", "2024-04-30"]]
    assert looked["reason"].str.startswith("year").any()


def test_a_delivery_stands_on_its_day_in_a_sheet_of_its_own() -> None:
    held = made(
        [bill("a")],
        [record("a", "O", "2024-01-07", "2024-01-07", 10.0, "bbl"), record("a", "O", "2024-01-20", None, 5.0, "bbl")],
        [item("a", 100.01, "O")],
    )
    for by in ("bill", "month"):
        rows = exports.portfolio_manager(held, by=by).sheets["Deliveries"]
        assert rows["Delivery Date"].astype(str).tolist() == ["2024-01-07", "2024-01-20"]
        assert rows[QUANTITY].tolist() == [420.0, 210.0]  # a barrel is 42 gallons
        assert set(rows[UNITS]) == {"Gallons (US)"}
        assert rows[COST].tolist() == [50.01, 50.0]


def test_whole_months_are_exported_and_parts_are_listed() -> None:
    held = made(
        [bill("a"), bill("b")],
        [
            record("a", "E", "2024-01-16", "2024-02-15", 3100.0, "kWh"),
            record("b", "E", "2024-02-15", "2024-03-31", 4600.0, "kWh", estimated=True),
        ],
        [item("a", 31.0, "E"), item("b", 46.0, "E")],
    )
    upload = exports.portfolio_manager(held, by="month")
    rows = upload.sheets["Add Bills-Electricity"]
    spans = rows[[START, END]].astype(str).values.tolist()
    assert spans == [["2024-02-01", "2024-02-29"], ["2024-03-01", "2024-03-31"]]
    assert rows[ESTIMATED].tolist() == ["Yes", "Yes"]
    out = upload.notes[~upload.notes["exported"]]
    assert out["reason"].str.extract(r"^(bills cover 16 of 31 days)")[0].tolist() == ["bills cover 16 of 31 days"]
    assert out["table"].tolist() == ["monthly"]
    january = float(out["reason"].iloc[0].split("cost of ")[1].split()[0])
    assert total(rows[COST]) + round(january * 100) == 7700


@pytest.mark.parametrize("by", ["bill", "month"])
def test_exported_energy_is_no_consumption(by: str) -> None:
    days = ("2024-01-01", "2024-01-31")
    held = made(
        [bill("a")],
        [
            record("a", "E", *days, 3100.0, "KWH", net_metering="IMPORT"),
            record("a", "E", *days, 310.0, "KWH", net_metering="EXPORT") | {"usage_id": "back"},
            record("a", "X", *days, 620.0, "kWh", net_metering="EXPORT"),
            record("a", "P", *days, 930.0, "kWh"),
        ],
        [item("a", 31.0, "E"), item("a", -6.2, "X"), item("a", 9.3, "P")],
    )
    upload = exports.portfolio_manager(held, by=by)
    rows = upload.sheets["Add Bills-Electricity"]
    assert rows[[TYPE, QUANTITY, UNITS, COST]].values.tolist() == [
        ["Electric - Grid", 3100.0, "kWh (thousand Watt-hours)", 31.0],
        ["Electric - Solar", 930.0, "kWh (thousand Watt-hours)", 9.3],
    ]
    out = upload.notes[~upload.notes["exported"]]
    reasons = set(zip(out["meter_id"], out["reason"], strict=True))
    back = {("E", "exported energy is not consumption")}  # of a record; a month has it within
    assert reasons - back == {("X", "exported energy is not consumption, with a cost of -6.20 USD")}
    months = exports.monthly(held).frame.set_index("meter_id")
    assert months["usage"].to_dict() == {"E": 2790.0, "X": -620.0, "P": 930.0}
    assert months["exported"].dropna().to_dict() == {"E": 310.0, "X": 620.0}


def test_names_of_portfolio_manager_come_from_the_users_table(held: Portfolio) -> None:
    mine = pd.DataFrame({"meter_id": ["E"], "portfolio_manager_meter_id": ["123"], "portfolio_manager_id": ["9"]})
    upload = exports.portfolio_manager(held, meters=mine)
    row = upload.sheets["Add Bills-Electricity"].iloc[0]
    assert (row.iloc[0], row.iloc[2], row.iloc[4]) == ("123", "9", "E")
    assert upload.sheets["Add Bills-Non Electric"].empty
    assert "the meter is not in your table of meters, with a cost of 90.01 CAD" in upload.notes["reason"].tolist()
    with pytest.raises(InvalidRequestError):
        exports.portfolio_manager(held, by="week")


def test_a_record_or_charge_that_is_in_no_entry_is_listed() -> None:
    held = made(
        [bill("a"), bill("old", superseded_by="a")],
        [
            record("a", "E", "2024-01-01", "2024-01-31", 3100.0, "kWh"),
            record("a", "G", "2024-02-01", "2024-01-01", 5.0, "CCF"),
            record("old", "E", "2024-01-01", "2024-01-31", 1.0, "kWh"),
        ],
        [item("a", 10.0, "E"), {**item("a", 3.5, "E"), "meter_id": None, "charge_type": "LATE_FEE"}],
    )
    told = exports.portfolio_manager(held).notes.set_index("id")["reason"].to_dict()
    assert told["a-G-2024-02-01"] == "period ends before it starts"
    assert told["old"] == told["old-E-2024-01-01"] == "superseded"
    assert told["a:E:3.5"] == "finance charge of 3.50 USD: no meter pays it"


@pytest.mark.parametrize("by", ["bill", "month"])
def test_every_cent_of_the_real_bills_is_exported_or_listed(by: str) -> None:
    held = real_portfolio()
    charges = nn.attribute(held)
    upload = exports.portfolio_manager(held, by=by)
    told = upload.notes.loc[~upload.notes["exported"], "reason"].str.extract(r"(?:cost|charge) of (-?[\d,]+\.\d\d)")[0]
    listed = sum(round(float(amount.replace(",", "")) * 100) for amount in told.dropna())
    assert sum(total(sheet[COST]) for sheet in upload.sheets.values()) + listed == total(charges["amount"])


@pytest.mark.parametrize("by", ["bill", "month"])
def test_an_empty_portfolio_gives_empty_sheets(by: str, tmp_path: Path) -> None:
    upload = exports.portfolio_manager(made([], [], []), by=by)
    assert [len(frame) for frame in upload.sheets.values()] == [0, 0, 0]
    assert len(upload.save(tmp_path / "empty.xlsx")) == 1
    assert exports.monthly(made([], [], [])).frame.empty


def entered(run: Callable[[], object], names: set[str]) -> dict[str, int]:
    """Return how often functions of these names of the package were entered while `run` ran."""
    counts = dict.fromkeys(names, 0)

    def look(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_name in names and "nectar_notebooks" in frame.f_code.co_filename:
            counts[frame.f_code.co_name] += 1

    sys.setprofile(look)
    try:
        run()
    finally:
        sys.setprofile(None)
    return counts


@pytest.mark.parametrize("export", [exports.monthly, exports.portfolio_manager])
def test_an_export_adjusts_and_attributes_once(export: Callable[[Portfolio], object]) -> None:
    given = real_portfolio()
    alone = entered(lambda: nn.monthly(given), {"adjust", "prepare", "calendarize"})
    assert alone["adjust"] == alone["prepare"] == 1
    found = entered(lambda: export(given), {"adjust", "prepare", "calendarize"})
    assert (found["adjust"], found["prepare"]) == (1, 1)
    assert found["calendarize"] <= alone["calendarize"]


def test_the_notes_are_of_the_way_that_was_asked_for() -> None:
    given = real_portfolio()
    usage = given.usage.assign(exclusion=pd.array([True] + [False] * (len(given.usage) - 1), dtype="boolean"))
    dropped = exports.monthly(replace(given, usage=usage), exclusions="drop").notes
    assert dropped.loc[dropped["table"] == "usage", "reason"].tolist() == ["exclusion"]
