"""The caseload: who is where, whom it waits for, in which order, and who may look."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from clients.models import Client, Professional
from referrals.models import Episode, Referral
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    ProfessionalFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    certified_trainer,
    licensed_pt,
    signed_note,
)
from tests.pages.reading import as_, get, kept, part, post, queries_of
from tests.referrals.scenes import Therapy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
TODAY = NOON.date()
DAY = timedelta(days=1)
CONDITION = "Rotator cuff tear, repaired"


class Practice:
    """A therapist, and one client at each place of the way."""

    def __init__(self) -> None:
        self.pt = licensed_pt()
        self.trainer = certified_trainer()

    def client(self, name: str, **fields: Any) -> Client:
        return ClientFactory.create(
            first_name=name, last_name="Field", created_by=self.pt, created_at=NOON, **fields
        )

    def in_therapy(self, name: str, **fields: Any) -> Episode:
        return EpisodeFactory.create(
            client=self.client(name), pt=self.pt, **{"last_visit_on": TODAY, **fields}
        )

    def discharged(self, name: str, *, trainer: bool = True) -> Episode:
        episode = self.in_therapy(name)
        signed_note(episode=episode, trainer_referral="yes" if trainer else "no")
        episode.status, episode.ended_on = Episode.Status.FINISHED, TODAY
        episode.save()
        return episode

    def limited(self, episode: Episode, review_on: date) -> None:
        RestrictionVersionFactory.create(
            restriction=RestrictionFactory.create(episode=episode), review_on=review_on
        )

    def handed(self, name: str, state: State, *, days: int = 0) -> Referral:
        episode = self.discharged(name)
        return ReferralFactory.create(
            client=episode.client,
            episode=episode,
            sender=self.pt,
            recipient=self.trainer,
            state=state,
            sent_at=NOON,
            state_at=NOON - days * DAY,
        )

    def whole(self) -> None:
        self.in_therapy("Ivo", planned_discharge_on=TODAY + 9 * DAY)
        self.in_therapy("Lena", planned_discharge_on=TODAY - 2 * DAY)
        self.discharged("Cleo")
        self.handed("Asa", State.AWAITING_CONSENT, days=8)
        self.handed("Quin", State.INFO_REQUESTED, days=3)
        running = self.handed("Tara", State.IN_PROGRESS)
        assert running.episode
        self.limited(running.episode, TODAY + 30 * DAY)
        late = self.handed("Remy", State.IN_PROGRESS)
        assert late.episode
        self.limited(late.episode, TODAY - DAY)
        self.discharged("Dora", trainer=False)
        self.client("Nilo", user=None)


@pytest.fixture
def practice() -> Practice:
    return Practice()


def names(text: str) -> list[str]:
    return re.findall(r">(\w+) Field</a>", text)


def column(text: str, phase: str) -> str:
    return text.split(f'id="col-{phase}"')[1].split("</section>")[0]


class TestTheBoard:
    def test_everybody_stands_in_the_column_of_their_phase(self, practice: Practice) -> None:
        practice.whole()
        text = get(as_(practice.pt), "/clients/")
        found = {
            phase: set(names(column(text, phase)))
            for phase in ("rehab", "handoff", "training", "returned")
        }
        assert found == {
            "rehab": {"Ivo", "Lena", "Nilo"},
            "handoff": {"Cleo", "Asa", "Quin"},
            "training": {"Tara", "Remy"},
            "returned": {"Dora"},
        }
        assert "9 clients. 4 need you, 3 overdue." in " ".join(text.split())

    def test_a_long_column_is_cut_and_leads_to_the_whole(self, practice: Practice) -> None:
        for place in range(6):
            practice.in_therapy(f"Person{place}")
        text = get(as_(practice.pt), "/clients/")
        assert len(names(column(text, "rehab"))) == 4
        assert "Show all 6" in text
        whole = get(as_(practice.pt), "/clients/?phase=rehab")
        assert len(names(whole)) == 6
        assert "In rehab" in whole

    def test_an_empty_one_says_so(self, practice: Practice) -> None:
        text = get(as_(practice.pt), "/clients/")
        assert "0 clients. Nobody waits for you." in text
        assert text.count("Nobody here now.") == 4


class TestTheList:
    def test_tabs_hold_whom_they_name_the_oldest_first(self, practice: Practice) -> None:
        practice.whole()
        browser = as_(practice.pt)
        assert names(get(browser, "/clients/?tab=overdue")) == ["Quin", "Lena", "Remy"]
        assert names(get(browser, "/clients/?tab=yours")) == ["Quin", "Lena", "Remy", "Cleo"]
        assert names(get(browser, "/clients/?tab=others")) == ["Asa", "Nilo"]
        everybody = names(get(browser, "/clients/?tab=all"))
        assert everybody[:4] == ["Quin", "Lena", "Remy", "Cleo"]
        assert set(everybody[4:6]) == {"Asa", "Nilo"}
        assert len(everybody) == 9

    @pytest.mark.parametrize(
        ("name", "words", "action"),
        [
            ("Ivo", "In therapy with you", "Open"),
            ("Lena", "Discharge note to sign", "Finish note"),
            ("Cleo", "Discharged; choose a trainer", "Choose a trainer"),
            ("Asa", "Waiting for the client to decide", "Open handoff"),
            ("Quin", "asked you something", "Answer"),
            ("Tara", "Trains with", "Open"),
            ("Remy", "Limits to review; they stay in force", "Review limits"),
            ("Dora", "No limits left", "Open"),
            ("Nilo", "Has not come in yet", "Invite again"),
        ],
    )
    def test_each_row_says_what_is_next_and_leads_there(
        self, practice: Practice, name: str, words: str, action: str
    ) -> None:
        practice.whole()
        browser = as_(practice.pt)
        text = get(browser, "/clients/?tab=all")
        row = next(
            each for each in text.split('<li class="hrow">')[1:] if f">{name} Field<" in each
        )
        assert words in row
        assert f'aria-label="{action}: {name} Field"' in row
        for address in re.findall(r'<a[^>]* href="(/[^"]+)"', row.split("</li>")[0]):
            get(browser, address)

    @pytest.mark.parametrize(
        ("tab", "words"),
        [
            ("all", "Nobody here yet"),
            ("yours", "Nobody waits for you"),
            ("overdue", "Nothing is overdue"),
            ("others", "You wait for nobody"),
        ],
    )
    def test_an_empty_tab_says_what_would_stand_there(
        self, practice: Practice, tab: str, words: str
    ) -> None:
        assert words in get(as_(practice.pt), f"/clients/?tab={tab}")

    def test_nonsense_in_the_address_is_the_board(self, practice: Practice) -> None:
        practice.whole()
        assert 'class="board"' in get(as_(practice.pt), "/clients/?tab=%00&phase=nonsense")

    def test_pages_go_by_key_and_neither_skip_nor_repeat(self, practice: Practice) -> None:
        for place in range(60):
            practice.in_therapy(f"Person{place:02}", last_visit_on=TODAY - place * DAY)
        browser = as_(practice.pt)
        seen: list[str] = []
        address = "/clients/?tab=all"
        for _ in range(3):
            text = get(browser, address)
            seen += names(text)
            found = re.search(r'rel="next" href="([^"]+)"', text)
            if found:
                assert "Person" not in found.group(1)
                address = "/clients/" + found.group(1).replace("&amp;", "&")
        assert len(seen) == 60 == len(set(seen))
        back = re.search(r'rel="prev" href="([^"]+)"', text)
        assert back
        assert names(get(browser, "/clients/" + back.group(1).replace("&amp;", "&"))) == seen[25:50]
        get(browser, "/clients/?tab=all&cursor=nonsense", 422)

    def test_the_page_costs_the_same_for_one_and_for_many(self, practice: Practice) -> None:
        browser = as_(practice.pt)
        practice.handed("One", State.SENT)
        get(browser, "/clients/")  # the first request of a session costs one more
        one = {path: queries_of(browser, path) for path in ("/clients/", "/clients/?tab=all")}
        for place in range(24):
            episode = practice.handed(f"More{place}", State.SENT).episode
            assert episode
            practice.limited(episode, TODAY + DAY)
        assert {path: queries_of(browser, path) for path in one} == one


class TestFinding:
    def test_by_any_part_of_the_name_and_never_in_the_address(self, practice: Practice) -> None:
        practice.whole()
        browser = as_(practice.pt)
        for words in ("quin", "FIELD quin", "in fie qu"):
            assert names(post(browser, "/clients/", {"find": words}, 200)) == ["Quin"]
        assert "Nobody found" in post(browser, "/clients/", {"find": "Quin Duarte"}, 200)
        assert "quin" not in kept(browser).lower()

    def test_a_script_gets_the_rows_alone(self, practice: Practice) -> None:
        practice.whole()
        text = part(as_(practice.pt), "/clients/", {"find": "asa"})
        assert names(text) == ["Asa"]
        assert "<html" not in text

    def test_nothing_typed_is_the_board_again(self, practice: Practice) -> None:
        browser = as_(practice.pt)
        assert browser.post("/clients/", {"find": "  "})["Location"] == "/clients/"
        answer = browser.post("/clients/", {"find": ""}, headers={"HX-Request": "true"})
        assert answer["HX-Redirect"] == "/clients/"

    def test_too_much_is_refused_and_kept(self, practice: Practice) -> None:
        text = post(as_(practice.pt), "/clients/", {"find": "x" * 101}, 422)
        assert "x" * 101 in text
        post(as_(practice.pt), "/clients/", {"find": "a\0b"}, 422)

    def test_many_are_cut(self, practice: Practice) -> None:
        for place in range(26):
            practice.in_therapy(f"Same{place}")
        text = post(as_(practice.pt), "/clients/", {"find": "same"}, 200)
        assert len(names(text)) == 25
        assert "Type more of the name" in text

    def test_only_among_ones_own(self, practice: Practice) -> None:
        practice.whole()
        assert "Nobody found" in post(as_(licensed_pt()), "/clients/", {"find": "Quin"}, 200)


class TestWhoMayLook:
    def test_therapist_and_assistant_of_the_practice(self) -> None:
        scene = Therapy()
        for somebody in (scene.pt, scene.pta):
            for path in ("/clients/", "/clients/?tab=all", "/home/"):
                assert scene.client.last_name in get(as_(somebody), path)

    def test_nobody_else_sees_the_person(self) -> None:
        scene = Therapy()
        colleague = licensed_pt(practice=scene.pt.practice)
        elsewhere = ProfessionalFactory.create(role=Professional.Role.PTA)
        for somebody in (colleague, elsewhere, scene.other_pt, scene.trainer):
            for path in ("/clients/", "/clients/?tab=all"):
                assert scene.client.last_name not in get(as_(somebody), path)

    def test_clients_and_others_find_no_such_page(self) -> None:
        scene = Therapy()
        get(as_(scene.client), "/clients/", 404)
        get(as_(UserFactory.create(is_staff=True)), "/clients/", 404)
        answer = as_(None).get("/clients/")
        assert answer["Location"] == "/accounts/login/?next=/clients/"

    def test_an_account_left_behind_sees_nothing(self) -> None:
        scene = Therapy()
        Professional.objects.filter(pk=scene.pt.pk).update(left_at=NOON - DAY)
        get(as_(scene.pt), "/clients/", 404)

    def test_no_list_holds_anything_clinical(self, practice: Practice) -> None:
        practice.whole()
        browser = as_(practice.pt)
        pages = ("/clients/", "/clients/?tab=all", "/clients/?phase=training", "/home/")
        for path in pages:
            text = get(browser, path)
            assert CONDITION not in text
            assert "No pressing overhead." not in text

    def test_a_therapist_who_trains_has_both_lists(self, practice: Practice) -> None:
        certified_trainer(user=practice.pt.user)
        practice.in_therapy("Ivo")
        browser = as_(practice.pt)
        assert "Clients you train" in get(browser, "/clients/")
        assert "Ivo" not in get(browser, "/clients/?as=trainer")
