"""One resource at a time: from a checked entry to a draft. Pure.

Every function reads through the total readers of `strict_json`, so no shape of input can break it.
"""

import hashlib
import json
import re
from datetime import date

from handoff.core.errors import Invalid
from referrals.fhir_bundle import codes
from referrals.fhir_bundle.drafts import (
    CarePlanDraft,
    ConditionDraft,
    IdentifierDraft,
    PatientDraft,
    ProcedureDraft,
)
from referrals.fhir_bundle.entries import Entry, OpenBundle
from referrals.fhir_bundle.strict_json import Json, child, children, text
from referrals.fhir_bundle.us_states import state_code

EARLIEST, LATEST = date(1900, 1, 1), date(2100, 12, 31)
DIGEST_SYSTEM = "urn:handoff:fhir-patient-sha256"
MAX_NAME, MAX_IDENTIFIER, MAX_WORDS = 80, 200, 300

# Numbers that are worth stealing are not taken, though they would identify the person well.
_IDENTIFIER_TYPES = frozenset({"MR", "PI"})
_IDENTIFIER_DENIED = re.compile(
    r"us-ssn|us-mbi|passport|2\.16\.840\.1\.113883\.4\.(1|3|572)\b", re.IGNORECASE
)
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_EMAIL = re.compile(r"[^@\s<>\"(),;:]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,6})?")
_PHONE = re.compile(r"[0-9+() ./x-]{5,30}")


class Ignored(Exception):
    """The entry is fine and not needed."""


class Refused(Exception):
    """The entry is valid FHIR and still cannot be right."""


# The patient ----------------------------------------------------------------------------------


def read_patient(entry: Entry) -> tuple[PatientDraft, list[str]]:
    """The patient, and what the therapist should know about how well they are identified.

    Raises Invalid: without this patient there is nothing to import.
    """
    resource, remarks = entry.resource, []
    superseded = any(text(link, "type") == "replaced-by" for link in children(resource, "link"))
    deceased = resource.get("deceasedBoolean") is True or "deceasedDateTime" in resource
    if resource.get("active") is False or superseded or deceased:
        raise Invalid("The patient record in the file is closed (inactive, merged or deceased).")
    first, last = _name(resource)
    try:
        born = _day(resource, "birthDate", "Patient.birthDate")
    except Refused:
        raise Invalid("The patient's birth date is not a date of our time.") from None
    if born is None:
        raise Invalid("The patient has no full birth date.")
    address = _preferred(children(resource, "address"), ("home", "", "temp"))
    language = ""
    spoken = children(resource, "communication")
    for one in sorted(spoken, key=lambda item: item.get("preferred") is not True):
        tags = [text(coding, "code") for coding in children(child(one, "language"), "coding")]
        language = next((tag for tag in tags if _LANGUAGE.fullmatch(tag)), "")
        if language:
            break
    identifiers = _identifiers(resource)
    if not identifiers:
        remarks.append("The file has no record number: the patient is known by its content only.")
        identifiers = (_digest(resource),)
    return (
        PatientDraft(
            identifiers=identifiers,
            first_name=first,
            last_name=last,
            birth_date=born,
            phone=_contact(resource, "phone", _PHONE),
            email=_contact(resource, "email", _EMAIL),
            state=state_code(text(address, "state")),
            language=language,
        ),
        remarks,
    )


def _preferred(items: list[Json], uses: tuple[str, ...]) -> Json:
    """The first item with the earliest of `uses`; never one marked old."""
    for use in uses:
        for item in items:
            if text(item, "use") == use:
                return item
    return next((item for item in items if text(item, "use") != "old"), {})


def _name(resource: Json) -> tuple[str, str]:
    name = _preferred(children(resource, "name"), ("official", "usual", ""))
    listed = name.get("given")
    given = [text({"": part}, "") for part in (listed if isinstance(listed, list) else [])]
    first, last = " ".join(part for part in given if part), text(name, "family")
    if not first and not last:
        first, _, last = text(name, "text").rpartition(" ")
    if not last:
        first, last = "", first
    if not last:
        raise Invalid("The patient has no name.")
    if max(len(first), len(last)) > MAX_NAME:
        raise Invalid(f"The patient's name is longer than {MAX_NAME} letters.")
    return first, last


def _contact(resource: Json, system: str, shape: re.Pattern[str]) -> str:
    points = [point for point in children(resource, "telecom") if text(point, "system") == system]
    value = text(_preferred(points, ("mobile", "home", "", "work")), "value")
    return value if len(value) <= 254 and shape.fullmatch(value) else ""


def _identifiers(resource: Json) -> tuple[IdentifierDraft, ...]:
    found = []
    for one in children(resource, "identifier"):
        system, value = text(one, "system"), text(one, "value")
        types = {text(coding, "code") for coding in children(child(one, "type"), "coding")}
        if (
            system
            and value
            and max(len(system), len(value)) <= MAX_IDENTIFIER
            and text(one, "use") not in ("old", "temp")
            and (not types or types & _IDENTIFIER_TYPES)
            and not _IDENTIFIER_DENIED.search(system)
        ):
            found.append(IdentifierDraft(system, value))
    return tuple(dict.fromkeys(found))[:20]


def _digest(resource: Json) -> IdentifierDraft:
    content = {key: value for key, value in resource.items() if key not in ("meta", "text")}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True).encode()
    return IdentifierDraft(DIGEST_SYSTEM, hashlib.sha256(canonical).hexdigest())


# Conditions, procedures, plans ------------------------------------------------------------------


def read_condition(entry: Entry, born: date) -> ConditionDraft:
    """A musculoskeletal condition; raises Ignored or Refused, like the two functions below."""
    resource = entry.resource
    found = codes.concept(child(resource, "code"), children(resource, "bodySite"))
    region = codes.condition_region(found)
    if region is None:
        raise Ignored("not a musculoskeletal condition")
    verified = _codes(child(resource, "verificationStatus"))
    if verified & {"refuted", "entered-in-error", "unconfirmed", "differential"}:
        raise Ignored("not a confirmed condition")
    onset = _day(resource, "onsetDateTime", "Condition.onsetDateTime")
    if onset is None:
        onset = _day(child(resource, "onsetPeriod"), "start", "Condition.onsetPeriod.start")
    abatement = _day(resource, "abatementDateTime", "Condition.abatementDateTime")
    if abatement is None:
        period = child(resource, "abatementPeriod")
        abatement = _day(period, "start", "Condition.abatementPeriod.start")
    _in_order("Condition", born, onset, abatement)
    return ConditionDraft(
        index=entry.index,
        words=found.words[:MAX_WORDS],
        region=region,
        laterality=codes.side(found, region),
        icd10=next(iter(found.icd10), ""),
        onset=onset,
        abatement=abatement,
        recorded=_day(resource, "recordedDate", "Condition.recordedDate"),
    )


def read_procedure(entry: Entry, opened: OpenBundle, born: date) -> ProcedureDraft:
    """An operation that was carried out."""
    resource = entry.resource
    found = codes.concept(child(resource, "code"), children(resource, "bodySite"))
    region = codes.surgery_region(found)
    if region is None:
        raise Ignored("not an operation on joint, bone, tendon or spine")
    if text(resource, "status") != "completed":
        raise Ignored("not carried out")
    performed = _day(resource, "performedDateTime", "Procedure.performedDateTime")
    if performed is None:
        period = child(resource, "performedPeriod")
        performed = _day(period, "start", "Procedure.performedPeriod.start")
    _in_order("Procedure", born, performed)
    return ProcedureDraft(
        index=entry.index,
        words=found.words[:MAX_WORDS],
        region=region,
        laterality=codes.side(found, region),
        performed_on=performed,
        reasons=_conditions(opened, children(resource, "reasonReference")),
    )


def read_care_plan(entry: Entry, opened: OpenBundle) -> CarePlanDraft:
    """A physical therapy plan that is or was in force."""
    resource = entry.resource
    titled: Json = {"text": text(resource, "title")}
    found = [codes.concept(part) for part in (*children(resource, "category"), titled)]
    if not any(codes.is_therapy(one) for one in found):
        raise Ignored("not a physical therapy plan")
    status = text(resource, "status")
    if status not in ("active", "on-hold", "completed", "unknown"):
        raise Ignored("a plan that was not put to work")
    if text(resource, "intent") not in ("plan", "order"):
        raise Ignored("a proposal, not a plan")
    period = child(resource, "period")
    start = _day(period, "start", "CarePlan.period.start")
    end = _day(period, "end", "CarePlan.period.end")
    _in_order("CarePlan", start, end)
    return CarePlanDraft(
        index=entry.index,
        status=status,
        start=start,
        end=end,
        has_addresses=bool(children(resource, "addresses")),
        addresses=_conditions(opened, children(resource, "addresses")),
    )


def _codes(status: Json) -> set[str]:
    return {text(coding, "code") for coding in children(status, "coding")}


def _conditions(opened: OpenBundle, references: list[Json]) -> tuple[int, ...]:
    found = (opened.target(reference) for reference in references)
    return tuple(entry.index for entry in found if entry and entry.kind == "Condition")


def _day(source: Json, key: str, path: str) -> date | None:
    """The calendar day written at `key`, in the zone it was written in; None without a day.

    A year or a month is not made into a day. Raises Refused on a date that cannot be meant.
    """
    written = text(source, key)
    match = _DATE.fullmatch(written)
    if not match:
        if key in source:
            raise Refused(f"has an unreadable date at {path}")
        return None
    year, month, day = (int(part) if part else 0 for part in match.groups())
    try:
        found = date(year, month or 1, day or 1)
    except ValueError:
        raise Refused(f"has an impossible date at {path}") from None
    if not EARLIEST <= found <= LATEST:
        raise Refused(f"has a date out of range at {path}")
    return found if day else None


def _in_order(kind: str, *days: date | None) -> None:
    known = [day for day in days if day]
    if known != sorted(known):
        raise Refused(f"has dates of {kind} in an impossible order")
