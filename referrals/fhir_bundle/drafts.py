"""What a Bundle is read into: frozen values, no rows. All of it clinical or personal."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from referrals.vocabulary import BodyRegion, Laterality


class Outcome(StrEnum):
    TAKEN = "taken"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class IdentifierDraft:
    system: str
    value: str


@dataclass(frozen=True, slots=True)
class PatientDraft:
    identifiers: tuple[IdentifierDraft, ...]
    first_name: str
    last_name: str
    birth_date: date
    phone: str = ""
    email: str = ""
    state: str = ""
    """Two letters; "" when the file names no state of the United States."""
    language: str = ""


@dataclass(frozen=True, slots=True)
class ConditionDraft:
    """A musculoskeletal condition. `laterality` None: the file does not tell the side."""

    index: int
    words: str
    region: BodyRegion
    laterality: Laterality | None
    icd10: str = ""
    onset: date | None = None
    abatement: date | None = None
    recorded: date | None = None

    @property
    def since(self) -> date:
        """For ordering: onset, else when it was recorded, else before all others."""
        return self.onset or self.recorded or date.min


@dataclass(frozen=True, slots=True)
class ProcedureDraft:
    """An operation on joint, bone, tendon or spine that was carried out."""

    index: int
    words: str
    region: BodyRegion
    laterality: Laterality | None
    performed_on: date | None = None
    reasons: tuple[int, ...] = ()
    """Entries of the conditions that the file gives as its reason."""


@dataclass(frozen=True, slots=True)
class CarePlanDraft:
    """A physical therapy plan."""

    index: int
    status: str
    start: date | None = None
    end: date | None = None
    has_addresses: bool = False
    addresses: tuple[int, ...] = ()
    """Entries of the conditions it is for, as far as they are in the file."""

    @property
    def newest(self) -> date:
        return self.end or self.start or date.min


@dataclass(frozen=True, slots=True)
class EpisodeDraft:
    """What one episode of care is made from."""

    condition: ConditionDraft
    care_plan: CarePlanDraft | None = None
    procedures: tuple[ProcedureDraft, ...] = ()

    def dates(self) -> tuple[date, ...]:
        found = [self.condition.onset, self.condition.abatement]
        found += [procedure.performed_on for procedure in self.procedures]
        if self.care_plan:
            found += [self.care_plan.start, self.care_plan.end]
        return tuple(day for day in found if day)


@dataclass(frozen=True, slots=True)
class EntryReport:
    """What became of one entry of the Bundle, counted from 0 as FHIR paths do."""

    index: int
    resource_type: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class BundleReading:
    patient: PatientDraft
    conditions: tuple[ConditionDraft, ...]
    procedures: tuple[ProcedureDraft, ...]
    care_plans: tuple[CarePlanDraft, ...]
    episode: EpisodeDraft | None
    """None when the file holds no musculoskeletal condition."""
    entries: tuple[EntryReport, ...]
    remarks: tuple[str, ...]
    """What the therapist has to fill in because the file does not say it; no clinical words."""
    shifted_days: int = 0
