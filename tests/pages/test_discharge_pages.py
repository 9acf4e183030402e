"""The discharge note on its page: typed, saved, checked, read once more, signed, added to."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from clients.models import Credential, Professional
from referrals import discharge
from referrals.discharge import GoalInput
from referrals.models import Addendum, DischargeNote, Episode, Goal, RestrictionVersion
from tests.factories import (
    NOON,
    ProfessionalFactory,
    UserFactory,
    certified_trainer,
    licensed_pt,
)
from tests.pages.reading import as_, get, kept, leads, part, post, queries_of
from tests.referrals.scenes import COMPLETE, Therapy, trail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
EVIL = "<script>alert(1)</script>"
CLINICAL = ("Rotator cuff", "Band rows", "No pressing overhead", "Swim 500 m", "Rest for two days")


@pytest.fixture
def scene() -> Therapy:
    return Therapy()


def path_of(scene: Therapy, *more: str) -> str:
    return "/".join(["/discharge", str(scene.episode.pk), *more, ""])


def typed(note: DischargeNote, then: str = "", **over: str) -> dict[str, str]:
    """The whole form as a browser sends it."""
    return {
        **{name: str(value) for name, value in COMPLETE.items()},
        "revision": str(note.revision),
        "goals-rows": "3",
        "goals-0-text": "Swim 500 m",
        "goals-0-outcome": "met",
        "goals-1-text": "Throw",
        "goals-1-outcome": "partly",
        "goals-1-why_not": "Not yet.",
        "then": then,
        **over,
    }


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return found.group(1)


def summary(text: str) -> list[tuple[str, str]]:
    """(place, complaint) of the box on top."""
    box = re.search(r'id="error-summary".*?</ul>', text, re.S)
    return re.findall(r'<a href="#([^"]+)">([^<]+)</a>', box.group(0)) if box else []


class TestBeginning:
    @pytest.mark.parametrize("who", ["pt", "pta"])
    def test_the_treating_side_begins_it(self, scene: Therapy, who: str) -> None:
        browser = as_(getattr(scene, who))
        assert "Not begun yet" in get(browser, path_of(scene))
        assert leads(browser, path_of(scene), {"then": "begin"}) == path_of(scene)
        note = DischargeNote.objects.get()
        assert note.diagnosis == scene.episode.condition
        assert scene.episode.condition in get(browser, path_of(scene))
        assert leads(browser, path_of(scene), {"then": "begin"}) == path_of(scene)
        assert DischargeNote.objects.count() == 1

    def test_looking_begins_nothing(self, scene: Therapy) -> None:
        get(as_(scene.pt), path_of(scene))
        assert leads(as_(scene.pt), path_of(scene, "sign"), {}) == path_of(scene)
        part(as_(scene.pt), path_of(scene, "save"), {"revision": "1"}, status=409)
        assert not DischargeNote.objects.exists()

    def test_an_imported_episode_is_checked_first(self, scene: Therapy) -> None:
        scene.episode.status = Episode.Status.REVIEW
        scene.episode.save()
        answer = as_(scene.pt).get(path_of(scene))
        assert answer["Location"] == f"/episodes/{scene.episode.pk}/edit/"


class TestTyping:
    @pytest.mark.parametrize("htmx", [False, True])
    def test_saved_as_typed(self, scene: Therapy, htmx: bool) -> None:
        note = scene.note()
        browser = as_(scene.pt)
        over = {
            "course": f"  Two\r\nlines {EVIL} ”é漢\t",
            "goals-2-text": "A third",
            "diagnosis": "",
        }
        assert leads(browser, path_of(scene), typed(note, **over), htmx=htmx) == path_of(scene)
        note.refresh_from_db()
        assert note.course == f"  Two\nlines {EVIL} ”é漢\t"
        assert note.diagnosis == ""
        assert [goal.text for goal in Goal.objects.order_by("position")] == [
            "Swim 500 m",
            "Throw",
            "A third",
        ]
        text = get(browser, path_of(scene))
        assert EVIL not in text
        assert "&lt;script&gt;" in text
        assert "The draft is saved." in text

    def test_saving_while_typing_answers_with_what_is_open(self, scene: Therapy) -> None:
        note = scene.note(diagnosis="")
        browser = as_(scene.pt)
        text = part(browser, path_of(scene, "save"), typed(note, course="So far"))
        assert "<html" not in text
        assert hidden(text, "revision") == str(note.revision + 1)
        assert "Draft, saved 12:00" in text
        assert "1 open" in text  # the measures
        assert not [word for word in CLINICAL if word in text]
        note.refresh_from_db()
        assert note.course == "So far"
        again = typed(note, course="So far, and on")
        assert "saved 12:00" in post(browser, path_of(scene, "save"), again, 200)

    def test_what_cannot_be_saved_keeps_nothing_else_back(self, scene: Therapy) -> None:
        note = scene.note()
        browser = as_(scene.pt)
        over = {
            "pain_now": "some",
            "discharge_on": "soon",
            "course": "The rest",
            "goals-1-text": "x" * 301,
        }
        text = part(browser, path_of(scene, "save"), typed(note, **over))
        assert "Not everything could be saved" in text
        for target in ("id_pain_now", "id_discharge_on", "id_goals-1-text"):
            assert f'href="#{target}"' in text
        note.refresh_from_db()
        assert (note.course, note.pain_now) == ("The rest", 1)
        page = post(browser, path_of(scene), typed(note, **over), 422)
        assert 'value="some"' in page
        assert 'value="soon"' in page
        assert "x" * 301 in page

    @pytest.mark.parametrize(
        "over",
        [
            {"revision": "²"},
            {"revision": "9" * 30},
            {"revision": ""},
            {"over": "²"},
            {"revision": "-1"},
        ],
    )
    def test_a_page_from_nowhere_overwrites_nothing(
        self, scene: Therapy, over: dict[str, str]
    ) -> None:
        note = scene.note()
        browser = as_(scene.pt)
        post(browser, path_of(scene), typed(note, course="Mine", **over), 409)
        part(browser, path_of(scene, "save"), typed(note, course="Mine", **over), status=409)
        note.refresh_from_db()
        assert note.course == ""

    @pytest.mark.parametrize(
        "over",
        [
            {"goals-rows": "²"},
            {"goals-rows": "-5"},
            {"goals-rows": "1000000"},
            {"course": "\0"},
            {"clearance": "nonsense"},
            {"course": "x" * 8001},
            {"no_home_programme": "perhaps"},
            {"visits_completed": "٣"},
        ],
    )
    def test_nonsense_is_no_failure(self, scene: Therapy, over: dict[str, str]) -> None:
        note = scene.note()
        answer = as_(scene.pt).post(path_of(scene), typed(note, **over))
        assert answer.status_code in (303, 422)

    def test_two_at_once_neither_loses_a_word(self, scene: Therapy) -> None:
        note = scene.note()
        mine, theirs = as_(scene.pt), as_(scene.pta)
        leads(theirs, path_of(scene), typed(note, course="Theirs"))
        text = post(mine, path_of(scene), typed(note, course="Mine"), 409)
        assert "Somebody else saved this note" in text
        assert ">\nMine</textarea>" in text
        assert "Saved by now: Theirs" in text
        fragment = part(mine, path_of(scene, "save"), typed(note, course="Mine"), status=409)
        assert "Saved by now: Theirs" in fragment
        note.refresh_from_db()
        assert note.course == "Theirs"
        decided = typed(note, course="Mine", revision=hidden(text, "revision"))
        decided["over"] = hidden(text, "over")
        leads(mine, path_of(scene), decided)
        note.refresh_from_db()
        assert note.course == "Mine"

    @pytest.mark.parametrize(
        ("then", "ends"),
        [
            ("limit", "/limits/new/"),
            ("measurement", "/measurements/"),
            ("goal", "#s-goals"),
            ("nonsense", "/"),
        ],
    )
    def test_every_button_saves_first(self, scene: Therapy, then: str, ends: str) -> None:
        note = scene.note()
        browser = as_(scene.pt)
        address = leads(browser, path_of(scene), typed(note, then, course="Kept"))
        assert address.endswith(ends)
        assert str(scene.episode.pk) in address
        get(browser, address)
        note.refresh_from_db()
        assert note.course == "Kept"

    @pytest.mark.parametrize("then", ["change:", "change:nonsense", "remove:", "remove:nonsense"])
    def test_a_limit_that_is_none_is_not_found(self, scene: Therapy, then: str) -> None:
        note = scene.note()
        post(as_(scene.pt), path_of(scene), typed(note, then), 404)


class TestSigning:
    def test_every_missing_field_is_named_and_everything_typed_stays(self, scene: Therapy) -> None:
        note = discharge.start_note(actor=scene.as_pt, episode_id=scene.episode.pk, at=NOON)
        browser = as_(scene.pt)
        data = {"revision": "0", "goals-rows": "1", "then": "sign", "course": "All I know"}
        data["revision"] = str(note.revision)
        text = post(browser, path_of(scene), data, 422)
        note.refresh_from_db()
        missing = discharge.what_is_missing(actor=scene.as_pt, note_id=note.pk, at=NOON)
        assert len(missing) >= 20
        assert {words for _, words in summary(text)} == {
            words for each in missing.values() for words in each
        }
        for target, _ in summary(text):
            assert f'id="{target}"' in text, target
        assert ">\nAll I know</textarea>" in text
        assert not note.is_signed

    @pytest.mark.parametrize("name", sorted(set(COMPLETE) - {"trainer_referral"}))
    def test_each_one_alone_stops_it(self, scene: Therapy, name: str) -> None:
        note = scene.ready()
        text = post(as_(scene.pt), path_of(scene), typed(note, "sign", **{name: ""}), 422)
        assert summary(text)
        for target, _ in summary(text):
            assert f'id="{target}"' in text, target
        if name != "future_contact":
            assert "Call the clinic." in text

    def test_a_goal_that_lacks_something_is_pointed_at(self, scene: Therapy) -> None:
        note = scene.ready()
        over = {"goals-0-text": "", "goals-0-outcome": "", "goals-1-why_not": ""}
        text = post(as_(scene.pt), path_of(scene), typed(note, "sign", **over), 422)
        # The first row is blank, so the goal on the second is the first of the note.
        assert summary(text) == [("id_goals-1-why_not", "Goal 1: say why it was not fully met.")]

    def test_the_address_that_checks_shows_the_same(self, scene: Therapy) -> None:
        scene.note(diagnosis="")
        text = get(as_(scene.pt), f"{path_of(scene)}?check=1")
        assert ("id_diagnosis", "Write the diagnosis in your own words.") in summary(text)
        answer = as_(scene.pt).get(path_of(scene, "sign"))
        assert answer["Location"] == f"{path_of(scene)}?check=1"

    @pytest.mark.parametrize("htmx", [False, True])
    def test_typed_read_once_more_and_signed(self, scene: Therapy, htmx: bool) -> None:
        note = scene.ready()
        browser = as_(scene.pt)
        assert leads(browser, path_of(scene), typed(note, "sign"), htmx=htmx) == path_of(
            scene, "sign"
        )
        text = get(browser, path_of(scene, "sign"))
        for words in (*CLINICAL, "10 kg", "The repair is young.", "30 → 62", scene.licence.number):
            assert words in text, words
        data = {"revision": hidden(text, "revision"), "seen": hidden(text, "seen")}
        address = leads(browser, path_of(scene, "sign"), data, htmx=htmx)
        assert address == path_of(scene, "handoff")
        note.refresh_from_db()
        assert note.is_signed
        assert note.signed_by == scene.pt.user
        assert RestrictionVersion.objects.filter(signed_at=NOON).count() == 2
        assert not [word for word in CLINICAL if word in kept(browser)]
        assert "Signed. From now on it can only be added to." in get(browser, address)
        for path in (path_of(scene), path_of(scene, "sign")):
            assert browser.get(path).status_code == 303

    def test_without_a_trainer_it_leads_back_to_the_episode(self, scene: Therapy) -> None:
        scene.ready()
        note = DischargeNote.objects.get()
        browser = as_(scene.pt)
        leads(browser, path_of(scene), typed(note, "sign", trainer_referral="no"))
        text = get(browser, path_of(scene, "sign"))
        data = {"revision": hidden(text, "revision"), "seen": hidden(text, "seen")}
        assert leads(browser, path_of(scene, "sign"), data) == f"/episodes/{scene.episode.pk}/"

    @pytest.mark.parametrize("what", ["note", "score", "limit", "nothing seen", "nonsense"])
    def test_only_exactly_what_was_read_is_signed(self, scene: Therapy, what: str) -> None:
        note = scene.ready()
        browser = as_(scene.pt)
        text = get(browser, path_of(scene, "sign"))
        data = {"revision": hidden(text, "revision"), "seen": hidden(text, "seen")}
        if what == "note":
            leads(as_(scene.pta), path_of(scene), typed(note, course="Changed"))
        elif what == "score":
            scene.measured()
        elif what == "limit":
            scene.list_restrictions()
        elif what == "nothing seen":
            data["seen"] = ""
        else:
            data["revision"] = "²"
        assert leads(browser, path_of(scene, "sign"), data) == path_of(scene, "sign")
        note.refresh_from_db()
        assert not note.is_signed
        assert "The note has changed since you read it." in get(browser, path_of(scene, "sign"))

    def test_what_is_missing_by_then_leads_back_to_the_draft(self, scene: Therapy) -> None:
        note = scene.ready()
        browser = as_(scene.pt)
        leads(browser, path_of(scene), typed(note, flare_up_plan=""))
        note.refresh_from_db()
        seen = discharge.fingerprint(actor=scene.as_pt, note_id=note.pk)
        data = {"revision": str(note.revision), "seen": seen}
        address = leads(browser, path_of(scene, "sign"), data)
        assert address == f"{path_of(scene)}?check=1"
        assert ("id_flare_up_plan", "Say what to do when it flares up.") in summary(
            get(browser, address)
        )

    def test_an_assistant_drafts_and_does_not_sign(self, scene: Therapy) -> None:
        note = scene.ready()
        browser = as_(scene.pta)
        draft = get(browser, path_of(scene))
        assert "You draft, somebody else signs" in draft
        assert leads(browser, path_of(scene), typed(note, "sign")) == path_of(scene, "sign")
        text = get(browser, path_of(scene, "sign"))
        assert "You cannot sign this" in text
        assert f"{scene.pt.name} can sign it now." in text
        assert 'name="seen"' not in text
        self.refused(scene, browser)

    @pytest.mark.parametrize("lack", ["expired", "unverified", "elsewhere", "none"])
    def test_without_a_licence_of_today_nothing_is_signed(self, scene: Therapy, lack: str) -> None:
        note = scene.ready()
        held = Credential.objects.filter(pk=scene.licence.pk)
        if lack == "expired":
            held.update(expires_on=NOON.date() - timedelta(days=1))
        elif lack == "unverified":
            held.update(verified_at=None, verified_by=None)
        elif lack == "elsewhere":
            held.update(state="CA")
        else:
            held.delete()
        browser = as_(scene.pt)
        assert "You draft, somebody else signs" in get(browser, path_of(scene))
        leads(browser, path_of(scene), typed(note, course="Still mine to draft"))
        text = get(browser, path_of(scene, "sign"))
        assert "You need a verified licence, valid today, for NY." in text
        assert 'name="seen"' not in text
        self.refused(scene, browser)

    def refused(self, scene: Therapy, browser: Browser) -> None:
        note = DischargeNote.objects.get()
        data = {
            "revision": str(note.revision),
            "seen": discharge.fingerprint(actor=scene.as_pt, note_id=note.pk),
        }
        before = trail()
        text = post(browser, path_of(scene, "sign"), data, 403)
        assert not [word for word in CLINICAL if word in text]
        part(browser, path_of(scene, "sign"), data, status=403)
        note.refresh_from_db()
        assert not note.is_signed
        assert trail() == before

    def test_typing_into_a_note_that_was_signed_meanwhile(self, scene: Therapy) -> None:
        note = scene.signed()
        browser = as_(scene.pt)
        text = post(browser, path_of(scene), typed(note, course="Too late"), 409)
        assert "This note was signed in the meantime" in text
        assert ">\nToo late</textarea>" in text
        assert "Keep what I typed" not in text
        text = part(browser, path_of(scene, "save"), typed(note, course="Too late"), status=409)
        assert "This note was signed in the meantime" in text
        over = typed(note, course="Too late", over=str(note.revision))
        post(browser, path_of(scene), over, 409)
        note.refresh_from_db()
        assert note.course == ""


class TestAddingTo:
    @pytest.mark.parametrize("htmx", [False, True])
    def test_an_addendum_stands_below_for_good(self, scene: Therapy, htmx: bool) -> None:
        scene.signed()
        browser, path = as_(scene.pt), f"/episodes/{scene.episode.pk}/addenda/"
        address = leads(browser, path, {"text": f"It was the left one. {EVIL}"}, htmx=htmx)
        assert address == f"/episodes/{scene.episode.pk}/#note"
        assert Addendum.objects.get().text == f"It was the left one. {EVIL}"
        assert "left one" not in kept(browser)
        text = get(browser, f"/episodes/{scene.episode.pk}/")
        assert "It was the left one." in text
        assert EVIL not in text

    @pytest.mark.parametrize("words", ["", "  ", "x" * 8001, "\0"])
    def test_what_cannot_be_added_is_said_and_kept(self, scene: Therapy, words: str) -> None:
        scene.signed()
        path = f"/episodes/{scene.episode.pk}/addenda/"
        text = post(as_(scene.pt), path, {"text": words}, 422)
        assert 'href="#id_text"' in text
        assert words.strip("\0") in text
        assert '<details class="more" open>' in text
        assert not Addendum.objects.exists()

    def test_nothing_is_added_to_a_draft_or_to_nothing(self, scene: Therapy) -> None:
        path = f"/episodes/{scene.episode.pk}/addenda/"
        assert leads(as_(scene.pt), path, {"text": "x"}) == f"/episodes/{scene.episode.pk}/"
        scene.note()
        post(as_(scene.pt), path, {"text": "x"}, 409)
        assert not Addendum.objects.exists()

    def test_by_nobody_but_the_therapist_with_a_licence_of_today(self, scene: Therapy) -> None:
        scene.signed()
        path = f"/episodes/{scene.episode.pk}/addenda/"
        post(as_(scene.pta), path, {"text": "x"}, 403)
        scene.licence.expires_on = NOON.date() - timedelta(days=1)
        scene.licence.save()
        post(as_(scene.pt), path, {"text": "x"}, 403)
        assert "Add to the note" not in get(as_(scene.pt), f"/episodes/{scene.episode.pk}/")
        assert not Addendum.objects.exists()


def strangers(scene: Therapy) -> Mapping[str, Any]:
    return {
        "another therapist": scene.other_pt,
        "a colleague": licensed_pt(practice=scene.pt.practice),
        "an assistant elsewhere": ProfessionalFactory.create(role=Professional.Role.PTA),
        "a trainer": scene.trainer,
        "another trainer": certified_trainer(),
        "the client": scene.client,
        "the staff": UserFactory.create(is_staff=True),
    }


@pytest.mark.parametrize("signed", [False, True])
def test_nobody_else_finds_anything(scene: Therapy, signed: bool) -> None:
    note = scene.ready()
    if signed:
        scene.sign(note)
    scene.share()
    before = trail()
    addendum = f"/episodes/{scene.episode.pk}/addenda/"
    for who, somebody in strangers(scene).items():
        browser = as_(somebody)
        for path in (path_of(scene), path_of(scene, "sign")):
            get(browser, path, 404)
            post(browser, path, typed(note, "sign"), 404)
            part(browser, path, status=404)
        post(browser, path_of(scene, "save"), typed(note), 404)
        post(browser, addendum, {"text": who}, 404)
    for path in (path_of(scene), path_of(scene, "sign")):
        assert as_(None).get(path)["Location"] == f"/accounts/login/?next={path}"
        assert as_(None).post(path).status_code == 302
    assert trail() == before


def test_an_episode_entered_in_error_takes_no_note(scene: Therapy) -> None:
    note = scene.ready()
    scene.episode.status = Episode.Status.ENTERED_IN_ERROR
    scene.episode.save()
    browser = as_(scene.pt)
    assert browser.get(path_of(scene))["Location"] == f"/episodes/{scene.episode.pk}/"
    data = {
        "revision": str(note.revision),
        "seen": discharge.fingerprint(actor=scene.as_pt, note_id=note.pk),
    }
    leads(browser, path_of(scene, "sign"), data)
    note.refresh_from_db()
    assert not note.is_signed
    assert "Entered in error" in get(browser, f"/episodes/{scene.episode.pk}/")


def test_the_page_costs_the_same_for_one_goal_and_for_many(scene: Therapy) -> None:
    note = scene.ready()
    browser = as_(scene.pt)
    get(browser, path_of(scene))
    one = queries_of(browser, path_of(scene))
    discharge.save_draft(
        actor=scene.as_pt,
        note_id=note.pk,
        revision=note.revision,
        changes={},
        goals=[GoalInput(f"Goal {place}", "met") for place in range(15)],
        at=NOON,
    )
    assert queries_of(browser, path_of(scene)) == one
