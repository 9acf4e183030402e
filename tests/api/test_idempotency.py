"""A repeated `Idempotency-Key` does the thing once, and keeps no answer."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from clients.scopes import Scope
from handoff.api import idempotency
from handoff.core.idempotency import IdempotentRequest
from referrals.models import Measurement
from tests.api.client import Api
from tests.api.conftest import World
from tests.factories import NOON

KEY = {"Idempotency-Key": "3f1c9f0e-one"}
SCORE = {"measure": "probe", "moment": "start", "value": 30, "taken_on": "2026-09-01"}


def send(api: Api, world: World, body: dict[str, Any] = SCORE, key: str = "one") -> Any:
    address = f"episodes/{world.episode.pk}/measurements/"
    return api.post(address, body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_is_done_once(world: World) -> None:
    first, second = send(world.pt_api, world), send(world.pt_api, world)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Measurement.objects.count() == 1


def test_without_a_key_twice_is_twice(world: World) -> None:
    address = f"episodes/{world.episode.pk}/measurements/"
    for _ in range(2):
        assert world.pt_api.post(address, SCORE).status_code == 201
    assert Measurement.objects.count() == 2


def test_another_body_under_the_key_is_refused(world: World) -> None:
    send(world.pt_api, world)
    refused = send(world.pt_api, world, {**SCORE, "value": 31})
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("#conflict")
    assert Measurement.objects.count() == 1


def test_another_address_under_the_key_is_refused(world: World) -> None:
    send(world.pt_api, world)
    body = {**SCORE, "episode": str(world.episode.pk)}
    refused = world.pt_api.post("measurements/", body, headers={"Idempotency-Key": "one"})
    assert refused.status_code == 409


def test_keys_are_each_persons_own(world: World) -> None:
    assert send(world.pt_api, world).status_code == 201
    other = send(world.pta_api, world)
    assert (other.status_code, "Idempotency-Replayed" in other) == (201, False)
    assert Measurement.objects.count() == 2


def test_a_refused_request_frees_its_key(world: World) -> None:
    assert send(world.pt_api, world, {**SCORE, "value": 1000}).status_code == 400
    assert not IdempotentRequest.objects.exists()
    assert send(world.pt_api, world).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ключ"])
def test_a_key_must_be_one(world: World, key: str) -> None:
    refused = send(world.pt_api, world, key=key)
    assert refused.status_code == 400
    assert not Measurement.objects.exists()


def test_a_key_is_kept_for_a_day(world: World, noon: time_machine.Traveller) -> None:
    send(world.pt_api, world)
    noon.move_to(NOON + timedelta(hours=23))
    assert send(world.pt_api, world)["Idempotency-Replayed"] == "true"
    noon.move_to(NOON + idempotency.KEPT + timedelta(minutes=1))
    assert send(world.pt_api, world).status_code == 201
    assert Measurement.objects.count() == 2
    assert IdempotentRequest.objects.count() == 1


def test_what_is_kept_holds_nothing_of_the_body_or_the_answer(world: World) -> None:
    world.share(*Scope)
    address = f"referrals/{world.referral.pk}/hold/"
    body = {"reason_code": "other", "reason_text": "canary text"}
    world.trainer_api.post(f"referrals/{world.referral.pk}/begin/")
    held = world.trainer_api.post(address, body, headers=KEY)
    assert held.status_code == 200
    row = IdempotentRequest.objects.get()
    assert (row.object_id, row.status) == (str(world.referral.pk), 200)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM core_idempotentrequest")
        assert "canary" not in str(cursor.fetchall())


def test_a_repetition_answers_under_the_consent_of_its_moment(world: World) -> None:
    """The key proves that the request was sent, not that its answer may still be read."""
    world.signed()
    world.share(Scope.RESTRICTIONS)
    restriction = world.restriction()
    address = f"restrictions/{restriction.pk}/acknowledge/"
    first = world.trainer_api.post(address, {"version": 1}, headers=KEY)
    assert (first.status_code, first.json()["wording"]) == (200, "No pressing overhead.")
    revoked = world.client_api.post(f"consents/{world.consent.pk}/revoke/")
    assert revoked.status_code == 200
    again = world.trainer_api.post(address, {"version": 1}, headers=KEY)
    assert again.status_code == 204
    assert not again.content


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done_and_all_answer_alike() -> None:
    world = World()
    answers: list[tuple[int, Any]] = []

    def one(key: str) -> None:
        try:
            answer = send(Api(world.pt), world, key=key)
            answers.append((answer.status_code, answer.json()))
        finally:
            connection.close()

    def race(keys: list[str]) -> None:
        threads = [threading.Thread(target=one, args=[key]) for key in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    race(["a", "b", "c", "d"])
    assert Measurement.objects.count() == 4  # the harness can produce doubles
    Measurement.objects.all().delete()
    answers.clear()
    race(["same"] * 4)
    assert Measurement.objects.count() == 1
    assert [status for status, _ in answers] == [201] * 4
    assert all(body == answers[0][1] for _, body in answers)


@pytest.mark.django_db(transaction=True)
def test_a_repetition_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT_MILLISECONDS", 200)
    world = World()
    inside, release = threading.Event(), threading.Event()

    def slow() -> None:
        def act() -> None:
            inside.set()
            release.wait(20)

        try:
            idempotency.once(
                user_id=world.pt.user_id, key="one", print_="x" * 64, status=200, act=act
            )
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    try:
        assert inside.wait(20)
        refused = send(world.pt_api, world)
    finally:
        release.set()
        thread.join()
    assert refused.status_code == 409
    assert "still at work" in refused.json()["detail"]
