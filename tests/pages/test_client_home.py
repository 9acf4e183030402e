"""The first page of a client, of a guardian, and of people with several roles."""

from datetime import date, timedelta
from typing import Any

import pytest

from clients.models import AccessEntry, Client, Guardianship, Professional
from clients.scopes import Scope
from referrals import lifecycle, sharing
from referrals.models import Episode, Referral
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    certified_trainer,
    granted_consent,
)
from tests.pages.reading import as_, get, queries_of
from tests.referrals.scenes import Therapy
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def a_little_later(time_machine: Any) -> None:
    time_machine.move_to(NOON + timedelta(minutes=5), tick=False)


def step_of(text: str) -> str:
    """The card of the next step."""
    return text[text.index("card--phase") : text.index("My journey</h2>")]


class TestNextStep:
    """One step at a time, in the order of the way."""

    def test_from_therapy_to_training(self, time_machine: Any) -> None:
        story = Story()
        client = as_(story.client)
        assert "Therapy goes on" in step_of(get(client, "/home/"))
        lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
        trainer = story.trainer.user.first_name
        text = step_of(get(client, "/home/"))
        assert f"Answer: may {trainer} see some of your record?" in text
        consent = Referral.objects.get().consent
        assert consent
        assert f"/consents/{consent.pk}/" in text

        sharing.grant(
            actor=story.as_client,
            consent_id=consent.pk,
            classes=[Scope.CLEARANCE],
            expires_on=date(2027, 6, 1),
            at=NOON,
        )
        assert f"{trainer} has been asked" in step_of(get(client, "/home/"))

        referral = Referral.objects.get()
        as_trainer = story.as_trainer
        lifecycle.accept(actor=as_trainer, referral_id=referral.pk, at=NOON)
        assert "Book the first session" in step_of(get(client, "/home/"))

        lifecycle.schedule(
            actor=as_trainer, referral_id=referral.pk, first_session_at=NOON + DAY, at=NOON
        )
        text = step_of(get(client, "/home/"))
        assert f"First session with {trainer}: 14 Jan 2027, 12:00" in text

        time_machine.move_to(NOON + DAY, tick=False)
        lifecycle.begin(actor=as_trainer, referral_id=referral.pk, at=NOON + DAY)
        client = as_(story.client)  # the session of yesterday has ended
        text = get(client, "/home/")
        assert f"Training with {trainer} goes on" in step_of(text)
        assert "Your trainer leads now." in text

        # As signing a discharge leaves it.
        Episode.objects.update(status=Episode.Status.FINISHED, ended_on=date(2027, 1, 12))
        lifecycle.complete(
            actor=as_trainer, referral_id=referral.pk, observations="All done.", at=NOON + DAY
        )
        assert "Keep to the limits" in step_of(get(client, "/home/"))

    def test_nothing_yet(self) -> None:
        text = get(as_(ClientFactory.create()), "/home/")
        assert "Therapy goes on" in text
        assert "None are signed yet" in text
        assert "Nothing is shared" in text


class TestContent:
    def test_own_limits_sharing_and_team(self) -> None:
        scene = Therapy()
        scene.signed()
        scene.share(Scope.CLEARANCE, Scope.RESTRICTIONS)
        text = get(as_(scene.client), "/home/")
        for words in (
            "right shoulder",
            "at most 10 kg",
            "Cleared, with limits",
            "sees 2 of 7 parts",
            scene.trainer.name,
            scene.pt.name,
            f"/consents/{scene.consent.pk}/revoke/",
        ):
            assert words in text, words

    def test_every_visit_is_entered_as_ones_own(self) -> None:
        scene = Therapy()
        get(as_(scene.client), "/home/")
        entry = AccessEntry.objects.get()
        assert (entry.purpose, entry.actor_role) == ("home", "client")

    def test_recent_looks_are_those_of_others(self) -> None:
        scene = Therapy()
        scene.signed()
        scene.share(Scope.CLEARANCE)
        client = as_(scene.client)
        get(client, "/home/")
        assert "Nobody else so far." in get(client, "/home/")
        get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
        text = get(client, "/home/")
        assert "Nobody else so far." not in text

    def test_as_many_queries_for_much_as_for_little(self) -> None:
        scene = Therapy()
        scene.signed()
        client = as_(scene.client)
        granted_consent(client=scene.client, discloser=scene.pt, recipient=certified_trainer())
        get(client, "/home/")
        few = queries_of(client, "/home/")
        for _ in range(5):
            granted_consent(client=scene.client, discloser=scene.pt, recipient=certified_trainer())
            RestrictionVersionFactory.create(
                restriction=RestrictionFactory.create(episode=scene.episode)
            )
            EpisodeFactory.create(client=scene.client, pt=scene.pt)
        assert queries_of(client, "/home/") == few

    def test_what_people_typed_is_text(self) -> None:
        evil = "<script>alert(1)</script>"
        scene = Therapy()
        EpisodeFactory.create(client=scene.client, pt=scene.pt, condition=evil, surgery=evil)
        text = get(as_(scene.client), "/home/")
        assert evil not in text
        assert "&lt;script&gt;" in text


class TestGuardians:
    def test_one_part_for_each_minor(self) -> None:
        parent = UserFactory.create()
        minors = [
            GuardianshipFactory.create(user=parent, client__minor=True).client for _ in range(2)
        ]
        stranger = ClientFactory.create(minor=True)
        text = get(as_(parent), "/home/")
        for minor in minors:
            assert f"You act on behalf of {minor.first_name}." in text
            assert f'id="client-{minor.pk}"' in text
        assert stranger.first_name not in text
        assert text.count("btn--primary") <= 1

    def test_one_minor(self) -> None:
        held = GuardianshipFactory.create()
        text = get(as_(held.user), "/home/")
        assert f"You act on behalf of <strong>{held.client.name}</strong>." in text

    def test_who_is_a_client_too_sees_both(self) -> None:
        scene = Therapy()
        held = GuardianshipFactory.create(user=scene.client.user)
        text = get(as_(scene.client), "/home/")
        assert "My own record" in text
        assert f"You act on behalf of {held.client.first_name}." in text

    def test_the_minor_sees_who_decides(self) -> None:
        held = GuardianshipFactory.create()
        text = get(as_(held.client), "/home/")
        assert held.user.name in text
        Guardianship.objects.update(verified_at=None, verified_by=None)
        text = get(as_(held.client), "/home/")
        assert held.user.name not in text
        assert "No guardian is verified yet" in text

    @pytest.mark.parametrize("why", ["unverified", "ended", "of age", "account off"])
    def test_without_authority_there_is_nothing(self, why: str) -> None:
        held = GuardianshipFactory.create()
        browser = as_(held.user)
        match why:
            case "unverified":
                Guardianship.objects.update(verified_at=None, verified_by=None)
            case "ended":
                Guardianship.objects.update(ended_at=NOON)
            case "of age":
                Client.objects.update(birth_date=date(2009, 1, 13))
            case "account off":
                held.user.is_active = False
                held.user.save()
        answer = browser.get("/home/")
        text = answer.content.decode()
        assert answer.status_code == (302 if why == "account off" else 200)
        assert held.client.first_name not in text
        assert held.client.last_name not in text
        if why == "unverified":
            assert "Your authority is not verified yet" in text

    def test_a_client_with_a_request_that_is_not_verified_is_told(self) -> None:
        scene = Therapy()
        held = GuardianshipFactory.create(unverified=True, user=scene.client.user)
        text = get(as_(scene.client), "/home/")
        assert "Your authority is not verified yet" in text
        assert held.client.last_name not in text


class TestDispatch:
    def test_each_role_has_its_own_and_others_are_not_there(self) -> None:
        scene = Therapy()
        get(as_(scene.client), "/home/client/")
        get(as_(scene.client), "/home/trainer/", 404)
        get(as_(scene.client), "/home/nowhere/", 404)
        get(as_(scene.trainer), "/home/trainer/")
        get(as_(scene.trainer), "/home/client/", 404)

    def test_somebody_with_two_roles_reaches_both(self) -> None:
        scene = Therapy()
        ProfessionalFactory.create(
            trainer=True, user=scene.client.user, role=Professional.Role.TRAINER
        )
        browser = as_(scene.client)
        assert "My journey" not in get(browser, "/home/")
        text = get(browser, "/home/client/")
        assert "My journey" in text
        assert "/home/client/" in get(browser, "/home/")

    def test_an_account_without_any_role(self) -> None:
        assert "Your account is not connected" in get(as_(UserFactory.create()), "/home/")

    def test_an_admin_goes_to_the_administration(self) -> None:
        answer = as_(UserFactory.create(is_staff=True)).get("/home/")
        assert (answer.status_code, answer["Location"]) == (302, "/admin/")

    def test_nobody_signed_in_is_asked_to(self) -> None:
        answer = as_(None).get("/home/")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


def test_a_record_joined_with_another_is_no_longer_shown() -> None:
    scene = Therapy()
    draft = ClientFactory.create(user=None, merged_into=scene.client)
    assert str(draft.pk) not in get(as_(scene.client), "/home/")
    assert acting(scene.client).roles == {"client"}
