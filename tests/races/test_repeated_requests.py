"""The same request ten times at once, over the API."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import time_machine

from handoff.core.audit import AuditEntry
from referrals.models import Measurement, ReferralEvent, Reminder
from referrals.states import Verb
from tests.api.client import Api
from tests.factories import NOON
from tests.races.rounds import rounds
from tests.races.test_referral_races import together
from tests.referrals.scenes import Therapy
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 10
SCORE = {"measure": "probe", "moment": "start", "value": 30, "taken_on": "2026-09-01"}


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON):
        yield


def post(api: Api, address: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    answer = api.post(address, body or {}, headers=headers)
    return answer.status_code, answer.json()


def test_without_one_key_each_is_done() -> None:
    """Positive control: ten requests that are not known to be one have ten effects."""
    therapy = Therapy()
    api, address = Api(therapy.pt), f"episodes/{therapy.episode.pk}/measurements/"
    together(*(partial(post, api, address, SCORE, f"key-{place}") for place in range(AT_ONCE)))
    assert Measurement.objects.count() == AT_ONCE


def test_under_one_key_it_is_done_once_and_all_answers_are_alike() -> None:
    therapy = Therapy()
    address = f"episodes/{therapy.episode.pk}/measurements/"
    apis = [Api(therapy.pt) for _ in range(AT_ONCE)]
    for number in rounds(3, 200):
        answers = together(*(partial(post, api, address, SCORE, f"round-{number}") for api in apis))
        assert answers[0][0] == 201
        assert all(each == answers[0] for each in answers), answers
        assert Measurement.objects.count() == number + 1


def test_two_devices_of_one_trainer_accept_one_handoff() -> None:
    """One wins, the other is told 409, and everybody hears of it once."""

    def heard_of(referral_id: Any) -> list[Any]:
        # Administrators add up from story to story; the people of this one do not.
        rows = Reminder.objects.filter(referral_id=referral_id).exclude(audience="admin")
        return sorted(rows.values_list("rule__key", "audience"))

    def sent() -> tuple[Any, list[Callable[[], Any]]]:
        story = Story()
        referral = story.sent()
        address = f"referrals/{referral.pk}/accept/"
        return referral.pk, [partial(post, Api(story.trainer), address) for _ in range(2)]

    alone, (accept, _) = sent()
    assert accept()[0] == 200
    expected = heard_of(alone)
    assert expected
    for _ in rounds(3, 500):
        referral_id, devices = sent()
        answers = together(*devices)
        assert sorted(status for status, _ in answers) == [200, 409]
        steps = ReferralEvent.objects.filter(referral=referral_id, verb=Verb.ACCEPT)
        assert steps.count() == 1
        assert heard_of(referral_id) == expected
        noted = AuditEntry.objects.filter(object_id=str(referral_id), verb="referral.accept")
        assert noted.count() == 1
