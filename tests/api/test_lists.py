"""Lists take as many queries for 25 rows as for one, and the small ones say what they should."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import invitations
from clients.models import User
from clients.scopes import Scope
from handoff.core import tokens
from handoff.core.errors import NotVisible
from handoff.core.files.storing import StoredFile
from referrals import care, disclosure, gates, screenings
from referrals.models import (
    Coverage,
    Letter,
    Measure,
    Package,
    ReferralMessage,
    Reminder,
    ReminderRule,
)
from referrals.states import State
from tests.api.conftest import World
from tests.factories import (
    NOON,
    ClientFactory,
    DischargeNoteFactory,
    EpisodeFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    acting,
    asked_consent,
    certified_trainer,
    licensed_pt,
)

MANY = 25


def reminder(world: World, referral: Any) -> Reminder:
    rule = ReminderRule.objects.get(number=5)
    now = timezone.now()
    return Reminder.objects.create(
        rule=rule,
        recipient=world.trainer.user,
        occurrence_key=f"test-{referral.pk}",
        referral=referral,
        audience=Reminder.Audience.RECIPIENT,
        due_at=now - timedelta(hours=1),
        useful_until=now + timedelta(days=3),
        zone="America/New_York",
        shown_at=now - timedelta(hours=1),
    )


def a_file(owner: User) -> StoredFile:
    return StoredFile.objects.create(owner=owner, kind="pdf", size=3, content=b"abc")


def a_letter(world: World) -> None:
    assert world.client.user is not None
    Letter.objects.create(
        client=world.client,
        pt=world.pt,
        kind="other",
        author="Dr. Imani Vale",
        dated_on=NOON.date(),
        file=a_file(world.client.user),
        key=b"abc",
        added_by=world.client.user,
        added_as="client",
    )


def a_package(world: World) -> None:
    Package.objects.create(
        client=world.client, provider="Gym", sessions_bought=10, bought_on=NOON.date()
    )


def a_coverage(world: World) -> None:
    Coverage.objects.create(
        episode=EpisodeFactory.create(pt=world.pt, client=world.client),
        client=world.client,
        payer="An insurer",
    )


def a_screening(world: World) -> None:
    screenings.save(actor=world.as_client, client_id=world.client.pk, answers={"pain": "yes"})


def a_client(world: World) -> None:
    ClientFactory.create(created_by=world.pt)


def an_episode(world: World) -> None:
    EpisodeFactory.create(pt=world.pt, client=ClientFactory.create(created_by=world.pt))


def a_note(world: World) -> None:
    DischargeNoteFactory.create(episode=EpisodeFactory.create(pt=world.pt))


def a_score(world: World) -> None:
    care.record_measurement(
        actor=world.as_pt,
        episode_id=world.episode.pk,
        measure="probe",
        moment="interim",
        value=30,
        taken_on=NOON.date(),
        at=NOON,
    )


def a_gate(world: World) -> None:
    gates.add_gate(
        actor=world.as_pt, episode_id=world.episode.pk, data={"test": "One more"}, at=NOON
    )


def a_restriction(world: World) -> None:
    RestrictionVersionFactory.create(restriction=RestrictionFactory.create(episode=world.episode))


def a_referral(world: World) -> None:
    ReferralFactory.create(
        client=ClientFactory.create(created_by=world.pt),
        sender=world.pt,
        recipient=world.trainer,
        state=State.SENT,
        sent_at=NOON,
    )


def a_consent(world: World) -> None:
    episode = EpisodeFactory.create(pt=world.pt)
    asked_consent(client=episode.client, discloser=world.pt, recipient=world.trainer)


def a_question_more(world: World) -> None:
    asked_consent(client=world.client, discloser=world.pt, recipient=world.trainer)


def a_look(world: World) -> None:
    """Entered as refused."""
    with pytest.raises(NotVisible):
        disclosure.disclose(actor=acting(licensed_pt()), client_id=world.client.pk, purpose="x")


def a_token(world: World) -> None:
    tokens.issue(user_id=world.pt.user_id)


def a_professional(world: World) -> None:
    certified_trainer()


def a_reminder(world: World) -> None:
    referral = ReferralFactory.create(
        client=ClientFactory.create(created_by=world.pt),
        sender=world.pt,
        recipient=world.trainer,
        state=State.SENT,
        sent_at=NOON,
    )
    reminder(world, referral)


def an_invitation(world: World) -> None:
    """To a record that nobody has taken up yet."""
    invitations.invite_existing_record(
        actor=world.as_pt, client_id=world.newcomer.pk, email="new@example.org", at=NOON
    )


def a_measure(world: World) -> None:
    Measure.objects.create(
        code=f"scale-{Measure.objects.count()}", name="Scale", low=0, high=10, higher_is_better=True
    )


def a_version(world: World) -> None:
    RestrictionVersionFactory.create(
        restriction=world.limit,
        number=world.limit.versions.count() + 1,
        change_reason="Looked at again.",
    )


def a_message(world: World) -> None:
    ReferralMessage.objects.create(
        referral=world.referral, author=world.trainer, text="And now?", sent_at=NOON
    )


LISTS: dict[str, tuple[str, str, Callable[[World], None]]] = {
    "clients": ("pt_api", "clients/", a_client),
    "episodes": ("pt_api", "episodes/", an_episode),
    "coverages": ("client_api", "clients/{world.client.pk}/coverages/", a_coverage),
    "packages": ("client_api", "clients/{world.client.pk}/packages/", a_package),
    "letters": ("pt_api", "clients/{world.client.pk}/letters/", a_letter),
    "screenings": ("client_api", "clients/{world.client.pk}/screenings/", a_screening),
    "notes": ("pt_api", "discharge-notes/", a_note),
    "scores": ("pt_api", "episodes/{world.episode.pk}/measurements/", a_score),
    "all scores": ("pt_api", "measurements/?episode={world.episode.pk}", a_score),
    "gates": ("pt_api", "episodes/{world.episode.pk}/gates/", a_gate),
    "measures": ("pt_api", "measures/", a_measure),
    "invitations": ("pt_api", "clients/{world.newcomer.pk}/invitations/", an_invitation),
    "versions": ("pt_api", "restrictions/{world.limit.pk}/history/", a_version),
    "a trainer's versions": ("trainer_api", "restrictions/{world.limit.pk}/history/", a_version),
    "messages": ("pt_api", "referrals/{world.referral.pk}/messages/", a_message),
    "a trainer's messages": ("trainer_api", "referrals/{world.referral.pk}/messages/", a_message),
    "restrictions": ("pt_api", "restrictions/?client={world.client.pk}", a_restriction),
    "restrictions of an episode": (
        *("pt_api", "restrictions/?episode={world.episode.pk}"),
        a_restriction,
    ),
    "a trainer's restrictions": (
        *("trainer_api", "restrictions/?client={world.client.pk}"),
        a_restriction,
    ),
    "outbox": ("pt_api", "referrals/?box=out", a_referral),
    "inbox": ("trainer_api", "referrals/?box=in", a_referral),
    "consents": ("pt_api", "consents/", a_consent),
    "my consents": ("client_api", "consents/", a_question_more),
    "timeline": ("client_api", "clients/{world.client.pk}/timeline/", a_question_more),
    "access log": ("client_api", "access-log/", a_look),
    "tokens": ("pt_api", "tokens/", a_token),
    "professionals": ("pt_api", "professionals/", a_professional),
    "reminders": ("trainer_api", "reminders/", a_reminder),
    "record": ("client_api", "clients/{world.client.pk}/record/", a_restriction),
}


def taken(world: World, who: str, address: str) -> tuple[int, int]:
    """How many queries, and how many rows came of them."""
    api = getattr(world, who)
    with CaptureQueriesContext(connection) as queries:
        answer = api.get(address.format(world=world) + _full(address))
    assert answer.status_code == 200, answer.content
    rows = answer.json().get("results", answer.json().get("restrictions", {}).get("items"))
    return len(queries), len(rows)


def _full(address: str) -> str:
    if "record" in address:
        return ""
    return ("&" if "?" in address else "?") + "page_size=100"


@pytest.mark.parametrize("name", LISTS)
def test_many_take_as_many_queries_as_one(world: World, name: str) -> None:
    who, address, more = LISTS[name]
    world.share(*Scope)
    more(world)
    taken(world, who, address)  # what is cached per process is cached now
    few, before = taken(world, who, address)
    for _ in range(MANY - 1):
        more(world)
    many, after = taken(world, who, address)
    assert after >= before + MANY - 1
    assert many == few
