"""Is the connection well, can the old key go, what would another version say: questions about the API itself.

The answers are made in `diagnosis`; here stands what a client knows of itself.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from nectar_notebooks.cache import Company
from nectar_notebooks.client.core import Core
from nectar_notebooks.client.scope import resolve
from nectar_notebooks.config import VERSIONS, keys_in_sight
from nectar_notebooks.diagnosis import Patient, compare_frames, compare_keys, examine
from nectar_notebooks.errors import ConfigurationError, InvalidRequestError, OfflineError
from nectar_notebooks.schema.naming import Given, any_id, shown

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.diagnosis import Diagnosis, KeyComparison, VersionComparison

__all__ = ["Checks"]


class Checks(Core):
    """Questions about the API itself: they ask the wire, whatever is kept."""

    def diagnose(self, object_id: Given | None = None) -> Diagnosis:
        """Say what is wrong with this connection, and what to check first; a failure is a finding, not an error.

        :func:`nectar_notebooks.diagnose` does the same where connecting itself fails.

        Parameters
        ----------
        object_id : str or row, optional
            An id that a call refused, or the row that it was taken from: say which kind of object it belongs to, if any
            that the key can read.

        Returns
        -------
        Diagnosis
        """
        try:
            elsewhere = [where for where in keys_in_sight() if where not in self._key]
        except ConfigurationError:
            elsewhere = []  # this connection found its key: where others stand is a hint alone
        library = self._library
        patient = Patient(
            library.session, library.place.profile, self._place, self._key, library.offline, tuple(elsewhere)
        )
        return examine(patient, None if object_id is None else any_id(object_id))

    def compare_keys(self) -> KeyComparison:
        """Compare the two keys of a rotation, and say whether the old one can go; keys are never shown.

        Returns
        -------
        KeyComparison

        Raises
        ------
        ConfigurationError
            This connection has not two keys: ``nn.connect(key=(new, old))``.
        OfflineError
            Offline, and only the API can tell.
        """
        if self._library.offline:
            raise OfflineError("Offline, and only the API can tell what a key sees.", advice="Connect while online.")
        return compare_keys(self._library.session)

    def compare_versions(self, company: Given | None = None, *, old: str, new: str = VERSIONS[0]) -> VersionComparison:
        """Compare what two versions of the API say of a company, and list what a migration changes.

        Each version's tables are kept as those of any connection; what is not kept is fetched.

        Parameters
        ----------
        company : optional
            Whose bills; may be left out with one visible company.
        old, new : str
            ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``.

        Returns
        -------
        VersionComparison

        Raises
        ------
        InvalidRequestError
            An unknown version, or the same one twice.
        """
        for version in (old, new):
            if not isinstance(version, str) or version not in VERSIONS:
                raise InvalidRequestError(
                    f"There is no API version {shown(version)}.", advice=f"Say one of {', '.join(VERSIONS)}."
                )
        if old == new:
            raise InvalidRequestError(f"{old} was to be compared with itself.", advice="Name two versions.")
        company_id = resolve(self._library, company).company_id
        frames = {version: self._frames_in(version, company_id) for version in (old, new)}
        return compare_frames(frames[old], frames[new], old=old, new=new)

    def _frames_in(self, version: str, company_id: str) -> dict[str, pd.DataFrame]:
        library = copy.copy(self._library)
        if version != library.session.version:
            library.session = library.session.sibling(version=version)
            library.place = replace(library.place, version=version)
        return Company(library, company_id).portfolio().frames
