"""Units: factors written from the statutes and handbooks, not from pint."""

from __future__ import annotations

import math
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology.attribution.attribute import attribute
from nectar_notebooks.methodology.quality.issues import issues
from nectar_notebooks.methodology.units import UNITS, compatible, convert, factor, kind, why_not
from nectar_notebooks.schema.values import DEMAND_UNITS, USAGE_UNITS

# Exact sizes: energy in joules, volume in cubic metres, mass in kilograms, power in watts, length in metres.
FOOT, GALLON, IMPERIAL, POUND = (
    Fraction("0.3048"),
    Fraction("0.003785411784"),
    Fraction("0.00454609"),
    Fraction("0.45359237"),
)
BTU = Fraction("1055.056")
SIZES = {
    "J": 1, "kJ": 10**3, "MJ": 10**6, "GJ": 10**9, "TJ": 10**12, "erg": Fraction(1, 10**7),
    "Wh": 3600, "kWh": 3_600_000, "MWh": 3_600_000_000, "GWh": 3_600_000_000_000,
    "Btu": BTU, "MMBtu": BTU * 10**6, "Cal": Fraction("4.184"), "kCal": 4184, "MCal": 4_184_000,
    "thm (EC)": BTU * 10**5, "thm (US)": 105_480_400, "thm (UK)": Fraction("105505585.257348"),
    "Dth (EC)": BTU * 10**6, "Dth (US)": 1_054_804_000, "Dth (UK)": Fraction("1055055852.57348"),
    "ton hours": BTU * 12_000,
    "W": 1, "KW": 1000, "kW": 1000, "MW": 10**6, "GW": 10**9, "kVA": 1000, "kVAR": 1000,
    "L": Fraction(1, 1000), "kL": 1, "ML": 1000, "cubic m": 1,
    "cubic ft": FOOT**3, "CF": FOOT**3, "CCF": 100 * FOOT**3, "HCF": 100 * FOOT**3, "MCF": 1000 * FOOT**3,
    "MMCF": 10**6 * FOOT**3, "cubic yd": 27 * FOOT**3,
    "gal (US)": GALLON, "100 gal (US)": 100 * GALLON, "kgal (US)": 1000 * GALLON, "Mgal (US)": 10**6 * GALLON,
    "gal (UK)": IMPERIAL, "100 gal (UK)": 100 * IMPERIAL, "kgal (UK)": 1000 * IMPERIAL, "Mgal (UK)": 10**6 * IMPERIAL,
    "bbl": 42 * GALLON, "mbbl": 42_000 * GALLON, "teu": 1,
    "kg": 1, "g": Fraction(1, 1000), "lb": POUND, "mlb": 1000 * POUND, "oz t": Fraction("0.0311034768"),
    "tons (US)": 2000 * POUND, "sh ton": 2000 * POUND, "metric ton": 1000, "tonne": 1000, "long tn": 2240 * POUND,
    "km": 1000, "mi": 5280 * FOOT, "m": 1, "cm": Fraction(1, 100), "mm": Fraction(1, 1000), "nm": Fraction(1, 10**9),
    "yd": 3 * FOOT, "ft": FOOT, "in": FOOT / 12,
}  # fmt: skip


def test_every_unit_name_of_the_api_has_a_size():
    assert set(USAGE_UNITS) | set(DEMAND_UNITS) == set(SIZES)
    assert set(SIZES) <= set(UNITS)


def test_factors_are_the_exact_ratio_rounded_once():
    for one in SIZES:
        for other in SIZES:
            if compatible(one, other):
                assert factor(one, other) == float(Fraction(SIZES[one]) / Fraction(SIZES[other])), (one, other)


@given(st.sampled_from(sorted(SIZES)), st.sampled_from(sorted(SIZES)), st.sampled_from(sorted(SIZES)))
def test_factors_chain_and_invert(a, b, c):
    if compatible(a, b) and compatible(b, c):
        assert math.isclose(factor(a, b) * factor(b, c), factor(a, c), rel_tol=1e-14)
        assert math.isclose(factor(a, b) * factor(b, a), 1, rel_tol=1e-14)


@pytest.mark.parametrize(
    ("a", "b"), [("kW", "kVA"), ("kVA", "kVAR"), ("kWh", "kW"), ("kVAh", "kWh"), ("teu", "cubic m"), ("lb", "L")]
)
def test_kinds_that_need_more_than_a_factor_stay_apart(a, b):
    assert not compatible(a, b)
    with pytest.raises(DataError, match="cannot be told in"):
        factor(a, b)


def test_gas_volume_becomes_energy_by_its_heat_content():
    # 100 cubic feet × 1,026 Btu = 102,600 Btu; one EC therm is 100,000 Btu.
    assert factor("CCF", "thm (EC)", "GAS") == 1.026
    assert factor("CCF", "kWh", "GAS") == pytest.approx(102_600 * 1055.056 / 3.6e6, rel=1e-15)
    assert factor("kWh", "CCF", "GAS") == pytest.approx(3.6e6 / 1055.056 / 102_600, rel=1e-15)
    # A provider that states 38.5 MJ per cubic metre.
    assert factor("cubic m", "MJ", "GAS", heat_content=(38.5, "MJ", "cubic m")) == 38.5
    assert factor("CF", "MJ", "GAS", heat_content={"GAS": (38.5, "MJ", "cubic m")}) == pytest.approx(38.5 * 0.3048**3)


def test_a_heat_content_is_only_used_for_its_own_commodity():
    assert "no heat_content is known for WATER" in why_not("CCF", "kWh", "WATER")
    assert "GAS / HYDROGEN" in why_not("gal (US)", "kWh", "GAS", subtype="HYDROGEN")
    assert why_not("mlb", "MMBtu", "STEAM") is None
    assert factor("mlb", "MMBtu", "STEAM") == 1.194


def test_waste_volume_becomes_mass_by_a_density_only():
    assert "no density is known" in why_not("cubic yd", "lb", "WASTE", subtype="TRASH / LANDFILL")
    density = {"WASTE / TRASH / LANDFILL": (138.0, "lb", "cubic yd")}
    assert factor("cubic yd", "lb", "WASTE", subtype="TRASH / LANDFILL", density=density) == 138
    # A density of the type holds for all of its streams; the stream's own comes first, one of all waste is none.
    by_type = {"WASTE / TRASH": (100.0, "lb", "cubic yd"), "WASTE": (1.0, "lb", "cubic yd")}
    assert factor("cubic yd", "lb", "WASTE", subtype="TRASH / LANDFILL", density=by_type) == 100
    assert factor("cubic yd", "lb", "WASTE", subtype="TRASH / LANDFILL", density=by_type | density) == 138
    assert why_not("cubic yd", "lb", "WASTE", subtype="GLASS / RECYCLED", density=by_type) is not None
    # Records without a type stay out.
    assert why_not("cubic yd", "lb", "WASTE", density=density) is not None


@pytest.mark.parametrize("bad", [(0, "Btu", "CF"), (float("nan"), "Btu", "CF"), (1, "Btu", "furlong")])
def test_a_heat_content_that_is_none_is_refused(bad):
    with pytest.raises(DataError):
        factor("CCF", "kWh", "GAS", heat_content=bad)


def test_what_cannot_be_converted_is_missing_with_a_reason_and_never_zero():
    frame = pd.DataFrame(
        {
            "usage": [1.0, 2.0, 3.0, None, 5.0],
            "unit": ["MWh", "furlong", None, "kWh", "CCF"],
            "commodity": ["ELECTRICITY"] * 4 + ["WATER"],
        }
    )
    before = frame.copy(deep=True)
    result = convert(frame, "kWh")
    assert result["converted"].tolist()[0] == 1000
    assert result["converted"].isna().tolist() == [False, True, True, True, True]
    assert result["converted_unit"].isna().tolist() == [False, True, True, True, True]
    reasons = result["conversion_reason"].tolist()
    assert pd.isna(reasons[0])
    assert "'furlong' is no unit" in reasons[1]
    assert reasons[2:4] == ["unit is missing", "usage is missing"]
    assert "no heat_content is known for WATER" in reasons[4]
    pd.testing.assert_frame_equal(frame, before)


def test_a_target_for_each_commodity():
    frame = pd.DataFrame(
        {"usage": [1.0, 1.0, 1.0], "unit": ["MWh", "CCF", "kgal (US)"], "commodity": ["ELECTRICITY", "GAS", "WATER"]}
    )
    result = convert(frame, {"ELECTRICITY": "kWh", "WATER": "gal (US)"})
    assert result["converted"].tolist()[::2] == [1000, 1000]
    assert result["conversion_reason"][1] == "no unit was asked for GAS"


def test_a_series_and_an_empty_frame():
    assert convert(pd.Series([1.5, None], name="x"), "Wh", unit="kWh").tolist()[0] == 1500
    assert convert(pd.Series([1.0, 1.0]), "kWh", unit=pd.Series(["MWh", "kWh"])).tolist() == [1000, 1]
    empty = convert(pd.DataFrame({"usage": [], "unit": []}), "kWh")
    assert len(empty) == 0
    assert "converted" in empty


def test_unknown_targets_and_missing_columns_name_themselves():
    with pytest.raises(DataError, match="'kWhh' is no unit of the API"):
        convert(pd.DataFrame({"usage": [1.0], "unit": ["kWh"]}), "kWhh")
    with pytest.raises(DataError, match="lacks the column unit"):
        convert(pd.DataFrame({"usage": [1.0]}), "kWh")


def test_kinds():
    assert {kind(unit) for unit in DEMAND_UNITS} == {"power", "apparent power", "reactive power"}
    assert kind("parsec") is None


@pytest.mark.parametrize(
    ("subtype", "unit", "btu"),
    [
        # 40 CFR Part 98, Table C-1 to Subpart C
        ("FUEL_OIL_1", "gal (US)", 139_000),
        ("FUEL_OIL_2", "gal (US)", 138_000),
        ("FUEL_OIL_4", "gal (US)", 146_000),
        ("FUEL_OIL_5", "gal (US)", 140_000),
        ("FUEL_OIL_6", "gal (US)", 150_000),
        ("DIESEL", "gal (US)", 138_000),
        ("KEROSENE", "gal (US)", 135_000),
        ("PROPANE", "gal (US)", 91_000),
        ("PROPANE", "CF", 2_516),
        ("ANTHRACITE_COAL", "tons (US)", 25_090_000),
        ("BITUMINOUS_COAL", "lb", 12_465),
        ("COAL", "sh ton", 21_390_000),
        ("COKE", "sh ton", 24_800_000),
        ("WOOD", "sh ton", 17_480_000),
    ],
)
def test_delivered_fuels_have_their_published_heat_content(subtype, unit, btu):
    assert factor(unit, "Btu", "FUEL", subtype=subtype) == pytest.approx(btu, rel=1e-12)


def test_a_fuel_of_no_kind_is_not_guessed_and_a_given_heat_content_wins():
    assert "no heat_content is known for FUEL" in why_not("gal (US)", "kWh", "FUEL")
    assert factor("gal (US)", "Btu", "FUEL", subtype="PROPANE", heat_content=(91_500, "Btu", "gal (US)")) == 91_500


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("therms", "thm (US)"), ("Therm", "thm (US)"), ("thm", "thm (US)"), ("therms (UK)", "thm (UK)"), ("kwh", "kWh"),
        ("KWH", "kWh"), ("kW-h", "kWh"), ("Kilowatt Hours", "kWh"), ("m³", "cubic m"), ("m3", "cubic m"),
        ("Cubic Meters", "cubic m"), ("kBtu", "kBtu"), ("KBTU", "kBtu"), ("gallons", "gal (US)"), ("GAL", "gal (US)"),
        ("ccf", "CCF"), ("mmbtu", "MMBtu"), ("cubic feet", "CF"), ("ft³", "CF"), ("MCF", "MCF"), ("Mcf", "MCF"),
        ("mcf", "MCF"), ("kcf", "MCF"), ("mwh", "MWh"), ("litres", "L"), ("lbs", "lb"), ("Dth", "Dth (US)"),
        ("decatherms", "Dth (US)"), ("1,000 gal".replace(",", ""), "kgal (US)"), ("short tons", "tons (US)"),
        ("tonnes", "tonne"), ("ton-hours", "ton hours"), (" kWh ", "kWh"), ("ML", "ML"), ("KW", "KW"),
    ],
)  # fmt: skip
def test_words_people_write_are_units(word, name):
    assert factor(word, name) == 1
    told = convert(pd.DataFrame({"usage": [2.0], "unit": [word]}), name)
    assert told[["converted", "converted_unit"]].values.tolist() == [[2.0, name]]


@pytest.mark.parametrize(("word", "said"), [("MBtu", "write kBtu or MMBtu"), ("mL", "write L or ML"), ("t", "tonne"),
                                            ("furlong", "'furlong' is no unit of the API")])  # fmt: skip
def test_words_of_two_meanings_are_refused_by_name(word, said):
    assert said in why_not(word, "kWh")
    with pytest.raises(DataError, match=said):
        convert(pd.Series([1.0]), word, unit="kWh")
    assert said in convert(pd.DataFrame({"usage": [1.0], "unit": [word]}), "kWh")["conversion_reason"].iloc[0]


def test_units_in_words_share_out_charges_and_are_no_foreign_units():
    items = pd.DataFrame({"line_item_id": ["b:0"], "bill_id": "b", "amount": 1000.0, "currency": "USD"})
    used = pd.DataFrame({"bill_id": "b", "meter_id": ["m1", "m2"], "usage": [6000, 4], "unit": ["KWH", "mwh"]})
    about = pd.DataFrame({"meter_id": ["m1", "m2"], "site_id": ["n", "s"], "commodity": "ELECTRICITY"})
    assert attribute(items, used, about)["amount"].tolist() == [600.0, 400.0]
    usage = pd.DataFrame({"usage_id": ["a", "b"], "meter_id": ["M", "N"], "commodity": ["GAS", "WATER"],
                          "start_date": "2024-01-01", "end_date": "2024-01-31", "usage": 1.0,
                          "unit": ["therms", "MBtu"]})  # fmt: skip
    found = issues(usage, today="2024-02-15")
    assert found.loc[found["kind"].eq("foreign_unit"), "meter_id"].tolist() == ["N"]


@pytest.mark.parametrize(
    ("said", "known"), [("Propane", "PROPANE"), ("Fuel oil #2", "FUEL_OIL_2"), ("kerosene", "KEROSENE")]
)
def test_a_fuel_has_its_heat_content_however_it_is_spelled(said: str, known: str) -> None:
    sizes = [factor("gal (US)", "kWh", commodity="FUEL", subtype=subtype) for subtype in (said, known)]
    assert sizes[0] == sizes[1] > 0
