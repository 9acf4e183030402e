"""Pages: beginning from a template, return gates, what came back, a therapy that ended early."""

import re
from datetime import date
from decimal import Decimal

import pytest

from clients.scopes import Scope
from referrals.models import Episode, Gate, RestrictionVersion
from tests.factories import EpisodeFactory
from tests.pages.reading import as_, get, kept, leads, post
from tests.referrals.scenes import Therapy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def scene() -> Therapy:
    return Therapy()


def template_of(scene: Therapy) -> str:
    return f"/episodes/{scene.episode.pk}/limits/template/"


def gates_of(scene: Therapy) -> str:
    return f"/episodes/{scene.episode.pk}/gates/"


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


class TestTemplates:
    def test_those_of_the_region_come_first(self, scene: Therapy) -> None:
        text = get(as_(scene.pt), template_of(scene))
        names = re.findall(r"<h2>([^<]+)</h2>", text)
        assert names[0] == "After rotator cuff repair"
        assert len(names) == 6
        assert text.count("Fits this episode") == 1

    def test_one_is_shown_with_numbers_sources_and_what_is_missing(self, scene: Therapy) -> None:
        browser = as_(scene.pt)
        text = post(browser, template_of(scene), {"template": "rotator_cuff"}, status=200)
        said = words(text)
        assert "Thigpen and others, J Shoulder Elbow Surg 2016;25:521" in said
        assert "No published number was found for this limit" in said
        assert 'name="limit-load-value"' in text
        assert 'name="limit-pain-value"' not in text  # it has one, with its source
        assert 'name="limit-load-laterality"' not in text  # the episode says it
        assert 'value="2027-02-24"' in text  # in six weeks, to be confirmed
        assert "checked" not in text
        assert not RestrictionVersion.objects.exists()
        assert not Gate.objects.exists()

    def test_the_address_does_not_say_what_it_is_about(self, scene: Therapy) -> None:
        browser = as_(scene.pt)
        data = {"template": "rotator_cuff", "then": "add", "limit-overhead-add": "on"}
        data["limit-overhead-review_on"] = "2027-02-24"
        to = leads(browser, template_of(scene), data)
        assert to == f"/discharge/{scene.episode.pk}/#s-limits"
        assert "rotator" not in kept(browser)

    @pytest.mark.parametrize("who", ["pt", "pta"])
    def test_only_what_is_ticked_is_added(self, scene: Therapy, who: str) -> None:
        browser = as_(getattr(scene, who))
        data = {
            "template": "rotator_cuff",
            "then": "add",
            "limit-load-add": "on",
            "limit-load-value": "4",
            "limit-load-review_on": "2027-02-03",
            "limit-overhead-review_on": "2027-02-24",
            **({"gate-pain-add": "on"} if who == "pt" else {}),
        }
        leads(browser, template_of(scene), data)
        (draft,) = RestrictionVersion.objects.drafts_of(scene.episode.pk)
        assert (draft.kind, draft.value, draft.unit) == ("limit_load", Decimal(4), "kg")
        assert (draft.review_on, draft.signed_at) == (date(2027, 2, 3), None)
        assert Gate.objects.count() == (1 if who == "pt" else 0)

    def test_a_missing_number_keeps_what_was_ticked(self, scene: Therapy) -> None:
        data = {
            "template": "rotator_cuff",
            "then": "add",
            "limit-load-add": "on",
            "limit-load-value": "",
            "limit-load-review_on": "2027-02-03",
            "gate-pain-add": "on",
        }
        text = post(as_(scene.pt), template_of(scene), data, status=422)
        assert "Nothing is added yet" in text
        assert "Enter a number." in text
        assert text.count("checked") == 2
        assert not RestrictionVersion.objects.exists()
        assert not Gate.objects.exists()

    def test_nothing_ticked_and_no_such_template(self, scene: Therapy) -> None:
        data = {"template": "rotator_cuff", "then": "add"}
        assert "Tick what should be added" in post(
            as_(scene.pt), template_of(scene), data, status=422
        )
        text = post(as_(scene.pt), template_of(scene), {"template": "nose"}, status=422)
        assert "There is no such template" in text

    def test_an_assistant_is_offered_no_gates(self, scene: Therapy) -> None:
        text = post(as_(scene.pta), template_of(scene), {"template": "acl"}, status=200)
        assert 'name="gate-' not in text
        assert 'name="limit-pivot-laterality"' not in text

    def test_not_once_it_is_signed_nor_for_others(self, scene: Therapy) -> None:
        get(as_(scene.other_pt), template_of(scene), status=404)
        get(as_(scene.trainer), template_of(scene), status=404)
        scene.signed()
        get(as_(scene.pt), template_of(scene), status=409)


class TestGates:
    def test_named_shown_and_taken_off(self, scene: Therapy) -> None:
        browser = as_(scene.pt)
        data = {"measure": "probe", "comparator": "ge", "value": "60", "source": "A paper 2020"}
        assert leads(browser, gates_of(scene), data) == gates_of(scene)
        assert "0 of 1 gate met, 1 not measured" in words(get(browser, gates_of(scene)))
        scene.measured()
        for path in (gates_of(scene), f"/episodes/{scene.episode.pk}/"):
            said = words(get(browser, path))
            assert "Probe scale at least 60 points" in said
            assert "A paper 2020" in said
            assert "1 of 1 gate met. Whether that is enough is your decision" in said
            assert "62 , 12 Jan 2027" in said
        gate = Gate.objects.get()
        post(browser, f"{gates_of(scene)}{gate.pk}/remove/")
        assert not Gate.objects.exists()

    def test_what_is_wrong_stands_at_its_field(self, scene: Therapy) -> None:
        data = {"measure": "probe", "comparator": "ge", "value": "900"}
        text = post(as_(scene.pt), gates_of(scene), data, status=422)
        assert "Probe scale runs from 0 to 80" in text

    def test_the_note_shows_them_above_the_clearance_and_leaves_it_open(
        self, scene: Therapy
    ) -> None:
        scene.ready()
        browser = as_(scene.pt)
        page = f"/discharge/{scene.episode.pk}/"
        assert "Name return gates" in get(browser, page)
        post(browser, gates_of(scene), {"test": "Steady on one leg"})
        for path in (page, f"{page}sign/"):
            said = words(get(browser, path))
            assert (
                "0 of 1 gate met, 1 not measured. Whether that is enough is your decision" in said
            )

    @pytest.mark.parametrize(
        ("then", "to"), [("gates", "gates/"), ("template", "limits/template/")]
    )
    def test_the_way_there_saves_the_note_first(self, scene: Therapy, then: str, to: str) -> None:
        note = scene.note()
        page = f"/discharge/{scene.episode.pk}/"
        text = get(as_(scene.pt), page)
        assert f'name="then" value="{then}"' in text
        data = {"revision": str(note.revision), "course": "In phases.", "then": then}
        assert leads(as_(scene.pt), page, data) == f"/episodes/{scene.episode.pk}/{to}"
        note.refresh_from_db()
        assert note.course == "In phases."

    def test_an_assistant_looks_and_does_not_name(self, scene: Therapy) -> None:
        browser = as_(scene.pta)
        assert "Only the treating physical therapist" in get(browser, gates_of(scene))
        post(browser, gates_of(scene), {"test": "Steady"}, status=403)
        other = EpisodeFactory.create(client=scene.client, pt=scene.pt)
        gate = Gate.objects.create(
            client=scene.client, episode=other, test="Hop", added_by=scene.pt.user
        )
        post(as_(scene.pt), f"{gates_of(scene)}{gate.pk}/remove/", status=404)

    @pytest.mark.parametrize("shared", [Scope.OUTCOMES, Scope.RESTRICTIONS])
    def test_on_the_clients_own_page_and_no_trainers(self, scene: Therapy, shared: Scope) -> None:
        post(as_(scene.pt), gates_of(scene), {"test": "Steady on one leg"})
        scene.signed()
        scene.share(shared)
        page = f"/clients/{scene.client.pk}/"
        said = words(get(as_(scene.trainer), page))
        assert "Steady on one leg" not in said
        own = words(get(as_(scene.client), page)).replace("&#x27;", "'")
        assert "Steady on one leg" in own
        assert "the therapist's decision" in own
        assert "Only the treating" not in said


class TestWhatCameBack:
    def test_proposed_confirmed_and_read(self, scene: Therapy) -> None:
        earlier = EpisodeFactory.create(
            client=scene.client,
            pt=scene.pt,
            started_on=date(2026, 1, 5),
            status="finished",
            ended_on=date(2026, 3, 1),
        )
        Episode.objects.filter(pk=scene.episode.pk).update(recurrence_of=earlier)
        page, browser = f"/episodes/{scene.episode.pk}/", as_(scene.pt)
        assert "The dates say: exacerbation, worse before it was over" in words(get(browser, page))
        form = get(browser, f"{page}recurrence/")
        assert "no full return is recorded before" in words(form)
        wrong = {"kind": "exacerbation", "full_return_on": "2026-03-10"}
        assert "before full return it is no recurrence" in post(
            browser, f"{page}recurrence/", wrong, status=422
        )
        data = {"kind": "late", "full_return_on": "2026-03-10"}
        assert leads(browser, f"{page}recurrence/", data) == page
        said = words(get(browser, page))
        assert "Late recurrence , back to everything since 10 Mar 2026" in said.replace(
            " ,", " ,"
        ).replace("recurrence,", "recurrence ,")
        own = words(get(as_(scene.client), f"/clients/{scene.client.pk}/"))
        assert "Late recurrence" in own
        scene.signed()
        scene.share(*Scope)
        read = words(get(as_(scene.trainer), f"/clients/{scene.client.pk}/"))
        assert "What happened" in read
        assert "Late recurrence" not in read

    def test_without_an_earlier_episode_there_is_nothing_to_say(self, scene: Therapy) -> None:
        page = f"/episodes/{scene.episode.pk}/"
        assert as_(scene.pt).get(f"{page}recurrence/")["Location"] == f"{page}edit/"
        get(as_(scene.pta), f"{page}recurrence/", status=403)


class TestEndedEarly:
    """A quick discharge: what trainer and client read where they read limits."""

    @pytest.mark.parametrize("decision", ["listed", "none"])
    def test_says_that_nothing_was_measured_at_the_end(self, scene: Therapy, decision: str) -> None:
        if decision == "listed":
            scene.list_restrictions()
        note = scene.note(
            discharge_type="quick",
            reason="did_not_return",
            measures_missing_reason="Did not come back.",
            restrictions_decision=decision,
            clearance="cleared_with_restrictions" if decision == "listed" else "cleared_general",
        )
        scene.sign(note)
        scene.share(Scope.RESTRICTIONS)
        for who, paths in (
            (scene.trainer, ("", "card/")),
            (scene.client, ("", "card/")),
        ):
            for path in paths:
                said = words(get(as_(who), f"/clients/{scene.client.pk}/{path}"))
                assert "Final measures not taken. Unlisted movements: caution." in said
                assert "Did not come back" not in said or who is scene.client

    def test_with_final_measures_it_only_asks_for_caution(self, scene: Therapy) -> None:
        scene.measured()
        scene.list_restrictions()
        scene.sign(scene.note(discharge_type="quick", reason="did_not_return"))
        scene.share(Scope.RESTRICTIONS)
        said = words(get(as_(scene.trainer), f"/clients/{scene.client.pk}/"))
        assert "Therapy ended early. Unlisted movements: caution." in said
        assert "Final measures not taken" not in said

    def test_a_full_discharge_says_nothing_of_it(self, scene: Therapy) -> None:
        scene.signed()
        scene.share(Scope.RESTRICTIONS)
        said = words(get(as_(scene.trainer), f"/clients/{scene.client.pk}/"))
        assert "Unlisted movements" not in said
