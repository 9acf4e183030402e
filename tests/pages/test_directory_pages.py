"""The directory as a page: for anybody, searched, and with a client's wish in it."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from clients.models import Client, Credential, Professional
from referrals.models import Referral, Wish
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    certified_trainer,
    licensed_pt,
)
from tests.pages.reading import as_, get, leads, part, post, queries_of
from tests.referrals.test_lifecycle import Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
YESTERDAY = NOON.date() - timedelta(days=1)


@pytest.fixture
def story() -> Story:
    return Story()


def shown(text: str) -> list[str]:
    return re.findall(r'data-professional="([^"]+)"', text)


def card(text: str, row: Professional) -> str:
    _, _, rest = text.partition(f'data-professional="{row.pk}"')
    return rest.partition("data-professional=")[0]


def wish_for(client: Client, row: Professional) -> str:
    return leads(as_(client), f"/directory/{row.pk}/wish/", {"client": str(client.pk)})


class TestForAnybody:
    def test_it_is_open_without_an_account_and_says_who_may_do_what(self) -> None:
        pt = licensed_pt(specialties=["knee"], languages=["es"])
        trainer = certified_trainer()
        text = get(as_(None), "/directory/")
        assert set(shown(text)) == {str(pt.pk), str(trainer.pk)}
        of_pt, of_trainer = card(text, pt), card(text, trainer)
        assert "examine, diagnose and treat you, in NY" in of_pt
        assert "Knee" in of_pt
        assert "Spanish" in of_pt
        assert "diagnose, treat an injury, or lift a limit" in of_trainer
        assert "examine" not in of_trainer
        page = get(as_(None), f"/directory/{trainer.pk}/")
        assert "Say what is wrong with you, or treat an injury." in page
        assert "Your wish" not in page

    def test_nothing_of_anybodys_clients_stands_in_it(self, story: Story) -> None:
        story.accepted()
        wish_for(story.client, story.trainer)
        for address in ("/directory/", f"/directory/{story.trainer.pk}/"):
            for who in (None, story.trainer, ClientFactory.create()):
                text = get(as_(who), address)
                assert story.client.last_name not in text
                assert story.client.first_name not in text
                assert "Take it back" not in text
                assert story.trainer.phone not in text
        one = certified_trainer(
            open_places=37,
            user__first_name="Uma",
            user__last_name="Vale",
            practice__name="Harbour Gym",
        )
        said = re.sub(r"<[^>]*>", " ", card(get(as_(None), "/directory/"), one))
        assert "Uma Vale" in said
        assert not re.search(r"\b37\b", said)

    def test_who_does_not_want_to_be_found_or_may_not_is_absent(self) -> None:
        hidden, lapsed = certified_trainer(in_directory=False), licensed_pt()
        Credential.objects.filter(user=lapsed.user).update(expires_on=YESTERDAY)
        assert shown(get(as_(None), "/directory/")) == []
        for pk in (hidden.pk, lapsed.pk, uuid4()):
            get(as_(None), f"/directory/{pk}/", 404)

    def test_words_of_a_professional_are_text(self) -> None:
        evil = "<script>alert(1)</script>"
        row = certified_trainer(introduction=evil)
        text = get(as_(None), f"/directory/{row.pk}/")
        assert evil not in text
        assert "&lt;script&gt;" in text

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({}, "Has places"),
            ({"open_places": 0}, "Full"),
            ({"accepts_referrals": False}, "no new"),
        ],
    )
    def test_room_is_said_in_words(self, change: dict[str, Any], word: str) -> None:
        row = certified_trainer(**change)
        assert word in card(get(as_(None), "/directory/"), row)
        assert word in get(as_(None), f"/directory/{row.pk}/")


class TestSearching:
    def test_by_everything_and_each_filter_can_be_taken_away(self) -> None:
        wanted = certified_trainer(specialties=["running"], languages=["es"])
        certified_trainer(specialties=["running"])
        licensed_pt(specialties=["running"], languages=["es"])
        address = "/directory/?q=springfield&role=trainer&specialty=running&state=NY&language=es"
        text = get(as_(None), f"{address}&accepting=on")
        assert shown(text) == [str(wanted.pk)]
        for label in ("springfield", "Personal trainers", "Running", "New York", "Spanish"):
            assert re.search(rf'href="/directory/\?[^"]*">[“]?{label}', text), label
        assert "specialty=running" not in re.findall(r'href="([^"]*)">Running', text)[0]

    def test_nobody_found_says_what_to_do(self) -> None:
        certified_trainer()
        text = get(as_(None), "/directory/?role=pt")
        assert "Nobody like this is listed" in text
        assert "look at everybody" in text

    def test_htmx_gets_the_list_alone(self) -> None:
        row = certified_trainer()
        text = part(as_(None), "/directory/?role=trainer", on="/directory/")
        assert shown(text) == [str(row.pk)]
        assert "<html" not in text

    @pytest.mark.parametrize("query", ["role=pta", "state=XX", "specialty=x", "q=" + "x" * 81])
    def test_a_filter_that_is_none_is_said_and_does_not_widen_in_silence(self, query: str) -> None:
        certified_trainer()
        text = get(as_(None), f"/directory/?{query}", 422)
        assert "another look" in text

    def test_it_goes_on_page_by_page_by_name(self) -> None:
        rows = [certified_trainer() for _ in range(23)]
        for number, row in enumerate(rows):
            row.user.last_name = f"Name{number:02}"
            row.user.save()
        first = get(as_(None), "/directory/?role=trainer")
        following = re.search(r'href="(\?[^"]+)" rel="next"', first)
        assert following
        assert "role=trainer" in following.group(1)
        second = get(as_(None), "/directory/" + following.group(1).replace("&amp;", "&"))
        assert shown(first) + shown(second) == [str(row.pk) for row in rows]
        assert "Older<" not in first

    def test_queries_do_not_grow(self) -> None:
        client = ClientFactory.create()
        certified_trainer()
        queries_of(as_(client), "/directory/")
        few = queries_of(as_(client), "/directory/")
        for _ in range(10):
            certified_trainer()
        assert queries_of(as_(client), "/directory/") == few


class TestWishing:
    def test_a_client_wishes_and_takes_it_back(self, story: Story) -> None:
        browser = as_(story.client)
        address = f"/directory/{story.trainer.pk}/"
        assert f"I would like {story.trainer.name}" in get(browser, address)
        assert wish_for(story.client, story.trainer) == address
        assert f"You would like {story.trainer.name}" in get(browser, address)
        listed = get(browser, "/directory/")
        assert "Your wish" in card(listed, story.trainer)
        row = Wish.objects.get()
        for page in (listed, get(browser, f"/clients/{story.client.pk}/")):
            assert f"/wishes/{row.pk}/take-back/" in page
        post(browser, f"/wishes/{row.pk}/take-back/")
        assert f"I would like {story.trainer.name}" in get(browser, address)

    def test_a_guardian_says_for_whom(self) -> None:
        child = ClientFactory.create(minor=True)
        guardian = GuardianshipFactory.create(client=child).user
        trainer, before = certified_trainer(), certified_trainer()
        wish_for(child, before)
        browser = as_(guardian)
        text = get(browser, f"/directory/{trainer.pk}/")
        assert f"{child.first_name} would like {trainer.name}" in text
        assert f"takes the place of the wish for {before.name}" in text
        leads(browser, f"/directory/{trainer.pk}/wish/", {"client": str(child.pk)})
        assert f"{child.first_name}\u2019s wish" in card(get(browser, "/directory/"), trainer)

    @pytest.mark.parametrize("client", ["", "x", "3f0c5a0e-0000-4000-8000-000000000000"])
    def test_for_nobody_it_is_not_there(self, story: Story, client: str) -> None:
        post(as_(story.client), f"/directory/{story.trainer.pk}/wish/", {"client": client}, 404)
        assert not Wish.objects.exists()

    def test_who_treats_the_client_reads_it_and_nobody_else(self, story: Story) -> None:
        wish_for(story.client, story.trainer)
        story.accepted()
        page = f"/clients/{story.client.pk}/"
        assert "The client would like" in get(as_(story.pt), page)
        for text in (get(as_(story.trainer), page), get(as_(story.trainer), "/home/")):
            assert "would like" not in text
            assert "wishes-h" not in text

    def test_the_choice_of_a_trainer_shows_it_first(self, story: Story) -> None:
        for _ in range(25):
            certified_trainer()
        wished = certified_trainer()
        wished.user.last_name = "Zz"
        wished.user.save()
        path = f"/discharge/{story.episode.pk}/handoff/"
        assert "would like" not in get(as_(story.pt), path)
        wish_for(story.client, wished)
        text = get(as_(story.pt), path)
        assert f"{story.client.first_name} would like <strong>{wished.name}</strong>" in text
        radios = re.findall(r'name="recipient" value="([^"]+)"', text)
        assert radios[0] == str(wished.pk)
        assert len(radios) == len(set(radios))

    def test_a_wish_for_somebody_who_cannot_be_chosen_says_why(self, story: Story) -> None:
        wished = certified_trainer()
        wish_for(story.client, wished)
        Credential.objects.filter(user=wished.user).update(expires_on=YESTERDAY)
        for _ in range(9):
            certified_trainer(accepts_referrals=False)
        text = get(as_(story.pt), f"/discharge/{story.episode.pk}/handoff/")
        found = re.search(rf'value="{wished.pk}"[^>]*disabled.*?</label>', text, re.S)
        assert found
        assert "Cannot take new clients" in found.group(0)
        assert "The client would like" in found.group(0)

    def test_a_second_therapist_is_not_told_by_whose_page_it_is(self, story: Story) -> None:
        second = licensed_pt()
        EpisodeFactory.create(client=story.client, pt=second)
        wish_for(story.client, second)
        page = f"/clients/{story.client.pk}/"
        assert "The client would like" not in get(as_(second), page)
        assert "The client would like" in get(as_(story.pt), page)


class TestRoom:
    def test_nobody_full_can_be_sent_a_handoff_and_it_is_said_at_the_trainer(
        self, story: Story
    ) -> None:
        Professional.objects.filter(pk=story.trainer.pk).update(open_places=0)
        path = f"/discharge/{story.episode.pk}/handoff/"
        text = get(as_(story.pt), path)
        found = re.search(rf'value="{story.trainer.pk}"[^>]*disabled.*?</label>', text, re.S)
        assert found
        assert "Has no open place at the moment." in found.group(0)
        data = {
            "recipient": str(story.trainer.pk),
            "priority": "routine",
            "classes": ["clearance"],
        }
        refused = post(as_(story.pt), path, data, 422)
        at_field = re.search(r'field__error">.*?</p>', refused, re.S)
        assert at_field
        assert "Has no open place at the moment." in at_field.group(0)
        assert not Referral.objects.exists()
        Professional.objects.filter(pk=story.trainer.pk).update(open_places=1)
        leads(as_(story.pt), path, data)

    def test_each_one_accepted_uses_a_place_and_home_says_when_none_is_left(
        self, story: Story
    ) -> None:
        Professional.objects.filter(pk=story.trainer.pk).update(open_places=1)
        assert "You are shown as full" not in get(as_(story.trainer), "/home/")
        story.accepted()
        story.trainer.refresh_from_db()
        assert story.trainer.open_places == 0
        assert "You are shown as full" in get(as_(story.trainer), "/home/")


class TestListing:
    def test_one_says_it_on_ones_own_page(self) -> None:
        trainer = certified_trainer(in_directory=False)
        browser = as_(trainer)
        path = f"/profile/directory/{trainer.pk}/"
        assert f'href="{path}"' in get(browser, "/profile/")
        data = {
            "in_directory": "on",
            "accepts_referrals": "on",
            "open_places": "2",
            "specialties": ["running"],
            "languages": ["en", "es"],
            "introduction": "I run.",
        }
        assert leads(browser, path, data) == path
        assert "See it as others do" in get(browser, path)
        text = get(as_(None), f"/directory/{trainer.pk}/")
        for words in ("Running", "English, Spanish", "I run.", "Has places"):
            assert words in text
        leads(browser, path, {**data, "in_directory": ""})
        get(as_(None), f"/directory/{trainer.pk}/", 404)

    def test_what_does_not_fit_is_said_and_stays(self) -> None:
        trainer = certified_trainer()
        text = post(
            as_(trainer),
            f"/profile/directory/{trainer.pk}/",
            {"introduction": "x" * 601, "open_places": "51"},
            422,
        )
        assert "under 600" in text or "600" in text
        assert "x" * 601 in text

    def test_it_is_nobody_elses(self) -> None:
        trainer, other = certified_trainer(), licensed_pt()
        get(as_(other), f"/profile/directory/{trainer.pk}/", 404)
        post(as_(other), f"/profile/directory/{trainer.pk}/", {}, 404)
        assert "How I am found" not in get(as_(ClientFactory.create()), "/profile/")

    def test_who_wants_to_be_found_and_has_no_valid_paper_reads_why_not(self) -> None:
        trainer = certified_trainer()
        Credential.objects.filter(user=trainer.user).update(expires_on=YESTERDAY)
        text = get(as_(trainer), f"/profile/directory/{trainer.pk}/")
        assert "once your papers are checked and valid" in text
        assert "Yours ended on" in text

    @pytest.mark.parametrize("page", ["/home/", "/referrals/"])
    def test_a_trainer_whose_paper_lapsed_reads_what_it_blocks(self, page: str) -> None:
        trainer = certified_trainer()
        assert "You cannot take new clients" not in get(as_(trainer), page)
        held = Credential.objects.filter(user=trainer.user, kind=Credential.Kind.CPR_AED)
        held.update(expires_on=YESTERDAY)
        text = get(as_(trainer), page)
        assert "A verified CPR/AED certificate, valid today, is missing. Yours ended on" in text
        assert "12 Jan 2027" in text
        assert "you cannot accept a handoff" in text
