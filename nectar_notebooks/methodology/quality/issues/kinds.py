"""Every kind of finding: its level, what it means and what to do about it. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ACTION", "KINDS", "REVIEW", "Kind"]

#: The data cannot be trusted before somebody acts.
ACTION: Final = "action required"
#: Probably right; somebody should look.
REVIEW: Final = "review"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding."""

    name: str
    level: str
    meaning: str
    to_do: str


_ALL: Final = (
    Kind(
        "duplicate_id",
        ACTION,
        "An id stands on two rows of one table.",
        "Drop the repeated rows, or fetch the table again: a portfolio with them is refused, but a frame of usage "
        "alone is summed with both.",
    ),
    Kind(
        "infinite_value",
        ACTION,
        "A usage or an amount is infinite.",
        "Correct the value; computations refuse it.",
    ),
    Kind(
        "revision_cycle",
        ACTION,
        "Bills replace each other in a circle.",
        "Tell Nectar which bill is the last; none of them can count.",
    ),
    Kind(
        "revision_missing",
        ACTION,
        "A bill was replaced by one that is not there.",
        "Fetch the bill that replaces it; until then its period counts nowhere.",
    ),
    Kind(
        "superseded_counted",
        ACTION,
        "A bill that was replaced still counts.",
        "Leave it out: run adjust, or set counts to False on its rows.",
    ),
    Kind(
        "repeated_bill",
        ACTION,
        "Two bills of one account are equal in dates, usage and charges.",
        "Keep one of them: mark the other in Nectar, or set counts to False on its rows; until then both count.",
    ),
    Kind(
        "cancel_rebill",
        ACTION,
        "A bill that cancels another does not take back what that one said.",
        "Compare the original with its cancellation: what is left of the two is counted beside the corrected bill.",
    ),
    Kind(
        "potential_duplicate",
        ACTION,
        "Two bills of one account cover the same days of the same meters.",
        "Compare both originals; mark the one that is not valid.",
    ),
    Kind(
        "duplicate_usage",
        ACTION,
        "The same usage of one meter and period stands in two records.",
        "Keep one of the records, or confirm that the meter is billed twice on purpose.",
    ),
    Kind(
        "overlap",
        ACTION,
        "Two records of a meter cover the same days in part.",
        "Check the dates on both bills; those days count twice.",
    ),
    Kind(
        "gap",
        ACTION,
        "Days between two records of a meter are on no bill.",
        "Look for the missing bill at the provider, or upload it.",
    ),
    Kind(
        "non_positive_period",
        ACTION,
        "A period ends before it begins.",
        "Correct the dates from the original bill; the record cannot be spread.",
    ),
    Kind(
        "absurd_date",
        ACTION,
        "A date outside of what a bill can say, or a period longer than a year.",
        "Correct the dates from the original bill.",
    ),
    Kind(
        "unmatched_account",
        ACTION,
        "A bill belongs to no known account.",
        "Match the bill to its account, or track the account.",
    ),
    Kind(
        "account_meter_mismatch",
        ACTION,
        "A bill names one account, its meter belongs to another.",
        "Check the meter's account and the account on the bill.",
    ),
    Kind(
        "no_usage",
        ACTION,
        "A bill charges and says no usage.",
        "Check whether the original shows usage; if so, report the bill.",
    ),
    Kind(
        "foreign_unit",
        ACTION,
        "A unit that does not measure the commodity.",
        "Correct the unit from the original bill, or the meter's commodity.",
    ),
    Kind(
        "export_sign",
        ACTION,
        "An export record whose sign contradicts its meter: positive is exported energy.",
        "Check against the original bill whether it is a correction; sums subtract it whatever its sign.",
    ),
    Kind(
        "flagged",
        ACTION,
        "Nectar has an open issue on the bill.",
        "Resolve it in Nectar's issue list; exports leave the bill out by default.",
    ),
    Kind(
        "no_meter",
        REVIEW,
        "A usage record belongs to no meter.",
        "Give it a meter: without one it is in no site's total.",
    ),
    Kind(
        "lines_do_not_add_up",
        REVIEW,
        "The line items of a bill do not sum to its charges.",
        "Compare the line items with the original; attribution shows the difference as RESIDUAL.",
    ),
    Kind(
        "rate_mismatch",
        REVIEW,
        "Quantity times rate is not the amount of a line item.",
        "Compare quantity, rate and amount with the original; sums take the amount.",
    ),
    Kind(
        "unit_price",
        REVIEW,
        "What a unit cost on a bill is far from what it cost on the meter's other bills.",
        "Check usage, its unit and the charges against the original; a new tariff explains it too.",
    ),
    Kind(
        "missing_value",
        REVIEW,
        "A record without usage, unit or dates, or a line item without an amount.",
        "Read the value from the original bill; sums leave the row out.",
    ),
    Kind(
        "date_order",
        REVIEW,
        "The dates of a bill contradict each other.",
        "Check the dates against the original bill.",
    ),
    Kind(
        "zero_cost",
        REVIEW,
        "A bill with usage that costs nothing.",
        "Check whether the charges stand on another bill or were waived.",
    ),
    Kind(
        "estimated_run",
        REVIEW,
        "Several records of a meter in a row are estimated.",
        "Ask the provider for a reading; the next actual bill may correct them.",
    ),
    Kind(
        "mixed_units",
        REVIEW,
        "A meter whose records change their unit.",
        "Convert to one unit before summing; rows of different units stay apart.",
    ),
    Kind(
        "mixed_currencies",
        REVIEW,
        "An account billed in two currencies.",
        "Check the currency on the bills; totals are per currency.",
    ),
    Kind(
        "shared_boundary_days",
        REVIEW,
        "Bills end on the day on which the next begins.",
        "Calendarize with convention='exclusive', which counts that day once (to the later bill), or keep "
        "'inclusive' with shared_day='later'.",
    ),
)

#: Every kind by name, in the order in which findings are listed within a level.
KINDS: Final = {kind.name: kind for kind in _ALL}
