"""The keys of each JSON body, to the last one. A key that is not here must not be sent.

`{}` stands for a value without keys. A list is written with its one kind of element. `Maybe` may
be null. `OrWithheld` may say instead that its part is not shared; so may each part of a record, as
a cell says. `Fields` has the names of fields for keys, each with a list of complaints.
`Rows` are what stands in the tables about somebody, as docs/rights.md lists it. `AtLeast` has keys
that are always there, and some that need not be.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Maybe:
    shape: Shape


@dataclass(frozen=True)
class OrWithheld:
    shape: Shape


@dataclass(frozen=True)
class Fields:
    pass


@dataclass(frozen=True)
class Rows:
    pass


@dataclass(frozen=True)
class AtLeast:
    keys: dict[str, Shape]
    more: dict[str, Shape]


Shape = dict[str, "Shape"] | list["Shape"] | Maybe | OrWithheld | Fields | Rows | AtLeast
VALUE: Shape = {}
WITHHELD: dict[str, Shape] = {"withheld": VALUE}


def keys(names: str, **inner: Shape) -> dict[str, Shape]:
    """The named keys with values, and those with something below them."""
    return {**dict.fromkeys(names.split(), VALUE), **inner}


def page_of(shape: Shape) -> dict[str, Shape]:
    """A list answers with one page of itself."""
    return keys("next previous", results=[shape])


PERSON = keys("id name")
PROFESSIONAL = keys("id name role practice")

CLIENT = keys(
    "id name first_name last_name standpoint",
    details=Maybe(keys("email phone birth_date state time_zone has_account")),
)
INVITATION = keys("id client kind created_at expires_at used_at cancelled_at")
MOMENT = keys("at subject subject_id what words by sender recipient reason")
LOOK = keys(
    "number at client action refused purpose channel",
    who=keys("name is_me role practice"),
    shown=[VALUE],
    withheld=[VALUE],
    consents=[VALUE],
)

LIMIT = keys(
    "id client episode kind severity body_region laterality joint_action comparator value"
    " value_high unit weight_bearing wording instead review_on review_overdue authority"
    " authority_name version status set_by set_on acknowledged_on headline sentence",
    patterns=[VALUE],
    criteria=[keys("kind measure comparator value unit side")],
    drafting=Maybe(
        keys(
            "rationale earliest_lift_on authority_on",
            problems=[keys("field text")],
            warnings=[keys("field text")],
        )
    ),
)
GOAL = keys("text outcome why_not")
RATIONALE = keys("restriction text")
ADDENDUM = keys("id text signed_at signed_by")
RECORD = keys(
    "client name standpoint as_of",
    contact=[keys("professional name title practice phone email")],
    clearance=[
        keys("episode level level_label discharged_on set_by flare_up_plan return_criteria")
    ],
    restrictions=keys(
        "none_needed",
        items=[LIMIT],
        decisions=[keys("episode decision set_by signed_on quick final_measures")],
    ),
    history=[
        keys(
            "episode condition icd10_code body_region laterality onset_on mechanism surgery"
            " surgery_on started_on ended_on status pt"
        )
    ],
    outcomes=[
        keys(
            "episode measure name unit low high higher_is_better side change reaches_reference",
            values=[keys("id moment value taken_on")],
        )
    ],
    note=[
        keys(
            "id episode signed_at signed_by credential licence_state licence_number content_hash",
            fields=[keys("name heading text")],
            goals=[GOAL],
            rationales=[RATIONALE],
            addenda=[ADDENDUM],
        )
    ],
    training_feedback=[keys("id referral kind author sessions_held observations sent_at facts")],
)

EPISODE_BRIEF = keys("id status origin created_at", client=PERSON, pt=PROFESSIONAL)
EPISODE = keys(
    "id client pt pt_name status origin condition icd10_code body_region laterality onset_on"
    " mechanism surgery surgery_on started_on ended_on",
    plan=Maybe(
        keys(
            "last_visit_on visits_completed planned_discharge_on recurrence_of recurrence_kind"
            " full_return_on"
        )
    ),
)
SCORE = keys("id episode measure name unit moment value side taken_on")
GATE = keys(
    "id measure test sentence comparator value unit side reference standing measured measured_side"
    " measured_on"
)
TEMPLATE = keys(
    "key name note",
    regions=[VALUE],
    limits=[
        keys(
            "key kind severity body_region joint_action comparator value unit wording instead"
            " reference review_in_days wait_weeks wait_months wait_reference",
            open=[VALUE],
            patterns=[VALUE],
            criteria=[keys("kind measure comparator value unit")],
        )
    ],
    gates=[keys("key measure test comparator value unit reference sided")],
)
NOTE_BRIEF = keys("id episode client revision created_at saved_at signed_at")
NOTE = keys(
    "id episode client status revision saved_at discharge_type discharge_on reason diagnosis"
    " course first_visit_on last_visit_on visits_completed pain_now pain_worst pain_best"
    " range_of_motion strength functional_level response measures_missing_reason home_programme"
    " no_home_programme equipment follow_up trainer_referral clearance restrictions_decision"
    " flare_up_plan return_criteria future_contact fingerprint",
    missing=Fields(),
    goals=[GOAL],
    rationales=[RATIONALE],
    signature=Maybe(keys("signed_at name credential licence_state licence_number content_hash")),
    addenda=[ADDENDUM],
)

REFERRAL_BRIEF = keys(
    "id kind state state_words priority waiting_on created_at state_at sent_at answered_at"
    " closed_at",
    client=PERSON,
    sender=PROFESSIONAL,
    recipient=PROFESSIONAL,
)
REFERRAL = {
    **REFERRAL_BRIEF,
    **keys(
        "start_from start_until first_session_at goal consent episode previous",
        envelope=Maybe(
            keys(
                "client_name sender practice goal start_from start_until priority",
                clearance_level=OrWithheld(VALUE),
                has_restrictions=OrWithheld(VALUE),
            )
        ),
        sharing=Maybe(keys("state expires_at", classes=[VALUE])),
        actions=[VALUE],
        steps=[keys("verb state state_words at by reason")],
        reminded=[keys("rule audience listed_at mailed_at")],
    ),
}
MESSAGE = keys("id author is_mine text sent_at")

CONSENT_BRIEF = keys(
    "id side state purpose asked_at expires_at until_training_ends",
    client=PERSON,
    discloser=PROFESSIONAL,
    recipient=PROFESSIONAL,
    classes=[VALUE],
    classes_asked=Maybe([VALUE]),
)
CONSENT = {
    **CONSENT_BRIEF,
    **keys(
        "may_decide notice_matches",
        objected_at=[VALUE],
        events=[keys("at kind words by", classes=[VALUE])],
        notice=Maybe(
            keys(
                "version hash language purpose redisclosure copy last_day",
                classes=[keys("scope title question meaning")],
                never_shared=[VALUE],
                if_you_say_no=[VALUE],
                if_you_change_your_mind=[VALUE],
            )
        ),
    ),
}
RECEIPT = keys(
    "",
    receipt=keys("receipt_id schema_version language"),
    record=keys("record_id schema_version pii_principal_id"),
    pii_processing=keys(
        "language",
        privacy_notice=keys(
            "version sha256",
            text=keys(
                "purpose redisclosure copy",
                parts=[keys("pii_type title question meaning")],
                never_shared=[VALUE],
                if_you_say_no=[VALUE],
                if_you_change_your_mind=[VALUE],
            ),
        ),
        purposes=[
            keys(
                "purpose lawful_basis collection_method processing_method valid_from expires_at"
                " conditions jurisdiction",
                pii_information=[keys("pii_type title meaning special_pii_category")],
                pii_controllers=[VALUE],
                recipient_third_parties=[VALUE],
                withdrawal_method=[VALUE],
            )
        ],
    ),
    party_identification=[
        AtLeast(keys("party_id party_role party_name"), keys("party_type party_organization"))
    ],
    events=[
        keys(
            "event_time event_type event_state validity_until",
            entity=keys("entity_id name authority"),
            pii_types=[VALUE],
            evidence=keys("ledger number hash"),
        )
    ],
)
COVERAGE = keys(
    "episode_id pt_name payer visits_authorized visits_used visits_left authorized_until"
    " cost_per_visit paid_so_far changed_at"
)
PACKAGE = keys(
    "id client_id provider sessions_bought sessions_used sessions_left price per_session bought_on"
    " valid_until"
)
LETTER = keys("id client kind author dated_on therapist added_as added_at mine")

TOKEN = keys("id name created_at expires_at revoked_at second_factor live")
_CREDENTIAL = keys("kind title state")
_PRACTICE = keys("id name kind city state")
LISTED_PROFESSIONAL = keys(
    "id name role introduction accepting availability",
    practice=_PRACTICE,
    specialties=[VALUE],
    languages=[VALUE],
    states=[VALUE],
    may=[VALUE],
    may_not=[VALUE],
    credentials=[_CREDENTIAL],
)
ME = keys(
    "id email name time_zone",
    roles=[VALUE],
    professionals=[
        keys(
            "id role accepts_referrals may_accept",
            practice=_PRACTICE,
            against_accepting=[VALUE],
            may_sign_in=[VALUE],
            credentials=[keys("kind title state expires_on")],
        )
    ],
    client=Maybe(PERSON),
    acts_for=[PERSON],
)
MEASURE = keys(
    "code name low high unit higher_is_better whole_numbers loinc",
    important_changes=[keys("amount amount_high population reference usual")],
)
REMINDER = keys("id rule title path urgent is_notice due_at shown_at snoozed_until")

DEPENDING: dict[str, frozenset[str]] = {
    "CLIENT": frozenset({"details"}),
    "EPISODE": frozenset({"plan"}),
    "REFERRAL": frozenset({"goal", "envelope", "consent", "sharing", "episode", "previous"}),
    "CONSENT": frozenset({"notice", "notice_matches", "classes_asked"}),
}
"""The keys whose value depends on who asks: without a value for some."""
SHAPES: dict[str, Shape] = {
    "CLIENT": CLIENT,
    "CLIENTS": page_of(CLIENT),
    "INVITATIONS": page_of(INVITATION),
    "TIMELINE": page_of(MOMENT),
    "LOOKS": page_of(LOOK),
    "RECORD": RECORD,
    "LIMIT": LIMIT,
    "LIMITS": page_of(LIMIT),
    "VERSIONS": page_of({**LIMIT, **keys("signed_at change_reason")}),
    "EPISODE": EPISODE,
    "EPISODES": page_of(EPISODE_BRIEF),
    "SCORES": page_of(SCORE),
    "GATES": page_of(GATE),
    "TEMPLATES": page_of(TEMPLATE),
    "NOTE": NOTE,
    "NOTES": page_of(NOTE_BRIEF),
    "REFERRAL": REFERRAL,
    "REFERRALS": page_of(REFERRAL_BRIEF),
    "MESSAGES": page_of(MESSAGE),
    "CONSENT": CONSENT,
    "CONSENTS": page_of(CONSENT_BRIEF),
    "RECEIPT": RECEIPT,
    "WHAT_IF": keys("", before=[VALUE], after=[VALUE], changes=[keys("scope effect meaning")]),
    "COVERAGE": COVERAGE,
    "COVERAGES": page_of(COVERAGE),
    "PACKAGES": page_of(PACKAGE),
    "LETTERS": page_of(LETTER),
    "LETTER_FILE": keys("media_type content"),
    "SCREENINGS": page_of(
        keys(
            "id client level title taken_at taken_on valid_until voided_at valid rules_version",
            reasons=[keys("code level title why unsure", sources=[VALUE])],
        )
    ),
    "EXPORT": keys(
        "format subject name taken_by as_of",
        sections=[keys("section title older_left_out", rows=Rows())],
    ),
    "ERASURE": keys(
        "client asked_at due_at held_until account_goes",
        holders=[VALUE],
        lines=[keys("what count fate")],
    ),
    "TOKEN": TOKEN,
    "TOKENS": page_of(TOKEN),
    "PROFESSIONALS": page_of(LISTED_PROFESSIONAL),
    "PROFESSIONAL": LISTED_PROFESSIONAL,
    "LISTING": keys(
        "id role in_directory accepts_referrals open_places introduction",
        specialties=[VALUE],
        languages=[VALUE],
    ),
    "WISHES": keys(
        "",
        wishes=[keys("id client role wished_at", professional=keys("id name role practice"))],
    ),
    "ME": ME,
    "MEASURES": page_of(MEASURE),
    "REMINDERS": page_of(REMINDER),
}
