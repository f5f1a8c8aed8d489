"""The tables and value sets of the schema are whole and say each thing once."""

from __future__ import annotations

from nectar_notebooks.schema import values
from nectar_notebooks.schema.tables import DTYPES, TABLES


def test_every_table_has_its_key_and_kinds_that_are_stored() -> None:
    for table in TABLES.values():
        assert len(set(table.names)) == len(table.names), table.name
        assert set(table.key) <= set(table.names), table.name
        assert {column.kind for column in table.columns} <= set(DTYPES), table.name
        assert all(column.meaning.endswith(".") for column in table.columns), table.name


def test_units_and_commodities_are_listed_once() -> None:
    for name in values.__all__:
        listed = getattr(values, name)
        assert len(set(listed)) == len(listed), name
