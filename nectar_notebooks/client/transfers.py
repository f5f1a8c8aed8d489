"""The verbs that upload bills, waiting until they are read, and download the original file of a bill.

What may be uploaded, and how a file is written, stands in `files`; the result of an upload is told by the nouns `jobs`
and `job_bills`. A download goes to the address in the bill's answer, without the key; an expired address is asked for
again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.api import fetch, walk
from nectar_notebooks.cache import Company
from nectar_notebooks.cache.progress import Progress
from nectar_notebooks.client.core import Core
from nectar_notebooks.client.fields import flag
from nectar_notebooks.client.files import Documents, File, file_name, place_for, save, uploadable
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.client.sending import Writing, carried_out
from nectar_notebooks.errors import InvalidRequestError, NectarError, NotFoundError, OfflineError, PermissionDeniedError
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.naming import BILL, named, one, shown

if TYPE_CHECKING:
    from pathlib import Path

    from nectar_notebooks.schema.naming import Given

__all__ = ["DownloadingVerbs", "UploadingVerbs"]

_DONE: Final = ("COMPLETED", "FAILED", "TERMINATED")
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 10.0


class UploadingVerbs(Writing):
    """Upload bills."""

    def upload(
        self,
        documents: Documents,
        company: Given | None = None,
        *,
        site: Given | None = None,
        wait: bool = True,
        timeout: float = 600.0,
    ) -> pd.DataFrame:
        """Upload one bill, or several by their addresses, and wait until they are read.

        Parameters
        ----------
        documents
            A PDF, PNG or JPG on this machine, at most 25 MB and 150 pages; or an https address, or several, which the
            API fetches by itself.
        company
            Whose bills; may be left out with a site, or where only one is visible.
        site : optional
            The site that the bills are for.
        wait : bool, default True
            Wait until all is read; then :meth:`bills` has what came. Without it, :meth:`refresh` brings it later.
        timeout : float, default 600
            Seconds to wait at most.

        Returns
        -------
        DataFrame
            The columns of :meth:`jobs`, one row. Read ``status``: FAILED and TERMINATED are answers too.
            ``job_bills(job=...)`` with this row tells which bills are new, which were there before, and which are none.

        Raises
        ------
        InvalidRequestError
            A file that is not there, no PDF, PNG or JPG, too large or too long; an address that is not https (nothing
            was sent); the company is not active.
        NotFoundError, PermissionDeniedError
            No such company or site.
        NetworkError, ServerError
            Nobody knows whether it arrived. Uploading a file again is safe: the API tells duplicates.
        NectarError
            It was not read in time; it goes on, and the message names it.
        KeyboardInterrupt
            While it waits; the upload goes on, and the message names it.
        """
        given = uploadable(documents)
        wait = flag("wait", wait)
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
            raise InvalidRequestError(f"timeout must be a number of seconds, not {shown(timeout)}.")
        self._must_be_online()
        scope = resolve(self._library, company, site)
        ids = {"company_id": scope.company_id}
        if isinstance(given, File):
            file = {"document": (given.name, given.content, given.media_type)}
            form = {} if scope.site_id is None else {"siteId": scope.site_id}
            answer = self._library.session.request("job.upload", ids, files=file, data=form)
        else:
            body = {"documents": given, "siteId": scope.site_id}
            answer = self._library.session.request("job.bulk", ids, json=body)
        made = self._made("jobs", answer, scope, "job.get")
        return self._read(made, scope, timeout) if wait else made

    def _read(self, made: pd.DataFrame, scope: Scope, timeout: float) -> pd.DataFrame:
        """Return the upload once it is done, or say that it takes too long."""
        job_id = str(made["job_id"].iloc[0])
        goes_on = f"It goes on, do not repeat it: nectar.jobs(job={job_id!r}) tells how it stands."
        spent = self.last_fetch["requests"] - scope.requests
        progress = Progress(f"upload {job_id}", watched=False if self._library.quiet else None)
        waited, pause = 0.0, _FIRST_PAUSE
        try:
            while True:
                with carried_out("The upload", f"job {job_id}"):
                    row = fetch(self._library.session, "job.get", job_id=job_id)
                spent += 1
                if row.get("status") in _DONE:
                    break
                if waited >= timeout:
                    raise NectarError(
                        f"The upload {job_id} is still {row.get('status')} after {waited:.0f} seconds.",
                        advice=goes_on,
                    )
                progress.say(f"{row.get('status')}, {waited:.0f} s")
                self.clock.sleep(pause)
                waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(printable(f"Nobody waits for the upload {job_id} any more. {goes_on}")) from None
        finally:
            progress.done()
        self._bills_arrived(scope)
        return self._told("jobs", tables.build("jobs", [row], company_id=scope.company_id)["jobs"], scope, spent)


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
