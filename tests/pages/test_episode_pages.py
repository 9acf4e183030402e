"""An episode of care on its pages: opened, corrected, confirmed, measured."""

from datetime import date, timedelta

import pytest

from clients.models import AccessEntry, Professional
from referrals.models import Episode, Measurement
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    ProfessionalFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    licensed_pt,
)
from tests.pages.reading import as_, get, kept, leads, part, post, queries_of
from tests.referrals.scenes import Therapy, trail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
EVIL = "<script>alert(1)</script>"
KNEE = {
    "condition": "Left knee, after a fall",
    "icd10_code": "s83511a",
    "body_region": "knee",
    "laterality": "left",
    "onset_on": "2026-11-01",
    "mechanism": "Fell off a ladder",
    "surgery": "",
    "surgery_on": "",
    "started_on": "2026-12-01",
    "last_visit_on": "2027-01-11",
    "visits_completed": "7",
    "planned_discharge_on": "2027-02-15",
}
SCORE = {
    "measure": "probe",
    "value": "42",
    "moment": "interim",
    "taken_on": "2026-11-02",
    "side": "",
}


@pytest.fixture
def scene() -> Therapy:
    return Therapy()


def path_of(scene: Therapy, *more: str) -> str:
    return "/".join(["/episodes", str(scene.episode.pk), *more, ""])


class TestOpening:
    @pytest.mark.parametrize("htmx", [False, True])
    def test_opened_for_a_client_of_ones_own(self, scene: Therapy, htmx: bool) -> None:
        client = ClientFactory.create(created_by=scene.pt)
        browser = as_(scene.pt)
        address = leads(browser, f"/clients/{client.pk}/episodes/new/", KNEE, htmx=htmx)
        made = Episode.objects.get(client=client)
        assert address == path_of(scene).replace(str(scene.episode.pk), str(made.pk))
        assert (made.pt, made.icd10_code, made.visits_completed) == (scene.pt, "S83.511A", 7)
        assert "knee" not in kept(browser).lower()
        text = get(browser, address)
        for words in ("The episode is open.", "Left knee, after a fall", "S83.511A", "Begin the"):
            assert words in text, words

    @pytest.mark.parametrize(
        ("over", "place"),
        [
            ({"condition": ""}, "condition"),
            ({"condition": f"{EVIL}{'x' * 300}"}, "condition"),
            ({"icd10_code": "knee"}, "icd10_code"),
            ({"body_region": ""}, "body_region"),
            ({"body_region": "nonsense"}, "body_region"),
            ({"laterality": ""}, "laterality"),
            ({"onset_on": "2027-02-01"}, "onset_on"),
            ({"onset_on": "1980-01-01"}, "onset_on"),
            ({"started_on": "soon"}, "started_on"),
            ({"last_visit_on": "2026-11-30"}, "last_visit_on"),
            ({"visits_completed": "-1"}, "visits_completed"),
            ({"planned_discharge_on": "2027-01-01"}, "planned_discharge_on"),
            ({"surgery_on": "2026-11-05"}, "surgery"),
        ],
    )
    def test_what_does_not_fit_is_said_at_its_field_and_everything_stays(
        self, scene: Therapy, over: dict[str, str], place: str
    ) -> None:
        client = ClientFactory.create(created_by=scene.pt)
        data = {**KNEE, **over}
        text = post(as_(scene.pt), f"/clients/{client.pk}/episodes/new/", data, 422)
        assert f'href="#id_{place}"' in text
        assert 'value="Fell off a ladder"' in text
        assert EVIL not in text
        for name, value in over.items():
            if value and value != "nonsense":
                assert value.replace(EVIL, "&lt;script&gt;alert(1)&lt;/script&gt;") in text, name
        assert not Episode.objects.filter(client=client).exists()

    def test_a_recurrence_names_an_ended_one(self, scene: Therapy) -> None:
        scene.signed()
        browser = as_(scene.pt)
        path = f"/clients/{scene.client.pk}/episodes/new/"
        text = get(browser, path)
        assert "Comes back after" in text
        assert "1 Sep 2026 to 12 Jan 2027" in text
        leads(browser, path, {**KNEE, "recurrence_of": str(scene.episode.pk)})
        assert Episode.objects.get(recurrence_of=scene.episode).condition == KNEE["condition"]

    def test_an_assistant_opens_none(self, scene: Therapy) -> None:
        post(as_(scene.pta), f"/clients/{scene.client.pk}/episodes/new/", KNEE, 403)
        assert Episode.objects.count() == 1

    def test_nobody_else_finds_the_client(self, scene: Therapy) -> None:
        scene.share()
        path = f"/clients/{scene.client.pk}/episodes/new/"
        for somebody in (
            scene.other_pt,
            licensed_pt(practice=scene.pt.practice),
            scene.trainer,
            scene.client,
            UserFactory.create(is_staff=True),
        ):
            get(as_(somebody), path, 404)
            post(as_(somebody), path, KNEE, 404)
        assert as_(None).get(path)["Location"] == f"/accounts/login/?next={path}"
        assert Episode.objects.count() == 1


class TestThePage:
    def test_it_says_what_to_do_next(self, scene: Therapy) -> None:
        browser = as_(scene.pt)
        assert "Begin the discharge note" in get(browser, path_of(scene))
        note = scene.ready()
        assert "Go on with the note" in get(browser, path_of(scene))
        assert "These hold for nobody yet." in get(browser, path_of(scene))
        scene.sign(note)
        text = get(browser, path_of(scene))
        assert f'href="/discharge/{scene.episode.pk}/handoff/"' in text
        assert "Set another" in text
        scene.share()
        assert f"Handoff to {scene.trainer.name}" in get(browser, path_of(scene))

    def test_every_look_is_entered(self, scene: Therapy) -> None:
        get(as_(scene.pta), path_of(scene))
        entry = AccessEntry.objects.get()
        assert (entry.actor_id, entry.client_id) == (scene.pta.user_id, scene.client.pk)

    def test_what_people_typed_is_text(self, scene: Therapy) -> None:
        Episode.objects.update(condition=EVIL, mechanism=f'"><img src=x onerror=alert(1)>{EVIL}')
        text = get(as_(scene.pt), path_of(scene))
        assert EVIL not in text
        assert "<img src=x" not in text

    def test_it_costs_the_same_for_one_limit_and_for_ten(self, scene: Therapy) -> None:
        scene.signed()
        browser = as_(scene.pt)
        get(browser, path_of(scene))
        few = queries_of(browser, path_of(scene))
        for _ in range(9):
            RestrictionVersionFactory.create(
                restriction=RestrictionFactory.create(episode=scene.episode)
            )
        assert queries_of(browser, path_of(scene)) == few

    def test_nobody_else_finds_it(self, scene: Therapy) -> None:
        scene.signed()
        scene.share()
        before = trail()
        strangers = (
            scene.other_pt,
            licensed_pt(practice=scene.pt.practice),
            ProfessionalFactory.create(role=Professional.Role.PTA),
            scene.trainer,
            scene.client,
            UserFactory.create(is_staff=True),
        )
        for somebody in strangers:
            browser = as_(somebody)
            for more in ((), ("edit",), ("measurements",)):
                get(browser, path_of(scene, *more), 404)
                part(browser, path_of(scene, *more), status=404)
            post(browser, path_of(scene, "edit"), KNEE, 404)
            post(browser, path_of(scene, "measurements"), SCORE, 404)
        for more in ((), ("edit",), ("measurements",)):
            assert as_(None).get(path_of(scene, *more)).status_code == 302
        assert trail() == before


class TestCorrecting:
    @pytest.mark.parametrize("htmx", [False, True])
    def test_corrected(self, scene: Therapy, htmx: bool) -> None:
        browser = as_(scene.pt)
        assert scene.episode.condition in get(browser, path_of(scene, "edit"))
        address = leads(browser, path_of(scene, "edit"), KNEE, htmx=htmx)
        assert address == path_of(scene)
        scene.episode.refresh_from_db()
        assert scene.episode.condition == "Left knee, after a fall"
        assert scene.episode.planned_discharge_on == date(2027, 2, 15)
        assert "knee" not in kept(browser).lower()

    def test_a_plan_that_has_passed_may_stay(self, scene: Therapy) -> None:
        scene.episode.planned_discharge_on = NOON.date() - timedelta(days=3)
        scene.episode.save()
        data = {**KNEE, "planned_discharge_on": scene.episode.planned_discharge_on.isoformat()}
        leads(as_(scene.pt), path_of(scene, "edit"), data)

    def test_an_imported_one_is_confirmed(self, scene: Therapy) -> None:
        scene.episode.status, scene.episode.source = Episode.Status.REVIEW, "fhir"
        scene.episode.save()
        browser = as_(scene.pt)
        assert "Check and confirm" in get(browser, path_of(scene))
        text = post(browser, path_of(scene, "edit"), {**KNEE, "condition": ""}, 422)
        assert 'href="#id_condition"' in text
        assert Episode.objects.get().status == Episode.Status.REVIEW
        leads(browser, path_of(scene, "edit"), KNEE)
        assert Episode.objects.get().status == Episode.Status.ACTIVE

    @pytest.mark.parametrize("status", [Episode.Status.REVIEW, Episode.Status.ACTIVE])
    def test_one_that_should_not_be_is_closed_and_stays_as_it_was(
        self, scene: Therapy, status: str
    ) -> None:
        scene.episode.status = status
        scene.episode.save()
        browser = as_(scene.pt)
        data = {**KNEE, "condition": "", "then": "discard"}
        assert leads(browser, path_of(scene, "edit"), data) == "/clients/"
        scene.episode.refresh_from_db()
        assert scene.episode.status == Episode.Status.ENTERED_IN_ERROR
        assert scene.episode.condition != ""
        text = get(browser, path_of(scene))
        assert "Entered in error" in text
        assert "Begin the discharge note" not in text
        assert browser.get(path_of(scene, "edit"))["Location"] == path_of(scene)

    def test_by_the_therapist_alone(self, scene: Therapy) -> None:
        get(as_(scene.pta), path_of(scene, "edit"), 403)
        post(as_(scene.pta), path_of(scene, "edit"), KNEE, 403)
        assert path_of(scene, "edit") not in get(as_(scene.pta), path_of(scene))

    def test_not_after_the_signature(self, scene: Therapy) -> None:
        scene.signed()
        browser = as_(scene.pt)
        assert browser.get(path_of(scene, "edit"))["Location"] == path_of(scene)
        assert leads(browser, path_of(scene, "edit"), KNEE) == path_of(scene)
        scene.episode.refresh_from_db()
        assert scene.episode.condition != KNEE["condition"]


class TestScores:
    @pytest.mark.parametrize("who", ["pt", "pta"])
    def test_recorded_by_a_plain_post(self, scene: Therapy, who: str) -> None:
        browser = as_(getattr(scene, who))
        path = path_of(scene, "measurements")
        assert "Probe scale (0 to 80)" in get(browser, path)
        assert leads(browser, path, SCORE) == path
        text = get(browser, path)
        assert "Every value" in text
        assert "The score is recorded." in text
        made = Measurement.objects.get()
        assert made.value == 42
        assert made.recorded_by == getattr(scene, who).user
        assert "42" not in str(dict(browser.session.items()).get("_messages", ""))

    def test_within_the_note_it_offers_the_next_and_says_what_is_open(self, scene: Therapy) -> None:
        scene.note()
        browser = as_(scene.pt)
        path, note = path_of(scene, "measurements"), f"/discharge/{scene.episode.pk}/"
        assert 'id="measure-form"' in part(browser, path, on=note)
        text = part(browser, path, SCORE, on=note)
        assert 'id="measure-form"' in text
        assert 'value="42"' not in text
        assert 'id="ready" hx-swap-oob="true"' in text
        assert 'id="measure-form"' not in part(browser, f"{path}?close=1", on=note)
        assert 'id="ready"' not in part(browser, path, on=path)

    @pytest.mark.parametrize(
        ("over", "place"),
        [
            ({"measure": ""}, "measure"),
            ({"measure": "nonsense"}, "measure"),
            ({"value": "81"}, "value"),
            ({"value": "4.5"}, "value"),
            ({"value": ""}, "value"),
            ({"value": "many"}, "value"),
            ({"moment": ""}, "moment_0"),
            ({"taken_on": "2027-01-14"}, "taken_on"),
            ({"taken_on": ""}, "taken_on"),
            ({"side": "nonsense"}, "side"),
        ],
    )
    @pytest.mark.parametrize("htmx", [False, True])
    def test_what_does_not_fit_is_said_at_its_field_and_stays(
        self, scene: Therapy, over: dict[str, str], place: str, htmx: bool
    ) -> None:
        browser, path, data = as_(scene.pt), path_of(scene, "measurements"), {**SCORE, **over}
        text = part(browser, path, data, status=422) if htmx else post(browser, path, data, 422)
        assert f'href="#id_{place}"' in text
        assert f'id="id_{place}"' in text
        if data["value"]:
            assert f'value="{data["value"]}"' in text
        assert not Measurement.objects.exists()

    def test_taken_back(self, scene: Therapy) -> None:
        scene.measured()
        browser = as_(scene.pt)
        first = Measurement.objects.earliest("taken_on")
        path = path_of(scene, "measurements", str(first.pk), "remove")
        assert path in get(browser, path_of(scene, "measurements"))
        assert leads(browser, path, {}) == path_of(scene, "measurements")
        assert not Measurement.objects.filter(pk=first.pk).exists()
        post(browser, path, {}, 404)

    def test_an_assistant_takes_back_only_their_own(self, scene: Therapy) -> None:
        scene.measured()
        first = Measurement.objects.earliest("taken_on")
        post(as_(scene.pta), path_of(scene, "measurements", str(first.pk), "remove"), {}, 403)
        leads(as_(scene.pta), path_of(scene, "measurements"), SCORE)
        own = Measurement.objects.get(recorded_by=scene.pta.user)
        leads(as_(scene.pta), path_of(scene, "measurements", str(own.pk), "remove"), {})

    def test_of_another_episode_nothing_is_taken_back(self, scene: Therapy) -> None:
        other = EpisodeFactory.create(client=scene.client, pt=scene.pt)
        scene.measured()
        first = Measurement.objects.earliest("taken_on")
        path = f"/episodes/{other.pk}/measurements/{first.pk}/remove/"
        post(as_(scene.pt), path, {}, 404)
        assert Measurement.objects.filter(pk=first.pk).exists()

    def test_after_the_signature_they_are_read_and_nothing_else(self, scene: Therapy) -> None:
        scene.signed()
        browser, path = as_(scene.pt), path_of(scene, "measurements")
        text = get(browser, path)
        assert "Every value" in text
        assert "Add a score" not in text
        assert "/remove/" not in text
        post(browser, path, SCORE, 409)
        first = Measurement.objects.earliest("taken_on")
        post(browser, path_of(scene, "measurements", str(first.pk), "remove"), {}, 409)
