"""Why it does not work, and what to check first: the doctor, comparing two keys, comparing two versions.

Everything here only reads, makes few requests, and turns API errors into findings. It bypasses the cache: cached rows
cannot tell whether a key is valid. `connecting` creates the session.
"""

from nectar_notebooks.diagnosis.doctor import Patient, examine, not_connected
from nectar_notebooks.diagnosis.report import Diagnosis
from nectar_notebooks.diagnosis.rotation import KeyComparison, compare_keys
from nectar_notebooks.diagnosis.versions import VersionComparison, compare_frames

__all__ = [
    "Diagnosis",
    "KeyComparison",
    "Patient",
    "VersionComparison",
    "compare_frames",
    "compare_keys",
    "examine",
    "not_connected",
]
