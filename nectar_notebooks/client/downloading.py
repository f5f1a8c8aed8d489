"""A bill's original file, from the address that its answer gives, without the key.

Fetching is the session's work, writing that of `files`; here stands which address, and a fresh one when it is old.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pandas as pd

from nectar_notebooks.api import walk
from nectar_notebooks.cache import Company
from nectar_notebooks.client.core import Core
from nectar_notebooks.client.files import file_name, place_for, save
from nectar_notebooks.client.scope import resolve
from nectar_notebooks.errors import InvalidRequestError, NotFoundError, OfflineError, PermissionDeniedError
from nectar_notebooks.schema.naming import BILL, named, one

if TYPE_CHECKING:
    from pathlib import Path

    from nectar_notebooks.schema.naming import Given

__all__ = ["DownloadingVerbs"]


class DownloadingVerbs(Core):
    """Download the original of a bill."""

    def download(
        self,
        bill: Given,
        to: str | os.PathLike[str] | None = None,
        company: Given | None = None,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Download a bill's original file.

        Parameters
        ----------
        bill
            A bill's id, its invoice id, or a row of :meth:`bills`.
        to : path, optional
            A file, or a folder in which it gets the name the API knows it by, and the suffix of its kind; without it,
            the current folder.
        company
            Its company; may be left out with a row, or where only one is visible.
        overwrite : bool, default False
            Replace what is there.

        Returns
        -------
        Path
            Where it is now. It is there whole, or not at all. What is no PDF or picture is kept with a warning.

        Raises
        ------
        InvalidRequestError
            Something is there already, the folder is not, or the bill has no file.
        NotFoundError
            No such bill, or no file at its address.
        PermissionDeniedError
            The link is not valid any more, and neither is a fresh one.
        ContractError
            A web page came instead of a file, it is larger than ``limits`` allow, or the address is not https.
        NetworkError, ServerError
            The file did not come.
        OfflineError
            Files are not kept.

        Examples
        --------
        >>> import tempfile
        >>> import nectar_notebooks as nn
        >>> nectar = nn.connect("local")
        >>> bill = nectar.bills(nectar.companies().iloc[0]).iloc[0]
        >>> nectar.download(bill, to=tempfile.mkdtemp()).suffix
        '.pdf'
        """
        row = self._bill(bill, company)
        if not isinstance(row["url"], str):
            raise InvalidRequestError(f"Bill {row['bill_id']} has no original file: its answer names no address.")
        name = file_name(row["file_name"], str(row["bill_id"]))
        target = place_for(to, name, overwrite=overwrite)
        named_by_api = to is None or target.name == name
        if self._library.offline:
            raise OfflineError("Offline, and the original files of bills are not kept.")
        try:
            return save(
                self._library.session.download(row["url"]), target, named_by_api=named_by_api, overwrite=overwrite
            )
        except (PermissionDeniedError, NotFoundError):
            fresh = self._fresh_url(row)
            if fresh in (None, row["url"]):
                raise
            return save(
                self._library.session.download(str(fresh)), target, named_by_api=named_by_api, overwrite=overwrite
            )

    def _bill(self, bill: Given, company: Given | None) -> pd.Series:
        """Return the bill's row, from what is kept or else from the wire."""
        wanted = named(bill, BILL)
        company_id = resolve(self._library, wanted.company_id if company is None else company).company_id
        rows = Company(self._library, company_id)
        held = rows.portfolio(("bills",))
        for last in (held.requests > 0 or self._library.offline, True):
            try:
                return one(wanted, BILL, held.frames["bills"])
            except NotFoundError as missing:
                if last:
                    raise NotFoundError(f"Company {company_id} has no bill {wanted.text}.") from missing
            held = rows.portfolio(("bills",), renew=True)
        raise AssertionError  # the second look returned or raised

    def _fresh_url(self, row: pd.Series) -> object:
        """Ask for a bill's address anew, by the day of the bill: a bill by its id is not documented."""
        if pd.isna(row["bill_date"]):
            return None
        day = row["bill_date"].date().isoformat()
        question = {"dateType": "BILL_DATE", "startDate": day, "endDate": day}
        walked = walk(self._library.session, "documents.company", params=question, company_id=str(row["company_id"]))
        return next((one.get("url") for one in walked.rows if one["id"] == row["bill_id"]), None)
