"""The verb that uploads bills, and waits until they are read.

What may be uploaded is checked in `files`; what came of an upload is told by the nouns `jobs` and `job_bills`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_notebooks import tables
from nectar_notebooks.api import fetch
from nectar_notebooks.cache.progress import Progress
from nectar_notebooks.client.files import Documents, File, uploadable
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.client.sending import Writing, carried_out
from nectar_notebooks.client.value_checks import flag
from nectar_notebooks.errors import InvalidRequestError, NectarError
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.naming import shown

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.schema.naming import Given

__all__ = ["UploadingVerbs"]

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
