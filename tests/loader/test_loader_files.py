"""Bills files as they come: delimiters, encodings, numbers, dates, and what is wrong with them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from nectar_notebooks.errors import BillsFileError
from nectar_notebooks.sandbox.loader import Loaded, load

HEADER = "Account Number,Bill Date,From,Thru,Service,Description,Meter,Usage,Units,Cost,Site Name,Vendor"
LINES = (
    "700-1,2/14/2025,1/10/2025,2/9/2025,Electric,Energy charge,M1,3100,kWh,465.00,Depot,City Light",
    "700-1,2/14/2025,1/10/2025,2/9/2025,Electric,Customer charge,M1,,,20.00,Depot,City Light",
    "700-1,2/14/2025,1/10/2025,2/9/2025,Electric,State tax,,,,29.10,Depot,City Light",
)


@pytest.fixture
def write(tmp_path: Path):
    def write(*lines: str, header: str = HEADER, end: str = "\n", encoding: str = "utf-8") -> Path:
        path = tmp_path / "bills.csv"
        path.write_bytes(("\n".join((header, *lines)) + end).encode(encoding))
        return path

    return write


def reasons(loaded: Loaded) -> list[tuple[int, str]]:
    return [(entry.line, entry.reason) for entry in loaded.unplaced]


def test_a_plain_file(write) -> None:
    loaded = load(write(*LINES))
    (bill,), (usage,), (meter,) = loaded.world.documents, loaded.world.usage, loaded.world.meters
    assert loaded.world.companies[0]["name"] == "Depot"
    assert (bill["totalCharges"], bill["currentCharges"], bill["taxCharges"]) == ("514.10", "514.10", "29.10")
    assert (bill["billDate"], bill["startDate"], bill["chargesUnits"]) == ("2025-02-14", "2025-01-10", "USD")
    assert [item["chargeType"] for item in bill["lineItems"]] == ["SUPPLY", "CUSTOMER", "TAX"]
    assert (usage["usage"], usage["usageUnits"], usage["meter"]) == ("3100", "kWh", meter["id"])
    assert (usage["startDate"], usage["endDate"]) == ("2025-01-10", "2025-02-09")
    assert str(loaded) == (
        "Depot, from bills.csv: 1 site, 1 account, 1 meter, 1 bill, 3 line items; 514.10 USD in all."
    )


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_delimiters_and_a_byte_order_mark(write, mark: str) -> None:
    plain = load(write(*LINES)).world
    path = write(*(line.replace(",", mark) for line in LINES), header=HEADER.replace(",", mark), encoding="utf-8-sig")
    assert load(path).world == plain


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_what_spreadsheets_write(write, encoding: str) -> None:
    path = write(*(line.replace("Depot", "Dépôt") for line in LINES), encoding=encoding)
    assert load(path).world.sites[0]["name"] == "Dépôt"


def test_title_lines_above_the_header_and_empty_lines(write) -> None:
    path = write("Exported 1 March 2025", "", HEADER, LINES[0], "", *LINES[1:], "", header="Utility bills of the Depot")
    assert load(path).world == load(write(*LINES)).world


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"$1,234.50"', "1234.50"),
        ("(12.30)", "-12.30"),
        ("12.30-", "-12.30"),
        ("12.30 CR", "-12.30"),
        ("-12.3", "-12.30"),
        ("USD 7", "7.00"),
        ("0.125", "0.125"),
        ("1e2", "100.00"),
    ],
)
def test_amounts_are_read_exactly(write, text: str, value: str) -> None:
    loaded = load(write(LINES[0], LINES[1].replace("20.00", text)))
    assert loaded.world.documents[0]["lineItems"][1]["totalCharge"] == value
    assert loaded.totals["USD"] == Decimal("465.00") + Decimal(value)


def test_a_decimal_comma(write) -> None:
    header = HEADER.replace(",", ";")
    lines = [
        line.replace(",", ";").replace("465.00", "1.465,00").replace("20.00", "20,5").replace("29.10", "29,10")
        for line in LINES
    ]
    loaded = load(write(*lines, header=header))
    assert loaded.world.documents[0]["totalCharges"] == "1514.60"


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (("14/2/2025", "10/1/2025", "9/2/2025"), None),
        (("14.02.2025", "10.01.2025", "09.02.2025"), None),
        (("2025-02-14", "2025-01-10", "2025-02-09T00:00:00"), None),
        (("14-Feb-2025", "10 Jan 2025", "Feb 9 2025"), None),
        (("2/14/25", "1/10/25", "2/9/25"), None),
        (("2/3/2025", "10/1/2025", "9/2/2025"), "dmy"),
    ],
)
def test_dates(write, dates: tuple[str, str, str], order: str | None) -> None:
    line = LINES[0].replace("2/14/2025", "BILL").replace("1/10/2025", "FROM").replace("2/9/2025", "THRU")
    line = line.replace("BILL", dates[0]).replace("FROM", dates[1]).replace("THRU", dates[2])
    (usage,) = load(write(line), {"date_order": order} if order else None).world.usage
    assert (usage["startDate"], usage["endDate"]) == ("2025-01-10", "2025-02-09")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([LINES[0].replace("2/14/2025", "2/3/2025")], "does not show whether day or month comes first"),
        ([LINES[0], LINES[1].replace("2/9/2025", "19/2/2025")], "writes dates in two orders: 19/2/2025 and 2/14/2025"),
    ],
)
def test_an_unclear_order_of_dates_is_asked_for(write, lines: list[str], message: str) -> None:
    with pytest.raises(BillsFileError, match=message) as error:
        load(write(*lines))
    assert "date_order" in error.value.advice


def test_what_cannot_be_placed_is_named_and_loaded_nowhere(write) -> None:
    bad = (
        LINES[0].replace("465.00", ""),
        LINES[0].replace("465.00", "n/a"),
        LINES[0].replace("700-1", ""),
        LINES[0].replace("2/14/2025", "2/30/2025"),
        LINES[0].replace("3100", "about 3100"),
        "700-1,,,,Electric,Energy charge,M1,1,kWh,5.00,Depot,City Light",
        "Total,494.10",
        LINES[0].replace("465.00", "NaN"),
        LINES[0].replace("2/14/2025", "2/14/1025"),
    )
    loaded = load(write(LINES[0], *bad, LINES[1]))
    assert reasons(loaded) == [
        (3, "no amount"),
        (4, "amount 'n/a' is no number"),
        (5, "no account"),
        (6, "bill date '2/30/2025' is no date"),
        (7, "usage 'about 3100' is no number"),
        (8, "no date"),
        (9, "2 cells where the header has 12"),
        (10, "amount 'NaN' is no number"),
        (11, "bill date '2/14/1025' is outside the window, 1970-01-01 to 2100-12-31"),
    ]
    good = load(write(LINES[0], LINES[1]))
    assert loaded.world == good.world
    assert (loaded.lines, loaded.totals) == (2, {"USD": Decimal("485.00")})
    assert "9 lines not placed:\n  line 3: no amount" in str(loaded)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04rest", "is an Excel workbook"),
        (b"%PDF-1.7", "is a PDF"),
        (bytes(range(256)), "is not text"),
        (b"\x00\x01\x02", "is not text"),
        ("\n".join(LINES).encode(), "has no header line with a column for: account, amount, bill_date"),
        (b"Account,Cost\n1,2\n", "has no header line with a column for: bill_date"),
        (HEADER.encode(), "has no line that could be placed"),
        ((HEADER + "\n" + LINES[0].replace("465.00", "")).encode(), "line 2: no amount"),
        ((HEADER + "\n" + LINES[0] + '\n"700-1,2/14').encode(), "cannot be read from line 3 on"),
        ((HEADER + "\n" + LINES[0] + "\n700-1,2/14/20").encode(), "ends in the middle of line 3"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bills.csv"
    path.write_bytes(content)
    with pytest.raises(BillsFileError) as error:
        load(path)
    assert message in error.value.message
    assert error.value.message.count(". ") == 0
    assert "\n" not in str(error.value)
    assert "bills.csv" in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BillsFileError, match="No such file"):
        load(tmp_path / "nowhere.csv")
    with pytest.raises(BillsFileError, match="cannot be read"):
        load(tmp_path)


def test_a_map_gives_headers_their_meaning(write, tmp_path: Path) -> None:
    header = "Kunde,Datum,Art,Posten,Menge,Einheit,Betrag"
    line = "9,2025-02-28,Strom,Arbeit,500,Kilowattstunden,90.00"
    with pytest.raises(BillsFileError, match="no header line"):
        load(write(line, header=header))
    columns = tmp_path / "map.toml"
    columns.write_text(
        'company = "Stadt"\ncurrency = "EUR"\n[columns]\naccount = "Kunde"\nbill_date = "Datum"\nservice = "Art"\n'
        'item = "Posten"\nusage = "Menge"\nunit = "Einheit"\namount = "Betrag"\n'
        '[units]\nKilowattstunden = "kWh"\n[commodities]\nStrom = "ELECTRICITY"\n[charges]\nArbeit = "DELIVERY"\n'
    )
    loaded = load(write(line, header=header), columns)
    (bill,) = loaded.world.documents
    assert loaded.world.companies[0]["name"] == "Stadt"
    assert (bill["chargesUnits"], bill["lineItems"][0]["chargeType"]) == ("EUR", "DELIVERY")
    assert bill["lineItems"][0]["quantityUnits"] == "kWh"
    assert [(r.line, r.reason) for r in loaded.remarks] == [
        (2, "usage without a service period: kept on the line, not counted as usage")
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"colums": {}}, "unknown part: colums"),
        ({"columns": {"price": "Cost"}}, "unknown column role: price"),
        ({"columns": {"amount": "Betrag"}}, "has no column 'Betrag'"),
        ({"commodities": {"Strom": "POWER"}}, "unknown commodity: POWER"),
        ({"charges": {"Late": "LATE"}}, "unknown charge type: LATE"),
        ({"date_order": "american"}, "date_order is mdy, dmy or ymd"),
        ({"decimal": ";"}, "decimal is"),
        ({"units": {"kWh": 1}}, r"\[units\] holds lines of the form"),
        ({"units": "kWh"}, r"\[units\] holds lines of the form"),
        ({"currency": 5}, "currency is a text"),
    ],
)
def test_a_wrong_map_is_refused(write, columns: dict[str, object], message: str) -> None:
    with pytest.raises(BillsFileError, match=message):
        load(write(*LINES), columns)


def test_an_unreadable_map_is_refused(write, tmp_path: Path) -> None:
    columns = tmp_path / "map.toml"
    with pytest.raises(BillsFileError, match=r"map\.toml cannot be read"):
        load(write(*LINES), columns)
    columns.write_text("[columns\n")
    with pytest.raises(BillsFileError, match=r"map\.toml cannot be read"):
        load(write(*LINES), columns)
