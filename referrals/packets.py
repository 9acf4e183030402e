"""What leaves through the disclosure door: frozen values, never model rows.

A class that is not shared is `Withheld`, which is shown as "not shared" and never as empty.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from clients.scopes import Scope
from referrals.permits import Standpoint


@dataclass(frozen=True, slots=True)
class Withheld:
    """This class exists and is not shared with the viewer."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class ContactView:
    """Whom to call about this client."""

    professional_id: UUID
    name: str
    title: str
    practice: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class ClearanceView:
    """That somebody may train, since when, and when to come back."""

    episode_id: UUID
    level: str
    level_label: str
    discharged_on: date
    set_by: str
    flare_up_plan: str
    return_criteria: str


@dataclass(frozen=True, slots=True)
class CriterionView:
    """One condition for lifting a restriction."""

    kind: str
    measure: str
    comparator: str
    value: str
    unit: str
    side: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RestrictionView:
    """One restriction as it stands in its newest signed version."""

    id: UUID
    version_id: UUID
    client_id: UUID
    episode_id: UUID
    version: int
    status: str
    kind: str
    severity: str
    body_region: str
    laterality: str
    patterns: tuple[str, ...]
    joint_action: str
    comparator: str
    value: Decimal | None
    value_high: Decimal | None
    unit: str
    weight_bearing: str
    wording: str
    instead: str
    criteria: tuple[CriterionView, ...]
    review_on: date
    review_overdue: bool
    review_sentence: str
    authority: str
    authority_name: str
    authority_on: date | None
    set_by: str
    set_on: date
    acknowledged_at: datetime | None
    headline: str
    sentence: str
    plate: str
    plate_caption: str
    lifts_when: str
    earliest_lift_on: date | None
    earliest_sentence: str
    """Empty when no such day lies ahead."""
    map_regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionView:
    """Per discharge: that limits are listed, or that the therapist decided none are needed."""

    episode_id: UUID
    decision: str
    set_by: str
    signed_on: date
    is_quick: bool
    """Therapy ended early: movements that are not listed were not looked at."""
    without_final: bool
    """And no final measures were taken."""


@dataclass(frozen=True, slots=True)
class RestrictionsView:
    """All active restrictions, strictest first, with the decisions behind them."""

    items: tuple[RestrictionView, ...]
    decisions: tuple[DecisionView, ...]

    @property
    def none_needed(self) -> bool:
        """Decided, and the decision is that there are no restrictions."""
        return bool(self.decisions) and not self.items

    @property
    def all_lifted(self) -> bool:
        """Some were listed at a discharge, and none of them is in force any more."""
        return self.none_needed and any(each.decision == "listed" for each in self.decisions)

    @property
    def unlisted_with_caution(self) -> bool:
        """One of the discharges was quick: what is not listed was not looked at either."""
        return any(each.is_quick for each in self.decisions)

    @property
    def without_final(self) -> bool:
        return any(each.without_final for each in self.decisions)

    @property
    def unacknowledged(self) -> tuple[RestrictionView, ...]:
        return tuple(item for item in self.items if item.acknowledged_at is None)


@dataclass(frozen=True, slots=True)
class HistoryView:
    """What happened, in the therapist's words."""

    episode_id: UUID
    condition: str
    icd10_code: str
    body_region: str
    laterality: str
    onset_on: date | None
    mechanism: str
    surgery: str
    surgery_on: date | None
    started_on: date
    ended_on: date | None
    status: str
    pt_name: str
    came_back: str = ""
    """How it relates to an earlier episode, as the therapist says; empty for a recipient."""


@dataclass(frozen=True, slots=True)
class MeasurementView:
    id: UUID
    moment: str
    value: Decimal
    side: str
    taken_on: date


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """One measure over one episode, first to last."""

    episode_id: UUID
    measure: str
    name: str
    unit: str
    low: Decimal
    high: Decimal
    higher_is_better: bool
    side: str
    values: tuple[MeasurementView, ...]
    change_sentence: str
    reaches_reference: bool


@dataclass(frozen=True, slots=True)
class GateView:
    """One thing to reach, and what was measured of it last."""

    id: UUID
    measure: str
    """Code of the measure; empty for a test in words."""
    test: str
    sentence: str
    comparator: str
    value: Decimal | None
    unit: str
    side: str
    source: str
    standing: str
    standing_label: str
    measured: Decimal | None
    measured_side: str
    measured_on: date | None


@dataclass(frozen=True, slots=True)
class GatesView:
    """The gates of one episode, in the order they were named. A count, never a verdict."""

    episode_id: UUID
    items: tuple[GateView, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class GoalView:
    id: UUID
    text: str
    outcome: str
    outcome_label: str
    why_not: str


@dataclass(frozen=True, slots=True)
class AddendumView:
    id: UUID
    text: str
    signed_at: datetime
    signer_name: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """The whole discharge note, with its addenda in order."""

    id: UUID
    episode_id: UUID
    fields: tuple[tuple[str, str, str], ...]
    """(field name, label, text as shown), in the order of the note."""
    goals: tuple[GoalView, ...]
    rationales: tuple[tuple[UUID, str], ...]
    """(restriction id, clinical reason) for restrictions that have one."""
    signed_at: datetime | None
    signer_name: str
    signer_credential: str
    licence_state: str
    licence_number: str
    content_hash: str
    addenda: tuple[AddendumView, ...]


@dataclass(frozen=True, slots=True)
class FactsView:
    """What a trainer saw, as they wrote it down when they referred the client back."""

    referral_id: UUID
    author: str
    observations: str
    body_region: str
    body_region_label: str
    laterality: str
    laterality_label: str
    pain_now: int | None
    pain_worst: int | None
    signs: tuple[tuple[str, str], ...]
    """(code, label), in the order of the list."""
    since: date | None
    stopped: str
    saved_at: datetime
    is_red: bool


@dataclass(frozen=True, slots=True)
class FeedbackView:
    """What was reported back; `facts` where a trainer referred the client back with it."""

    id: UUID
    referral_id: UUID
    kind: str
    kind_label: str
    author: str
    sessions_held: int | None
    observations: str
    sent_at: datetime
    facts: FactsView | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """The record of one client as one viewer may read it at one moment."""

    client_id: UUID
    client_name: str
    standpoint: Standpoint
    as_of: datetime
    contact: tuple[ContactView, ...] | Withheld
    clearance: tuple[ClearanceView, ...] | Withheld
    restrictions: RestrictionsView | Withheld
    history: tuple[HistoryView, ...] | Withheld
    outcomes: tuple[OutcomeView, ...] | Withheld
    gates: tuple[GatesView, ...] | Withheld
    """Of the class `outcomes`."""
    note: tuple[NoteView, ...] | Withheld
    training_feedback: tuple[FeedbackView, ...] | Withheld

    def part(self, scope: Scope) -> object:
        """The content of one class, or Withheld."""
        return getattr(self, scope.value)

    @property
    def shown(self) -> tuple[Scope, ...]:
        return tuple(scope for scope in Scope if not isinstance(self.part(scope), Withheld))

    @property
    def withheld(self) -> tuple[Scope, ...]:
        return tuple(scope for scope in Scope if isinstance(self.part(scope), Withheld))


@dataclass(frozen=True, slots=True)
class Envelope:
    """All a recipient sees before they accept."""

    referral_id: UUID
    client_display_name: str
    sender_name: str
    sender_practice: str
    goal: str | None
    """None once the client shares nothing."""
    start_from: date | None
    start_until: date | None
    priority: str
    kind: str
    clearance_level: str | Withheld | None
    """Label of the level, "" when none is set yet; None where it is no matter of this kind."""
    has_restrictions: bool | Withheld | None


@dataclass(frozen=True, slots=True)
class MessageView:
    id: UUID
    author: str
    is_mine: bool
    text: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a referral's history."""

    verb: str
    target: str
    target_label: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class DraftRestrictionView:
    """A restriction of an unsigned note, with what is wrong with it."""

    version_id: UUID
    restriction_id: UUID
    values: tuple[tuple[str, object], ...]
    headline: str
    sentence: str
    plate: str
    severity: str
    map_regions: tuple[str, ...]
    errors: tuple[tuple[str, str], ...]
    warnings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the treating side works with: the episode, the note as it is, everything unsigned."""

    client_id: UUID
    client_name: str
    client_state: str
    episode: HistoryView
    episode_values: tuple[tuple[str, object], ...]
    """(field name, stored value) of the episode, for forms."""
    note_id: UUID | None
    note_values: tuple[tuple[str, object], ...]
    """(field name, stored value) of the note, for forms; empty without a note."""
    note_revision: int
    note_signed: NoteView | None
    """The note as everybody reads it, once signed."""
    goals: tuple[GoalView, ...]
    draft_restrictions: tuple[DraftRestrictionView, ...]
    restrictions: tuple[RestrictionView, ...]
    """Signed ones, lifted ones included."""
    outcomes: tuple[OutcomeView, ...]
    gates: GatesView | None
    """None where none is named."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One stored value, for programs and as people read it."""

    name: str
    label: str
    value: object
    """Plain: text, number, truth, None, or lists and objects of these."""
    shown: str


@dataclass(frozen=True, slots=True)
class WholePart:
    """The rows of one section of everything about somebody."""

    key: str
    title: str
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0
    """How many older rows did not fit."""


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is kept about one person, as they may have it."""

    subject_id: UUID
    name: str
    standpoint: str
    as_of: datetime
    zone: str
    language: str
    parts: tuple[WholePart, ...]
