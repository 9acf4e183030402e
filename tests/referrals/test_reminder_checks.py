"""What becomes of a claimed reminder, case by case; and that its reason is checked when due."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from clients import consent as ledger
from clients.models import Professional, User
from referrals import lifecycle, reminders
from referrals.models import Episode, Reminder, ReminderRule
from referrals.reminders.cases import Case, People
from referrals.reminders.checks import (
    MAILS_A_DAY,
    MAX_ATTEMPTS,
    Next,
    Stop,
    Verdict,
    reason_against,
    verdict,
)
from referrals.reminders.rules import Audience, Rule, Subject, Wait
from referrals.reminders.timing import Person
from tests.factories import (
    NOON,
    EpisodeFactory,
    GuardianshipFactory,
    RestrictionVersionFactory,
    acting,
)
from tests.referrals.reminder_scenes import DAY, HOUR, Scene, due_row, rows, scene

NIGHT = NOON + 12 * HOUR  # midnight in New York
MORNING = NOON + 20 * HOUR  # eight


def reminder(**fields: object) -> Reminder:
    """An unsaved reminder of rule 19 for its owner, claimed for the first time at NOON."""
    rule = ReminderRule(number=19, key="k", title="t", routine_offsets=["0d"])
    for name in ("in_use", "by_mail", "keeps_quiet_hours"):
        setattr(rule, name, fields.pop(name, True))
    values: dict[str, object] = {
        "rule": rule,
        "recipient": User(email="a@example.org", is_active=bool(fields.pop("active", True))),
        "audience": Audience.OWNER,
        "credential_id": uuid4(),
        "attempts": 1,
        "due_at": NOON,
        "useful_until": NOON + 3 * DAY,
        "zone": "America/New_York",
    }
    return Reminder(**(values | fields))


def case(row: Reminder, **changes: object) -> Case:
    """The case in which `row` has its reason."""
    wait = Wait(
        Rule.CREDENTIAL_EXPIRING,
        "expiry",
        None,
        None,
        (Audience.OWNER,),
        None,
        starts_at=changes.pop("starts_at", None),  # type: ignore[arg-type]  # given right below
        ends_at=changes.pop("ends_at", None),  # type: ignore[arg-type]  # given right below
    )
    people: People = {Audience.OWNER: (Person(row.recipient_id, "UTC"),)}
    values: dict[str, object] = {"urgent": False, "waits": (wait,), "people": people}
    return Case(Subject.CREDENTIAL, uuid4(), **(values | changes))  # type: ignore[arg-type]  # named above


def decide(
    row: Reminder, at: datetime = NOON, *, overtaken: bool = False, mailed_today: int = 0
) -> Verdict:
    return verdict(row, case(row), overtaken=overtaken, mailed_today=mailed_today, at=at)


def test_a_reason_that_holds_is_no_hindrance() -> None:
    row = reminder()
    assert reason_against(row, case(row), NOON) is None
    assert decide(row) == Verdict(Next.SEND, listed=True)


@pytest.mark.parametrize(
    ("fields", "stop"),
    [({"in_use": False}, Stop.RULE_OFF), ({"active": False}, Stop.ACCOUNT_CLOSED)],
)
def test_a_rule_off_or_an_account_closed(fields: dict[str, object], stop: Stop) -> None:
    row = reminder(**fields)
    assert reason_against(row, case(row), NOON) is stop


def test_no_case_no_wait_or_a_wait_that_does_not_hold_now() -> None:
    row = reminder()
    for there in (
        None,
        case(row, waits=()),
        case(row, starts_at=NOON + HOUR),
        case(row, ends_at=NOON),
    ):
        assert reason_against(row, there, NOON) is Stop.REASON_GONE
    other = reminder(rule=ReminderRule(number=5, key="k", title="t"))
    assert reason_against(other, case(other), NOON) is Stop.REASON_GONE


def test_not_theirs_any_more_and_whether_consent_is_why() -> None:
    row = reminder()
    nobody: People = {Audience.OWNER: (), Audience.ADMIN: (Person(row.recipient_id, "UTC"),)}
    assert reason_against(row, case(row, people=nobody), NOON) is Stop.NOT_THEIRS
    unshared = frozenset({Audience.OWNER})
    ended = case(row, people={}, unshared=unshared)
    assert reason_against(row, ended, NOON) is Stop.CONSENT_ENDED


def test_what_has_no_reason_is_not_listed() -> None:
    row = reminder(active=False)
    assert decide(row) == Verdict(Next.STOP, Stop.ACCOUNT_CLOSED)


def test_overtaken_is_neither_listed_nor_mailed() -> None:
    assert decide(reminder(), overtaken=True) == Verdict(Next.STOP, Stop.OVERTAKEN)


@pytest.mark.parametrize(("attempts", "dead"), [(MAX_ATTEMPTS, False), (MAX_ATTEMPTS + 1, True)])
def test_attempts_are_bounded(attempts: int, dead: bool) -> None:
    expected = Verdict(Next.DEAD if dead else Next.SEND, listed=True)
    assert decide(reminder(attempts=attempts)) == expected


def test_a_rule_without_mail_fills_the_list_only() -> None:
    assert decide(reminder(by_mail=False)) == Verdict(Next.STOP, Stop.LIST_ONLY, listed=True)


def test_too_late_is_listed_and_not_mailed() -> None:
    row = reminder()
    assert decide(row, row.useful_until - timedelta(seconds=1)).next is Next.SEND
    assert decide(row, row.useful_until) == Verdict(Next.STOP, Stop.LATE, listed=True)


@pytest.mark.parametrize("fields", [{"urgent": True}, {"keeps_quiet_hours": False}])
def test_too_late_is_too_late_also_where_no_quiet_hours_are_kept(fields: dict[str, object]) -> None:
    row = reminder(**fields)
    assert decide(row, row.useful_until) == Verdict(Next.STOP, Stop.LATE, listed=True)


@pytest.mark.parametrize(
    ("mailed", "urgent", "expected"),
    [
        (MAILS_A_DAY - 1, False, Verdict(Next.SEND, listed=True)),
        (MAILS_A_DAY, False, Verdict(Next.STOP, Stop.ENOUGH, listed=True)),
        (MAILS_A_DAY, True, Verdict(Next.SEND, listed=True)),
    ],
)
def test_more_than_five_mails_a_day_say_nothing_new(
    mailed: int, urgent: bool, expected: Verdict
) -> None:
    assert decide(reminder(urgent=urgent), mailed_today=mailed) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Verdict(Next.HOLD, until=MORNING, listed=True)),
        ({"urgent": True}, Verdict(Next.SEND, listed=True)),
        ({"keeps_quiet_hours": False}, Verdict(Next.SEND, listed=True)),
        ({"useful_until": MORNING}, Verdict(Next.STOP, Stop.LATE, listed=True)),
        (
            {"useful_until": MORNING + timedelta(seconds=1)},
            Verdict(Next.HOLD, until=MORNING, listed=True),
        ),
        ({"zone": "Asia/Tokyo"}, Verdict(Next.SEND, listed=True)),
    ],
)
def test_at_night_the_list_is_filled_and_the_mail_waits(
    fields: dict[str, object], expected: Verdict
) -> None:
    assert decide(reminder(**fields), NIGHT) == expected


# --- the reason, checked on the rows when the reminder is due ------------------------------------


def claimed(row: Reminder, at: datetime) -> Reminder:
    reminders.claim(limit=100, at=at)
    row.refresh_from_db()
    return row


@pytest.mark.django_db
def test_what_still_has_its_reason_goes_out() -> None:
    assert claimed(due_row(), NOON).state == "sending"


def _trainer_left(found: Scene) -> None:
    Professional.objects.filter(pk=found.trainer.pk).update(left_at=NOON)


def _account_closed(found: Scene) -> None:
    User.objects.filter(pk=found.trainer.user_id).update(is_active=False)


def _state_moved(found: Scene) -> None:
    type(found.referral).objects.filter(pk=found.pk).update(state="viewed")


def _answered(found: Scene) -> None:
    type(found.referral).objects.filter(pk=found.pk).update(state="declined")


def _revoked(found: Scene) -> None:
    # Past the verb that would also take the reminders back.
    ledger.revoke(actor=acting(found.client), consent_id=found.consent.pk, at=NOON)


def _rule_off(found: Scene) -> None:
    ReminderRule.objects.filter(pk=5).update(in_use=False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("behind_our_back", "state", "reason"),
    [
        (_state_moved, "sending", ""),
        (_answered, "cancelled", Stop.REASON_GONE),
        (_revoked, "cancelled", Stop.CONSENT_ENDED),
        (_account_closed, "cancelled", Stop.ACCOUNT_CLOSED),
        (_rule_off, "cancelled", Stop.RULE_OFF),
    ],
)
def test_a_waiting_referral_is_checked_when_its_reminder_is_due(
    behind_our_back: Callable[[Scene], None], state: str, reason: str
) -> None:
    found = scene().send().grant()
    behind_our_back(found)
    (row, *_) = rows(5)
    row = claimed(row, NOON)
    assert (row.state, row.cancel_reason) == (state, reason)
    assert (row.shown_at is None) == (state == "cancelled")


@pytest.mark.django_db
def test_a_professional_who_left_is_not_reminded() -> None:
    found = scene().send().grant().accept()
    _trainer_left(found)
    row = claimed(rows(9)[0], NOON)
    # Consent stands between people who work here: with them it ends.
    assert (row.state, row.cancel_reason) == ("cancelled", Stop.REASON_GONE)
    later = claimed(rows(7, audience="recipient")[0], NOON + 6 * DAY)
    assert (later.state, later.cancel_reason) == ("cancelled", Stop.CONSENT_ENDED)


@pytest.mark.django_db
def test_a_question_is_put_to_whoever_decides_when_it_is_due() -> None:
    guardian = GuardianshipFactory.create()
    scene(client=guardian.client).send()
    (row, *_) = rows(4, recipient=guardian.user)
    guardian.ended_at = NOON
    guardian.save()
    row = claimed(row, NOON)
    assert (row.state, row.cancel_reason) == ("cancelled", Stop.NOT_THEIRS)


@pytest.mark.django_db
def test_consent_that_ended_by_itself_ends_what_hung_on_it() -> None:
    found = scene(review_on=date(2027, 6, 1)).send().grant(expires_on=date(2027, 2, 1)).accept()
    found.acknowledge()
    row = rows(12, audience="reader")[0]
    at = row.due_at
    assert claimed(row, at).cancel_reason == Stop.CONSENT_ENDED
    assert {each.state for each in rows(12, audience="pt", due_at=at)} == {"sending"}


@pytest.mark.django_db
def test_the_end_of_sharing_is_told_once_it_has_come() -> None:
    scene().send().grant(expires_on=date(2027, 2, 1)).accept()
    (row, *_) = rows(25, audience="reader")
    Reminder.objects.filter(pk=row.pk).update(due_at=NOON)
    assert claimed(row, NOON + HOUR).cancel_reason == Stop.REASON_GONE
    (other,) = rows(25, audience="discloser")
    assert claimed(other, other.due_at).state == "sending"


@pytest.mark.django_db
def test_a_note_signed_or_a_credential_renewed_meanwhile_is_seen() -> None:
    made = EpisodeFactory.create(planned_discharge_on=date(2027, 1, 20))
    reminders.episode_changed(made, at=NOON)
    (row, *_) = rows(1, audience="pt")
    Episode.objects.filter(pk=made.pk).update(status=Episode.Status.FINISHED, ended_on=NOON)
    assert claimed(row, row.due_at).cancel_reason == Stop.REASON_GONE

    expiring = due_row()
    assert expiring.credential is not None
    expiring.credential.expires_on = None
    expiring.credential.save()
    assert claimed(expiring, NOON).cancel_reason == Stop.REASON_GONE


@pytest.mark.django_db
def test_a_restriction_of_an_episode_entered_in_error_is_not_reviewed() -> None:
    made = EpisodeFactory.create()
    version = RestrictionVersionFactory.create(restriction__episode=made)
    reminders.restrictions_changed([version.restriction_id], at=NOON)
    (row, *_) = rows(12)
    Episode.objects.filter(pk=made.pk).update(status=Episode.Status.ENTERED_IN_ERROR)
    assert claimed(row, row.due_at).cancel_reason == Stop.REASON_GONE


@pytest.mark.django_db
def test_an_admin_who_is_none_any_more_hears_nothing() -> None:
    row = due_row(audience=Audience.ADMIN)
    assert claimed(row, NOON).cancel_reason == Stop.NOT_THEIRS
    chief = User.objects.create_user("chief@example.org", is_staff=True)
    theirs = due_row(audience=Audience.ADMIN, recipient=chief)
    assert claimed(theirs, NOON).state == "sending"


@pytest.mark.django_db
def test_nothing_goes_out_about_a_referral_that_timed_out() -> None:
    scene().send().grant()
    at = NOON + 20 * DAY
    lifecycle.time_out(at=at)
    reminders.sweep(at=at)
    assert {row.state for row in rows(5)} == {"cancelled"}
    assert {row.state for row in rows(6, audience="client")} == {"accepted"}
