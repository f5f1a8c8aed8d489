"""What lines mean together: meters without numbers, energy charged twice, times of use, demand, several sites."""

from __future__ import annotations

from pathlib import Path

import pytest

from nectar_notebooks.sandbox.loader import Loaded, load

HEADER = "Site ID,Vendor,Account,Invoice,Bill Date,From,Thru,Service,Description,Meter,Usage,Units,Cost,Currency"


@pytest.fixture
def bills(tmp_path: Path):
    def bills(*lines: str, **columns: object) -> Loaded:
        path = tmp_path / "bills.csv"
        path.write_text("\n".join((HEADER, *lines)) + "\n")
        return load(path, columns or None)

    return bills


def electric(text: str, usage: str, cost: str = "10.00", meter: str = "M1", unit: str = "kWh", site: str = "S1") -> str:
    return f"{site},City Light,A1,,2025-02-14,2025-01-10,2025-02-09,Electric,{text},{meter},{usage},{unit},{cost},USD"


@pytest.mark.parametrize(
    ("lines", "usage", "parts"),
    [
        ([("Energy charge", "1000"), ("Delivery", "1000"), ("Fuel rider", "1000")], "1000", []),
        ([("Energy tier 1", "800"), ("Energy tier 2", "200"), ("Delivery", "1000")], "1000", []),
        ([("Energy charge", "800"), ("Energy charge", "200"), ("Delivery", "1000")], "1000", []),
        ([("First 500 kWh", "500"), ("Next 500 kWh", "500")], "1000", []),
        (
            [("Energy on-peak", "300"), ("Energy off-peak", "300"), ("Delivery", "600")],
            "600",
            [("PEAK", "300"), ("OFF_PEAK", "300")],
        ),
        ([("Summer energy", "400"), ("Winter energy", "600")], "1000", []),
        ([("Energy charge", "0")], "0", []),
    ],
)
def test_energy_on_several_lines_is_counted_once(bills, lines, usage: str, parts) -> None:
    loaded = bills(*(electric(text, quantity) for text, quantity in lines))
    (row,) = loaded.world.usage
    assert row["usage"] == usage
    assert [(part["timeOfUse"], part["usage"]) for part in row["timeOfUseBreakdown"]] == parts
    assert loaded.remarks == ()
    assert len(loaded.world.documents[0]["lineItems"]) == len(lines)


def test_lines_that_disagree_are_remarked(bills) -> None:
    loaded = bills(electric("Energy charge", "1000"), electric("Delivery", "990"))
    assert loaded.world.usage[0]["usage"] == "1000"
    assert [(r.line, r.reason) for r in loaded.remarks] == [
        (2, "the bill's kWh lines disagree: the largest, 1000, was counted")
    ]


def test_a_number_is_taken_from_the_same_bill_then_from_the_account(bills) -> None:
    loaded = bills(
        electric("Energy charge", "100", meter=""),
        electric("Customer charge", "", meter="M1", unit=""),
        electric("Energy charge", "90", meter="").replace("2025-02-14", "2025-03-14"),
    )
    (meter,) = loaded.world.meters
    assert meter["identifiers"] == [{"name": "METER", "value": "M1", "rawName": "Meter Number"}]
    assert {row["meter"] for row in loaded.world.usage} == {meter["id"]}


def test_usage_of_one_of_several_meters_stays_the_accounts(bills) -> None:
    loaded = bills(
        electric("Energy", "100", meter="M1"),
        electric("Energy", "70", meter="M2"),
        electric("Other energy", "5", meter=""),
    )
    by_meter = {row["usage"]: row["meter"] for row in loaded.world.usage}
    assert by_meter["5"] is None
    assert None not in (by_meter["100"], by_meter["70"])
    assert [r.line for r in loaded.remarks] == [4]


def test_an_account_without_numbers_has_one_meter_a_service(bills) -> None:
    water = "S1,Waterworks,W1,,2025-02-14,2025-01-10,2025-02-09,{},{} usage,,{},Gallons,5.00,USD"
    loaded = bills(
        water.format("Water", "Water", 700),
        water.format("Sewer", "Sewer", 700),
        water.format("Water", "Irrigation", 90),
    )
    assert {
        (m["waterType"], m["identifiers"][0]["name"], m["identifiers"][0]["value"]) for m in loaded.world.meters
    } == {
        ("POTABLE_WATER", "ACCOUNT", "W1"),
        ("WASTEWATER", "ACCOUNT", "W1"),
        ("IRRIGATION", "ACCOUNT", "W1"),
    }
    assert {row["usageUnits"] for row in loaded.world.usage} == {"gal (US)"}


def test_demand_is_read_beside_the_usage(bills) -> None:
    loaded = bills(
        electric("Energy charge", "1000"),
        electric("On peak demand", "42.5", "300.00", unit="kW"),
        electric("Transmission on peak demand", "42.5", "50.00", unit="kW"),
        electric("KW Charge", "0", "0", unit=""),
    )
    (bill,), (row,) = loaded.world.documents, loaded.world.usage
    (reading,) = bill["demandMeters"]
    assert (reading["demandUsage"], reading["demandUsageUnits"], reading["demandType"]) == ("42.5", "kW", "PEAK")
    assert reading["usageDataIds"] == [row["id"]]
    assert [item["electricityIsDemand"] for item in bill["lineItems"]] == [False, True, True, True]
    assert [item["quantity"] for item in bill["lineItems"]] == ["1000", "42.5", "42.5", "0"]


def test_kilowatts_are_demand_whatever_their_line_is_called(bills) -> None:
    loaded = bills(electric("Energy", "100"), electric("Facilities", "12", unit="kW"), electric("Demand", "90"))
    (bill,) = loaded.world.documents
    assert [reading["demandUsage"] for reading in bill["demandMeters"]] == ["12"]
    assert [item["electricityIsDemand"] for item in bill["lineItems"]] == [False, True, False]
    assert [row["usageUnits"] for row in loaded.world.usage] == ["kWh"]


def test_one_bill_over_several_sites_and_one_day_with_two_invoices(bills) -> None:
    loaded = bills(
        electric("Energy", "100", meter="M1", site="S1"),
        electric("Energy", "60", meter="M2", site="S2"),
        electric("Energy", "7", meter="M1", site="S1").replace(",A1,,", ",A1,77,"),
    )
    world = loaded.world
    sites = {site["id"]: site["externalId"] for site in world.sites}
    assert {(sites[m["site"]], m["identifiers"][0]["value"]) for m in world.meters} == {("S1", "M1"), ("S2", "M2")}
    assert sorted((bill["invoiceId"] or "", len(bill["lineItems"])) for bill in world.documents) == [("", 2), ("77", 1)]


def test_currencies_are_never_on_one_bill(bills) -> None:
    loaded = bills(electric("Energy", "100", "10.00"), electric("Energy", "100", "12.00").replace("USD", "CAD"))
    assert {bill["chargesUnits"]: bill["totalCharges"] for bill in loaded.world.documents} == {
        "USD": "10.00",
        "CAD": "12.00",
    }


def test_units_that_nobody_knows_are_kept_and_remarked(bills) -> None:
    loaded = bills(electric("Energy", "100", unit="blobs"), electric("Customer charge", "2", unit=""))
    items = loaded.world.documents[0]["lineItems"]
    assert [(item["quantity"], item["quantityUnits"]) for item in items] == [("100", "blobs"), ("2", None)]
    assert loaded.world.usage == []
    assert [r.line for r in loaded.remarks] == [2, 3]


def test_balances_belong_to_an_earlier_bill(bills) -> None:
    loaded = bills(electric("Energy", "100", "10.00"), electric("Previous balance", "", "30.00", unit=""))
    (bill,) = loaded.world.documents
    assert (bill["currentCharges"], bill["totalCharges"]) == ("10.00", "40.00")


def test_what_is_loaded_hangs_together(bills) -> None:
    world = bills(electric("Energy", "100"), electric("Demand", "5", unit="kW")).world
    (company,), (site,), (connection,), (account,), (meter,) = (
        world.companies, world.sites, world.connections, world.accounts, world.meters,
    )  # fmt: skip
    (bill,), (usage,) = world.documents, world.usage
    assert site["company"] == connection["company"] == account["company"] == bill["company"] == company["id"]
    assert account["connection"] == bill["connection"] == usage["connection"] == connection["id"]
    assert (meter["site"], meter["account"]) == (site["id"], account["id"])
    assert (usage["document"], usage["site"], usage["meter"]) == (bill["id"], site["id"], meter["id"])
    assert {id_ for item in bill["lineItems"] for id_ in item["accountIds"]} == {account["id"]}


def city(service: str, text: str, cost: str, usage: str = "", unit: str = "", meter: str = "") -> str:
    return f"S1,City,A7,I-1,2025-02-14,2025-01-10,2025-02-09,{service},{text},{meter},{usage},{unit},{cost},USD"


def test_a_charge_says_what_it_is_for(bills) -> None:
    """Of a kind that nothing measures, such as fire protection, the service it is billed with stands in."""
    loaded = bills(
        city("Water", "Water usage", "50.00", "1000", "gal", "W1"),
        city("Sewer", "Sewer usage", "80.00", "1000", "gal"),
        city("Water", "Fire protection", "20.00"),
        city("Sewer", "Other charges", "3.00"),
        city("Electric", "Energy", "90.00", "500", "kWh", "E1"),
        city("Electric", "Customer charge", "9.00", meter="E1"),
        city("", "Miscellaneous", "1.00"),
    )
    [document] = loaded.world.documents
    meters = {meter["id"]: meter["identifiers"][0]["value"] for meter in loaded.world.meters}
    told = [
        (item.get("datasourceType"), item.get("waterType"), meters.get(item.get("meter")))
        for item in document["lineItems"]
    ]
    assert told == [
        ("WATER", "POTABLE_WATER", "W1"),
        ("WATER", "WASTEWATER", None),
        ("WATER", "POTABLE_WATER", None),
        ("WATER", "WASTEWATER", None),
        ("ELECTRICITY", None, "E1"),
        ("ELECTRICITY", None, "E1"),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    ("cost", "amount", "remark"),
    [
        ("10.00004", "10.0000", "an amount of 10.00004 is finer than 0.0001: 10.0000 was taken"),
        ("0.00005", "0.0000", "an amount of 0.00005 is finer than 0.0001: 0.0000 was taken"),
        ("-3.141592", "-3.1416", "an amount of -3.141592 is finer than 0.0001: -3.1416 was taken"),
        ("12.340000000000002", "12.3400", None),
        ("0.1234", "0.1234", None),
    ],
)
def test_an_amount_finer_than_is_summed_is_in_the_report(bills, cost: str, amount: str, remark: str | None) -> None:
    loaded = bills(electric("Energy charge", "1000", cost))
    assert loaded.world.documents[0]["lineItems"][0]["totalCharge"] == amount
    assert [entry.reason for entry in loaded.remarks] == ([remark] if remark else [])
    assert (remark or "1 line item") in str(loaded)


@pytest.mark.parametrize(
    "start", ["0001-01-01", "0024-01-01", "01/01/0024", "1900-01-01", "12/31/9999", "9999-11-30", "31-Dec-1899"]
)
def test_a_year_of_four_digits_is_the_year_it_says(bills, start: str) -> None:
    loaded = bills(electric("Energy", "100"), electric("Energy", "90").replace("2025-01-10", start))
    outside = "outside the window, 1970-01-01 to 2100-12-31"
    assert [(one.line, one.reason) for one in loaded.unplaced] == [(3, f"start {start!r} is {outside}")]
    assert f"line 3: start {start!r} is {outside}" in str(loaded)


def test_a_day_that_no_calendar_has_is_no_date_in_any_year(bills) -> None:
    loaded = bills(*(electric("Energy", "100").replace("2025-01-10", day) for day in ("9999-02-31", "2025-01-10")))
    assert [(one.line, one.reason) for one in loaded.unplaced] == [(2, "start '9999-02-31' is no date")]


def test_a_line_that_repeats_another_is_kept_and_in_the_report(bills) -> None:
    """Entered twice, or two alike: the ledger keeps both amounts, and somebody is told to look."""
    energy, fee = electric("Energy charge", "1000", "100.00"), electric("Customer charge", "", "12.00", unit="")
    loaded = bills(energy, fee, energy, electric("Delivery", "1000", "20.00"), fee)
    (bill,) = loaded.world.documents
    assert (len(bill["lineItems"]), bill["totalCharges"]) == (5, "244.00")
    assert [row["usage"] for row in loaded.world.usage] == ["1000"]
    assert [(one.line, one.reason) for one in loaded.remarks] == [
        (4, "says what line 2 of the same bill says: both amounts are kept, its usage is counted once"),
        (6, "says what line 3 of the same bill says: both amounts are kept"),
    ]
    assert "2 lines placed, with a remark:\n  line 4: says what line 2" in str(loaded)
    nothing = electric("Misc. credit", "", "0", unit="")  # printed by systems for charges that a bill does not have
    assert bills(energy, nothing, nothing).remarks == ()
    # of other invoices they are two bills
    numbered = [energy.replace("A1,,", f"A1,I-{number},") for number in (1, 2)]
    apart = bills(*numbered)
    assert (len(apart.world.documents), apart.remarks) == (2, ())
