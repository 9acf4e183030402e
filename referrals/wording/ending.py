"""When a restriction ends: what must be shown, the review, and who signs."""

from __future__ import annotations

from datetime import date
from typing import Final, assert_never

from referrals.vocabulary import Criterion, CriterionKind, Laterality, RestrictionSpec
from referrals.wording.sentences import limit_text, sentence
from referrals.wording.words import MONTHS, UNIT

THE_PT: Final = "the physical therapist"


def day_text(day: date) -> str:
    """ "12 Jan 2027", the same for everybody."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def criterion_sentence(criterion: Criterion, *, pt: str = THE_PT) -> str:
    """ "single-leg hop at least 90%, left", "the physical therapist reviews and signs"."""
    if criterion.kind is CriterionKind.PT_REVIEW:
        return f"{pt} reviews and signs"
    text = criterion.measure.strip().rstrip(".")
    if criterion.comparator and criterion.value is not None and criterion.unit:
        # In a test the measure says what is counted; the unit's own lead would say it twice.
        lead = UNIT[criterion.unit][0]
        text += " " + limit_text(criterion.comparator, criterion.value, criterion.unit)[len(lead) :]
    match criterion.side:
        case Laterality.LEFT | Laterality.RIGHT:
            return f"{text}, {criterion.side.value}"
        case Laterality.BILATERAL:
            return f"{text}, both sides"
        case Laterality.MIDLINE | Laterality.NOT_APPLICABLE | None:
            return text
        case _:
            assert_never(criterion.side)


def lifts_when(spec: RestrictionSpec, *, pt: str = THE_PT) -> str:
    """What must be shown, and that a PT still has to sign: time and numbers lift nothing."""
    named = [
        criterion_sentence(criterion, pt=pt)
        for criterion in spec.criteria
        if criterion.kind is not CriterionKind.PT_REVIEW
    ]
    sign = f"{pt} reviews and signs"
    return f"{'; '.join(named)}; then {sign}" if named else sign


def review_line(review_on: date | None, today: date) -> str:
    """Where the review stands. It never says that a restriction has ended."""
    if review_on is None:
        return "No review date; still in force"
    late = (today - review_on).days
    if late > 0:
        return f"Review overdue by {late} {'day' if late == 1 else 'days'}; still in force"
    if late == 0:
        return "Review is today; still in force"
    return f"Until the review on {day_text(review_on)}, or longer"


def earliest_line(spec: RestrictionSpec, today: date) -> str:
    """ "Not before 16 May 2027", or "" when no such date lies ahead."""
    if spec.earliest_lift_on is None or spec.earliest_lift_on <= today:
        return ""
    return f"Not before {day_text(spec.earliest_lift_on)}"


def full_text(spec: RestrictionSpec, *, today: date, pt: str = THE_PT) -> str:
    """Everything in running text, for print and for a screen reader: what, until when, how it
    ends, what is fine instead."""
    parts = [sentence(spec), review_line(spec.review_on, today)]
    earliest = earliest_line(spec, today)
    if earliest:
        parts.append(earliest)
    parts.append(f"Lifts when: {lifts_when(spec, pt=pt)}")
    if spec.instead.strip():
        parts.append(f"Fine instead: {spec.instead.strip().rstrip('.')}")
    return ". ".join(parts) + "."
