"""What is asked for each time and never kept: invitations, magic links and uploads.

They change by the minute, and the address of an invitation lets in whoever has it, so that it does not belong
on a disk. Names and freshness of what is kept are the library's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks import tables
from nectar_notebooks.api import fetch, walk
from nectar_notebooks.cache.library import Held
from nectar_notebooks.cache.snapshots import Details
from nectar_notebooks.errors import ContractError, NotFoundError, OfflineError, PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from nectar_notebooks.cache.library import Library

__all__ = ["Asked"]


class Asked:
    """Rows straight from the wire, through a library that may be offline.

    Parameters
    ----------
    library : Library
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def invitations(self, company_id: str) -> Held:
        """Return tables ``invitations``, ``invitation_connections`` and ``invitation_events`` of a company.

        The list carries no events.
        """
        self._refuse_offline("invitations")
        walked = walk(self._library.session, "invitations.company", company_id=company_id)
        return self._held(tables.build("invitations", walked.rows, company_id=company_id), walked.requests)

    def invitation(self, invitation_id: str) -> Held:
        """Return the same tables of one invitation, with its events."""
        self._refuse_offline("invitations")
        row = fetch(self._library.session, "invitation.get", invitation_id=invitation_id)
        return self._held(tables.build("invitations", [row]), 1)

    def written(
        self,
        resource: str,
        endpoint: str,
        ids: Mapping[str, str],
        *,
        company_id: str | None = None,
        body: Mapping[str, object] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> Held:
        """Send a write of something that is not kept, and return the tables of its answer.

        Parameters
        ----------
        resource, endpoint
            What the answer is an object of, and where it is sent.
        ids : mapping
            The ids in the path.
        company_id : str, optional
            Whose it is, where the answer does not say.
        body : mapping, optional
            What is sent.
        more : mapping, optional
            Fields that the answer is read with, where it lacks them.
        """
        if self._library.offline:
            raise OfflineError("Offline, and this changes something.", advice="Connect without offline=True.")
        answer = self._library.session.request(endpoint, ids, json=body)
        row = answer.json()
        if not isinstance(row, dict):
            raise ContractError(f"{answer.what}: the answer is no object; it was carried out (status {answer.status}).")
        frames = tables.build(resource, [{**(more or {}), **row}], company_id=company_id)
        return self._held(frames, answer.requests)

    def jobs(self, company_id: str) -> Held:
        """Return tables ``jobs`` and ``job_bills`` of a company, by the list that is only assumed.

        Raises
        ------
        NotFoundError
            There is no such list, or no such company.
        """
        self._refuse_offline("uploads")
        try:
            walked = walk(self._library.session, "jobs.company", company_id=company_id)
        except (NotFoundError, PermissionDeniedError) as error:
            raise NotFoundError(
                f"The uploads of company {company_id} cannot be listed: {error.message}",
                status_code=error.status_code,
                advice="No list of uploads is documented. Ask for those you know by their ids: jobs(job=[...]).",
            ) from error
        return self._held(tables.build("jobs", walked.rows, company_id=company_id), walked.requests)

    def jobs_by_id(self, job_ids: Sequence[str]) -> Held:
        """Return tables ``jobs`` and ``job_bills`` of these uploads."""
        self._refuse_offline("uploads")
        rows = [fetch(self._library.session, "job.get", job_id=job_id) for job_id in job_ids]
        return self._held(tables.build("jobs", rows), len(rows))

    def _refuse_offline(self, what: str) -> None:
        if self._library.offline:
            raise OfflineError(f"Offline, and {what} are never kept.", advice="Call without offline=True.")

    def _held(self, frames: dict[str, pd.DataFrame], requests: int) -> Held:
        now = self._library.clock.now()
        return Held(frames, now, "", Details(began=now.isoformat(), requests=requests), requests)
