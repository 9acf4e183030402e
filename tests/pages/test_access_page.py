"""Who has looked: every look and every refusal in plain words, for the client's side only."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from clients.models import AccessEntry, Client, Consent, Professional, User
from clients.scopes import Scope
from referrals import disclosure, sharing
from referrals.models import Referral
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    GuardianshipFactory,
    UserFactory,
    acting,
    certified_trainer,
    licensed_pt,
)
from tests.pages.reading import as_, get, queries_of
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_little_later(time_machine: Any) -> None:
    time_machine.move_to(NOON + timedelta(minutes=5), tick=False)


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    scene.signed()
    scene.share(Scope.CLEARANCE, Scope.RESTRICTIONS)
    return scene


def main(text: str) -> str:
    return text[text.index('<main id="main"') : text.index("</main>")]


def test_a_look_says_who_what_and_why(scene: Therapy) -> None:
    get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
    text = main(get(as_(scene.client), "/access/"))
    assert scene.trainer.name in text
    assert f"Personal trainer, {scene.trainer.practice.name}" in text
    assert "Looked at: limits, ready to train" in text
    assert f'/consents/{scene.consent.pk}/">You agreed to it' in text


def test_a_look_at_what_belongs_to_no_part_says_what_it_was(scene: Therapy) -> None:
    referral = Referral.objects.get(recipient=scene.trainer)
    Referral.objects.filter(pk=referral.pk).update(goal="Swim 1 km")
    get(as_(scene.pt), f"/referrals/{referral.pk}/")
    text = main(get(as_(scene.client), "/access/"))
    assert "Looked at: the goal of your training" in text
    assert "You agreed to it" not in text  # the sender's own words to the trainer
    assert "Swim" not in text


def test_a_look_after_sharing_ended_says_that_it_saw_nothing(scene: Therapy) -> None:
    sharing.revoke(actor=scene.as_client, consent_id=scene.consent.pk)
    get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
    text = main(get(as_(scene.client), "/access/"))
    assert "Looked at: nothing, as no part is shared" in text


def test_a_therapist_and_an_assistant_are_named_as_what_they_are(scene: Therapy) -> None:
    get(as_(scene.pt), f"/clients/{scene.client.pk}/")
    get(as_(scene.pta), f"/clients/{scene.client.pk}/")
    text = main(get(as_(scene.client), "/access/"))
    assert f"Physical therapist, {scene.pt.practice.name}" in text
    assert f"Physical therapist assistant, {scene.pt.practice.name}" in text


def test_a_refused_professional_is_named_and_anybody_else_is_not(scene: Therapy) -> None:
    stranger, client = licensed_pt(), ClientFactory.create()
    for somebody in (stranger, client):
        get(as_(somebody), f"/clients/{scene.client.pk}/", 404)
    text = main(get(as_(scene.client), "/access/"))
    assert stranger.name in text
    assert text.count("Refused") == 2
    assert "Nothing was shown" in text
    assert client.first_name not in text
    assert "Somebody without permission" in text


def test_ones_own_looks_are_folded_away(scene: Therapy) -> None:
    client = as_(scene.client)
    get(client, "/home/")
    assert "Nobody else has looked" in get(client, "/access/")
    text = main(get(client, "/access/?own=1"))
    assert "You" in text
    assert "On the first page" in text


def test_every_kind_of_look_is_worded(scene: Therapy) -> None:
    scene.referral.state = State.SENT
    scene.referral.answered_at = None
    scene.referral.save()
    disclosure.envelope(actor=scene.as_trainer, referral_id=scene.referral.pk, at=NOON)
    scene.referral.state = State.ACCEPTED
    scene.referral.save()
    get(as_(scene.trainer), f"/clients/{scene.client.pk}/card/")
    disclosure.workspace(actor=scene.as_pt, episode_id=scene.episode.pk, at=NOON)
    text = main(get(as_(scene.client), "/access/"))
    assert (
        "Saw the request, before answering it: "
        "whether there are limits, whether training is allowed" in text
    )
    assert "Printed" in text
    assert "For the treatment" in text


def test_it_is_paged_by_key_and_complete(scene: Therapy) -> None:
    trainers = [certified_trainer() for _ in range(3)]
    for number in range(60):
        disclosure_refused(scene, trainers[number % 3])
    client = as_(scene.client)
    seen: list[str] = []
    path = "/access/"
    for _ in range(5):
        text = get(client, path)
        seen += [part.split("<")[0] for part in text.split('class="look is-refused"')[1:]]
        if 'rel="next"' not in text:
            break
        path = "/access/" + text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[
            0
        ].replace("&amp;", "&")
    assert len(seen) == AccessEntry.objects.count() == 60
    assert client.get("/access/?cursor=made-up").status_code == 422


def disclosure_refused(scene: Therapy, trainer: Professional) -> None:
    get(as_(trainer), f"/clients/{scene.client.pk}/", 404)


def test_as_many_queries_for_many_as_for_one(scene: Therapy) -> None:
    client = as_(scene.client)
    disclosure_refused(scene, certified_trainer())
    get(client, "/access/")
    few = queries_of(client, "/access/")
    for _ in range(8):
        disclosure_refused(scene, certified_trainer())
        disclosure_refused(scene, licensed_pt())
    assert queries_of(client, "/access/") == few


def test_looks_at_a_draft_that_was_joined_are_listed(scene: Therapy) -> None:
    draft = ClientFactory.create(user=None, created_by=scene.other_pt)
    get(as_(scene.other_pt), f"/clients/{draft.pk}/")
    Client.objects.filter(pk=draft.pk).update(merged_into=scene.client)
    assert scene.other_pt.name in main(get(as_(scene.client), "/access/"))


class TestWhose:
    def test_a_guardian_chooses_the_minor(self) -> None:
        first = GuardianshipFactory.create()
        second = GuardianshipFactory.create(user=first.user)
        get(as_(licensed_pt()), f"/clients/{second.client.pk}/", 404)
        browser = as_(first.user)
        one = main(get(browser, f"/access/?client={first.client.pk}"))
        two = main(get(browser, f"/access/?client={second.client.pk}"))
        assert "Refused" not in one
        assert "Refused" in two
        assert f"?client={second.client.pk}" in one

    def test_the_minors_own_looks_are_folded_for_the_guardian_too(self) -> None:
        held = GuardianshipFactory.create()
        get(as_(held.client), "/home/")
        assert "Nobody else has looked" in get(as_(held.user), "/access/")
        assert held.client.name in main(get(as_(held.user), "/access/?own=1"))

    def test_the_minor_sees_the_guardian_look(self) -> None:
        held = GuardianshipFactory.create()
        get(as_(held.user), "/home/")
        text = main(get(as_(held.client), "/access/"))
        assert held.user.name in text
        assert "Parent or guardian" in text

    def test_nobody_else(self, scene: Therapy) -> None:
        other = as_(ClientFactory.create())
        for chosen in (scene.client.pk, uuid4(), "x"):
            get(other, f"/access/?client={chosen}", 404)
        for somebody in (scene.pt, scene.trainer, UserFactory.create()):
            get(as_(somebody), "/access/", 404)
        unverified = GuardianshipFactory.create(unverified=True)
        get(as_(unverified.user), "/access/", 404)


def test_names_are_text(scene: Therapy) -> None:
    evil = "<script>alert(1)</script>"
    stranger = certified_trainer()
    stranger.user.first_name = evil
    stranger.user.save()
    disclosure_refused(scene, stranger)
    text = get(as_(scene.client), "/access/")
    assert evil not in text
    assert "&lt;script&gt;" in text


def test_an_entry_is_never_about_content(scene: Therapy) -> None:
    get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
    entry = AccessEntry.objects.latest("number")
    held = str({field.name: getattr(entry, field.name) for field in entry._meta.fields})
    for words in ("pressing", "shoulder", scene.client.last_name):
        assert words not in held
    assert Consent.objects.get().pk in entry.consent_ids
    assert acting(scene.trainer).user_id == entry.actor_id


def lines(browser: Any, path: str = "/access/list.csv") -> list[dict[str, str]]:
    answer = browser.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="who-looked.csv"'
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_whole_list_can_be_kept_as_a_file(scene: Therapy) -> None:
    get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
    get(as_(certified_trainer()), f"/clients/{scene.client.pk}/", status=404)
    kept = lines(as_(scene.client))
    assert [int(line["Number"]) for line in kept] == sorted(
        AccessEntry.objects.values_list("number", flat=True), reverse=True
    )
    look = next(line for line in kept if line["Who"] == scene.trainer.name)
    assert look["As"] == "Personal trainer"
    assert (look["Parts"], look["Refused"]) == ("limits, ready to train", "no")
    assert kept[0]["Refused"] == "yes"


def test_a_name_cannot_run_as_a_formula_in_the_file(scene: Therapy) -> None:
    User.objects.filter(pk=scene.trainer.user_id).update(first_name='=HYPERLINK("http://x")')
    get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
    assert any(line["Who"].startswith("'=HYPERLINK") for line in lines(as_(scene.client)))


def test_the_file_is_the_clients_sides_alone(scene: Therapy) -> None:
    get(as_(scene.trainer), "/access/list.csv", status=404)
    get(as_(scene.pt), f"/access/list.csv?client={scene.client.pk}", status=404)
    other = ClientFactory.create(user=UserFactory.create())
    get(as_(other), f"/access/list.csv?client={scene.client.pk}", status=404)
