"""The nouns that belong to no portfolio: invitations and uploads, asked for when they are wanted.

The verbs that make and revoke invitations stand in `inviting`, the names of companies and connections in `scope`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks.cache import Asked
from nectar_notebooks.client.core import Core
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.schema.naming import INVITATION, JOB, Given, Several, named, several

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.cache import Held

__all__ = ["OtherNouns"]


class OtherNouns(Core):
    """Invitations and uploads: never kept, so that each call asks, and none is answered offline."""

    def invitations(self, company: Given | None = None) -> pd.DataFrame:
        """Return a company's invitations: who may add or repair a login, until when, and how it stands."""
        scope = resolve(self._library, company)
        return self._asked("invitations", Asked(self._library).invitations(scope.company_id), scope)

    def invitation_connections(self, company: Given | None = None, *, invitation: Given | None = None) -> pd.DataFrame:
        """Return the connections that were added by a company's invitations, or by one: an id or a row."""
        if invitation is not None:
            return self._of_invitation("invitation_connections", invitation)
        scope = resolve(self._library, company)
        return self._asked("invitation_connections", Asked(self._library).invitations(scope.company_id), scope)

    def invitation(self, invitation: Given) -> pd.DataFrame:
        """Return one invitation, by its id or a row of ``invitations``, as it stands now."""
        return self._of_invitation("invitations", invitation)

    def invitation_events(self, invitation: Given) -> pd.DataFrame:
        """Return what happened to an invitation (an id or a row), in order: viewed, verified, used, revoked."""
        return self._of_invitation("invitation_events", invitation)

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
