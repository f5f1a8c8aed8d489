"""The client: what people call nouns, answered with DataFrames from the cache and the wire."""

from nectar_notebooks.client.nectar import Nectar

__all__ = ["Nectar"]
