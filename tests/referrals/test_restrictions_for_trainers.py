"""What a trainer may do with a restriction: acknowledge it, and ask. Never change it (R8)."""

from datetime import date, timedelta
from typing import Any

import pytest

from clients import consent as consents
from clients.scopes import Scope
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import restrictions
from referrals.models import (
    Acknowledgement,
    ReferralMessage,
    Restriction,
    RestrictionVersion,
)
from referrals.states import State
from tests.factories import (
    NOON,
    EpisodeFactory,
    ProfessionalFactory,
    ReferralFactory,
    RestrictionVersionFactory,
    acting,
    certified_trainer,
)
from tests.referrals.scenes import Therapy, verbs_on

pytestmark = pytest.mark.django_db

TODAY = date(2027, 1, 13)
LATER = NOON + timedelta(days=7)


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


@pytest.fixture
def after(therapy: Therapy) -> Therapy:
    """The note is signed, with two restrictions."""
    therapy.signed()
    return therapy


def revised(therapy: Therapy, **changes: Any) -> RestrictionVersion:
    entries = {
        "actor": therapy.as_pt,
        "restriction_id": therapy.restriction("limit_load").pk,
        "data": {"value": "15"},
        "reason": "Stronger.",
        "at": LATER,
    }
    return restrictions.revise(**{**entries, **changes})


def lifted(therapy: Therapy, **changes: Any) -> RestrictionVersion:
    entries = {
        "actor": therapy.as_pt,
        "restriction_id": therapy.restriction("limit_load").pk,
        "reason": "Full strength.",
        "at": LATER,
    }
    return restrictions.lift(**{**entries, **changes})


def acknowledged(therapy: Therapy, **changes: Any) -> Acknowledgement:
    entries = {
        "actor": therapy.as_trainer,
        "restriction_id": therapy.restriction().pk,
        "version": 1,
        "at": LATER,
    }
    return restrictions.acknowledge(**{**entries, **changes})


class TestAcknowledging:
    def test_the_version_in_force_is_acknowledged_once(self, after: Therapy) -> None:
        after.share()
        row = acknowledged(after)
        assert (row.professional, row.acknowledged_at, row.version.number) == (
            after.trainer,
            LATER,
            1,
        )
        assert acknowledged(after, at=LATER + timedelta(days=1)) == row
        assert verbs_on(after.restriction()) == ["restriction.acknowledged"]

    def test_an_older_version_is_not(self, after: Therapy) -> None:
        after.share()
        revised(after, restriction_id=after.restriction().pk, data={"instead": "Pull."})
        with pytest.raises(Stale):
            acknowledged(after, version=1)
        with pytest.raises(Stale):
            acknowledged(after, version=3)
        assert acknowledged(after, version=2).version.number == 2

    def test_a_changed_version_asks_again(self, after: Therapy) -> None:
        after.share()
        acknowledged(after)
        version = revised(after, restriction_id=after.restriction().pk, data={"instead": "Pull."})
        assert not version.acknowledgements.exists()

    def test_that_it_is_lifted_can_be_acknowledged(self, after: Therapy) -> None:
        after.share()
        lifted(after, restriction_id=after.restriction().pk)
        assert acknowledged(after, version=2).version.status == "lifted"

    def test_only_with_restrictions_shared_now(self, after: Therapy) -> None:
        with pytest.raises(NotVisible):
            acknowledged(after)
        after.share(Scope.CLEARANCE)
        with pytest.raises(NotVisible):
            acknowledged(after)

    def test_not_after_sharing_was_stopped(self, after: Therapy) -> None:
        after.share()
        consents.revoke(actor=after.as_client, consent_id=after.consent.pk, at=LATER)
        with pytest.raises(NotVisible):
            acknowledged(after)
        with pytest.raises(NotAllowed):
            restrictions.acknowledge_all(
                actor=after.as_trainer, client_id=after.client.pk, at=LATER
            )
        assert not Acknowledgement.objects.exists()

    def test_who_is_no_trainer_of_the_client_does_not_acknowledge(self, after: Therapy) -> None:
        both = ProfessionalFactory.create(user=after.pt.user, trainer=True)
        for actor in (after.as_pt, after.as_pta, after.as_client, acting(both)):
            with pytest.raises(NotAllowed):
                acknowledged(after, actor=actor)
            with pytest.raises(NotAllowed):
                restrictions.acknowledge_all(actor=actor, client_id=after.client.pk, at=LATER)
        assert not Acknowledgement.objects.exists()

    def test_all_at_once(self, after: Therapy) -> None:
        after.share()
        acknowledged(after)
        rows = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, at=LATER
        )
        current = list(restrictions.current_versions([after.episode.pk]))
        assert [row.version_id for row in rows] == [version.pk for version in current]
        assert verbs_on(after.client) == ["restriction.acknowledged_all"]
        again = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, at=LATER
        )
        assert again == rows
        assert verbs_on(after.client) == ["restriction.acknowledged_all"]

    def test_all_that_the_page_showed(self, after: Therapy) -> None:
        after.share()
        shown = {each.pk: 1 for each in Restriction.objects.all()}
        revised(after)
        with pytest.raises(Stale):
            restrictions.acknowledge_all(
                actor=after.as_trainer, client_id=after.client.pk, versions=shown, at=LATER
            )
        shown[after.restriction("limit_load").pk] = 2
        rows = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, versions=shown, at=LATER
        )
        assert len(rows) == 2

    def test_all_means_those_of_the_therapists_the_client_shares(self, after: Therapy) -> None:
        after.share()
        elsewhere = EpisodeFactory.create(client=after.client, pt=after.other_pt)
        other = RestrictionVersionFactory.create(restriction__episode=elsewhere)
        rows = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, at=LATER
        )
        assert other.pk not in {row.version_id for row in rows}

    def test_two_trainers_acknowledge_each_for_themselves(self, after: Therapy) -> None:
        after.share()
        acknowledged(after)
        after.trainer = certified_trainer()
        after.share()
        acknowledged(after)
        assert Acknowledgement.objects.count() == 2


class TestAsking:
    def ask(self, therapy: Therapy, **changes: Any) -> ReferralMessage:
        entries = {
            "actor": therapy.as_trainer,
            "restriction_id": therapy.restriction().pk,
            "text": " May we press with a band? ",
            "at": LATER,
        }
        return restrictions.request_lift(**{**entries, **changes})

    def test_the_question_goes_to_the_therapist_and_nothing_is_lifted(self, after: Therapy) -> None:
        after.share()
        message = self.ask(after)
        assert (message.referral, message.author) == (after.referral, after.trainer)
        assert message.text == (
            "About the limit set on 13 Jan 2027 (version 1): May we press with a band?"
        )
        assert restrictions.current_versions([after.episode.pk]).count() == 2
        assert RestrictionVersion.objects.count() == 2
        assert verbs_on(after.restriction()) == ["restriction.lift_requested"]

    def test_it_goes_into_the_open_referral_of_several(self, after: Therapy) -> None:
        after.share()
        ReferralFactory.create(
            client=after.client,
            sender=after.pt,
            recipient=after.trainer,
            state=State.COMPLETED,
            state_at=LATER,
        )
        assert self.ask(after).referral == after.referral

    @pytest.mark.parametrize("text", ["", "  ", "x" * 2000, None])
    def test_a_question_says_something_and_fits(self, after: Therapy, text: Any) -> None:
        after.share()
        with pytest.raises(Invalid) as caught:
            self.ask(after, text=text)
        assert set(caught.value.errors) == {"text"}
        assert not ReferralMessage.objects.exists()

    def test_what_is_lifted_needs_no_asking(self, after: Therapy) -> None:
        after.share()
        lifted(after, restriction_id=after.restriction().pk)
        with pytest.raises(Stale):
            self.ask(after)

    @pytest.mark.parametrize("who", ["as_pt", "as_pta", "as_client"])
    def test_only_the_trainer_asks(self, after: Therapy, who: str) -> None:
        with pytest.raises(NotAllowed):
            self.ask(after, actor=getattr(after, who))

    def test_a_trainer_of_somebody_else_learns_nothing(self, after: Therapy) -> None:
        with pytest.raises(NotVisible):
            self.ask(after)

    def test_a_therapist_who_also_trains_does_not_ask_themselves(self, after: Therapy) -> None:
        ProfessionalFactory.create(user=after.pt.user, trainer=True)
        with pytest.raises(NotAllowed):
            self.ask(after, actor=after.as_pt)
