"""Nectar's utility-bill API in DataFrames you can trust, with an embedded sandbox in the box."""
