"""The editor of limits: listed with a draft, set, changed and lifted after the signature."""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from clients.models import Professional
from referrals import restrictions
from referrals.models import Restriction, RestrictionVersion
from tests.factories import NOON, EpisodeFactory, ProfessionalFactory, UserFactory, licensed_pt
from tests.pages.reading import as_, get, kept, leads, part, post, queries_of
from tests.referrals.scenes import LIGHT_LOADS, NO_PRESSING, Therapy, trail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
EVIL = "<script>alert(1)</script>"
LOAD: Mapping[str, Any] = {
    "severity": "limit",
    "kind": "limit_load",
    "body_region": "shoulder",
    "laterality": "right",
    "patterns": ["carry"],
    "comparator": "le",
    "value": "10",
    "unit": "kg",
    "wording": "Carry light things close.",
    "instead": "Use a trolley.",
    "rationale": "The graft is young.",
    "review_on": "2027-03-01",
    "authority": "pt",
    "pt_review": "on",
    "criteria-rows": "2",
}
AVOID = {
    **{name: LOAD[name] for name in ("body_region", "laterality", "review_on", "authority")},
    **{"severity": "must_not", "kind": "avoid", "patterns": ["push_vertical"]},
    **{"pt_review": "on", "criteria-rows": "2"},
}
CLINICAL = ("The graft is young", "Carry light things", "No pressing overhead", "Rotator cuff")


@pytest.fixture
def scene() -> Therapy:
    return Therapy()


def new(scene: Therapy) -> str:
    return f"/episodes/{scene.episode.pk}/limits/new/"


def note_of(scene: Therapy) -> str:
    return f"/discharge/{scene.episode.pk}/"


def listed(scene: Therapy) -> list[RestrictionVersion]:
    return list(RestrictionVersion.objects.drafts_of(scene.episode.pk))


def preview(text: str) -> str:
    found = re.search(r'id="limit-preview".*?</section>', text, re.S)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group(0)))


def complaints(text: str) -> dict[str, str]:
    """Place -> complaint of the box on top; "" for the whole form."""
    box = re.search(r'id="error-summary".*?</div>', text, re.S)
    assert box, text[:2000]
    found = dict(re.findall(r'<a href="#id_([^"]+)">([^<]+)</a>', box.group(0)))
    whole = re.findall(r"<li>([^<]+)</li>", box.group(0))
    return {**found, **({"": whole[0]} if whole else {})}


class TestListing:
    @pytest.mark.parametrize("who", ["pt", "pta"])
    def test_by_a_plain_post(self, scene: Therapy, who: str) -> None:
        scene.note()
        browser = as_(getattr(scene, who))
        get(browser, new(scene))
        assert leads(browser, new(scene), dict(LOAD)) == f"{note_of(scene)}#s-limits"
        made = listed(scene)[0]
        assert (made.kind, made.value, made.unit, made.patterns) == (
            "limit_load",
            Decimal(10),
            "kg",
            ["carry"],
        )
        assert made.rationale == "The graft is young."
        assert [each["kind"] for each in made.criteria] == ["pt_review"]
        assert not [word for word in CLINICAL if word in kept(browser)]
        text = get(browser, note_of(scene))
        assert "Carry light things close." in text
        assert "≤ 10 kg" in text
        assert "The graft is young." not in text

    def test_within_the_note_it_replaces_the_list(self, scene: Therapy) -> None:
        scene.note()
        browser = as_(scene.pt)
        editor = part(browser, new(scene), on=note_of(scene))
        assert 'hx-target="#limits-work"' in editor
        assert "<html" not in editor
        text = part(browser, new(scene), dict(LOAD), on=note_of(scene))
        assert "Carry light things close." in text
        assert 'id="ready" hx-swap-oob="true"' in text
        text = part(browser, f"/episodes/{scene.episode.pk}/limits/", on=note_of(scene))
        assert "Carry light things close." in text
        answer = browser.get(f"/episodes/{scene.episode.pk}/limits/")
        assert answer["Location"] == f"{note_of(scene)}#s-limits"

    def test_htmx_elsewhere_is_led_on(self, scene: Therapy) -> None:
        scene.note()
        address = leads(as_(scene.pt), new(scene), dict(LOAD), htmx=True)
        assert address == f"{note_of(scene)}#s-limits"

    def test_changed_and_taken_off(self, scene: Therapy) -> None:
        scene.note()
        version = scene.list_restrictions(LIGHT_LOADS)[0]
        browser = as_(scene.pt)
        path = f"/episodes/{scene.episode.pk}/limits/{version.restriction_id}/"
        text = get(browser, path)
        assert 'value="10"' in text  # not 10.00
        assert 'value="Row"' in text
        leads(browser, path, {**LOAD, "value": "12.5"})
        assert str(listed(scene)[0].value) == "12.50"
        text = part(browser, path, {**LOAD, "value": "8"}, on=note_of(scene))
        assert "≤ 8 kg" in text
        remove = f"/episodes/{scene.episode.pk}/limits/{version.pk}/remove/"
        assert leads(browser, remove, {}) == f"{note_of(scene)}#s-limits"
        assert not listed(scene)
        post(browser, remove, {}, 404)

    def test_taken_off_with_and_without_a_script(self, scene: Therapy) -> None:
        note = scene.note()
        first, second = scene.list_restrictions()
        browser = as_(scene.pt)
        data = {"revision": str(note.revision), "goals-rows": "0", "then": f"remove:{first.pk}"}
        assert leads(browser, note_of(scene), data) == f"{note_of(scene)}#s-limits"
        assert [each.pk for each in listed(scene)] == [second.pk]
        remove = f"/episodes/{scene.episode.pk}/limits/{second.pk}/remove/"
        assert "No limit is listed" in part(browser, remove, {}, on=note_of(scene))

    def test_the_note_leads_to_the_one_to_change(self, scene: Therapy) -> None:
        note = scene.note()
        version = scene.list_restrictions(LIGHT_LOADS)[0]
        data = {
            "revision": str(note.revision),
            "goals-rows": "0",
            "then": f"change:{version.restriction_id}",
        }
        address = leads(as_(scene.pt), note_of(scene), data)
        assert address == f"/episodes/{scene.episode.pk}/limits/{version.restriction_id}/"


class TestWhatDoesNotFit:
    @pytest.mark.parametrize(
        ("over", "place", "words"),
        [
            ({"unit": "deg"}, "unit", "unit"),
            ({"laterality": ""}, "laterality", "left, right or both"),
            ({"review_on": ""}, "review_on", "review"),
            ({"review_on": "2026-01-01"}, "review_on", ""),
            ({"value": ""}, "value", ""),
            ({"value": "lots"}, "value", "number"),
            ({"value": "900"}, "value", ""),
            ({"comparator": "between", "value_high": "5"}, "value_high", ""),
            ({"pt_review": ""}, "pt_review", ""),
            ({"kind": ""}, "kind", "Choose what kind"),
            ({"severity": ""}, "severity", "Choose Avoid"),
            ({"body_region": ""}, "body_region", "body region"),
            ({"kind": "nonsense"}, "kind", ""),
            ({"severity": "must_not"}, "severity", ""),
            ({"authority": "surgeon_order"}, "authority_name", ""),
            ({"wording": "x" * 301}, "wording", "under 300"),
        ],
    )
    @pytest.mark.parametrize("inline", [False, True])
    def test_it_is_said_at_its_field_and_everything_typed_stays(
        self, scene: Therapy, over: dict[str, str], place: str, words: str, inline: bool
    ) -> None:
        scene.note()
        data = {**LOAD, "wording": f"Carry light {EVIL}", **over}
        browser = as_(scene.pt)
        text = (
            part(browser, new(scene), data, status=422, on=note_of(scene))
            if inline
            else post(browser, new(scene), data, 422)
        )
        found = complaints(text)
        at = next((name for name in found if name == place or name == f"{place}_0"), None)
        assert at is not None, found
        assert words.lower() in found[at].lower()
        assert f'id="id_{at}"' in text
        assert EVIL not in text
        if place != "kind":  # before the kind is known the rest is not asked
            assert "Use a trolley." in text
            assert "The graft is young." in text
            assert (
                data["wording"].replace(EVIL, "&lt;script&gt;") in text or EVIL in data["wording"]
            )
        assert not listed(scene)

    def test_a_number_that_the_kind_does_not_have_is_said_once_and_gone(
        self, scene: Therapy
    ) -> None:
        scene.note()
        browser = as_(scene.pt)
        text = post(browser, new(scene), {**LOAD, **AVOID}, 422)
        assert complaints(text)
        assert 'name="value"' not in text
        assert not listed(scene)

    @pytest.mark.parametrize("rows", ["²", "-1", "9999999", "x"])
    def test_nonsense_for_the_number_of_tests(self, scene: Therapy, rows: str) -> None:
        scene.note()
        leads(as_(scene.pt), new(scene), {**LOAD, "criteria-rows": rows})

    def test_every_test_is_read_and_a_wrong_one_is_kept_as_typed(self, scene: Therapy) -> None:
        scene.note()
        tests = {
            "pt_review": "",
            "criteria-0-measure": "Carry",
            "criteria-0-comparator": "ge",
            "criteria-0-value": "many",
            "criteria-0-unit": "kg",
            "criteria-1-measure": "No swelling",
        }
        browser = as_(scene.pt)
        text = post(browser, new(scene), {**LOAD, **tests}, 422)
        assert "Number 1" in complaints(text)["pt_review"]
        for words in ("many", "Carry", "No swelling"):
            assert f'value="{words}"' in text
        leads(browser, new(scene), {**LOAD, **tests, "criteria-0-value": "20"})
        assert [each["measure"] for each in listed(scene)[0].criteria] == ["Carry", "No swelling"]


class TestThePreview:
    def test_it_is_the_trainers_sentence(self, scene: Therapy) -> None:
        scene.note()
        browser = as_(scene.pt)
        text = post(browser, new(scene), {**LOAD, "then": "look"}, 200)
        shown = preview(text)
        for words in ("10 kg", "Carry light things close.", "Use a trolley.", "1 Mar 2027"):
            assert words in shown, words
        assert "The graft is young." not in shown
        assert not listed(scene)
        leads(browser, new(scene), dict(LOAD))
        scene.measured()
        note = scene.note()
        scene.sign(note)
        scene.share()
        page = re.sub(
            r"\s+",
            " ",
            re.sub(r"<[^>]+>", " ", get(as_(scene.trainer), f"/clients/{scene.client.pk}/")),
        )
        sentence = re.search(r"What the trainer will read (.*?) Until the review", shown)
        assert sentence
        assert sentence.group(1) in page

    def test_a_script_gets_the_form_that_fits(self, scene: Therapy) -> None:
        scene.note()
        browser = as_(scene.pt)
        data = {"severity": "limit", "kind": "limit_rom", "body_region": "knee", "then": "look"}
        text = part(browser, new(scene), data, on=note_of(scene))
        assert "<html" not in text
        assert 'name="joint_action"' in text
        assert '<option value="deg" selected>' in text
        numbers = text.split('name="unit"')[1].split("</select>")[0]
        assert re.findall(r'value="(\w+)"', numbers) == ["deg"]
        assert "What the trainer will read" in text

    def test_changing_the_strictness_lets_go_of_a_kind_that_does_not_fit(
        self, scene: Therapy
    ) -> None:
        scene.note()
        text = post(
            as_(scene.pt), new(scene), {**LOAD, "severity": "must_not", "then": "look"}, 200
        )
        assert '<option value="avoid" selected>' in text
        assert 'name="value"' not in text
        assert "Carry light things close." in text

    def test_nothing_is_chosen_yet(self, scene: Therapy) -> None:
        scene.note()
        text = get(as_(scene.pt), new(scene))
        assert "the sentence appears here" in text
        assert "Show what fits" in text
        assert ">Save the limit<" not in text

    def test_words_that_name_a_diagnosis_are_pointed_out(self, scene: Therapy) -> None:
        scene.note()
        data = {**LOAD, "wording": "Mind the torn meniscus.", "then": "look"}
        assert "meniscus" in preview(post(as_(scene.pt), new(scene), data, 200))


class TestAfterTheSignature:
    @pytest.mark.parametrize("htmx", [False, True])
    def test_another_one_is_set_with_a_reason(self, scene: Therapy, htmx: bool) -> None:
        scene.signed()
        browser = as_(scene.pt)
        text = post(browser, new(scene), {**LOAD, "reason": ""}, 422)
        assert complaints(text) == {"reason": "Why it changes: Say why it changes."}
        data = {**LOAD, "reason": "The graft slipped."}
        address = leads(browser, new(scene), data, htmx=htmx)
        assert address == f"/episodes/{scene.episode.pk}/#limits"
        made = RestrictionVersion.objects.get(change_reason="The graft slipped.")
        assert made.signed_at == NOON
        assert "slipped" not in kept(browser)
        assert "Carry light things close." in get(browser, f"/episodes/{scene.episode.pk}/")

    @pytest.mark.parametrize("htmx", [False, True])
    def test_revised_with_a_reason(self, scene: Therapy, htmx: bool) -> None:
        scene.signed()
        limit = scene.restriction("limit_load")
        browser, path = as_(scene.pt), f"/limits/{limit.pk}/revise/"
        text = get(browser, path)
        assert 'name="version" value="1"' in text
        assert 'value="10"' in text
        data = {**LOAD, "value": "15", "reason": "Stronger.", "version": "1"}
        assert leads(browser, path, data, htmx=htmx) == f"/episodes/{scene.episode.pk}/#limits"
        newest = limit.versions.order_by("-number").first()
        assert newest
        assert (newest.number, newest.value, newest.change_reason) == (2, Decimal(15), "Stronger.")
        post(browser, path, data, 409)  # the version on that page is not the one in force

    def test_the_reason_that_stands_in_the_note_is_not_lost(self, scene: Therapy) -> None:
        scene.signed()
        limit = scene.restriction("avoid")
        assert "The repair is young." in get(as_(scene.pt), f"/limits/{limit.pk}/revise/")

    def test_no_reason_or_no_change_is_said_and_kept(self, scene: Therapy) -> None:
        scene.signed()
        limit = scene.restriction("limit_load")
        browser, path = as_(scene.pt), f"/limits/{limit.pk}/revise/"
        text = post(browser, path, {**LOAD, "value": "15"}, 422)
        assert complaints(text) == {"reason": "Why it changes: Say why it changes."}
        assert 'value="15"' in text
        leads(browser, path, {**LOAD, "reason": "Stronger."})
        text = post(browser, path, {**LOAD, "reason": "Again."}, 422)
        assert "Nothing is different from the version in force." in text
        assert 'value="Again."' in text

    @pytest.mark.parametrize("version", ["²", "", "x", "99999999999"])
    def test_nonsense_for_the_version(self, scene: Therapy, version: str) -> None:
        scene.signed()
        limit = scene.restriction("limit_load")
        data = {**LOAD, "reason": "Stronger.", "version": version}
        leads(as_(scene.pt), f"/limits/{limit.pk}/revise/", data)

    @pytest.mark.parametrize("htmx", [False, True])
    def test_lifted_with_a_reason_and_only_so(self, scene: Therapy, htmx: bool) -> None:
        scene.signed()
        limit = scene.restriction("avoid")
        browser, path = as_(scene.pt), f"/limits/{limit.pk}/lift/"
        assert "No pressing overhead." in get(browser, path)
        text = post(browser, path, {"reason": " ", "version": "1"}, 422)
        assert complaints(text) == {"reason": "Why it is lifted: Say why it changes."}
        data = {"reason": "Strong enough.", "version": "1"}
        assert leads(browser, path, data, htmx=htmx) == f"/episodes/{scene.episode.pk}/#limits"
        assert "Strong enough" not in kept(browser)
        assert "Lifted (1)" in get(browser, f"/episodes/{scene.episode.pk}/")
        history = f"/limits/{limit.pk}/"
        assert browser.get(path)["Location"] == history
        assert leads(browser, path, data) == history
        assert leads(browser, f"/limits/{limit.pk}/revise/", dict(LOAD)) == history

    def test_not_before_the_day_that_was_set(self, scene: Therapy) -> None:
        scene.measured()
        scene.list_restrictions({**NO_PRESSING, "earliest_lift_on": "2027-02-01"})
        scene.sign(scene.note())
        path = f"/limits/{scene.restriction().pk}/lift/"
        text = post(as_(scene.pt), path, {"reason": "Strong enough."}, 422)
        assert "The earliest day to lift it has not come." in text
        assert 'value="Strong enough."' in text

    def test_the_history_holds_every_version_and_what_changed(self, scene: Therapy) -> None:
        scene.signed()
        limit = scene.restriction("limit_load")
        browser = as_(scene.pt)
        revise = {**LOAD, "value": "15", "patterns": ["pull_horizontal", "carry"]}
        leads(browser, f"/limits/{limit.pk}/revise/", {**revise, "reason": f"Stronger. {EVIL}"})
        leads(browser, f"/limits/{limit.pk}/lift/", {"reason": "Full strength."})
        text = get(browser, f"/limits/{limit.pk}/")
        assert re.findall(r"<h2>Version (\d)</h2>", text) == ["3", "2", "1"]
        assert text.index("Full strength.") < text.index("Stronger.") < text.index("≤ 10 kg")
        assert "≤ 15 kg" in text
        assert "Changed:</strong> What it says" in text
        assert "Lifted" in text
        assert EVIL not in text
        assert "/revise/" not in text

    def test_a_draft_has_no_history(self, scene: Therapy) -> None:
        version = scene.list_restrictions(LIGHT_LOADS)[0]
        for more in ("", "revise/", "lift/"):
            answer = as_(scene.pt).get(f"/limits/{version.restriction_id}/{more}")
            assert answer.status_code in (303, 404), more


class TestWhoMay:
    @pytest.mark.parametrize("why", ["assistant", "expired"])
    def test_after_the_signature_only_with_a_licence_of_today(
        self, scene: Therapy, why: str
    ) -> None:
        scene.signed()
        limit = scene.restriction("limit_load")
        browser = as_(scene.pta)
        if why == "expired":
            scene.licence.expires_on = NOON.date() - timedelta(days=1)
            scene.licence.save()
            browser = as_(scene.pt)
        before = trail()
        data = {**LOAD, "value": "15", "reason": "Stronger."}
        for path in (new(scene), f"/limits/{limit.pk}/revise/", f"/limits/{limit.pk}/lift/"):
            text = get(browser, path, 403)
            assert not [word for word in CLINICAL if word in text]
            post(browser, path, data, 403)
            part(browser, path, data, status=403)
        assert trail() == before
        for path in (f"/limits/{limit.pk}/", f"/episodes/{scene.episode.pk}/"):
            text = get(browser, path)
            assert f"/limits/{limit.pk}/revise/" not in text
            assert f"/limits/{limit.pk}/lift/" not in text

    @pytest.mark.parametrize("signed", [False, True])
    def test_nobody_else_finds_anything(self, scene: Therapy, signed: bool) -> None:
        note = scene.ready()
        version = listed(scene)[0]
        if signed:
            scene.sign(note)
        scene.share()
        strangers = (
            scene.other_pt,
            licensed_pt(practice=scene.pt.practice),
            ProfessionalFactory.create(role=Professional.Role.PTA),
            scene.trainer,
            scene.client,
            UserFactory.create(is_staff=True),
        )
        mine = f"/episodes/{scene.episode.pk}/limits/"
        paths = (
            *(new(scene), f"{mine}{version.restriction_id}/"),
            *(f"/limits/{version.restriction_id}/{more}" for more in ("revise/", "lift/")),
        )
        before = trail()
        for somebody in strangers:
            browser = as_(somebody)
            for path in paths:
                get(browser, path, 404)
                post(browser, path, {**LOAD, "reason": "x"}, 404)
                part(browser, path, {**LOAD, "then": "look"}, status=404)
            get(browser, f"/limits/{version.restriction_id}/", 404)
            part(browser, mine, status=404)
            post(browser, f"{mine}{version.pk}/remove/", {}, 404)
        for path in paths:
            assert as_(None).get(path).status_code == 302
        assert trail() == before
        assert Restriction.objects.count() == 2

    def test_one_episodes_limit_is_not_found_under_anothers_address(self, scene: Therapy) -> None:
        other = Therapy()
        version = other.list_restrictions(LIGHT_LOADS)[0]
        scene.note()
        browser = as_(scene.pt)
        get(browser, f"/episodes/{scene.episode.pk}/limits/{version.restriction_id}/", 404)
        post(browser, f"/episodes/{scene.episode.pk}/limits/{version.pk}/remove/", {}, 404)
        mine = EpisodeFactory.create(client=scene.client, pt=scene.pt)
        own = scene.list_restrictions(LIGHT_LOADS)[0]
        post(browser, f"/episodes/{mine.pk}/limits/{own.pk}/remove/", {}, 404)
        assert RestrictionVersion.objects.filter(pk__in=[version.pk, own.pk]).count() == 2


def test_the_history_costs_the_same_for_two_versions_and_for_nine(scene: Therapy) -> None:
    scene.signed()
    limit = scene.restriction("limit_load")

    def revised(value: int) -> None:
        restrictions.revise(
            actor=scene.as_pt,
            restriction_id=limit.pk,
            data={"value": str(value)},
            reason="Stronger.",
            at=NOON,
        )

    browser, path = as_(scene.pt), f"/limits/{limit.pk}/"
    revised(11)
    get(browser, path)
    two = queries_of(browser, path)
    for value in range(12, 19):
        revised(value)
    assert queries_of(browser, path) == two
