"""Erasure: who may ask, what goes, what stays for how long and for whom, and no other way out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from clients import consent as consents
from clients.access import actor_for
from clients.consent import ConsentState
from clients.models import (
    AccessEntry,
    Client,
    Consent,
    ConsentEvent,
    Credential,
    Erasure,
    Guardianship,
    Invitation,
    RecordRetention,
    User,
)
from clients.scopes import Scope
from handoff.core import subjects, tokens
from handoff.core.actors import SYSTEM
from handoff.core.audit import AuditEntry
from handoff.core.errors import NotAllowed, NotVisible, Stale
from handoff.core.ledger import verify
from referrals import access, care, disclosure, lifecycle, screenings, sharing
from referrals import reminders as reminding
from referrals.models import (
    Addendum,
    DischargeNote,
    Episode,
    Gate,
    Goal,
    Referral,
    ReferralMessage,
    Reminder,
    RestrictionVersion,
    Screening,
    Wish,
)
from referrals.rights import erasure
from referrals.rights.erasure import FATES, GRACE, Fate
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    DischargeNoteFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    RestrictionVersionFactory,
    acting,
    asked_consent,
    signed_note,
)
from tests.guards.test_sensitivity import own_models
from tests.referrals.scenes import Therapy
from tests.rights.accounts import account_of

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2010, 3, 1, 12, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def asked(client: Client, *, before: timedelta = GRACE + timedelta(hours=1)) -> Erasure:
    """A request whose days of grace are over by the clock of the database."""
    return erasure.ask_on_paper(client_id=client.pk, at=now() - before)


def treated_long_ago(**fields: Any) -> Client:
    """A record whose last entry lies further back than any law asks for."""
    client = ClientFactory.create(birth_date=date(1970, 1, 1), **fields)
    episode = EpisodeFactory.create(
        client=client,
        started_on=date(2009, 9, 1),
        last_visit_on=date(2010, 2, 1),
        created_at=LONG_AGO,
    )
    Gate.objects.create(client=client, episode=episode, test="Hop", added_by=episode.pt.user)
    note = signed_note(episode=episode, at=LONG_AGO)
    Episode.objects.filter(pk=episode.pk).update(ended_on=date(2010, 2, 1), status="finished")
    Addendum.objects.create(
        note=note, text="Later.", signed_at=LONG_AGO, signed_by=note.author,
        signer_name="A", licence_state="NY", licence_number="1",
    )  # fmt: skip
    RestrictionVersionFactory.create(restriction__episode=episode, signed_at=LONG_AGO)
    return client


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    scene.signed()
    scene.share(Scope.RESTRICTIONS, Scope.CLEARANCE, state=State.IN_PROGRESS)
    ReferralMessage.objects.create(referral=scene.referral, author=scene.pt, text="Between us")
    return scene


# --- the table ---------------------------------------------------------------------------------


def leads_to(model: type[models.Model], targets: set[type[models.Model]]) -> bool:
    return any(
        isinstance(field, models.ForeignKey) and field.related_model in targets
        for field in model._meta.concrete_fields
    )


def test_every_table_that_leads_to_a_client_has_a_fate() -> None:
    about: set[type[models.Model]] = {Client}
    while found := {
        model for model in own_models() if model not in about and leads_to(model, about)
    }:
        about |= found
    assert about - {kept.model for kept in FATES} == set()


def test_what_leads_to_an_account_only_has_a_fate_or_a_reason() -> None:
    theirs = {
        "Professional": "Works here: the account stays.",
        "Credential": "Belongs to somebody who works here: the account stays.",
        "LogEntry": "Of administrators: the account stays.",
    }
    found = {
        model.__name__
        for model in apps.get_models()
        if leads_to(model, {User}) and model not in {kept.model for kept in FATES}
    }
    assert found - {"User_groups", "User_user_permissions"} <= set(theirs)


# --- asking and calling off ---------------------------------------------------------------------


def test_the_client_asks_and_calls_it_off(scene: Therapy) -> None:
    at = now()
    request = erasure.ask(actor=actor_for(scene.client.user), client_id=scene.client.pk, at=at)
    assert request.due_at == at + GRACE
    assert AuditEntry.objects.latest("number").verb == "erasure.asked"
    with pytest.raises(Stale):
        erasure.ask(actor=actor_for(scene.client.user), client_id=scene.client.pk)
    with pytest.raises(Stale):
        erasure.erase(client_id=scene.client.pk, at=at + GRACE - timedelta(seconds=1))
    erasure.cancel(actor=actor_for(scene.client.user), client_id=scene.client.pk)
    assert AuditEntry.objects.latest("number").verb == "erasure.cancelled"
    with pytest.raises(Stale):
        erasure.erase(client_id=scene.client.pk, at=at + GRACE)
    with pytest.raises(Stale):
        erasure.cancel(actor=actor_for(scene.client.user), client_id=scene.client.pk)
    assert erasure.ask(actor=actor_for(scene.client.user), client_id=scene.client.pk)


@pytest.mark.parametrize("who", ["pt", "trainer", "other_pt"])
def test_nobody_asks_for_another(scene: Therapy, who: str) -> None:
    actor = actor_for(getattr(scene, who).user)
    with pytest.raises(NotVisible):
        erasure.ask(actor=actor, client_id=scene.client.pk)
    erasure.ask(actor=actor_for(scene.client.user), client_id=scene.client.pk)
    with pytest.raises(NotVisible):
        erasure.cancel(actor=actor, client_id=scene.client.pk)


def test_a_guardian_asks_for_a_minor_who_can_call_it_off() -> None:
    minor = ClientFactory.create(birth_date=now().date() - timedelta(days=365 * 15))
    guardian = GuardianshipFactory.create(client=minor).user
    with pytest.raises(NotAllowed):
        erasure.ask(actor=actor_for(minor.user), client_id=minor.pk)
    erasure.ask(actor=actor_for(guardian), client_id=minor.pk)
    assert erasure.cancel(actor=actor_for(minor.user), client_id=minor.pk).cancelled_at


# --- what happens -------------------------------------------------------------------------------


def test_what_may_go_goes_and_the_rest_is_as_announced(scene: Therapy) -> None:
    client, user = scene.client, account_of(scene.client)
    Invitation.objects.create(
        client=client, email="old@example.org", token_hash="x" * 64, invited_by=scene.pt,
        expires_at=now(),
    )  # fmt: skip
    tokens.issue(user_id=user.pk)
    Wish.objects.create(client=client, professional=scene.trainer, role="trainer", wished_by=user)
    before = erasure.outlook(client)
    kept = {line.what: line.count for line in before.lines if line.fate is not Fate.GOES}
    assert {line.what for line in before.lines if line.fate is Fate.GOES and line.count} >= {
        *("questions and answers", "invitations", "e-mail addresses", "keys to the API"),
        "whom you would like",
    }
    asked(client)
    request = erasure.erase(client_id=client.pk)
    assert (request.held_until, request.finished_at) == (before.held_until, None)
    after = {line.what: line for line in erasure.outlook(Client.objects.get(pk=client.pk)).lines}
    gone = [line for line in before.lines if line.fate is Fate.GOES]
    assert [line.what for line in gone if after[line.what].count] == []
    for what, count in kept.items():
        if what not in ("account", "what was agreed to", "requests to erase"):
            assert after[what].count == count, what
    client.refresh_from_db()
    assert (client.user, client.email, client.phone) == (None, "", "")
    assert client.erased_at is not None
    user.refresh_from_db()
    assert (user.first_name, user.last_name, user.is_active) == ("Erased", "", False)
    assert user.email.endswith("@erased.invalid")
    assert not user.has_usable_password()
    assert not EmailAddress.objects.filter(user=user).exists()


def test_all_sharing_ends_and_questions_are_taken_back(scene: Therapy) -> None:
    other = ProfessionalFactory.create(trainer=True)
    question = asked_consent(client=scene.client, discloser=scene.pt, recipient=other)
    asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    found = consents.standings(Consent.objects.filter(client=scene.client), now())
    assert found[scene.consent.pk].state is ConsentState.REVOKED
    assert found[question.pk].state is ConsentState.WITHDRAWN
    event = ConsentEvent.objects.latest("number")
    assert (event.by, event.authority) == (None, "system")
    with pytest.raises(NotAllowed):
        consents.end_for_erased(actor=scene.as_client, client=scene.client)
    assert consents.end_for_erased(actor=SYSTEM, client=scene.client) == 0


def test_only_who_treated_them_reaches_the_record(scene: Therapy) -> None:
    client, at = scene.client, now()
    assert access.client_for(actor_for(scene.trainer.user), client.pk)
    assert access.referral_for(actor_for(scene.trainer.user), scene.referral.pk)
    user = account_of(client)
    asked(client)
    erasure.erase(client_id=client.pk)
    for account in (user, scene.trainer.user, scene.other_pt.user):
        actor = actor_for(User.objects.get(pk=account.pk))
        with pytest.raises(NotVisible):
            disclosure.disclose(actor=actor, client_id=client.pk, purpose="record")
        with pytest.raises(NotVisible):
            access.referral_for(actor, scene.referral.pk)
        with pytest.raises(NotVisible):
            sharing.consent_for(actor, scene.consent.pk)
        assert not access.clients_visible_to(actor, at).filter(pk=client.pk).exists()
        assert not sharing.consents_visible_to(actor, at).filter(client=client).exists()
    holder = actor_for(scene.pt.user)
    packet = disclosure.disclose(actor=holder, client_id=client.pk, purpose="record")
    assert packet.note
    assert Scope.TRAINING_FEEDBACK in packet.withheld
    assert access.clients_visible_to(holder, at).filter(pk=client.pk).exists()
    assert access.referral_for(holder, scene.referral.pk)


def test_a_guardian_reaches_nothing_either() -> None:
    minor = ClientFactory.create(birth_date=now().date() - timedelta(days=365 * 15))
    EpisodeFactory.create(client=minor)
    guardian = GuardianshipFactory.create(client=minor).user
    asked(minor)
    erasure.erase(client_id=minor.pk)
    with pytest.raises(NotVisible):
        access.client_for(actor_for(guardian), minor.pk)
    assert Guardianship.objects.get(client=minor).ended_at is not None
    guardian.refresh_from_db()
    assert guardian.is_active


def test_nothing_new_is_written_about_them(scene: Therapy) -> None:
    asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    actor = actor_for(scene.pt.user)
    with pytest.raises(Stale):
        care.open_episode(actor=actor, client_id=scene.client.pk, data={})
    with pytest.raises(Stale):
        lifecycle.draft(
            actor=actor,
            client_id=scene.client.pk,
            episode_id=scene.episode.pk,
            recipient_id=ProfessionalFactory.create(trainer=True).pk,
        )
    with pytest.raises(Stale):
        sharing.ask(
            actor=actor,
            client_id=scene.client.pk,
            discloser_id=scene.pt.pk,
            recipient_id=scene.trainer.pk,
            purpose="Again",
            classes=[Scope.CLEARANCE],
        )


def test_whoever_brought_them_in_without_treating_them_reaches_nothing(scene: Therapy) -> None:
    client = ClientFactory.create(created_by=scene.other_pt)
    EpisodeFactory.create(client=client, pt=scene.pt)
    assert access.client_for(scene.as_other_pt, client.pk)
    asked(client)
    erasure.erase(client_id=client.pk)
    with pytest.raises(NotVisible):
        access.client_for(scene.as_other_pt, client.pk)
    assert not access.clients_of(scene.as_other_pt).filter(pk=client.pk).exists()
    assert access.clients_of(scene.as_pt).filter(pk=client.pk).exists()


def test_reminders_stop_and_are_not_planned_again(scene: Therapy) -> None:
    reminding.restrictions_changed([scene.restriction().pk], at=now())
    assert Reminder.objects.filter(state__in=Reminder.WAITING).exists()
    asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    reminding.restrictions_changed([scene.restriction().pk], at=now())
    reminding.episode_changed(scene.episode, at=now())
    assert not Reminder.objects.filter(state__in=Reminder.WAITING).exists()
    assert not Reminder.objects.filter(shown_at__isnull=False, done_at=None).exists()


def test_the_ledgers_verify_and_hold_the_tombstone(scene: Therapy) -> None:
    looks = list(AccessEntry.objects.values_list("number", "hash"))
    asked(scene.client)
    request = erasure.erase(client_id=scene.client.pk)
    assert [verify(model) for model in (ConsentEvent, AccessEntry, AuditEntry)] == [None] * 3
    assert list(AccessEntry.objects.values_list("number", "hash"))[: len(looks)] == looks
    entry = AuditEntry.objects.get(verb="client.erased")
    assert entry.object_id == str(scene.client.pk)
    assert request.held_until is not None
    assert entry.facts["erasure"] == str(request.pk)
    assert entry.facts["held_until"] == request.held_until.isoformat()
    assert entry.facts["referrals_referralmessage"] == 1
    call_command("verify_ledger")


@pytest.mark.parametrize("papers", [True, False], ids=["with papers", "not checked yet"])
def test_somebody_who_works_here_keeps_their_account(scene: Therapy, papers: bool) -> None:
    user = scene.other_pt.user
    if not papers:
        Credential.objects.filter(user=user).delete()
    client = ClientFactory.create(user=user)
    asked(client)
    erasure.erase(client_id=client.pk)
    user.refresh_from_db()
    assert (user.is_active, user.first_name) == (True, scene.other_pt.user.first_name)
    assert EmailAddress.objects.filter(user=user).exists()
    client.refresh_from_db()
    assert (client.user, client.name) == (None, "Erased")


def test_doing_it_again_changes_nothing(scene: Therapy) -> None:
    asked(scene.client)
    first = erasure.erase(client_id=scene.client.pk)
    trail = AuditEntry.objects.count()
    assert erasure.erase(client_id=scene.client.pk).done_at == first.done_at
    assert AuditEntry.objects.count() == trail
    with pytest.raises(Stale):
        erasure.finish(client_id=scene.client.pk)


def test_unsigned_drafts_go(scene: Therapy) -> None:
    episode = EpisodeFactory.create(client=scene.client, pt=scene.pt)
    note = DischargeNoteFactory.create(episode=episode)
    Goal.objects.create(note=note, position=1, text="Draft")
    draft = RestrictionVersionFactory.create(restriction__episode=episode, draft=True)
    asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    assert not DischargeNote.objects.filter(pk=note.pk).exists()
    assert not RestrictionVersion.objects.filter(pk=draft.pk).exists()
    assert DischargeNote.objects.filter(episode=scene.episode).exists()


# --- the hold -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "born", "until"),
    [
        ("CA", date(1970, 1, 1), date(2027, 3, 1)),
        ("NY", date(1970, 1, 1), date(2026, 3, 1)),
        ("TX", date(1970, 1, 1), date(2030, 3, 1)),
        # Minors at the last entry: until 19, until 22, ten years from 18.
        ("CA", date(2010, 6, 1), date(2029, 6, 1)),
        ("NY", date(2010, 6, 1), date(2032, 6, 1)),
        ("TX", date(2010, 6, 1), date(2038, 6, 1)),
    ],
)
def test_how_long_it_is_held(state: str, born: date, until: date) -> None:
    client = ClientFactory.create(state=state, birth_date=born)
    EpisodeFactory.create(
        client=client,
        pt__practice__state=state,
        started_on=date(2020, 1, 1),
        last_visit_on=date(2020, 3, 1),
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    assert erasure.held_until(client) == until


def test_the_longest_period_of_the_states_concerned_counts() -> None:
    client = treated_long_ago(state="NY")
    assert erasure.held_until(client) == date(2016, 3, 1)
    Client.objects.filter(pk=client.pk).update(state="TX")
    assert erasure.held_until(client) == date(2020, 3, 1)


def test_without_any_known_period_nothing_is_erased() -> None:
    client = treated_long_ago()
    RecordRetention.objects.all().delete()
    asked(client)
    with pytest.raises(IntegrityError), transaction.atomic():
        erasure.erase(client_id=client.pk)
    assert DischargeNote.objects.filter(episode__client=client).exists()


def test_what_need_not_be_kept_goes_at_once_and_for_good() -> None:
    client = treated_long_ago()
    asked(client)
    erasure.erase(client_id=client.pk)
    request = erasure.finish(client_id=client.pk)
    assert request.finished_at is not None
    assert not Episode.objects.filter(client=client).exists()
    assert not DischargeNote.objects.exists()
    client.refresh_from_db()
    assert (client.name, client.birth_date) == ("Erased", erasure.BORN)
    assert AuditEntry.objects.latest("number").verb == "client.erasure_finished"
    assert [verify(model) for model in (ConsentEvent, AccessEntry, AuditEntry)] == [None] * 3
    left = {line.what for line in erasure.outlook(client).lines if line.count}
    assert left == {"name and contact details", "requests to erase"}


def test_a_whole_record_with_a_handoff_can_go(scene: Therapy) -> None:
    """Every foreign key between the tables, walked: the periods are made short for it."""
    asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    with pytest.raises(Stale):
        erasure.finish(client_id=scene.client.pk)
    with clock_of_the_database_far_ahead():
        erasure.finish(client_id=scene.client.pk, at=now() + timedelta(days=365 * 90))
    assert not Referral.objects.filter(client=scene.client).exists()
    assert not Episode.objects.filter(client=scene.client).exists()
    assert Consent.objects.filter(client=scene.client).exists()


@contextmanager
def clock_of_the_database_far_ahead() -> Iterator[None]:
    """The periods are years: what the database calls now is put off, for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('handoff_erase(uuid, boolean)'::regprocedure)")
        body = cursor.fetchone()[0]
        moved = body.replace("(clock_timestamp() AT TIME ZONE 'UTC')::date", "'2120-01-01'::date")
        assert moved != body
        cursor.execute(moved)
        yield
        cursor.execute(body)


def test_the_nightly_task_does_what_is_due_and_only_that() -> None:
    old, fresh, waiting = treated_long_ago(), treated_long_ago(), ClientFactory.create()
    asked(old)
    asked(fresh)
    erasure.ask_on_paper(client_id=waiting.pk)
    assert erasure.erase_due() == 2
    assert erasure.erase_due() == 2
    assert erasure.erase_due() == 0
    assert {
        row.finished_at is not None for row in Erasure.objects.filter(done_at__isnull=False)
    } == {True}
    waiting.refresh_from_db()
    assert waiting.erased_at is None


def test_one_that_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ClientFactory.create(), ClientFactory.create()
    asked(first, before=GRACE + timedelta(days=2))
    asked(second)
    once = erasure.erase

    def failing(*, client_id: Any, at: Any = None) -> Erasure:
        if client_id == first.pk:
            raise RuntimeError
        return once(client_id=client_id, at=at)

    monkeypatch.setattr(erasure, "erase", failing)
    assert erasure.erase_due() == 1
    second.refresh_from_db()
    assert second.erased_at is not None


# --- no other way out ---------------------------------------------------------------------------


def refused(sql: str, *values: Any) -> str:
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)
    return str(caught.value)


def test_a_hold_that_is_over_opens_no_other_door() -> None:
    """All is in place for erasing: a plain DELETE is refused all the same."""
    client = treated_long_ago()
    asked(client)
    erasure.erase(client_id=client.pk)
    for table in ("dischargenote", "goal", "addendum", "restrictionversion", "gate"):
        assert "is refused" in refused(
            f"DELETE FROM referrals_{table}"  # noqa: S608 (a name from above)
        ), table
    assert "is refused" in refused("UPDATE referrals_dischargenote SET course = 'other'")


@pytest.mark.parametrize("finish", [True, False])
def test_the_function_refuses_without_a_request(scene: Therapy, finish: bool) -> None:
    refused("SELECT handoff_erase(gen_random_uuid(), %s)", finish)


def test_the_function_refuses_in_the_days_of_grace_and_after_calling_off(scene: Therapy) -> None:
    row = erasure.ask_on_paper(client_id=scene.client.pk)
    assert "days of grace" in refused("SELECT handoff_erase(%s, false)", row.pk)
    row.cancelled_at = now()
    row.save()
    assert "not open" in refused("SELECT handoff_erase(%s, false)", row.pk)


def test_the_function_keeps_what_must_be_kept(scene: Therapy) -> None:
    row = asked(scene.client)
    assert "must still be kept" in refused("SELECT handoff_erase(%s, true)", row.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT handoff_erase(%s, false)", [row.pk])
    assert DischargeNote.objects.filter(signed_at__isnull=False).exists()


def test_the_function_touches_nobody_else(scene: Therapy) -> None:
    client = treated_long_ago()
    before = {
        model: model._default_manager.count() for model in (Episode, DischargeNote, Goal, Referral)
    }
    asked(client)
    erasure.erase(client_id=client.pk)
    erasure.finish(client_id=client.pk)
    gone = {model: before[model] - model._default_manager.count() for model in before}
    assert gone == {Episode: 1, DischargeNote: 1, Goal: 1, Referral: 0}
    assert DischargeNote.objects.get().episode == scene.episode


@pytest.mark.parametrize(
    "change",
    [
        "client_id = (SELECT id FROM clients_client WHERE id <> client_id LIMIT 1)",
        "due_at = due_at - interval '1 day'",
        "asked_at = asked_at - interval '1 day'",
        "held_until = held_until - 1",
        "held_until = NULL",
        "done_at = NULL",
    ],
)
def test_a_request_only_moves_forward(scene: Therapy, change: str) -> None:
    row = asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    assert "only moves forward" in refused(
        f"UPDATE clients_erasure SET {change}"  # noqa: S608 (words from above)
    )
    refused("DELETE FROM clients_erasure")
    Erasure.objects.filter(pk=row.pk).update(held_until=date(2099, 1, 1))


@contextmanager
def as_the_worker() -> Iterator[None]:
    """With the rights of the role that runs Celery, and so of the nightly task: it owns nothing
    and is bound by row-level security."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE handoff_worker")
        yield
        cursor.execute("RESET ROLE")


def test_a_role_that_owns_no_table_erases_through_the_function_and_not_otherwise() -> None:
    client = treated_long_ago()
    asked(client)
    with as_the_worker():
        erasure.erase(client_id=client.pk)
        with subjects.of(client.pk):
            assert "is refused" in refused("DELETE FROM referrals_dischargenote")
        for forged in (
            "INSERT INTO handoff_private.erasing VALUES (pg_current_xact_id(), %s, "
            "ARRAY['referrals_dischargenote'])",
            "SELECT %s::uuid FROM handoff_private.erasing",
        ):
            with pytest.raises(Exception, match="permission denied"), transaction.atomic():
                refused_or_not(forged, client.pk)
        with pytest.raises(Exception, match="only the owner"), transaction.atomic():
            RecordRetention.objects.update(years=1)
        assert erasure.finish(client_id=client.pk).finished_at
    assert not DischargeNote.objects.exists()


def refused_or_not(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_chains_stay_closed_to_the_function_too(scene: Therapy) -> None:
    disclosure.disclose(actor=scene.as_pt, client_id=scene.client.pk, purpose="record", at=NOON)
    for table in ("clients_consent", "clients_consentevent", "clients_accessentry"):
        assert "is refused" in refused(
            f"DELETE FROM {table}"  # noqa: S608 (a name from above)
        )
    assert "is refused" in refused("DELETE FROM core_auditentry")


def test_credentials_of_others_are_untouched(scene: Therapy) -> None:
    before = Credential.objects.count()
    asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    assert Credential.objects.count() == before
    assert acting(scene.pt).professional_ids


def test_kept_results_of_who_comes_first_go_with_the_rest(scene: Therapy) -> None:
    other = ClientFactory.create()
    for client in (scene.client, other):
        screenings.save(actor=acting(client), client_id=client.pk, answers={"pain": "yes"})
    asked(scene.client)
    erasure.erase(client_id=scene.client.pk)
    assert [row.client_id for row in Screening.objects.all()] == [other.pk]
