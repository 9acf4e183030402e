"""The person's own list: its words and pages, ticking off, putting off; the sender's view."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients import consent as consents
from clients.scopes import Scope
from handoff.core.actors import ANONYMOUS, SYSTEM, Actor
from handoff.core.errors import Invalid, NotVisible
from referrals import lifecycle, reminders, sharing
from referrals.models import Coverage, Reminder
from referrals.reasons import CancelReason, DeclineReason, FailReason
from referrals.reminders import planning, wording
from referrals.reminders.inbox import WITH_PEOPLE, Line
from referrals.reminders.rules import CATALOGUE, Audience, Rule, Subject
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ReferralFactory,
    UserFactory,
    acting,
    asked_consent,
    certified_trainer,
    licensed_pt,
)
from tests.referrals.reminder_scenes import DAY, HOUR, Scene, due_row, rows, scene

pytestmark = pytest.mark.django_db

# Words of the scene's record that no line may hold, and what would give it away.
CLINICAL = ("rotator", "cuff", "m75", "shoulder", "overhead", "press", "tear", "pain")


def cast() -> Scene:
    """Ana Lopez-Ruiz goes from Paula Berg to Tom Field."""
    paula = licensed_pt(user__first_name="Paula", user__last_name="Berg")
    tom = certified_trainer(user__first_name="Tom", user__last_name="Field")
    return scene(pt=paula, trainer=tom, client__first_name="Ana", client__last_name="Lopez-Ruiz")


def lines(actor: Actor, at: object = NOON) -> list[Line]:
    return reminders.mine(actor, at).items  # type: ignore[arg-type]  # a datetime


# --- words --------------------------------------------------------------------------------------


def words(rule: int, audience: str) -> tuple[str, str]:
    """Title and path of the first reminder of a rule for an audience, listed or not."""
    row = (
        Reminder.objects.filter(rule=rule, audience=audience)
        .select_related(*WITH_PEOPLE)
        .order_by("due_at", "id")
        .first()
    )
    assert row is not None, f"no reminder of rule {rule} for {audience}"
    return wording.title(row), wording.path(row)


def asked() -> Scene:
    return cast().send()


def sent() -> Scene:
    return asked().grant()


def accepted() -> Scene:
    return sent().accept()


def scheduled() -> Scene:
    return accepted().schedule(NOON + 3 * DAY)


def test_the_words_of_a_question_about_sharing() -> None:
    found = asked()
    assert words(4, "decider") == (
        "Paula Berg asks what you want to share with Tom Field.",
        "/consents/",
    )
    assert words(4, "asker") == (
        "Ana Lopez-Ruiz has not answered your question about sharing yet.",
        f"/clients/{found.client.pk}/",
    )


def test_the_words_for_a_guardian() -> None:
    guardian = GuardianshipFactory.create(client__first_name="Mira")
    found = scene(client=guardian.client)
    found.signer = guardian.user
    found.send()
    title, path = words(4, "decider")
    assert title.endswith(f"asks what to share about Mira with {found.trainer.name}.")
    assert path == "/consents/"
    found.grant()
    assert words(17, "decider")[0] == (
        f"Sharing about Mira with {found.trainer.name} ends after 1 Jun 2027."
    )


def test_the_words_about_a_referral() -> None:
    found = sent()
    here = f"/referrals/{found.pk}/"
    assert words(5, "recipient") == ("Ana has a handoff waiting for your answer.", here)
    assert words(5, "sender") == (
        "Tom Field has not answered your handoff for Ana Lopez-Ruiz yet.",
        here,
    )
    assert words(17, "decider") == (
        "Your sharing with Tom Field ends after 1 Jun 2027.",
        f"/consents/{found.consent.pk}/renew/",
    )
    found.step("ask", found.trainer, text="Which days?")
    assert words(23, "sender") == ("Tom Field asked you something about Ana Lopez-Ruiz.", here)
    found.step("answer", found.pt, text="Tuesdays.").accept()
    UserFactory.create(is_staff=True)
    reminders.people_changed(found.client.pk, at=NOON)
    record = f"/clients/{found.client.pk}/"
    assert words(7, "recipient") == ("Ana has no first session yet. Book one.", here)
    assert words(7, "client") == ("Book the first session with Tom Field.", here)
    assert words(7, "admin") == (
        "Tom Field accepted a handoff and has booked nothing.",
        "/admin/",
    )
    assert words(9, "recipient") == (
        "Ana: read and confirm what Paula Berg has set before you train.",
        record,
    )
    assert words(9, "sender") == (
        "Tom Field has not confirmed what you set for Ana Lopez-Ruiz.",
        here,
    )
    assert words(12, "pt") == ("Ana Lopez-Ruiz: a review is due.", record)
    assert words(12, "reader") == (
        "Ana: Paula Berg has a review to do. Nothing changes until you hear of it.",
        record,
    )
    assert words(12, "admin") == ("Paula Berg has a review that is overdue.", "/admin/")
    found.acknowledge().schedule(NOON + 3 * DAY)
    assert words(8, "client") == (
        "The first session with Tom Field: 16 Jan 2027, 12:00.",
        here,
    )
    assert words(8, "recipient") == ("First session with Ana: 16 Jan 2027, 12:00.", here)
    assert words(26, "recipient") == ("Ana: say whether the session took place.", here)
    found.step("begin", found.trainer, NOON + 4 * DAY)
    assert words(21, "recipient") == ("Ana: Paula Berg would like to hear how it goes.", here)
    assert words(21, "sender") == ("Tom Field has sent no report about Ana Lopez-Ruiz.", here)
    found.step("cancel", found.pt, NOON + 5 * DAY, reason_code=CancelReason.OTHER)
    assert words(24, "recipient") == (
        "Ana: you are asked to confirm that this is called off.",
        here,
    )
    found.revoke(NOON + 6 * DAY)
    assert words(25, "reader") == ("Sharing about Ana has ended.", "/referrals/")
    assert words(25, "discloser") == (
        "Tom Field no longer sees what you shared about Ana Lopez-Ruiz.",
        record,
    )


def _decline(found: Scene) -> None:
    found.send().grant().step("decline", found.trainer, reason_code=DeclineReason.NO_CAPACITY)


def _expire(found: Scene) -> None:
    found.send().grant()
    lifecycle.time_out(at=NOON + 20 * DAY)


def _not_shared(found: Scene) -> None:
    found.send()
    sharing.decline(actor=acting(found.client), consent_id=found.consent.pk, at=NOON)


def _fail(found: Scene) -> None:
    found.send().grant().accept().acknowledge()
    found.step("begin", found.trainer)
    found.step("fail", found.trainer, reason_code=FailReason.CLIENT_STOPPED)


@pytest.mark.parametrize(
    ("end", "title"),
    [
        (_decline, "Tom Field cannot take Ana Lopez-Ruiz. Choose somebody else."),
        (_expire, "Tom Field did not answer in time. Choose somebody else for Ana Lopez-Ruiz."),
        (_not_shared, "Nothing is shared, so your handoff for Ana Lopez-Ruiz has ended."),
        (_fail, "Tom Field ended the training of Ana Lopez-Ruiz. See what happened."),
    ],
)
def test_the_words_about_an_end(end: Callable[[Scene], None], title: str) -> None:
    UserFactory.create(is_staff=True)
    found = cast()
    end(found)
    assert words(6, "sender") == (title, f"/referrals/{found.pk}/")
    assert words(6, "admin") == ("A handoff of Paula Berg ended and nothing followed.", "/admin/")


def test_the_words_to_the_client_about_an_end() -> None:
    found = cast()
    _decline(found)
    assert words(6, "client") == (
        "Tom Field cannot take it on. Paula Berg can ask somebody else.",
        f"/referrals/{found.pk}/",
    )


def test_the_words_before_a_note_is_signed() -> None:
    UserFactory.create(is_staff=True)
    made = EpisodeFactory.create(
        client__first_name="Ana",
        client__last_name="Lopez-Ruiz",
        pt__user__first_name="Paula",
        pt__user__last_name="Berg",
        planned_discharge_on=date(2027, 2, 1),
    )
    reminders.episode_changed(made, at=NOON)
    here = f"/discharge/{made.pk}/"
    assert words(1, "pt") == (
        "Ana Lopez-Ruiz: the planned discharge is near. Finish the note.",
        here,
    )
    assert words(1, "admin") == (
        "Paula Berg has a planned discharge without a signed note.",
        "/admin/",
    )
    assert words(3, "pt") == (
        "Ana Lopez-Ruiz: the note is not signed. Sign it, or plan the discharge.",
        here,
    )
    assert words(3, "admin") == ("Paula Berg has a note that waits for a signature.", "/admin/")


def test_the_words_about_visits_that_run_out() -> None:
    made = EpisodeFactory.create(client__first_name="Ana", client__last_name="Lopez-Ruiz")
    Coverage.objects.create(episode=made, client=made.client, payer="A plan", low_since=NOON)
    reminders.episode_changed(made, at=NOON)
    assert words(2, "pt") == (
        "Ana Lopez-Ruiz: few visits or days are left. Plan how it goes on.",
        f"/episodes/{made.pk}/coverage/",
    )


@pytest.mark.parametrize("minor", [False, True])
def test_the_words_about_what_a_trainer_would_tell(minor: bool) -> None:
    """Asked of the client or a guardian, waiting for a therapist, and over."""
    client = ClientFactory.create(first_name="Ana", last_name="Lopez-Ruiz", minor=minor)
    signer = GuardianshipFactory.create(client=client).user if minor else client
    tom = certified_trainer(user__first_name="Tom", user__last_name="Field")
    paula = licensed_pt(user__first_name="Paula", user__last_name="Berg")
    referral = ReferralFactory.create(
        kind="refer_out",
        client=client,
        episode=None,
        note=None,
        sender=tom,
        recipient=paula,
        state="sent",
        sent_at=NOON,
        state_at=NOON,
    )
    asked = asked_consent(
        client=client, discloser=tom, recipient=paula, classes=frozenset({Scope.TRAINING_FEEDBACK})
    )
    reminders.consent_asked(asked, urgent=False, at=NOON)
    whose = "how Ana is training" if minor else "how your training goes"
    assert words(4, "decider")[0] == f"Tom Field asks whether to tell Paula Berg {whose}."
    consents.grant(
        actor=acting(signer),
        consent_id=asked.pk,
        classes=[Scope.TRAINING_FEEDBACK],
        expires_on=date(2027, 6, 1),
        at=NOON,
    )
    planning.plan([(Subject.REFERRAL, referral.pk)], at=NOON)
    assert "Ana" in words(5, "recipient")[0]
    consents.revoke(actor=acting(signer), consent_id=asked.pk, at=NOON)
    reminders.consent_changed(asked, at=NOON)
    assert words(25, "discloser")[0] == (
        "Paula Berg no longer reads what you told about Ana Lopez-Ruiz."
    )


def test_the_words_about_a_credential() -> None:
    credential = CredentialFactory.create(
        expires_on=date(2027, 4, 1), user__first_name="Paula", user__last_name="Berg"
    )
    reminders.credential_changed(credential, at=NOON)
    assert words(19, "owner") == (
        "Physical therapist licence: yours ends on 1 Apr 2027. Renew it in time.",
        "/profile/",
    )
    assert words(19, "admin") == (
        "Paula Berg: Physical therapist licence ends on 1 Apr 2027.",
        "/admin/",
    )


def test_a_credential_that_is_over_does_not_end_in_the_future(time_machine: Any) -> None:
    credential = CredentialFactory.create(
        expires_on=date(2027, 4, 1),
        user__first_name="Paula",
        user__last_name="Berg",
        user__time_zone="America/New_York",
    )
    reminders.credential_changed(credential, at=NOON)
    time_machine.move_to(datetime(2027, 4, 2, 3, 0, tzinfo=UTC))  # still 1 April in New York
    assert "yours ends on 1 Apr 2027." in words(19, "owner")[0]
    time_machine.move_to(datetime(2027, 4, 2, 5, 0, tzinfo=UTC))
    assert words(19, "owner")[0] == (
        "Physical therapist licence: yours ended on 1 Apr 2027. Renewal is due."
    )
    assert words(19, "admin")[0] == "Paula Berg: Physical therapist licence ended on 1 Apr 2027."


def test_a_reminder_about_something_else_has_no_words() -> None:
    row = due_row()
    row.rule_id = Rule.REFERRAL_WAITING.value
    with pytest.raises(LookupError):
        wording.title(row)
    row = Reminder(rule_id=17, audience="decider")
    with pytest.raises(LookupError):
        wording.title(row)


def test_the_last_day_is_left_out_where_none_is_known() -> None:
    sent()
    row = rows(17)[0]
    row.ends_at = None
    assert wording.title(row).endswith("ends after .")
    credential = due_row()
    assert credential.credential is not None
    credential.credential.expires_on = None
    assert "ends on ." in wording.title(credential)


def test_every_rule_and_audience_has_words() -> None:
    """By table: a new audience of a rule about referrals must bring its sentence."""
    about_referrals = {
        (rule, audience)
        for rule, row in CATALOGUE.items()
        for audience in {*row.audiences, row.escalates_to} - {None}
        if rule in {5, 6, 7, 8, 9, 21, 23, 24, 26}
    }
    own_words = {(Rule.REFERRAL_ENDED, Audience.SENDER)}
    assert about_referrals - own_words == set(wording._REFERRAL)


def test_no_line_of_a_whole_journey_holds_anything_clinical() -> None:
    UserFactory.create(is_staff=True)
    found = accepted()
    found.schedule(NOON + 3 * DAY)
    reminders.restrictions_changed([found.restriction.pk], at=NOON)
    found.revoke(NOON + HOUR)
    trainers = 0
    for row in Reminder.objects.select_related(*WITH_PEOPLE):
        title = wording.title(row).lower()
        for word in CLINICAL:
            assert word not in title
        if row.recipient_id == found.trainer.user_id:
            trainers += 1
            assert "lopez" not in title
    assert trainers > 5


# --- the list -----------------------------------------------------------------------------------


def test_mine_holds_what_was_due_and_nothing_of_others() -> None:
    found = asked()
    assert lines(acting(found.client)) == []
    reminders.sweep(at=NOON)
    (line,) = lines(acting(found.client))
    assert (line.rule, line.path, line.urgent, line.is_notice) == (4, "/consents/", False, False)
    assert (line.shown_at, line.done_at, line.snoozed_until) == (NOON, None, None)
    for other in (found.pt, found.trainer):
        assert lines(acting(other)) == []
    assert lines(ANONYMOUS) == []
    assert lines(SYSTEM) == []


def test_mine_leaves_out_what_is_not_so_any_more_though_nobody_closed_it() -> None:
    found = sent()
    reminders.sweep(at=NOON)
    assert len(lines(acting(found.trainer))) == 1
    type(found.referral).objects.filter(pk=found.pk).update(state="declined")
    assert lines(acting(found.trainer)) == []


def test_mine_forgets_a_session_once_it_has_begun() -> None:
    found = scheduled()
    at = NOON + 3 * DAY
    reminders.sweep(at=at - HOUR)
    assert 8 in {line.rule for line in lines(acting(found.client), at - HOUR)}
    assert reminders.open_count(acting(found.client), at - HOUR) == 1
    assert reminders.open_count(acting(found.client), at) == 0
    assert lines(acting(found.client), at) == []


def test_mine_comes_in_pages_and_the_newest_first() -> None:
    user = UserFactory.create()
    made = [due_row(user=user, shown_at=NOON, due_at=NOON - n * HOUR) for n in range(5)]
    first = reminders.mine(acting(user), NOON, size=3)
    second = reminders.mine(acting(user), NOON, size=3, cursor=first.next)
    assert [line.id for line in first.items + second.items] == [row.pk for row in made]
    assert second.next is None
    with pytest.raises(Invalid):
        reminders.mine(acting(user), NOON, cursor="made up")


def test_a_long_list_takes_as_many_queries_as_a_short_one() -> None:
    def queries(count: int) -> int:
        tom = certified_trainer()
        for _ in range(count):
            found = scene(trainer=tom).send().grant()
            due_row(user=tom.user, shown_at=NOON)
            Reminder.objects.filter(referral=found.pk).update(shown_at=NOON)
        actor = acting(tom)
        with CaptureQueriesContext(connection) as used:
            items = reminders.mine(actor, NOON, size=100).items
        assert len(items) == 4 * count
        return len(used)

    assert queries(1) == queries(4)


def test_the_bell_counts_what_is_open_in_one_query() -> None:
    user = UserFactory.create()
    for _ in range(3):
        due_row(user=user, shown_at=NOON)
    due_row(user=user)
    due_row(user=user, shown_at=NOON, done_at=NOON)
    due_row(user=user, shown_at=NOON, snoozed_until=NOON + HOUR)
    due_row(user=user, shown_at=NOON, ends_at=NOON)
    actor = acting(user)
    with CaptureQueriesContext(connection) as used:
        assert reminders.open_count(actor, NOON) == 3
    assert len(used) == 1
    assert reminders.open_count(actor, NOON + HOUR) == 4
    assert reminders.open_count(actor) >= 0
    assert reminders.open_count(ANONYMOUS) == 0


# --- ticking off, putting off -------------------------------------------------------------------


def test_done_is_done_and_its_mail_is_spared(mailoutbox: list[object]) -> None:
    row = due_row(shown_at=NOON, next_try_at=NOON + HOUR)
    actor = acting(row.recipient)
    done = reminders.mark_done(actor=actor, reminder_id=row.pk, at=NOON)
    assert (done.state, done.cancel_reason, done.done_at) == ("cancelled", "done", NOON)
    again = reminders.mark_done(actor=actor, reminder_id=row.pk, at=NOON + HOUR)
    assert again.done_at == NOON
    assert lines(actor) == []
    reminders.sweep(at=NOON + 2 * HOUR)
    assert mailoutbox == []


def test_done_does_not_end_the_wait_of_others() -> None:
    found = sent()
    reminders.sweep(at=NOON)
    (row, *later) = rows(5, audience="recipient")
    reminders.mark_done(actor=acting(found.trainer), reminder_id=row.pk, at=NOON)
    assert {each.state for each in rows(5, pk__in=[each.pk for each in later])} == {"pending"}
    at = NOON + 2 * DAY
    reminders.sweep(at=at)
    assert [line.rule for line in lines(acting(found.trainer), at)] == [5]


def test_a_notice_ticked_off_is_over_for_that_person() -> None:
    found = cast()
    _decline(found)
    reminders.sweep(at=NOON)
    (line,) = lines(acting(found.pt))
    assert line.is_notice
    reminders.mark_done(actor=acting(found.pt), reminder_id=line.id, at=NOON)
    states = {(row.audience, row.state) for row in rows(6) if row.audience != "admin"}
    assert states == {("sender", "accepted"), ("sender", "cancelled"), ("client", "accepted")}
    reminders.people_changed(found.client.pk, at=NOON)
    assert not rows(6, audience="sender", state="pending")


def test_put_off_it_is_out_of_sight_until_then() -> None:
    row = due_row(shown_at=NOON)
    actor = acting(row.recipient)
    until = NOON + 2 * DAY
    reminders.snooze(actor=actor, reminder_id=row.pk, until=until, at=NOON)
    assert lines(actor, until - HOUR) == []
    (line,) = lines(actor, until)
    assert line.snoozed_until == until


@pytest.mark.parametrize("days", [timedelta(0), timedelta(days=-1), timedelta(days=31)])
def test_put_off_to_a_time_that_makes_sense(days: timedelta) -> None:
    row = due_row(shown_at=NOON)
    with pytest.raises(Invalid) as refused:
        reminders.snooze(
            actor=acting(row.recipient), reminder_id=row.pk, until=NOON + days, at=NOON
        )
    assert "until" in refused.value.errors


def _done(actor: Actor, pk: object) -> None:
    reminders.mark_done(actor=actor, reminder_id=pk, at=NOON)  # type: ignore[arg-type]  # a UUID


def _snooze(actor: Actor, pk: object) -> None:
    reminders.snooze(actor=actor, reminder_id=pk, until=NOON + DAY, at=NOON)  # type: ignore[arg-type]  # a UUID


@pytest.mark.parametrize("act", [_done, _snooze])
def test_only_the_owner_and_only_what_is_listed(act: Callable[[Actor, object], None]) -> None:
    row = due_row(shown_at=NOON)
    unlisted = due_row()
    admin = UserFactory.create(is_staff=True)
    for actor, pk in (
        (acting(UserFactory.create()), row.pk),
        (acting(admin), row.pk),
        (ANONYMOUS, row.pk),
        (acting(unlisted.recipient), unlisted.pk),
        (acting(row.recipient), uuid4()),
    ):
        with pytest.raises(NotVisible):
            act(actor, pk)
    row.refresh_from_db()
    assert (row.done_at, row.snoozed_until) == (None, None)


# --- what the sender sees -----------------------------------------------------------------------


def test_the_sender_sees_that_the_other_side_was_reminded_and_when() -> None:
    found = cast()
    assert reminders.sent_for(found.referral) == ()
    found.send()
    reminders.sweep(at=NOON)
    found.grant(NOON + HOUR)
    reminders.sweep(at=NOON + HOUR)
    reminders.sweep(at=NOON + HOUR + 2 * DAY)
    seen = [
        (each.rule, each.audience, each.listed_at, each.mailed_at)
        for each in reminders.sent_for(found.referral)
    ]
    second = NOON + HOUR + 2 * DAY
    assert seen == [
        (4, Audience.DECIDER, NOON, NOON),
        (5, Audience.RECIPIENT, NOON + HOUR, NOON + HOUR),
        (5, Audience.RECIPIENT, second, second),
    ]


def test_the_sender_does_not_see_their_own_reminders_nor_other_referrals() -> None:
    found = cast()
    _decline(found)
    reminders.sweep(at=NOON)
    assert {each.audience for each in reminders.sent_for(found.referral)} == {Audience.CLIENT}
    other = scene()
    assert reminders.sent_for(other.referral) == ()
