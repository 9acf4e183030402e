"""Every step plans the reminders it causes, and takes back those whose reason it ends."""

from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoAssertNumQueries

from clients import profile, verification
from clients.models import Credential, Guardianship, User
from clients.scopes import SUGGESTED, Scope
from referrals import care, lifecycle, reminders, restrictions, sharing, states
from referrals.models import Episode, Reminder, ReminderRule
from referrals.reasons import CancelReason, DeclineReason
from referrals.reminders import planning
from referrals.reminders.cases import subject_of
from referrals.reminders.rules import Subject
from referrals.states import State
from tests.factories import (
    NOON,
    CredentialFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ReferralFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    asked_consent,
    certified_trainer,
    licensed_pt,
    signed_note,
)
from tests.referrals.reminder_scenes import DAY, HOUR, WAITING, rows, scene, steps

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")


def wall(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=NEW_YORK).astimezone(UTC)


@pytest.fixture
def admin() -> None:
    UserFactory.create(is_staff=True)


# --- 4: consent asked ---------------------------------------------------------------------------


def test_asking_reminds_the_client_and_in_the_end_tells_who_asked() -> None:
    scene().send()
    assert steps(4) == [
        ("decider", "0d", NOON),
        ("decider", "2d", NOON + 2 * DAY),
        ("decider", "7d", NOON + 7 * DAY),
        ("asker", "escalation-14d", NOON + 14 * DAY),
        ("decider", "14d", NOON + 14 * DAY),
    ]
    assert rows(5) == []


def test_asking_urgently_reminds_after_a_day_whatever_the_hour() -> None:
    night = wall(date(2027, 1, 13), 23)
    found = scene(priority="urgent").send(night)
    assert steps(4) == [
        ("decider", "0d", night),
        ("decider", "1d", night + DAY),
        ("asker", "escalation-2d", night + 2 * DAY),
    ]
    assert all(row.urgent for row in rows(4))
    planning.plan([(Subject.CONSENT, found.consent.pk)], at=night)
    assert all(row.urgent for row in rows(4, **WAITING))


def test_asked_at_night_is_due_in_the_morning() -> None:
    scene().send(wall(date(2027, 1, 13), 23))
    assert rows(4)[0].due_at == wall(date(2027, 1, 14), 8)


def test_guardians_of_a_minor_are_asked_and_the_minor_is_not() -> None:
    guardian = GuardianshipFactory.create()
    unverified = GuardianshipFactory.create(client=guardian.client, unverified=True)
    found = scene(client=guardian.client).send()
    people = {row.recipient for row in rows(4, audience="decider")}
    assert people == {guardian.user}

    # Verified a day later, the other one is told at once; nobody is told twice.
    unverified.verified_at, unverified.verified_by = NOON, UserFactory.create()
    unverified.save()
    later = NOON + DAY
    reminders.people_changed(found.client.pk, at=later)
    assert {row.recipient for row in rows(4, audience="decider")} == {
        guardian.user,
        unverified.user,
    }
    caught_up = [row.due_at <= later for row in rows(4, recipient=unverified.user)]
    assert caught_up == [True, False, False, False]
    assert len(rows(4, recipient=guardian.user)) == 4


def test_without_an_account_nobody_is_asked_until_there_is_one() -> None:
    found = scene(client__user=None).send()
    assert steps(4) == [("asker", "escalation-14d", NOON + 14 * DAY)]
    found.client.user = UserFactory.create()
    found.client.save()
    reminders.people_changed(found.client.pk, at=NOON + HOUR)
    assert [row.recipient for row in rows(4, audience="decider")] == [found.client.user] * 4


def test_who_decides_is_not_told_that_they_have_not_decided() -> None:
    found = scene()
    sharing.ask(
        actor=acting(found.client),
        client_id=found.client.pk,
        discloser_id=found.pt.pk,
        recipient_id=found.trainer.pk,
        purpose="I want to share more.",
        classes=SUGGESTED,
        at=NOON,
    )
    reminders.people_changed(found.client.pk, at=NOON)
    assert len(rows(4, audience="decider")) == 4
    assert rows(4, audience="asker") == []


@pytest.mark.parametrize("answer", ["grant", "decline", "withdraw"])
def test_any_answer_ends_the_reminders_of_a_question(answer: str) -> None:
    found = scene().send()
    at = NOON + HOUR
    match answer:
        case "grant":
            found.grant(at)
        case "decline":
            sharing.decline(actor=acting(found.client), consent_id=found.consent.pk, at=at)
        case _:
            found.step("cancel", found.pt, at, reason_code=CancelReason.OTHER)
    assert rows(4, **WAITING) == []
    assert {(row.state, row.cancel_reason) for row in rows(4)} == {("cancelled", "over")}


# --- 5, 23: waiting for an answer, and for a reply ----------------------------------------------


def test_sending_reminds_the_recipient_on_business_days() -> None:
    scene().send().grant()
    assert steps(5) == [
        ("recipient", "0d", NOON),
        ("recipient", "2bd", NOON + 2 * DAY),
        # The weekend, and the Birthday of Martin Luther King, Jr.
        ("recipient", "4bd", NOON + 7 * DAY),
        ("sender", "escalation-4bd", NOON + 7 * DAY),
    ]


def test_sending_urgently_counts_hours() -> None:
    scene(priority="urgent").send().grant()
    assert steps(5) == [
        ("recipient", "0d", NOON),
        ("recipient", "4h", NOON + 4 * HOUR),
        ("recipient", "24h", NOON + 24 * HOUR),
        ("sender", "escalation-24h", NOON + 24 * HOUR),
    ]


def test_opening_a_referral_changes_nothing() -> None:
    found = scene().send().grant()
    before = steps(5)
    found.step("view", found.trainer, NOON + DAY)
    assert steps(5, **WAITING) == before


def test_a_question_turns_the_wait_around_and_its_answer_starts_it_anew() -> None:
    found = scene().send().grant().step_view(NOON)
    asked, answered = NOON + HOUR, NOON + DAY
    found.step("ask", found.trainer, asked, text="Which days suit?")
    assert steps(5, **WAITING) == []
    assert steps(23) == [
        ("sender", "0d", asked),
        ("sender", "2bd", asked + 2 * DAY),
        ("sender", "5bd", asked + 8 * DAY),
    ]
    found.step("answer", found.pt, answered, text="Tuesdays.")
    assert steps(23, **WAITING) == []
    assert [step for step in steps(5, **WAITING) if step[0] == "recipient"] == [
        ("recipient", "0d#2", answered),
        ("recipient", "2bd#2", answered + 5 * DAY),
        ("recipient", "4bd#2", answered + 7 * DAY),
    ]


# --- 6: declined or expired ---------------------------------------------------------------------


def test_declined_is_told_to_sender_and_client_at_once_and_to_the_sender_again(
    admin: None,
) -> None:
    found = scene().send().grant()
    at = NOON + HOUR
    found.step("decline", found.trainer, at, reason_code=DeclineReason.NO_CAPACITY)
    assert steps(5, **WAITING) == []
    assert steps(6) == [
        ("client", "0d", at),
        ("sender", "0d", at),
        ("sender", "2bd", at + 2 * DAY),
        ("admin", "escalation-4bd", at + 7 * DAY),
    ]


def test_another_choice_ends_the_reminders_about_the_first() -> None:
    found = scene().send().grant()
    found.step("decline", found.trainer, reason_code=DeclineReason.NO_CAPACITY)
    lifecycle.reroute(
        actor=acting(found.pt),
        referral_id=found.pk,
        recipient_id=certified_trainer().pk,
        at=NOON + HOUR,
    )
    assert rows(6, **WAITING) == []


def test_expiry_is_told_like_a_no() -> None:
    scene().send().grant()
    at = NOON + 20 * DAY
    assert lifecycle.time_out(at=at) == 1
    assert {(audience, step) for audience, step, _ in steps(6) if audience != "admin"} == {
        ("sender", "0d"),
        ("client", "0d"),
        ("sender", "2bd"),
    }


def test_a_question_nobody_answers_is_told_to_the_sender_as_not_shared() -> None:
    scene().send()
    at = NOON + 22 * DAY
    assert lifecycle.time_out(at=at) == 1
    assert rows(4, **WAITING) == []
    assert {row.audience for row in rows(6)} == {"sender", "admin"}


def test_calling_off_what_nobody_accepted_reminds_nobody() -> None:
    found = scene().send().grant()
    found.step("cancel", found.pt, reason_code=CancelReason.OTHER)
    assert rows(5, **WAITING) == []
    assert rows(6) == []


# --- 7, 8, 26: booking, the first session, and after it -----------------------------------------

SESSION = wall(date(2027, 1, 20), 18)


def test_accepting_waits_for_a_booking(admin: None) -> None:
    scene().send().grant().accept()
    assert steps(5, **WAITING) == []
    assert steps(7) == [
        ("client", "3bd", NOON + 6 * DAY),
        ("recipient", "3bd", NOON + 6 * DAY),
        ("client", "7bd", NOON + 12 * DAY),
        ("recipient", "7bd", NOON + 12 * DAY),
        ("admin", "escalation-14d", NOON + 14 * DAY),
    ]


def test_booking_reminds_both_a_day_and_two_hours_before() -> None:
    scene().send().grant().accept().schedule(SESSION)
    assert steps(7, **WAITING) == []
    assert steps(8) == [
        ("client", "-24h", SESSION - 24 * HOUR),
        ("recipient", "-24h", SESSION - 24 * HOUR),
        ("client", "-2h", SESSION - 2 * HOUR),
        ("recipient", "-2h", SESSION - 2 * HOUR),
    ]
    assert {row.ends_at for row in rows(8)} == {SESSION}
    assert steps(26) == [("recipient", "1bd", SESSION + DAY)]


def test_a_minor_comes_with_the_guardian() -> None:
    guardian = GuardianshipFactory.create()
    found = scene(client=guardian.client)
    found.signer = guardian.user
    found.send().grant().accept().schedule(SESSION)
    assert {row.recipient for row in rows(8, audience="client")} == {
        guardian.user,
        guardian.client.user,
    }


def test_a_session_called_off_and_booked_again_is_reminded_of_again() -> None:
    found = scene().send().grant().accept().schedule(SESSION)
    found.step("cancel_appointment", found.trainer, NOON + HOUR)
    assert steps(8, **WAITING) == []
    assert len(rows(7, **WAITING)) >= 4
    found.schedule(SESSION + 2 * DAY, NOON + 2 * HOUR)
    assert steps(7, **WAITING) == []
    assert steps(8, **WAITING) == [
        ("client", "-24h#2", SESSION + DAY),
        ("recipient", "-24h#2", SESSION + DAY),
        ("client", "-2h#2", SESSION + 2 * DAY - 2 * HOUR),
        ("recipient", "-2h#2", SESSION + 2 * DAY - 2 * HOUR),
    ]


def test_a_session_moved_after_its_reminder_went_out_is_reminded_of_anew() -> None:
    found = scene().send().grant().accept().schedule(SESSION)
    reminders.sweep(at=SESSION - 24 * HOUR)
    assert {row.state for row in rows(8, occurrence_key__endswith="-24h")} == {"accepted"}
    at = SESSION - 20 * HOUR
    found.step("cancel_appointment", found.trainer, at)
    assert all(row.done_at == at for row in rows(8, shown_at__isnull=False))
    found.schedule(SESSION + 2 * DAY, at)
    assert [row.due_at for row in rows(8, occurrence_key__endswith="-24h#2")] == [SESSION + DAY] * 2


def test_a_session_booked_for_tonight_is_not_reminded_of_as_tomorrow() -> None:
    soon = wall(date(2027, 1, 13), 16)  # NOON is noon; the day before is long over
    scene().send().grant().accept().schedule(soon)
    assert {step for _, step, _ in steps(8)} == {"-2h"}


def test_a_session_booked_a_little_late_is_reminded_of_at_once() -> None:
    soon = NOON + 22 * HOUR
    scene().send().grant().accept().schedule(soon)
    assert steps(8, audience="client") == [
        ("client", "-24h", NOON - 2 * HOUR),
        ("client", "-2h", NOON + 20 * HOUR),
    ]


def test_a_missed_session_waits_for_a_new_one() -> None:
    found = scene().send().grant().accept().schedule(SESSION)
    found.step("no_show", found.trainer, SESSION + HOUR)
    assert rows(8, **WAITING) == []
    assert rows(26, **WAITING) == []
    # Three business days from Wednesday evening is Monday evening, before the quiet hours.
    assert ("client", "3bd#2", SESSION + HOUR + 5 * DAY) in steps(7, **WAITING)


# --- 21, 24: report, and confirming a cancellation ----------------------------------------------


def test_beginning_waits_for_a_report_and_each_report_starts_over() -> None:
    found = scene().send().grant().accept().acknowledge()
    found.step("begin", found.trainer, NOON)
    assert rows(7, **WAITING) == []
    assert steps(21) == [
        ("recipient", "30d", NOON + 30 * DAY),
        # The clocks have gone forward: same time on the wall.
        ("recipient", "60d", NOON + 60 * DAY - HOUR),
        ("sender", "escalation-90d", NOON + 90 * DAY - HOUR),
    ]
    reminders.sweep(at=NOON + 30 * DAY)
    found.step("report", found.trainer, NOON + 31 * DAY, observations="Going well.")
    assert ("recipient", "30d#2", NOON + 61 * DAY - HOUR) in steps(21, **WAITING)


def test_asking_to_cancel_reminds_the_recipient_to_confirm() -> None:
    found = scene().send().grant().accept()
    found.step("cancel", found.client, NOON + HOUR, reason_code=CancelReason.CLIENT_CHOICE)
    assert rows(7, **WAITING) == []
    assert steps(24) == [
        ("recipient", "0d", NOON + HOUR),
        ("recipient", "1bd", NOON + HOUR + DAY),
    ]
    found.step("confirm_cancel", found.trainer, NOON + 2 * HOUR)
    assert rows(24, **WAITING) == []


# --- 9: restrictions to be read -----------------------------------------------------------------


def test_accepting_asks_to_read_at_once_and_before_the_session() -> None:
    found = scene().send().grant().accept(NOON + HOUR)
    assert steps(9) == [
        ("recipient", "0d", NOON + HOUR),
        ("sender", "escalation-3d", NOON + HOUR + 3 * DAY),
    ]
    found.schedule(SESSION, NOON + 2 * HOUR)
    assert ("recipient", "-24h", SESSION - 24 * HOUR) in steps(9, **WAITING)


def test_reading_ends_it_and_a_new_version_begins_it_again() -> None:
    found = scene().send().grant().accept()
    reminders.sweep(at=NOON)
    found.acknowledge(NOON + HOUR)
    assert rows(9, **WAITING) == []
    assert all(row.done_at for row in rows(9, shown_at__isnull=False))
    at = NOON + DAY
    RestrictionVersionFactory.create(
        restriction=found.restriction, number=2, signed_at=at, change_reason="Stronger now."
    )
    reminders.restrictions_changed([found.restriction.pk], at=at)
    assert steps(9, **WAITING) == [
        ("recipient", "0d#2", at),
        ("sender", "escalation-3d#2", at + 3 * DAY),
    ]


def test_nothing_to_read_where_restrictions_are_not_shared_or_there_are_none() -> None:
    scene().send().grant(classes=frozenset({Scope.CLEARANCE})).accept()
    assert rows(9) == []
    lifted = scene()
    RestrictionVersionFactory.create(restriction=lifted.restriction, number=2, lifted=True)
    lifted.send().grant().accept()
    assert rows(9) == []


def test_restrictions_of_another_therapist_are_not_asked_about() -> None:
    found = scene()
    other = EpisodeFactory.create(client=found.client, pt=licensed_pt())
    RestrictionVersionFactory.create(restriction__episode=other)
    found.send().grant().accept().acknowledge()
    reminders.acknowledged([found.pk], at=NOON)
    assert rows(9, **WAITING) == []


# --- 12: review ---------------------------------------------------------------------------------


def test_review_reminds_the_therapist_and_whoever_trains_under_it(admin: None) -> None:
    found = scene(review_on=date(2027, 3, 1))
    reminders.restrictions_changed([found.restriction.pk], at=NOON)
    assert {row.audience for row in rows(12)} == {"pt", "admin"}
    found.send().grant().accept()
    morning = wall(date(2027, 3, 1))
    assert steps(12) == [
        ("pt", "-14d", morning - 14 * DAY),
        ("reader", "-14d", morning - 14 * DAY),
        ("pt", "0d", morning),
        ("reader", "0d", morning),
        ("pt", "7d", morning + 7 * DAY),
        ("reader", "7d", morning + 7 * DAY),
        ("admin", "escalation-14d", wall(date(2027, 3, 15))),
    ]


def test_a_review_that_moves_takes_its_reminders_along() -> None:
    found = scene(review_on=date(2027, 3, 1)).send().grant().accept()
    before = {row.pk: row.occurrence_key for row in rows(12)}
    RestrictionVersionFactory.create(
        restriction=found.restriction,
        number=2,
        review_on=date(2027, 4, 1),
        change_reason="Not yet.",
    )
    reminders.restrictions_changed([found.restriction.pk], at=NOON + HOUR)
    assert {row.pk: row.occurrence_key for row in rows(12)} == before
    assert rows(12)[0].due_at == wall(date(2027, 3, 18))


def test_a_lifted_restriction_is_reviewed_no_more() -> None:
    found = scene().send().grant().accept()
    restrictions.lift(
        actor=acting(found.pt),
        restriction_id=found.restriction.pk,
        reason="Strong enough.",
        at=NOON + HOUR,
    )
    assert rows(12, **WAITING) == []
    assert rows(9, **WAITING) == []


# --- 17, 25: sharing ends -----------------------------------------------------------------------


def test_sharing_that_ends_is_announced_and_told() -> None:
    scene().send().grant(expires_on=date(2027, 6, 1))
    assert steps(17) == [
        ("decider", "-30d", wall(date(2027, 5, 2))),
        ("decider", "-7d", wall(date(2027, 5, 25))),
        ("decider", "-1d", wall(date(2027, 5, 31))),
    ]
    # At midnight it is over; people hear of it in the morning.
    morning = wall(date(2027, 6, 2), 8)
    assert steps(25) == [("discloser", "0d", morning), ("reader", "0d", morning)]


def test_revoking_takes_back_what_the_trainer_would_have_got() -> None:
    found = scene().send().grant().accept()
    reminders.sweep(at=NOON)
    at = NOON + HOUR
    found.revoke(at)
    assert rows(9, **WAITING) == []
    assert rows(12, audience="reader", **WAITING) == []
    assert rows(17, **WAITING) == []
    assert rows(7, audience="recipient", **WAITING) == []
    assert len(rows(7, audience="client", **WAITING)) == 2
    assert len(rows(12, audience="pt", **WAITING)) == 3
    assert steps(25, **WAITING) == [("discloser", "0d", at), ("reader", "0d", at)]
    open_ones = reminders.mine(acting(found.trainer, at), at).items
    assert open_ones == []


def test_narrowing_away_restrictions_takes_back_their_reminders() -> None:
    found = scene().send().grant().accept()
    sharing.narrow(
        actor=acting(found.client),
        consent_id=found.consent.pk,
        classes={Scope.CLEARANCE},
        at=NOON + HOUR,
    )
    assert rows(9, **WAITING) == []
    assert rows(12, audience="reader", **WAITING) == []
    assert len(rows(17, **WAITING)) == 3
    assert len(rows(7, audience="recipient", **WAITING)) == 2


def test_sharing_less_does_not_ask_anew_to_read_what_was_shared_before() -> None:
    found = scene().send().grant().accept()
    before = steps(9)
    Reminder.objects.filter(rule=9, occurrence_key__endswith=":0d").update(
        state=Reminder.State.ACCEPTED, shown_at=NOON
    )
    sharing.narrow(
        actor=acting(found.client),
        consent_id=found.consent.pk,
        classes={Scope.CLEARANCE, Scope.RESTRICTIONS},
        at=NOON + 2 * DAY,
    )
    assert steps(9) == before


def test_who_never_heard_of_a_question_does_not_hear_of_its_end() -> None:
    found = scene()
    sharing.ask(
        actor=acting(found.pt),
        client_id=found.client.pk,
        discloser_id=found.pt.pk,
        recipient_id=found.trainer.pk,
        purpose="So that they can begin.",
        classes=SUGGESTED,
        at=NOON,
    )
    (consent,) = found.client.consents.all()
    sharing.grant(
        actor=acting(found.client),
        consent_id=consent.pk,
        classes=SUGGESTED,
        expires_on=date(2027, 6, 1),
        at=NOON,
    )
    sharing.revoke(actor=acting(found.client), consent_id=consent.pk, at=NOON + HOUR)
    assert {row.audience for row in rows(25)} == {"discloser"}


# --- 1, 3: before the note is signed ------------------------------------------------------------


def episode(**fields: object) -> Episode:
    fields = {"last_visit_on": None, "planned_discharge_on": date(2027, 2, 1)} | fields
    made: Episode = EpisodeFactory.create(**fields)
    reminders.episode_changed(made, at=NOON)
    return made


def test_a_planned_discharge_is_reminded_of_before_and_reported_after(admin: None) -> None:
    episode()
    assert steps(1) == [
        ("pt", "-7d", wall(date(2027, 1, 25))),
        ("pt", "-1d", wall(date(2027, 1, 31))),
        ("admin", "escalation-3d", wall(date(2027, 2, 4))),
    ]
    assert rows(3) == []


def test_the_last_visit_starts_the_wait_for_the_note(admin: None) -> None:
    episode(planned_discharge_on=None, last_visit_on=date(2027, 1, 13))
    assert steps(3) == [
        ("pt", "1d", wall(date(2027, 1, 14))),
        ("pt", "3d", wall(date(2027, 1, 16))),
        ("pt", "7d", wall(date(2027, 1, 20))),
        ("admin", "escalation-10d", wall(date(2027, 1, 23))),
    ]


def test_a_visit_is_not_the_last_while_a_discharge_is_planned() -> None:
    episode(planned_discharge_on=date(2027, 2, 1), last_visit_on=date(2027, 1, 13))
    assert steps(3, audience="pt")[0] == ("pt", "1d", wall(date(2027, 2, 2)))


def test_each_new_visit_moves_what_waits_and_repeats_what_went_out() -> None:
    made = episode(planned_discharge_on=None, last_visit_on=date(2027, 1, 13))
    reminders.sweep(at=wall(date(2027, 1, 14)))
    made.last_visit_on = date(2027, 1, 15)
    made.save()
    reminders.episode_changed(made, at=wall(date(2027, 1, 15), 12))
    assert steps(3, audience="pt", **WAITING) == [
        ("pt", "1d#2", wall(date(2027, 1, 16))),
        ("pt", "3d", wall(date(2027, 1, 18))),
        ("pt", "7d", wall(date(2027, 1, 22))),
    ]


def test_signing_ends_both() -> None:
    made = episode(last_visit_on=date(2027, 1, 12))
    note = signed_note(episode=made)
    reminders.note_signed(note, at=NOON)
    assert rows(1, **WAITING) == []
    assert rows(3, **WAITING) == []


def test_a_discharge_moved_keeps_its_keys_and_one_taken_back_can_return() -> None:
    made = episode()
    keys = [row.occurrence_key for row in rows(1, audience="pt")]
    care.update_episode(
        actor=acting(made.pt),
        episode_id=made.pk,
        changes={"planned_discharge_on": date(2027, 2, 10)},
        at=NOON,
    )
    assert [row.occurrence_key for row in rows(1, audience="pt")] == keys
    assert rows(1, audience="pt")[0].due_at == wall(date(2027, 2, 3))

    for planned in (None, date(2027, 2, 10)):
        made.planned_discharge_on = planned
        made.save()
        reminders.episode_changed(made, at=NOON)
    assert [step for _, step, _ in steps(1, audience="pt", **WAITING)] == ["-7d#2", "-1d#2"]


def test_of_what_is_missed_only_the_newest_is_caught_up_and_only_while_useful() -> None:
    episode(planned_discharge_on=date(2027, 1, 18))  # a week before was two days ago
    assert [step for _, step, _ in steps(1, audience="pt")] == ["-7d", "-1d"]
    Reminder.objects.all().delete()
    episode(planned_discharge_on=date(2027, 1, 15))  # a week before was five days ago
    assert [step for _, step, _ in steps(1, audience="pt")] == ["-1d"]
    Reminder.objects.all().delete()
    episode(planned_discharge_on=None, last_visit_on=date(2027, 1, 10))
    assert [step for _, step, _ in steps(3, audience="pt")] == ["3d", "7d"]


def test_a_discharged_client_or_a_therapist_who_left_is_not_reminded_of() -> None:
    episode(status=Episode.Status.FINISHED, ended_on=date(2027, 1, 12))
    assert rows(1) == []
    left = licensed_pt(left_at=NOON)
    episode(pt=left)
    assert {row.audience for row in rows(1)} <= {"admin"}


# --- 19: credentials ----------------------------------------------------------------------------


def test_a_credential_that_expires_is_announced_to_its_owner_and_at_the_end_to_admins() -> None:
    credential = CredentialFactory.create(expires_on=date(2027, 4, 1))
    reminders.credential_changed(credential, at=NOON)
    assert steps(19) == [
        ("owner", "-60d", wall(date(2027, 1, 31))),
        ("owner", "-30d", wall(date(2027, 3, 2))),
        ("owner", "-7d", wall(date(2027, 3, 25))),
        ("admin", "escalation-0d", wall(date(2027, 4, 1))),
        ("owner", "0d", wall(date(2027, 4, 1))),
    ]


@pytest.mark.parametrize("day", [date.min, date(1, 2, 1), date(9999, 12, 29), date.max])
def test_a_day_at_the_edge_of_the_calendar_stops_no_work(day: date, admin: None) -> None:
    credential = CredentialFactory.create(issued_on=None, expires_on=day)
    reminders.credential_changed(credential, at=NOON)
    assert all(row.due_at > NOON for row in rows(19))


@pytest.mark.parametrize("change", ["renewed", "withdrawn", "renewed for good"])
def test_a_credential_renewed_or_withdrawn_is_not_announced(change: str) -> None:
    credential = CredentialFactory.create(expires_on=date(2027, 4, 1))
    reminders.credential_changed(credential, at=NOON)
    if change == "withdrawn":
        credential.withdrawn_at, credential.withdrawn_by = NOON, credential.verified_by
        credential.save()
        reminders.credential_changed(credential, at=NOON)
    else:
        expires_on = None if change == "renewed for good" else date(2029, 4, 1)
        renewed = CredentialFactory.create(user=credential.user, expires_on=expires_on)
        reminders.credential_changed(renewed, at=NOON)
    assert rows(19, credential=credential, **WAITING) == []


def test_another_kind_or_an_unverified_one_does_not_renew() -> None:
    credential = CredentialFactory.create(expires_on=date(2027, 4, 1))
    CredentialFactory.create(user=credential.user, unverified=True, expires_on=date(2029, 4, 1))
    CredentialFactory.create(user=credential.user, state="VT", expires_on=date(2029, 4, 1))
    CredentialFactory.create(
        user=credential.user, kind=Credential.Kind.DEGREE, expires_on=date(2029, 4, 1)
    )
    reminders.credential_changed(credential, at=NOON)
    assert len(rows(19, credential=credential, audience="owner", **WAITING)) == 4


# --- the same again -----------------------------------------------------------------------------


def snapshot() -> list[tuple[object, ...]]:
    fields = [field.attname for field in Reminder._meta.concrete_fields]
    return sorted(Reminder.objects.values_list(*fields), key=str)


def heal_all(at: datetime) -> int:
    """All slices of one hour, as the ticks would come by."""
    start = at.replace(minute=0, second=0, microsecond=0)
    return sum(
        reminders.heal(at=start + n * timedelta(seconds=planning.SLICE_SECONDS))
        for n in range(planning.SLICES)
    )


def test_planning_twice_changes_nothing() -> None:
    found = scene().send().grant().accept().schedule(SESSION)
    credential = CredentialFactory.create(expires_on=date(2027, 4, 1))
    active = EpisodeFactory.create(planned_discharge_on=date(2027, 2, 1))

    def plan_all() -> None:
        edge = next(each for each in states.EDGES if each.target == State.SCHEDULED)
        reminders.referral_walked(found.referral, edge, at=NOON)
        reminders.consent_asked(found.consent, urgent=False, at=NOON)
        reminders.consent_changed(found.consent, at=NOON)
        reminders.restrictions_changed([found.restriction.pk], at=NOON)
        reminders.acknowledged([found.pk], at=NOON)
        reminders.credential_changed(credential, at=NOON)
        reminders.episode_changed(active, at=NOON)
        reminders.people_changed(found.client.pk, at=NOON)

    plan_all()
    before = snapshot()
    plan_all()
    assert snapshot() == before
    reminders.sweep(at=NOON)
    sent = snapshot()
    plan_all()
    assert snapshot() == sent


def test_healing_comes_by_everything_open_within_the_hour_and_changes_nothing_in_order() -> None:
    found = scene().send().grant().accept()
    reminders.restrictions_changed([found.restriction.pk], at=NOON)
    CredentialFactory.create(expires_on=date(2027, 2, 1))
    heal_all(NOON)
    before = snapshot()
    # Referral, consent, restriction, the open episode, and the credential that ends soon.
    assert heal_all(NOON) == 5
    assert snapshot() == before


def test_healing_finds_what_no_verb_reported() -> None:
    found = scene().send().grant().accept()
    credential = CredentialFactory.create(expires_on=date(2027, 2, 1))
    Reminder.objects.all().delete()
    trainer = found.trainer.user
    trainer.time_zone = "America/Los_Angeles"
    trainer.save()
    heal_all(NOON)
    assert {row.rule_id for row in Reminder.objects.all()} == {7, 9, 12, 17, 19, 25}
    assert rows(19, credential=credential)
    assert rows(12, audience="reader")[0].due_at == wall(date(2027, 2, 15), 12)


def test_healing_comes_by_what_has_just_ended() -> None:
    """Whoever sent it is still told, after the rule was switched off for an hour."""
    found = scene().send().grant()
    found.step("decline", found.trainer, reason_code=DeclineReason.NO_CAPACITY)
    planned = steps(6)
    ReminderRule.objects.filter(pk=6).update(in_use=False)
    reminders.rule_changed(6, at=NOON)
    assert rows(6, **WAITING) == []
    ReminderRule.objects.filter(pk=6).update(in_use=True)
    reminders.rule_changed(6, at=NOON + HOUR)
    heal_all(NOON + HOUR)
    assert [due for _, _, due in steps(6, **WAITING)] == [due for _, _, due in planned]


def test_healing_plans_the_guardian_whose_authority_was_just_verified() -> None:
    guardian = GuardianshipFactory.create(unverified=True)
    scene(client=guardian.client).send()
    assert rows(4, audience="decider") == []
    Guardianship.objects.update(verified_at=NOON, verified_by=UserFactory.create())
    heal_all(NOON + HOUR)
    assert [row.recipient for row in rows(4, audience="decider")] == [guardian.user] * 4


@pytest.mark.parametrize(
    ("days", "planned"), [(0, ["0d", "2d", "7d", "14d"]), (5, ["2d", "7d", "14d"]), (18, ["14d"])]
)
def test_a_guardian_is_reminded_from_the_moment_they_may_decide(
    days: int, planned: list[str]
) -> None:
    """However long the question has waited: they have not been asked before."""
    guardian = GuardianshipFactory.create(unverified=True)
    scene(client=guardian.client).send()
    admin = acting(UserFactory.create(is_staff=True))
    at = NOON + days * DAY + HOUR
    verification.verify_guardianship(actor=admin, guardianship_id=guardian.pk, at=at)
    assert [step for _, step, _ in steps(4, audience="decider", **WAITING)] == planned
    reminders.sweep(at=at)
    shown = rows(4, audience="decider", shown_at__isnull=False)
    assert [row.recipient for row in shown] == [guardian.user]
    planning.heal(at=at)
    heal_all(at + DAY)
    assert len(rows(4, audience="decider")) == len(planned)


def test_whose_authority_ends_is_reminded_no_more() -> None:
    guardian = GuardianshipFactory.create()
    scene(client=guardian.client).send()
    admin = acting(UserFactory.create(is_staff=True))
    verification.end_guardianship(actor=admin, guardianship_id=guardian.pk, at=NOON + HOUR)
    assert rows(4, audience="decider", **WAITING) == []


def test_moving_to_another_zone_moves_what_waits_and_repeats_nothing() -> None:
    found = scene().send().grant().accept()
    reminders.sweep(at=NOON)
    sent = len(rows(9, state="accepted"))
    trainer = found.trainer.user
    profile.change(
        actor=acting(trainer), changes={"time_zone": "America/Los_Angeles"}, at=NOON + HOUR
    )
    review = rows(12, audience="reader")[0]
    assert review.due_at == wall(date(2027, 2, 15), 12)
    assert review.zone == "America/Los_Angeles"
    assert len(rows(9, state="accepted")) == sent
    assert rows(9, audience="recipient", **WAITING) == []


def test_a_reminder_of_this_morning_is_not_repeated_three_hours_later_further_west() -> None:
    made = episode(planned_discharge_on=date(2027, 2, 1))
    morning = wall(date(2027, 1, 25))
    reminders.sweep(at=morning)
    profile.change(
        actor=acting(made.pt),
        changes={"time_zone": "America/Los_Angeles"},
        at=morning + HOUR,
    )
    assert [step for _, step, _ in steps(1, audience="pt", **WAITING)] == ["-1d"]


def test_a_zone_nobody_knows_any_more_stops_no_work() -> None:
    found = scene()
    User.objects.filter(client=found.client).update(time_zone="Mars/Base")
    found.send()
    assert {row.zone for row in rows(4, audience="decider")} == {"America/New_York"}


# --- admins tune the rules ----------------------------------------------------------------------


def test_a_changed_rule_replans_what_waits() -> None:
    scene().send().grant()
    ReminderRule.objects.filter(pk=5).update(routine_offsets=["0d", "1bd"], escalate_after="3bd")
    reminders.rule_changed(5, at=NOON + HOUR)
    assert steps(5, **WAITING) == [
        ("recipient", "0d", NOON),
        ("recipient", "1bd", NOON + DAY),
        ("sender", "escalation-3bd", NOON + 6 * DAY),
    ]


def test_a_rule_switched_off_plans_nothing_and_back_on_plans_again() -> None:
    found = scene().send()
    ReminderRule.objects.filter(pk=4).update(in_use=False)
    reminders.rule_changed(4, at=NOON)
    assert rows(4, **WAITING) == []
    ReminderRule.objects.filter(pk=4).update(in_use=True)
    reminders.people_changed(found.client.pk, at=NOON + HOUR)
    assert [step for _, step, _ in steps(4, audience="decider", **WAITING)] == [
        "0d#2",
        "2d#2",
        "7d#2",
        "14d#2",
    ]


def test_an_offset_that_cannot_be_read_stops_no_work() -> None:
    ReminderRule.objects.filter(pk=4).update(routine_offsets=["soon", "2d"], escalate_after="?")
    scene().send()
    assert [step for _, step, _ in steps(4)] == ["2d"]


def test_offsets_in_any_order_catch_up_with_the_newest_only() -> None:
    ReminderRule.objects.filter(pk=4).update(routine_offsets=["2d", "0d", "1d"])
    found = scene().send()
    Reminder.objects.all().delete()
    reminders.people_changed(found.client.pk, at=NOON + 3 * DAY)
    assert [step for _, step, _ in steps(4, audience="decider")] == ["2d"]


def test_somebody_in_two_capacities_is_reminded_once() -> None:
    pt = licensed_pt()
    trainer = certified_trainer(user=pt.user)
    scene(pt=pt, trainer=trainer).send().grant().accept()
    assert [row.occurrence_key.split(":")[-1] for row in rows(12, recipient=pt.user)] == [
        "-14d",
        "0d",
        "7d",
    ]


def test_a_reminder_is_about_something() -> None:
    with pytest.raises(LookupError):
        subject_of(Reminder())


def test_nothing_to_plan_is_no_work(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        reminders.acknowledged([], at=NOON)


def test_what_does_not_exist_has_no_reminders() -> None:
    draft = ReferralFactory.create()
    key = Subject.REFERRAL, draft.pk
    draft.delete()
    planning.plan([key], at=NOON)
    assert not Reminder.objects.exists()


def test_a_consent_without_an_event_has_no_reminders() -> None:
    found = scene()
    consent = found.client.consents.model.objects.create(
        client=found.client,
        discloser=found.pt,
        recipient=found.trainer,
        purpose="Never asked.",
        classes_asked=["clearance"],
        notice_version="2026-11",
        asked_by=found.pt.user,
    )
    reminders.consent_asked(consent, urgent=False, at=NOON)
    assert rows(4) == []


def test_planning_many_takes_as_many_queries_as_planning_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    def make(count: int) -> set[tuple[Subject, object]]:
        keys: set[tuple[Subject, object]] = set()
        for _ in range(count):
            found = scene().send().grant().accept()
            keys |= {
                (Subject.REFERRAL, found.pk),
                (Subject.CONSENT, found.consent.pk),
                (Subject.RESTRICTION, found.restriction.pk),
                (Subject.EPISODE, found.episode.pk),
            }
        Reminder.objects.all().delete()
        return keys

    def queries(keys: set[tuple[Subject, object]]) -> int:
        with django_assert_max_num_queries(60) as used, transaction.atomic():
            planning.plan(keys, at=NOON)  # type: ignore[arg-type]  # ids are UUIDs
        return len(used)

    one = queries(make(1))
    assert queries(make(4)) == one


# --- two at once --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_planners_at_once_plan_each_reminder_once() -> None:
    found = scene()
    consent = asked_consent(client=found.client, discloser=found.pt, recipient=found.trainer)
    ready = Barrier(2, timeout=10)
    failures: list[BaseException] = []

    def plan() -> None:
        try:
            with transaction.atomic():
                ready.wait()
                reminders.consent_asked(consent, urgent=False, at=NOON)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=plan) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    keys = [row.occurrence_key for row in rows(4, audience="decider")]
    assert len(keys) == len(set(keys)) == 4
    assert connection.in_atomic_block is False
