"""Invitations and uploads: fetched each time and never kept, so that none is answered offline.

They change by the minute, and whoever has the address of an invitation is let in: it does not belong on a disk. The
verbs that make and revoke invitations stand in `inviting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks import tables
from nectar_notebooks.api import fetch, walk
from nectar_notebooks.cache import Details, Held
from nectar_notebooks.client.core import Core
from nectar_notebooks.client.describing import noun
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.errors import ContractError, NotFoundError, OfflineError, PermissionDeniedError
from nectar_notebooks.schema.naming import INVITATION, JOB, Given, Several, named, several

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from nectar_notebooks.cache import Library

__all__ = ["Asked", "OtherNouns"]


class Asked:
    """Rows that are fetched each time and never kept; refused offline.

    Parameters
    ----------
    library : Library
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def invitations(self, company_id: str) -> Held:
        """Return tables ``invitations``, ``invitation_connections`` and ``invitation_events`` of a company.

        The list has no events.
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
        """Send a write, and return the tables of its answer.

        Parameters
        ----------
        resource, endpoint
            The resource of the answer, and the endpoint.
        ids : mapping
            The ids in the path.
        company_id : str, optional
            Its company, if the answer does not name it.
        body : mapping, optional
            What is sent.
        more : mapping, optional
            Fields to add to the answer if it lacks them.
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
        """Return tables ``jobs`` and ``job_bills`` of a company, from an undocumented list.

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


class OtherNouns(Core):
    """Invitations and uploads: never kept, so that each call asks, and none is answered offline."""

    @noun
    def invitations(self, company: Given | None = None) -> pd.DataFrame:
        """Return a company's invitations: who may add or repair a login, until when, and how it stands."""
        scope = resolve(self._library, company)
        return self._asked("invitations", Asked(self._library).invitations(scope.company_id), scope)

    @noun
    def invitation_connections(self, company: Given | None = None, *, invitation: Given | None = None) -> pd.DataFrame:
        """Return the connections that were added by a company's invitations, or by one: an id or a row."""
        if invitation is not None:
            return self._of_invitation("invitation_connections", invitation)
        scope = resolve(self._library, company)
        return self._asked("invitation_connections", Asked(self._library).invitations(scope.company_id), scope)

    @noun
    def invitation(self, invitation: Given) -> pd.DataFrame:
        """Return one invitation, by its id or a row of ``invitations``, as it stands now."""
        return self._of_invitation("invitations", invitation)

    @noun
    def invitation_events(self, invitation: Given) -> pd.DataFrame:
        """Return what happened to an invitation (an id or a row), in order: viewed, verified, used, revoked."""
        return self._of_invitation("invitation_events", invitation)

    @noun
    def jobs(self, company: Given | None = None, *, job: Several | None = None) -> pd.DataFrame:
        """Return a company's uploads, or those with these ids, as they stand now.

        Parameters
        ----------
        company : optional
            Whose; the list of a company's uploads is an assumption of ours, and may not be there.
        job : optional
            Uploads by id, which is documented: one or several, ids or rows.

        Raises
        ------
        NotFoundError
            There is no list of uploads: ask by their ids; or no upload with this id.
        """
        return self._of_jobs("jobs", company, job)

    @noun
    def job_bills(self, company: Given | None = None, *, job: Several | None = None) -> pd.DataFrame:
        """Return what came of the files of uploads: bills that are new, were there before, or no bill at all."""
        return self._of_jobs("job_bills", company, job)

    def _of_jobs(self, noun: str, company: Given | None, job: Several | None) -> pd.DataFrame:
        if job is not None:
            ids = list(dict.fromkeys(one.text for one in several(job, JOB)))
            return self._asked(noun, Asked(self._library).jobs_by_id(ids), None)
        scope = resolve(self._library, company)
        return self._asked(noun, Asked(self._library).jobs(scope.company_id), scope)

    def _of_invitation(self, noun: str, invitation: Given) -> pd.DataFrame:
        return self._asked(noun, Asked(self._library).invitation(named(invitation, INVITATION).text), None)

    def _asked(self, noun: str, held: Held, scope: Scope | None) -> pd.DataFrame:
        return self._marked(held.frames[noun], held, noun, scope)
