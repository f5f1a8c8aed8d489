"""Which company a command is about, where it was not named. Fetching the list is left to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks.errors import InvalidRequestError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["only"]


def only(companies: pd.DataFrame) -> str:
    """Return the id of the one company there is.

    Raises
    ------
    InvalidRequestError
        There are several, or none.
    """
    if len(companies) == 1:
        return str(companies["company_id"].iloc[0])
    names = ", ".join(companies["name"].dropna()) or "none"
    raise InvalidRequestError(f"There are {len(companies)} companies: {names}.", advice="Name one with --company.")
