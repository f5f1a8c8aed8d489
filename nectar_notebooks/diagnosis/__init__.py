"""Why it does not work, and what to check first: the doctor, two keys compared, two versions compared.

Everything here only reads, asks little, and ends in a finding, never in an error of the API. It asks the wire itself:
what is kept cannot tell whether a key is good. How a session is made stands in `connecting`.
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
