"""The two keys of a rotation compared: is the new one accepted, does it see as much, can the old one be deleted.

It cannot tell whether every service already uses the new key: the API does not report who uses which.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from nectar_notebooks.diagnosis.doctor import FEW_RETRIES, SHORT_DEADLINE, SHORT_WAIT, list_companies
from nectar_notebooks.diagnosis.report import html_table, text_table
from nectar_notebooks.errors import AuthenticationError, ConfigurationError, NectarError
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.api import Session

__all__ = ["KeyComparison", "compare_keys"]

_BEFORE_IT_GOES = "Before you delete it, see that every service was deployed with the new one."


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one key can see; `accepted` is None if the API did not answer."""

    fingerprint: str
    accepted: bool | None
    said: str
    companies: dict[str, str]


@dataclass(frozen=True, repr=False)
class KeyComparison:
    """What :meth:`Nectar.compare_keys` found.

    Attributes
    ----------
    old_can_go : bool
        Whether the old key can be deleted without losing access.
    verdict : str
        Why, and what to do next.
    lost : tuple of str
        Names of companies that only the old key can see.
    """

    old_can_go: bool
    verdict: str
    lost: tuple[str, ...]
    _new: _Seen
    _old: _Seen

    @property
    def frame(self) -> pd.DataFrame:
        """The two keys: key, fingerprint, accepted, companies (how many it can see), said (the API's message)."""
        import pandas as pd

        frame = pd.DataFrame(
            [
                (
                    name,
                    seen.fingerprint,
                    seen.accepted,
                    len(seen.companies) if seen.accepted else None,
                    seen.said or None,
                )
                for name, seen in (("new", self._new), ("old", self._old))
            ],
            columns=["key", "fingerprint", "accepted", "companies", "said"],
        )
        return frame.astype(
            {"accepted": "boolean", "companies": "Int64", "said": TEXT}  # as in every frame
        )

    def to_dict(self) -> dict[str, object]:
        """Return the comparison as JSON values, without keys."""
        return {
            "old_can_go": self.old_can_go,
            "verdict": self.verdict,
            "lost": list(self.lost),
            **{
                name: {
                    "fingerprint": seen.fingerprint,
                    "accepted": seen.accepted,
                    "said": seen.said,
                    "companies": [{"company_id": key, "name": value} for key, value in seen.companies.items()],
                }
                for name, seen in (("new", self._new), ("old", self._old))
            },
        }

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                name,
                seen.fingerprint[:8],
                {True: "yes", False: "no", None: "no answer"}[seen.accepted],
                str(len(seen.companies)) if seen.accepted else "-",
                seen.said,
            )
            for name, seen in (("new", self._new), ("old", self._old))
        ]

    def __repr__(self) -> str:
        rows = self._rows()
        said = "".join(f"\n{name}: {text}" for name, *_, text in rows if text)
        return f"{self.verdict}\n\n{text_table(_HEADERS[:-1], [row[:-1] for row in rows])}\n{said}".rstrip()

    def _repr_html_(self) -> str:
        rows = [[escape(cell) for cell in row] for row in self._rows()]
        width = len(_HEADERS) if any(row[-1] for row in rows) else len(_HEADERS) - 1
        table = html_table(_HEADERS[:width], [row[:width] for row in rows])
        return f"<p><strong>{escape(self.verdict)}</strong></p>{table}"


_HEADERS = ("key", "fingerprint", "accepted", "companies", "said")


def compare_keys(session: Session) -> KeyComparison:
    """Compare the two keys of a session, the new one first.

    Raises
    ------
    ConfigurationError
        The session does not have two keys.
    """
    if session.key_count != 2:
        raise ConfigurationError(
            f"Comparing keys needs a new one and an old one; there is {session.key_count or 'none'}.",
            advice='Connect with key=(new, old), or put "new,old" where the key is stored.',
        )
    short = session.sibling(retry=FEW_RETRIES, timeout=SHORT_WAIT, deadline=SHORT_DEADLINE)
    new, old = (_see(short.sibling(key=number)) for number in (0, 1))
    lost = tuple(name for company_id, name in old.companies.items() if company_id not in new.companies)
    old_can_go, verdict = _judge(new, old, lost)
    return KeyComparison(old_can_go, verdict, lost, new, old)


def _see(session: Session) -> _Seen:
    try:
        session.call("ping")
        return _Seen(session.fingerprint, True, "", dict(list_companies(session)))
    except AuthenticationError as error:
        return _Seen(session.fingerprint, False, error.message, {})
    except NectarError as error:
        return _Seen(session.fingerprint, None, error.message, {})


def _judge(new: _Seen, old: _Seen, lost: tuple[str, ...]) -> tuple[bool, str]:
    if new.accepted is None or old.accepted is None:
        return False, "Keep the old key for now: the comparison failed, try again."
    if not new.accepted:
        both = "" if old.accepted else " Neither is the old one: run nectar doctor."
        return False, f"Keep the old key: the new one is not accepted.{both}"
    if not old.accepted:
        return True, "The old key can go: it is no longer accepted, and the new one is."
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        return False, f"Keep the old key: the new one does not see {', '.join(lost[:5])}{more}."
    wider = len(new.companies) - len(old.companies)
    as_much = f"as much, and {wider} more" if wider else "the same companies"
    return True, f"The old key can go: the new one is accepted and sees {as_much}. {_BEFORE_IT_GOES}"
