"""Turns rows into the frozen views of `referrals.packets`. Called by `referrals.disclosure` only.

Every function takes the therapists whose content may be read (`None` means: of everybody), so a
forgotten filter cannot widen what a permit allows: an empty collection finds nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Prefetch, Q, QuerySet
from django.utils.formats import date_format

from clients.licensing import valid_credentials
from clients.models import Client, Credential, Professional
from referrals import gate_rules, measures, wording
from referrals.access import HIDDEN_FROM_CLIENT
from referrals.facts import is_red
from referrals.models import (
    Acknowledgement,
    DischargeNote,
    Episode,
    Gate,
    ImportantChange,
    LoopReport,
    Measurement,
    RedSign,
    ReferOutFacts,
    RestrictionVersion,
)
from referrals.packets import (
    AddendumView,
    ClearanceView,
    ContactView,
    CriterionView,
    DecisionView,
    DraftRestrictionView,
    FactsView,
    FeedbackView,
    GatesView,
    GateView,
    GoalView,
    HistoryView,
    MeasurementView,
    NoteView,
    OutcomeView,
    RestrictionsView,
    RestrictionView,
)
from referrals.states import State
from referrals.vocabulary import (
    Comparator,
    CriterionKind,
    DischargeType,
    Laterality,
    Severity,
    Unit,
    check,
    parts_of,
)
from referrals.vocabulary.spec import Criterion

Sources = Collection[UUID] | None
"""Ids of therapists whose content may be read; None for all of them."""

SEVERITY_ORDER = {Severity.MUST_NOT: 0, Severity.LIMIT: 1, Severity.CAUTION: 2}

NOTE_FIELDS: tuple[tuple[str, str], ...] = (
    ("discharge_on", "Date of discharge"),
    ("discharge_type", "Kind of discharge"),
    ("reason", "Reason"),
    ("diagnosis", "Diagnosis in the therapist's words"),
    ("first_visit_on", "First visit"),
    ("last_visit_on", "Last visit"),
    ("visits_completed", "Visits completed"),
    ("course", "What happened and what was done"),
    ("pain_now", "Pain now (0-10)"),
    ("pain_worst", "Pain at its worst (0-10)"),
    ("pain_best", "Pain at its best (0-10)"),
    ("range_of_motion", "Range of motion"),
    ("strength", "Strength"),
    ("functional_level", "What the client can do"),
    ("response", "Response to treatment"),
    ("measures_missing_reason", "Why final measures are missing"),
    ("home_programme", "Home programme"),
    ("no_home_programme", "No home programme"),
    ("equipment", "Equipment"),
    ("follow_up", "Follow-up plan"),
    ("trainer_referral", "Hand off to a trainer"),
    ("clearance", "Clearance"),
    ("restrictions_decision", "Movement restrictions"),
    ("flare_up_plan", "If it flares up"),
    ("return_criteria", "Come back if"),
    ("future_contact", "Contact for later care"),
)


def episodes_of(client: Client, sources: Sources) -> QuerySet[Episode]:
    """The client's episodes under the given therapists, newest first."""
    rows = Episode.objects.filter(client=client).exclude(status=Episode.Status.ENTERED_IN_ERROR)
    if sources is not None:
        rows = rows.filter(pt_id__in=list(sources))
    return rows.select_related("pt__user", "pt__practice").order_by("-created_at", "-id")


def contacts(professionals: Iterable[Professional], at: datetime) -> tuple[ContactView, ...]:
    return tuple(
        ContactView(
            professional_id=each.pk,
            name=each.name,
            title=_title(each, at),
            practice=each.practice.name,
            phone=each.phone or each.practice.phone,
            email=each.practice.email or each.user.email,
        )
        for each in professionals
    )


def therapists_of(client: Client, sources: Sources) -> list[Professional]:
    """Those who treat or treated the client, each once, newest episode first."""
    found: dict[UUID, Professional] = {}
    for episode in episodes_of(client, sources):
        found.setdefault(episode.pt_id, episode.pt)
    return list(found.values())


def clearances(client: Client, sources: Sources) -> tuple[ClearanceView, ...]:
    return tuple(
        ClearanceView(
            episode_id=note.episode_id,
            level=note.clearance,
            level_label=note.get_clearance_display(),
            discharged_on=note.discharge_on,
            set_by=note.signer_name,
            flare_up_plan=note.flare_up_plan,
            return_criteria=note.return_criteria,
        )
        for note in _signed_notes(client, sources)
        if note.discharge_on is not None
    )


def restrictions(
    client: Client, sources: Sources, *, reader_ids: Collection[UUID], at: datetime
) -> RestrictionsView:
    """Active restrictions; `acknowledged_at` is that of the recipients in `reader_ids`.

    When nobody in `reader_ids` is a recipient (client, therapist), it is the newest of anybody's.
    """
    versions = _signed_versions(client, sources)
    active = [each for each in versions if each.status == RestrictionVersion.Status.ACTIVE]
    decisions = tuple(
        DecisionView(
            episode_id=note.episode_id,
            decision=note.restrictions_decision,
            set_by=note.signer_name,
            signed_on=_day(note.signed_at, note.episode.pt),
            is_quick=note.discharge_type == DischargeType.QUICK,
            without_final=note.discharge_type == DischargeType.QUICK
            and bool(note.measures_missing_reason.strip()),
        )
        for note in _signed_notes(client, sources)
        if note.signed_at is not None
    )
    return RestrictionsView(
        items=restriction_views(active, client, reader_ids, at), decisions=decisions
    )


def all_restrictions(
    episode: Episode, *, reader_ids: Collection[UUID], at: datetime
) -> tuple[RestrictionView, ...]:
    """Signed restrictions of one episode, lifted ones included."""
    versions = list(_newest_signed([episode.pk]))
    return restriction_views(versions, episode.client, reader_ids, at)


def history(client: Client, sources: Sources) -> tuple[HistoryView, ...]:
    """What came back is said to the client's side only: to those who may read everything."""
    return tuple(
        history_of(episode, with_label=sources is None) for episode in episodes_of(client, sources)
    )


def history_of(episode: Episode, *, with_label: bool = False) -> HistoryView:
    return HistoryView(
        came_back=str(episode.get_recurrence_kind_display()) if with_label else "",
        episode_id=episode.pk,
        condition=episode.condition,
        icd10_code=episode.icd10_code,
        body_region=episode.get_body_region_display(),
        laterality=episode.get_laterality_display(),
        onset_on=episode.onset_on,
        mechanism=episode.mechanism,
        surgery=episode.surgery,
        surgery_on=episode.surgery_on,
        started_on=episode.started_on,
        ended_on=episode.ended_on,
        status=episode.status,
        pt_name=episode.pt.name,
    )


def outcomes(client: Client, sources: Sources) -> tuple[OutcomeView, ...]:
    return outcomes_of([episode.pk for episode in episodes_of(client, sources)])


def outcomes_of(episode_ids: Collection[UUID]) -> tuple[OutcomeView, ...]:
    """Each measure (and side) of each episode as one series, oldest value first."""
    rows = (
        Measurement.objects.filter(episode_id__in=list(episode_ids))
        .select_related("measure")
        .prefetch_related(
            Prefetch(
                "measure__important_changes",
                queryset=ImportantChange.objects.order_by("amount", "id"),
            )
        )
        .order_by("episode_id", "measure__position", "measure_id", "side", "taken_on", "id")
    )
    series = groupby(rows, key=lambda row: (row.episode_id, row.measure_id, row.side))
    return tuple(_outcome(list(group)) for _, group in series)


def gates(client: Client, sources: Sources) -> tuple[GatesView, ...]:
    return gates_of([episode.pk for episode in episodes_of(client, sources)])


def gates_of(episode_ids: Collection[UUID]) -> tuple[GatesView, ...]:
    """The gates of each episode that has some, in the order of `episode_ids`, each held against
    what was measured in its own episode."""
    rows = Gate.objects.filter(episode_id__in=list(episode_ids)).select_related("measure")
    named: dict[UUID, list[Gate]] = {}
    for row in rows.order_by("added_at", "id"):
        named.setdefault(row.episode_id, []).append(row)
    if not named:
        return ()
    taken: dict[tuple[UUID, str], list[gate_rules.Taken]] = {}
    scores = Measurement.objects.filter(episode_id__in=list(named))
    for score in scores.order_by("taken_on", "recorded_at", "id"):
        value = gate_rules.Taken(score.value, score.side, score.taken_on)
        taken.setdefault((score.episode_id, score.measure_id), []).append(value)
    return tuple(
        _gates(episode_id, named[episode_id], taken)
        for episode_id in episode_ids
        if episode_id in named
    )


def _gates(
    episode_id: UUID,
    rows: Sequence[Gate],
    taken: Mapping[tuple[UUID, str], Sequence[gate_rules.Taken]],
) -> GatesView:
    found = []
    for row in rows:
        compared = gate_rules.NOT_MEASURED
        if row.measure_id and row.value is not None:
            values = taken.get((episode_id, row.measure_id), ())
            compared = gate_rules.compare(Comparator(row.comparator), row.value, row.side, values)
        found.append((row, compared))
    return GatesView(
        episode_id=episode_id,
        items=tuple(_gate_view(row, compared) for row, compared in found),
        summary=gate_rules.summary([compared.standing for _, compared in found]),
    )


def _gate_view(row: Gate, compared: gate_rules.Compared) -> GateView:
    name = row.measure.name if row.measure else row.test
    sentence = wording.criterion_sentence(
        Criterion(
            kind=CriterionKind.TEST,
            measure=name,
            comparator=Comparator(row.comparator) if row.comparator else None,
            value=row.value,
            unit=Unit(row.unit) if row.unit else None,
            side=Laterality(row.side) if row.side else None,
        )
    )
    by = compared.by
    return GateView(
        id=row.pk,
        measure=row.measure_id or "",
        test=row.test,
        sentence=sentence,
        comparator=row.comparator,
        value=row.value,
        unit=row.unit,
        side=row.side,
        source=row.source,
        standing=compared.standing.value,
        standing_label=str(compared.standing.label),
        measured=by.value if by else None,
        measured_side=by.side if by else "",
        measured_on=by.taken_on if by else None,
    )


def notes(client: Client, sources: Sources) -> tuple[NoteView, ...]:
    rows = _signed_notes(client, sources).prefetch_related("goals", "addenda")
    found = list(rows)
    reasons = rationales_of([note.episode_id for note in found])
    return tuple(note_view(note, reasons.get(note.episode_id, ())) for note in found)


def signed_note_of(episode: Episode) -> NoteView | None:
    note = (
        DischargeNote.objects.filter(episode=episode, signed_at__isnull=False)
        .prefetch_related("goals", "addenda")
        .first()
    )
    if note is None:
        return None
    return note_view(note, rationales_of([episode.pk]).get(episode.pk, ()))


def note_view(note: DischargeNote, rationales: Sequence[tuple[UUID, str]]) -> NoteView:
    """A note with its goals and addenda; empty fields are left out."""
    shown = ((name, label, shown_text(note, name)) for name, label in NOTE_FIELDS)
    return NoteView(
        id=note.pk,
        episode_id=note.episode_id,
        fields=tuple(entry for entry in shown if entry[2]),
        goals=goals_of(note),
        rationales=tuple(rationales),
        signed_at=note.signed_at,
        signer_name=note.signer_name,
        signer_credential=note.signer_credential,
        licence_state=note.licence_state,
        licence_number=note.licence_number,
        content_hash=note.content_hash,
        addenda=tuple(
            AddendumView(each.pk, each.text, each.signed_at, each.signer_name)
            for each in note.addenda.all()
        ),
    )


def goals_of(note: DischargeNote) -> tuple[GoalView, ...]:
    return tuple(
        GoalView(each.pk, each.text, each.outcome, each.get_outcome_display(), each.why_not)
        for each in note.goals.all()
    )


def feedback(
    client: Client, sources: Sources, *, asked_for: UUID | None = None
) -> tuple[FeedbackView, ...]:
    """Reports and facts by the given professionals (None: by all), newest first.

    Facts are told once their referral has gone out. Before, the client reads them (and with them
    what `asked_for` would read): they are asked about just these.
    """
    rows = LoopReport.objects.filter(referral__client=client)
    facts = ReferOutFacts.objects.filter(client=client)
    if sources is None:
        facts = facts.exclude(referral__state__in=HIDDEN_FROM_CLIENT)
    else:
        rows = rows.filter(author_id__in=list(sources))
        waits = Q(referral__state=State.AWAITING_CONSENT, referral__recipient=asked_for)
        facts = facts.filter(
            Q(referral__sent_at__isnull=False) | waits, author_id__in=list(sources)
        ).exclude(referral__state=State.ENTERED_IN_ERROR)
    told = [*_reports(rows), *_told_facts(facts)]
    return tuple(sorted(told, key=lambda each: (each.sent_at, each.id), reverse=True))


def facts_view(row: ReferOutFacts) -> FactsView:
    """The facts of one referral as read."""
    return FactsView(
        referral_id=row.referral_id,
        author=row.author.name,
        observations=row.observations,
        body_region=row.body_region,
        body_region_label=row.get_body_region_display(),
        laterality=row.laterality,
        laterality_label=row.get_laterality_display(),
        pain_now=row.pain_now,
        pain_worst=row.pain_worst,
        signs=tuple((each.value, str(each.label)) for each in RedSign if each in row.signs),
        since=row.since,
        stopped=row.stopped,
        saved_at=row.saved_at,
        is_red=is_red(row.signs, row.pain_now, row.pain_worst),
    )


def _told_facts(rows: QuerySet[ReferOutFacts]) -> Iterable[FeedbackView]:
    for row in rows.select_related("author__user", "referral"):
        yield FeedbackView(
            id=row.pk,
            referral_id=row.referral_id,
            kind="facts",
            kind_label="Seen in training",
            author=row.author.name,
            sessions_held=None,
            observations=row.observations,
            sent_at=row.referral.sent_at or row.saved_at,
            facts=facts_view(row),
        )


def _reports(rows: QuerySet[LoopReport]) -> Iterable[FeedbackView]:
    return (
        FeedbackView(
            id=row.pk,
            referral_id=row.referral_id,
            kind=row.kind,
            kind_label=row.get_kind_display(),
            author=row.author.name,
            sessions_held=row.sessions_held,
            observations=row.observations,
            sent_at=row.sent_at,
        )
        for row in rows.select_related("author__user")
    )


def draft_restrictions(episode: Episode, today: date) -> tuple[DraftRestrictionView, ...]:
    """Unsigned restrictions of an episode, each with its findings."""
    rows = RestrictionVersion.objects.drafts_of(episode.pk)
    return tuple(draft_view(row, today) for row in rows)


def stored_values(row: models.Model) -> tuple[tuple[str, object], ...]:
    """(name, value) of every concrete field, for filling a form."""
    return tuple((field.name, field.value_from_object(row)) for field in row._meta.concrete_fields)


def shown_text(row: models.Model, name: str) -> str:
    """A field as people read it: the label of a choice, a date in words, yes for a tick."""
    value = getattr(row, name)
    if value is None or value == "" or value is False:
        return ""
    if value is True:
        return "Yes"
    if isinstance(value, date):
        return date_format(value)
    display = getattr(row, f"get_{name}_display", None)
    return str(display()) if display else str(value)


def _signed_notes(client: Client, sources: Sources) -> QuerySet[DischargeNote]:
    episodes = episodes_of(client, sources).order_by()
    return (
        DischargeNote.objects.filter(episode__in=episodes, signed_at__isnull=False)
        .select_related("episode__pt__practice")
        .order_by("-signed_at", "-id")
    )


def _signed_versions(client: Client, sources: Sources) -> list[RestrictionVersion]:
    return list(_newest_signed([each.pk for each in episodes_of(client, sources)]))


def _newest_signed(episode_ids: Collection[UUID]) -> QuerySet[RestrictionVersion]:
    return RestrictionVersion.objects.newest_signed(episode_ids).select_related(
        "restriction__episode__pt__practice", "restriction__episode__pt__user", "set_by"
    )


def restriction_views(
    versions: Sequence[RestrictionVersion],
    client: Client,
    reader_ids: Collection[UUID],
    at: datetime,
) -> tuple[RestrictionView, ...]:
    """Versions as read, strictest first. Acknowledgements as in `restrictions`."""
    acknowledged = Acknowledgement.objects.filter(version__in=[each.pk for each in versions])
    seen: dict[UUID, datetime] = {}
    for row in acknowledged.order_by("acknowledged_at"):
        if not reader_ids or row.professional_id in reader_ids:
            seen[row.version_id] = row.acknowledged_at
    today = at.astimezone(ZoneInfo(client.time_zone)).date()
    views = [_restriction_view(each, client, seen.get(each.pk), today) for each in versions]
    return tuple(sorted(views, key=_strictest_first))


def _strictest_first(view: RestrictionView) -> tuple[int, date, str]:
    return (SEVERITY_ORDER[Severity(view.severity)], view.review_on, str(view.id))


def _restriction_view(
    version: RestrictionVersion, client: Client, acknowledged_at: datetime | None, today: date
) -> RestrictionView:
    spec = version.spec()
    episode = version.restriction.episode
    overdue = version.is_review_overdue_on(today)
    return RestrictionView(
        id=version.restriction_id,
        version_id=version.pk,
        client_id=client.pk,
        episode_id=episode.pk,
        version=version.number,
        status=version.status,
        kind=version.kind,
        severity=version.severity,
        body_region=version.body_region,
        laterality=version.laterality,
        patterns=tuple(version.patterns),
        joint_action=version.joint_action,
        comparator=version.comparator,
        value=version.value,
        value_high=version.value_high,
        unit=version.unit,
        weight_bearing=version.weight_bearing,
        wording=version.wording,
        instead=version.instead,
        criteria=tuple(_criterion_view(each) for each in spec.criteria),
        review_on=version.review_on,
        review_overdue=overdue,
        review_sentence=wording.review_line(version.review_on, today=today),
        authority=version.authority,
        authority_name=version.authority_name,
        authority_on=version.authority_on,
        set_by=version.set_by.name,
        set_on=_day(version.signed_at or version.set_at, episode.pt),
        acknowledged_at=acknowledged_at,
        headline=wording.headline(spec),
        sentence=wording.sentence(spec),
        plate=wording.plate_text(spec),
        plate_caption=wording.plate_caption(spec),
        lifts_when=wording.lifts_when(spec, pt=episode.pt.name),
        earliest_lift_on=version.earliest_lift_on,
        earliest_sentence=wording.earliest_line(spec, today),
        map_regions=tuple(parts_of(spec.body_region, spec.laterality)),
    )


def _criterion_view(criterion: Criterion) -> CriterionView:
    return CriterionView(
        kind=criterion.kind,
        measure=criterion.measure,
        comparator=criterion.comparator or "",
        value="" if criterion.value is None else measures.number(criterion.value),
        unit=criterion.unit or "",
        side=criterion.side or "",
        sentence=wording.criterion_sentence(criterion),
    )


def draft_view(version: RestrictionVersion, today: date) -> DraftRestrictionView:
    """An unsigned version, with what is wrong with it."""
    spec = version.spec()
    findings = check(spec, today=today)
    return DraftRestrictionView(
        version_id=version.pk,
        restriction_id=version.restriction_id,
        values=stored_values(version),
        headline=wording.headline(spec),
        sentence=wording.sentence(spec),
        plate=wording.plate_text(spec),
        severity=version.severity,
        map_regions=tuple(parts_of(spec.body_region, spec.laterality)),
        errors=_flat(findings.errors),
        warnings=_flat(findings.warnings),
    )


def _flat(texts: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, found in texts.items() for text in found)


def _outcome(rows: Sequence[Measurement]) -> OutcomeView:
    measure = rows[0].measure
    references = list(measure.important_changes.all())
    change = measures.change(
        measures.Measure(
            code=measure.code,
            name=measure.name,
            low=measure.low,
            high=measure.high,
            unit=_unit(measure.unit),
            higher_is_better=measure.higher_is_better,
            integer_only=measure.whole_numbers,
            changes=tuple(
                measures.ImportantChange(
                    each.amount, each.population, each.source, usual=each.usual
                )
                for each in references
            ),
        ),
        rows[0].value,
        rows[-1].value,
    )
    return OutcomeView(
        episode_id=rows[0].episode_id,
        measure=measure.code,
        name=measure.name,
        unit=measure.unit,
        low=measure.low,
        high=measure.high,
        higher_is_better=measure.higher_is_better,
        side=rows[0].side,
        values=tuple(
            MeasurementView(each.pk, each.moment, Decimal(each.value), each.side, each.taken_on)
            for each in rows
        ),
        change_sentence=change.sentence if len(rows) > 1 else "",
        reaches_reference=len(rows) > 1 and change.reaches,
    )


def _unit(stored: str) -> measures.MeasureUnit:
    """A unit admins left open, or one of their own, counts as points: no rule depends on it."""
    known = stored in measures.MeasureUnit.values
    return measures.MeasureUnit(stored) if known else measures.MeasureUnit.POINTS


def rationales_of(episode_ids: Collection[UUID]) -> dict[UUID, tuple[tuple[UUID, str], ...]]:
    """Episode -> (restriction id, clinical reason) for restrictions that have one."""
    found: dict[UUID, tuple[tuple[UUID, str], ...]] = {}
    for version in _newest_signed(episode_ids):
        if version.rationale:
            episode_id = version.restriction.episode_id
            entry = (version.restriction_id, version.rationale)
            found[episode_id] = (*found.get(episode_id, ()), entry)
    return found


def _title(professional: Professional, at: datetime) -> str:
    day = at.astimezone(ZoneInfo(professional.practice.time_zone)).date()
    titles = [
        held.title
        for held in valid_credentials(professional.user_id, day)
        if held.title and held.kind != Credential.Kind.CPR_AED
    ]
    return ", ".join(dict.fromkeys(titles)) or professional.get_role_display()


def _day(moment: datetime, professional: Professional) -> date:
    return moment.astimezone(ZoneInfo(professional.practice.time_zone)).date()
