"""The points that the documentation leaves open, as named switches with a default.

Each is read where it acts; `docs/fidelity.md` lists them with the reason for the default. A sandbox takes
them as ``Sandbox(switches={"decimals": "number"})``, so that a client can be tested against both readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, get_args, get_type_hints

from nectar_notebooks.errors import ConfigurationError

__all__ = ["Switches"]


@dataclass(frozen=True, slots=True)
class Switches:
    """How the embedded sandbox reads what the documentation leaves open; the defaults are the likeliest.

    Attributes
    ----------
    is_deleted
        ``isDeleted=true`` on a document list *includes* deleted bills, or answers with them *only*.
    bill_date
        ``billDate`` is the day of the *invoice*, or the *period_end* (the last day of its usage).
    usage_shape
        v2.2 usage has ``timeOfUseBreakdown`` and no demand rows (*changelog*), or looks like v2.1's
        (*guide*).
    document_commodity_filter
        The name of the commodity filter on document lists.
    deletion_moves_updated, meter_move_moves_updated, children_move_updated
        Whether a deletion, a meter's move, a changed usage record move the bill's ``updated``: *yes* or *no*.
    updated_end_day
        Whether ``CREATED_DATE`` and ``UPDATED_DATE`` return the records of ``endDate`` itself.
    wrong_password_status
        How a refused password is spelled.
    decimals
        Decimals travel as *string* or as *number*.
    wrong_id
        An id that fits nothing is a *404* or a *403*.
    other_environment
        A key of the environment that is not the sandbox's own is *accepted*, as the base URL is the same for both, or
        *refused* with a 401.
    last_service_date
        ``lastServiceDate`` of an account is the last day of service of its *latest_bill*, or the day on which the
        utility *closed* it: then only accounts of status ``OLD_ACCOUNT`` have one.
    """

    is_deleted: Literal["include", "only"] = "include"
    bill_date: Literal["invoice", "period_end"] = "invoice"
    usage_shape: Literal["changelog", "guide"] = "changelog"
    document_commodity_filter: Literal["datasourceType", "datasourceTypes"] = "datasourceType"
    deletion_moves_updated: Literal["yes", "no"] = "yes"
    meter_move_moves_updated: Literal["yes", "no"] = "no"
    children_move_updated: Literal["yes", "no"] = "yes"
    updated_end_day: Literal["excluded", "included"] = "excluded"
    wrong_password_status: Literal["PASSWORD_INCORRECT", "INCORRECT_PASSWORD"] = "PASSWORD_INCORRECT"  # noqa: S105 - a status
    decimals: Literal["string", "number"] = "string"
    wrong_id: Literal["404", "403"] = "404"
    other_environment: Literal["accepted", "refused"] = "accepted"
    last_service_date: Literal["latest_bill", "closed"] = "latest_bill"

    @classmethod
    def of(cls, chosen: Mapping[str, str] | None) -> Switches:
        """Return the switches with `chosen` ones set.

        Raises
        ------
        ConfigurationError
            An unknown switch, or a position it does not have; the message lists what there is.

        Examples
        --------
        >>> Switches.of({"decimals": "number"}).decimals
        'number'
        """
        positions = _positions()
        for name, position in (chosen or {}).items():
            if name not in positions:
                raise ConfigurationError(
                    f"The embedded sandbox has no switch {name!r}.", advice=f"It has: {', '.join(positions)}."
                )
            if position not in positions[name]:
                raise ConfigurationError(
                    f"The switch {name!r} of the embedded sandbox has no position {position!r}.",
                    advice=f"It has: {', '.join(positions[name])}.",
                )
        return cls(**dict(chosen or {}))  # type: ignore[arg-type]  # each position was checked above


def _positions() -> dict[str, tuple[str, ...]]:
    hints: Final = get_type_hints(Switches)
    return {field.name: get_args(hints[field.name]) for field in fields(Switches)}
