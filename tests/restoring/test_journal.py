"""What makes less visible is outside the database before it is in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from pytest_django import Settings

from clients import consent as consents
from clients import endings, verification
from clients.consent import ConsentState
from clients.models import Consent, ConsentEvent, Credential, Guardianship, Professional, User
from clients.scopes import Scope
from handoff.core import hold, journal, ledger
from handoff.core.actors import SYSTEM
from handoff.core.custody import Custody, JournalLine
from handoff.core.errors import Invalid, Stale
from handoff.core.journal import IN_DOUBT
from handoff.core.ledger import LedgerHead
from handoff.core.lines import Damaged
from handoff.health import readyz
from referrals import lifecycle, restoring, sharing
from referrals.models import Referral
from referrals.rights import erasure
from referrals.states import State
from tests.factories import (
    NOON,
    CredentialFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    UserFactory,
    acting,
    asked_consent,
    granted_consent,
)
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def story() -> Story:
    return Story()


def told() -> list[tuple[str, dict[str, Any]]]:
    return [
        (line.body["kind"], line.body["facts"])
        for line in journal.file().lines()
        if "kind" in line.body
    ]


def kinds() -> list[str]:
    return [kind for kind, _ in told()]


def share(story: Story) -> Consent:
    return granted_consent(client=story.client, discloser=story.pt, recipient=story.trainer)


def state(consent: Consent) -> ConsentState:
    return consents.standing(consent, NOON).state


# --- what is told ---------------------------------------------------------------------------------


def test_stopping_is_on_the_disk_before_a_ledger_is_locked(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = share(story)
    seen: list[list[str]] = []
    real = ledger.lock

    def lock(chain: str) -> LedgerHead:
        seen.append(kinds())
        return real(chain)

    monkeypatch.setattr(ledger, "lock", lock)
    sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    assert seen[0] == ["consent.revoked"]
    kind, facts = told()[0]
    assert (kind, facts["consent"], facts["classes"]) == ("consent.revoked", str(consent.pk), [])
    assert JournalLine.objects.get().number == 1
    assert not journal.unknown()


def test_sharing_less_says_what_remains(story: Story) -> None:
    consent = share(story)
    sharing.narrow(actor=story.as_client, consent_id=consent.pk, classes=[Scope.CLEARANCE], at=NOON)
    kind, facts = told()[0]
    assert (kind, facts["classes"]) == ("consent.narrowed", ["clearance"])


def test_a_new_agreement_ends_the_one_before(story: Story) -> None:
    first = share(story)
    assert told() == [], "agreeing makes nothing less visible"
    share(story)
    kind, facts = told()[0]
    assert (kind, facts["consent"]) == ("consent.superseded", str(first.pk))


def test_what_is_refused_is_not_told(story: Story) -> None:
    consent = share(story)
    with pytest.raises(Invalid):
        sharing.narrow(actor=story.as_client, consent_id=consent.pk, classes=list(Scope), at=NOON)
    sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    with pytest.raises(Stale):
        sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    assert kinds() == ["consent.revoked"]


def close_account() -> Any:
    user = UserFactory.create()
    user.is_active = False
    user.save()
    return user


def leave_practice() -> Any:
    row = ProfessionalFactory.create()
    row.left_at = NOON
    row.save(update_fields=["left_at"])
    return row


def end_guardian() -> Any:
    row = GuardianshipFactory.create()
    admin = UserFactory.create(is_staff=True)
    return verification.end_guardianship(actor=acting(admin), guardianship_id=row.pk, at=NOON)


def withdraw_credential() -> Any:
    row = CredentialFactory.create()
    admin = UserFactory.create(is_staff=True)
    return verification.withdraw_credential(actor=acting(admin), credential_id=row.pk, at=NOON)


PEOPLE: list[tuple[Callable[[], Any], str, dict[str, Any]]] = [
    (close_account, "user.ended", {"is_active": True}),
    (leave_practice, "professional.ended", {"left_at": None}),
    (end_guardian, "guardianship.ended", {"ended_at": None}),
    (withdraw_credential, "credential.ended", {"withdrawn_at": None, "withdrawn_by": None}),
]


@pytest.mark.parametrize(("end", "kind", "alive"), PEOPLE, ids=[each[1] for each in PEOPLE])
def test_people_whose_say_ends_are_told_of_once_and_can_be_ended_again(
    end: Callable[[], Any], kind: str, alive: dict[str, Any]
) -> None:
    row = end()
    assert told() == [(kind, {"id": str(row.pk)})]
    row.save()
    assert len(told()) == 1, "it had ended before"
    # As after a restore: the row counts again, and nobody here knows of the line.
    model = type(row)
    assert model in (User, Professional, Guardianship, Credential)
    model.objects.filter(pk=row.pk).update(**alive)
    JournalLine.objects.all().delete()
    (ending,) = journal.unknown()
    assert restoring.bring_about(ending, at=NOON) == "ended"
    row.refresh_from_db()
    column = next(iter(alive))
    assert getattr(row, column) != alive[column]
    assert len(told()) == 1, "doing it again is no new ending"
    assert not journal.unknown()


def test_a_referral_that_somebody_ends_is_told_of_and_ended_again(story: Story) -> None:
    referral = story.sent()
    lifecycle.decline(
        actor=story.as_trainer, referral_id=referral.pk, reason_code="no_capacity", at=NOON
    )
    kind, facts = told()[0]
    assert (kind, facts["state"]) == ("referral.ended", "declined")
    Referral.objects.filter(pk=referral.pk).update(state=State.SENT, closed_at=None)
    JournalLine.objects.all().delete()
    (ending,) = journal.unknown()
    assert restoring.bring_about(ending, at=NOON) == "ended"
    assert Referral.objects.get().state == State.DECLINED


# --- replaying consent ----------------------------------------------------------------------------


def forget_events_after(consent: Consent, number: int) -> None:
    """As a backup of before would have it."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM clients_consentevent WHERE number > %s", [number])
        cursor.execute(
            "UPDATE core_ledgerhead SET number = %s, hash = (SELECT hash FROM clients_consentevent"
            " WHERE number = %s) WHERE chain = 'consent'",
            [number, number],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    JournalLine.objects.all().delete()


def test_narrowed_is_narrowed_again_in_the_name_of_who_said_so(story: Story) -> None:
    consent = share(story)
    before = consents.standing(consent, NOON)
    sharing.narrow(actor=story.as_client, consent_id=consent.pk, classes=[Scope.CLEARANCE], at=NOON)
    forget_events_after(consent, before.event_number)
    assert consents.standing(consent, NOON).classes == before.classes
    (ending,) = journal.unknown()
    assert restoring.bring_about(ending, at=NOON) == "narrowed"
    now = consents.standing(consent, NOON)
    assert (now.classes, now.expires_at) == (frozenset({Scope.CLEARANCE}), before.expires_at)
    assert restoring.bring_about(ending, at=NOON) == "known"


def test_a_later_decision_stands(story: Story) -> None:
    consent = share(story)
    sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    JournalLine.objects.all().delete()
    (ending,) = journal.unknown()
    assert restoring.bring_about(ending, at=NOON) == "shares nothing"


# --- a journal that cannot be written -------------------------------------------------------------


def test_whoever_stops_has_stopped_full_disk_or_not(
    story: Story, settings: Settings, tmp_path: Path, rf: Any
) -> None:
    consent = share(story)
    (tmp_path / "full").touch()
    settings.REVOCATION_JOURNAL = str(tmp_path / "full" / "journal")
    sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    assert state(consent) is ConsentState.REVOKED
    assert journal.owed() == 1
    assert b'"journal_owed": 1' in readyz(rf.get("/readyz")).content
    restoring.tend()
    assert journal.owed() == 1
    settings.REVOCATION_JOURNAL = str(tmp_path / "journal")
    assert restoring.tend() == ""
    assert journal.owed() == 0
    assert kinds() == ["consent.revoked"]
    assert not journal.unknown()


def test_what_was_said_and_not_committed_is_done_at_a_later_tick(story: Story) -> None:
    """The request died between the disk and the database. The client has said so."""
    consent = share(story)
    with transaction.atomic():
        sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
        transaction.set_rollback(True)
    assert state(consent) is ConsentState.ACTIVE
    assert kinds() == ["consent.revoked"]
    (ending,) = journal.unknown()
    assert not ending.done
    journal.file().path.unlink()
    long_ago = timezone.now() - 2 * IN_DOUBT
    with transaction.atomic():
        sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=timezone.now())
        transaction.set_rollback(True)
    assert restoring.tend() == ""
    assert state(consent) is ConsentState.ACTIVE, "the request may still be on its way"
    journal.file().path.unlink()
    with transaction.atomic():
        journal.write(ending.kind, ending.facts, at=long_ago)
        transaction.set_rollback(True)
    assert restoring.tend() == ""
    assert state(consent) is ConsentState.REVOKED
    assert not journal.unknown()


def test_it_is_written_inside_the_transaction_of_what_it_tells() -> None:
    with pytest.raises(TransactionManagementError):
        journal.write("user.ended", {"id": "0"})


# --- the hold -------------------------------------------------------------------------------------


def test_a_committed_ending_that_is_not_here_puts_the_hold(story: Story) -> None:
    consent = share(story)
    sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    assert hold.look() == ""
    forget_events_after(consent, 2)
    assert restoring.tend() == "behind"
    assert hold.is_held()
    with pytest.raises(restoring.Refused, match="not replayed"):
        restoring.release(())
    did = restoring.replay()
    assert [done for _, done in did.endings] == ["revoked"]
    restoring.release(())
    assert not hold.is_held()


def test_a_changed_journal_keeps_the_hold(story: Story) -> None:
    consent = share(story)
    sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    hold.put(Custody.Hold.RESTORED)
    path = journal.file().path
    whole = path.read_text()
    path.write_text(whole.replace("consent.revoked", "consent.narrowed"))
    with pytest.raises(Damaged, match="journal #1"):
        restoring.replay()
    path.unlink()
    with pytest.raises(restoring.Refused, match="journal #1: line is missing"):
        restoring.replay()
    assert hold.is_held()
    path.write_text(whole)
    restoring.replay()
    restoring.release(())
    assert not hold.is_held()


def test_without_a_journal_everything_ends(story: Story) -> None:
    consent = share(story)
    hold.put(Custody.Hold.RESTORED)
    did = restoring.replay(journal_is_lost=True)
    assert did.lost == 1
    assert state(consent) is ConsentState.REVOKED
    restoring.release(())
    assert not hold.is_held()


def test_a_line_nobody_can_do_again_keeps_the_hold() -> None:
    with transaction.atomic():
        journal.write("moon.ended", {"id": "0"})
        transaction.set_rollback(True)
    hold.put(Custody.Hold.RESTORED)
    with pytest.raises(restoring.Refused, match=r"moon\.ended"):
        restoring.replay()
    assert hold.is_held()


def test_nothing_to_do_is_said() -> None:
    with pytest.raises(restoring.Refused, match="nothing"):
        restoring.replay()
    with pytest.raises(restoring.Refused, match="nothing"):
        restoring.release(())


def test_a_row_of_custody_that_is_gone_is_a_hold() -> None:
    share(Story())
    Custody.objects.all().delete()
    assert hold.reason() == "missing"
    hold.take_custody()
    assert hold.reason() == "missing"
    Custody.objects.update(hold="")


def test_another_place_is_a_hold() -> None:
    """What a dump brings along is where it was made."""
    Custody.objects.update(fingerprint="1:2:3")
    assert hold.reason() == "restored"
    assert hold.look() == "restored"
    assert Custody.objects.get().held_since is not None


def test_whatever_is_told_can_be_done_again() -> None:
    """A kind that nobody knows would keep a restored house held for good."""
    source = Path(consents.__file__).read_text()
    foretold = set(re.findall(r"_foretell\([^()]*(?:\([^()]*\)[^()]*)?Kind\.(\w+)", source))
    assert foretold == {"REVOKED", "NARROWED", "SUPERSEDED", "ENDED"}
    assert source.count("_foretell(") == 1 + len(re.findall(r"_foretell\([^\n]*Kind\.", source))
    kinds = {f"consent.{ConsentEvent.Kind[each]}" for each in foretold}
    assert kinds | {"referral.ended", *endings.BY_KIND, *erasure.KINDS} == set(restoring.AGAIN)


def test_what_the_system_ended_keeps_no_restored_house_held(story: Story) -> None:
    consent = share(story)
    with transaction.atomic():
        consents.end_for_erased(actor=SYSTEM, client=story.client, at=NOON)
        transaction.set_rollback(True)
    assert kinds() == ["consent.ended"]
    hold.put(Custody.Hold.RESTORED)
    did = restoring.replay()
    assert [done for _, done in did.endings] == ["ended"]
    assert state(consent) is ConsentState.ENDED
    restoring.release(())
    assert not hold.is_held()


def end_again(known: Consent, **changes: Any) -> str:
    """What a line of the journal about this consent brings about."""
    now = consents.standing(known, NOON)
    facts = {
        "consent": str(known.pk),
        "seen": now.event_number,
        "classes": [],
        "by": None,
        "authority": "system",
        "guardianship": None,
    } | changes
    with transaction.atomic():
        return consents.end_again(facts, "consent.ended", at=NOON)


def test_what_the_system_ended_ends_again(story: Story) -> None:
    consent = share(story)
    assert end_again(consent) == "ended"
    assert state(consent) is ConsentState.ENDED
    assert end_again(consent) == "shares nothing"


def test_a_consent_that_is_not_here_is_said_so(story: Story) -> None:
    consent = share(story)
    assert end_again(consent, consent="00000000-0000-0000-0000-000000000001") == "unknown here"


def test_whoever_is_not_here_either_has_ended_it_all_the_same(story: Story) -> None:
    consent = share(story)
    nobody = {"by": "00000000-0000-0000-0000-000000000001", "authority": "self"}
    assert end_again(consent, **nobody) == "ended"
    assert state(consent) is ConsentState.REVOKED


def test_what_was_decided_after_the_line_stands(story: Story) -> None:
    assert end_again(share(story), seen=0) == "decided later"


def walk_again(referral: UUID, target: State) -> str:
    """What a line of the journal about this referral brings about."""
    facts = {"referral": str(referral), "verb": "cancel", "state": str(target)}
    by = {"by": str(uuid4()), "party": "sender"}
    with transaction.atomic():
        return lifecycle.end_again(facts | by, at=NOON)


def test_a_handoff_that_was_ended_ends_again_and_once(story: Story) -> None:
    referral = story.accepted()
    assert walk_again(referral.pk, State.CANCEL_REQUESTED) == "ended"
    referral.refresh_from_db()
    assert (referral.state, referral.closed_at) == (State.CANCEL_REQUESTED, None)
    assert walk_again(referral.pk, State.FAILED) == "ended"
    referral.refresh_from_db()
    assert (referral.state, referral.closed_at) == (State.FAILED, NOON)
    for target in (State.FAILED, State.CANCELLED):
        assert walk_again(referral.pk, target) == "ended already"


def test_a_handoff_that_is_not_here_is_said_so() -> None:
    assert walk_again(uuid4(), State.CANCELLED) == "unknown here"


def test_a_question_nobody_answered_has_nothing_to_end(story: Story) -> None:
    """Without a journal, and when its client is erased: a question is taken back, not revoked."""
    question = asked_consent(client=story.client, discloser=story.pt, recipient=story.trainer)
    assert consents.end_all(at=NOON) == 0
    assert state(question) is ConsentState.REQUESTED
    assert consents.end_for_erased(actor=SYSTEM, client=story.client, at=NOON) == 1
    assert state(question) is ConsentState.WITHDRAWN
    assert consents.end_for_erased(actor=SYSTEM, client=story.client, at=NOON) == 0
