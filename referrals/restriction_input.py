"""From what a therapist typed to a restriction that makes sense, or complaints by field. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import partial
from typing import Final

from handoff.core.errors import Invalid
from referrals.intake import Intake
from referrals.vocabulary import (
    PAIRED,
    Authority,
    BodyRegion,
    Comparator,
    Criterion,
    CriterionKind,
    Findings,
    JointAction,
    Laterality,
    Pattern,
    RestrictionKind,
    RestrictionSpec,
    Severity,
    Unit,
    WeightBearing,
    check,
)

# Widths of the columns.
MOST_WORDING: Final = 300
MOST_RATIONALE: Final = 2000
MOST_NAME: Final = 120
MOST_CRITERIA: Final = 10

FIELDS: Final = (*(each.name for each in fields(RestrictionSpec)), "rationale")
CRITERION_FIELDS: Final = tuple(each.name for each in fields(Criterion))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A restriction as typed in, with the clinical reason that only the full note shows."""

    spec: RestrictionSpec
    rationale: str = ""


def read(data: Mapping[str, object], *, today: date, base: Wanted | None = None) -> Wanted:
    """The restriction that `data` describes; entries it leaves out come from `base`.

    Raises Invalid with every field named: wrong types, unknown entries and what the rules of
    restrictions refuse. Warnings do not stop it; `findings` has them.
    """
    wanted, found = look(data, today=today, base=base)
    if wanted is None or not found.ok:
        raise Invalid(found.errors)
    return wanted


def findings(data: Mapping[str, object], *, today: date, base: Wanted | None = None) -> Findings:
    """All that is wrong or doubtful about `data`, to be shown beside a form."""
    return look(data, today=today, base=base)[1]


def look(
    data: Mapping[str, object], *, today: date, base: Wanted | None = None
) -> tuple[Wanted | None, Findings]:
    """What `data` describes as far as it goes, right or wrong, and all that is wrong with it.

    Nothing as long as kind, severity or region are open. For previews; `read` is for keeping.
    """
    if base is not None:
        data = {**_entries(base), **data}
    intake = Intake(data, FIELDS)
    kind = intake.choice("kind", RestrictionKind)
    severity = intake.choice("severity", Severity)
    region = intake.choice("body_region", BodyRegion)
    laterality = intake.choice("laterality", Laterality)
    if region is not None and region not in PAIRED and laterality is None:
        laterality = Laterality.NOT_APPLICABLE
    # All of it is read before anything is missed, so that all complaints come at once.
    build = partial(
        RestrictionSpec,
        patterns=intake.choices("patterns", Pattern),
        joint_action=intake.choice("joint_action", JointAction),
        comparator=intake.choice("comparator", Comparator),
        value=intake.decimal("value"),
        value_high=intake.decimal("value_high"),
        unit=intake.choice("unit", Unit),
        weight_bearing=intake.choice("weight_bearing", WeightBearing),
        wording=intake.text("wording", most=MOST_WORDING).strip(),
        instead=intake.text("instead", most=MOST_WORDING).strip(),
        criteria=_criteria(intake, data.get("criteria")),
        review_on=intake.day("review_on"),
        earliest_lift_on=intake.day("earliest_lift_on"),
        authority=intake.choice("authority", Authority) or Authority.PT,
        authority_name=intake.text("authority_name", most=MOST_NAME).strip(),
        authority_on=intake.day("authority_on"),
    )
    rationale = intake.text("rationale", most=MOST_RATIONALE, lines=True).strip()
    if kind is None or severity is None or region is None:
        for name, value, text in (
            ("kind", kind, "Choose what kind of limit it is."),
            ("severity", severity, "Choose Avoid, Modify or Caution."),
            ("body_region", region, "Choose the body region."),
        ):
            if value is None:
                intake.refuse_all({name: [text]})
        return None, Findings(errors=intake.errors)
    spec = build(kind=kind, severity=severity, body_region=region, laterality=laterality)
    found = check(spec, today=today)
    intake.refuse_all(found.errors)
    return Wanted(spec, rationale), Findings(errors=intake.errors, warnings=found.warnings)


def _entries(wanted: Wanted) -> dict[str, object]:
    spec = wanted.spec
    entries: dict[str, object] = {each.name: getattr(spec, each.name) for each in fields(spec)}
    return {**entries, "rationale": wanted.rationale}


def _criteria(intake: Intake, rows: object) -> tuple[Criterion, ...]:
    """Criteria given as such or as mappings; complaints go to the field "criteria"."""
    if rows is None or rows == "":
        return ()
    if not isinstance(rows, list | tuple):
        intake.refuse("criteria", "Enter a list.")
        return ()
    if len(rows) > MOST_CRITERIA:
        intake.refuse("criteria", f"Name at most {MOST_CRITERIA}.")
        return ()
    found = (_criterion(intake, row, place) for place, row in enumerate(rows, start=1))
    return tuple(each for each in found if each is not None)


def _criterion(intake: Intake, row: object, place: int) -> Criterion | None:
    if isinstance(row, Criterion):
        return row
    if not isinstance(row, Mapping):
        intake.refuse("criteria", f"Number {place}: this is not readable.")
        return None
    part = Intake(row, CRITERION_FIELDS)
    value = part.decimal("value")
    # Something with a number was tested, something without was seen.
    unnamed = CriterionKind.OBSERVATION if value is None else CriterionKind.TEST
    criterion = Criterion(
        kind=part.choice("kind", CriterionKind) or unnamed,
        measure=part.text("measure", most=MOST_NAME).strip(),
        comparator=part.choice("comparator", Comparator),
        value=value,
        unit=part.choice("unit", Unit),
        side=part.choice("side", Laterality),
    )
    if part.errors:
        for texts in part.errors.values():
            for text in texts:
                intake.refuse("criteria", f"Number {place}: {text}")
        return None
    return criterion
