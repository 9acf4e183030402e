"""Make a draft client and episode out of a Bundle that was read. All rows or none.

A person is recognised by the record numbers in the file, and only among the clients that the same
therapist imported: another therapist's import of the same file makes a record of its own, so that
nobody learns from it whether somebody is known here. Two records of one person are merged when
the person takes up both invitations.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clients import licensing
from clients.models import Client, ClientIdentifier, Professional
from handoff.core import audit, subjects
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotAllowed
from referrals.fhir_bundle import BundleReading, EpisodeDraft, PatientDraft
from referrals.models import Episode

SOURCE = "fhir"
MAX_SURGERY = 300


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What is there now. `created` is False when the therapist had imported this patient before:
    then nothing was written, and `episode_id` is that of the earlier import, if it still exists."""

    client_id: UUID
    episode_id: UUID | None
    created: bool
    remarks: tuple[str, ...]


def import_bundle(
    *, actor: Actor, reading: BundleReading, pt_email: str, at: datetime | None = None
) -> ImportResult:
    """Write the draft for the physical therapist who signs in with `pt_email`.

    Only the system, or that therapist, may do it. Raises Invalid when the file has nothing to
    start an episode with, holds dates of the future, or no therapist is known under the address;
    NotAllowed when the actor may not, or the therapist holds no licence valid now. The client is
    marked as brought by the therapist; the episode waits for review and is in force for nobody.
    """
    at = at or timezone.now()
    with transaction.atomic():
        pt = _therapist(pt_email)
        if not actor.is_system and actor.user_id != pt.user_id:
            raise NotAllowed("You can import for yourself only.")
        licensing.require_acceptor(pt, at=at)
        today = licensing.local_day(pt, at)
        draft = reading.episode
        if draft is None:
            raise Invalid("The file holds no musculoskeletal condition to start an episode with.")
        _refuse_future(reading.patient, draft, today)
        if (known := _known(pt, reading.patient)) is not None:
            with subjects.of(known.pk):
                earlier = known.episodes.filter(pt=pt, source=SOURCE).order_by("created_at").first()
            return ImportResult(known.pk, earlier.pk if earlier else None, False, ())
        client, remarks = _client(pt, reading.patient)
        with subjects.of(client.pk):
            episode = _episode(pt, client, draft, today)
        licences = licensing.valid_credentials(pt.user_id, today)
        if licensing.licence_for(licences, client.state) is None:
            remarks.append("The therapist holds no licence valid today in the client's state.")
        facts = {"client": str(client.pk), "episode": str(episode.pk), "for": str(pt.pk)}
        audit.record(actor, "client.imported", client, at=at, facts=facts)
    return ImportResult(client.pk, episode.pk, True, (*reading.remarks, *remarks))


def _therapist(email: str) -> Professional:
    """Locked, so that two imports of one file for one therapist come one after the other."""
    # A command line may hold bytes that are no text, and no address.
    address = email.strip().lower().encode(errors="replace").decode()
    pt = (
        Professional.objects.select_for_update(of=("self",), no_key=True)
        .select_related("user", "practice")
        .filter(user__email=address, user__is_active=True)
        .filter(role=Professional.Role.PT, left_at__isnull=True)
        .first()
    )
    if pt is None:
        raise Invalid("No physical therapist is known under that address.")
    return pt


def _refuse_future(patient: PatientDraft, draft: EpisodeDraft, today: date) -> None:
    """A plan may end in the future; what has happened cannot."""
    happened = [patient.birth_date, draft.condition.onset]
    happened += [procedure.performed_on for procedure in draft.procedures]
    if draft.care_plan:
        happened.append(draft.care_plan.start)
    if any(day > today for day in happened if day):
        raise Invalid("The file holds dates that lie in the future.")


def _known(pt: Professional, patient: PatientDraft) -> Client | None:
    """The client this therapist imported under one of the file's record numbers."""
    same = Q()
    for identifier in patient.identifiers:
        same |= Q(system=identifier.system, value=identifier.value)
    rows = ClientIdentifier.objects.filter(same, owner=pt).select_related("client__merged_into")
    found = {row.client.merged_into or row.client for row in rows}
    if len(found) > 1:
        raise Invalid("The record numbers in the file belong to two different clients.")
    return next(iter(found), None)


def _client(pt: Professional, patient: PatientDraft) -> tuple[Client, list[str]]:
    remarks = []
    if not patient.state:
        remarks.append("The file names no state: the therapist's practice stands in for it.")
    client = Client.objects.create(
        first_name=patient.first_name,
        last_name=patient.last_name,
        birth_date=patient.birth_date,
        email=patient.email.lower(),
        phone=patient.phone,
        state=patient.state or pt.practice.state,
        time_zone=pt.practice.time_zone,
        language=patient.language or "en",
        created_by=pt,
    )
    ClientIdentifier.objects.bulk_create(
        ClientIdentifier(client=client, owner=pt, system=one.system, value=one.value)
        for one in patient.identifiers
    )
    return client, remarks


def _episode(pt: Professional, client: Client, draft: EpisodeDraft, today: date) -> Episode:
    condition, plan = draft.condition, draft.care_plan
    started = (plan.start if plan else None) or today
    ended = plan.end if plan and plan.end and plan.end >= started else None
    finished = plan is not None and plan.status == "completed"
    dated = [one.performed_on for one in draft.procedures if one.performed_on]
    return Episode.objects.create(
        client=client,
        pt=pt,
        status=Episode.Status.REVIEW,
        condition=condition.words,
        icd10_code=condition.icd10,
        body_region=condition.region,
        laterality=condition.laterality or "",
        onset_on=condition.onset,
        surgery="; ".join(dict.fromkeys(one.words for one in draft.procedures))[:MAX_SURGERY],
        surgery_on=max(dated, default=None),
        started_on=started,
        last_visit_on=ended if finished and ended and ended <= today else None,
        planned_discharge_on=None if finished else ended,
        source=SOURCE,
    )
