"""Kinds of waste are ids on a meter's object and words on its usage: the frames say the words."""

import pandas as pd
import pytest

from nectar_notebooks import Sandbox, connect
from nectar_notebooks.tables import build, combine_meters

UUID = "1c7b0410-211a-4cbb-a5ed-95f5dd4c106a"
NO_ACCOUNTS = pd.DataFrame({"account_id": pd.Series(dtype="str"), "meter_id": pd.Series(dtype="str")})


def meter(meter_id: str, kind: object, stream: object, commodity: str = "WASTE") -> dict[str, object]:
    return {"id": meter_id, "datasourceType": commodity, "wasteType": kind, "wasteStream": stream, "identifiers": []}


@pytest.mark.parametrize(
    ("kind", "stream"), [(UUID, UUID.upper()), ("4711", None), (UUID, "LANDFILL"), ("LANDFILL", 12), (None, "ab" * 12)]
)
def test_an_id_is_no_kind_of_waste(kind: object, stream: object) -> None:
    assert build("meters", [meter("m1", kind, stream)])["meters"]["subtype"].isna().all()


def test_words_stay_and_other_commodities_are_left_alone() -> None:
    rows = [meter("m1", "MIXED", "LANDFILL"), {**meter("m2", None, None, "REFRIGERANT"), "refrigerantType": "134"}]
    assert build("meters", rows)["meters"]["subtype"].tolist() == ["MIXED / LANDFILL", "134"]


def test_the_words_of_the_usage_are_the_meters() -> None:
    listed = build("meters", [meter("m1", UUID, UUID), meter("m2", UUID, UUID)])
    row = {"id": "u1", "startDate": "2026-01-06", "usage": "8", "usageUnits": "cubic yd", "meter": "m1",
           "datasourceType": "WASTE", "wasteType": "MIXED", "wasteStream": "LANDFILL"}  # fmt: skip
    used = build("usage", [row])
    meters, _ = combine_meters([(one["meters"], one["identifiers"]) for one in (listed, used)], NO_ACCOUNTS)
    assert meters.set_index("meter_id")["subtype"].fillna("missing").to_dict() == {
        "m1": "MIXED / LANDFILL",
        "m2": "missing",
    }


@pytest.mark.parametrize("documented_only", [False, True])
def test_meters_and_usage_of_the_embedded_sandbox_agree(documented_only: bool) -> None:
    nectar = connect(sandbox=Sandbox(months=3, documented_only=documented_only))
    said = 0
    for company in nectar.companies()["company_id"]:
        portfolio = nectar.portfolio(company)
        usage = portfolio.usage[portfolio.usage["commodity"] == "WASTE"]
        both = usage.merge(portfolio.meters, on="meter_id", suffixes=("", "_of_meter"))
        assert (both["subtype"] == both["subtype_of_meter"]).all()
        said += len(both)
    assert said
