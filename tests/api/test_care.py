"""Episodes, scores and notes through the API: who may, what is refused, what is entered."""

from datetime import date
from typing import Any

from clients.models import AccessEntry
from clients.scopes import Scope
from referrals.models import Episode, Measurement
from tests.api.conftest import World
from tests.api.test_main_job import NOTE, ok
from tests.factories import granted_consent

EPISODE: dict[str, Any] = {
    "condition": "Shoulder stiff after a fall",
    "icd10_code": "m25.611",
    "body_region": "shoulder",
    "laterality": "right",
    "started_on": "2026-12-01",
}


def last_entry() -> AccessEntry:
    return AccessEntry.objects.order_by("-number")[0]


def test_an_episode_is_opened_read_and_corrected(world: World) -> None:
    body = {"client": str(world.client.pk), **EPISODE, "planned_discharge_on": "2027-02-01"}
    made = ok(world.pt_api.post("episodes/", body), 201)
    assert (made["status"], made["icd10_code"]) == ("active", "M25.611")
    assert made["plan"]["planned_discharge_on"] == "2027-02-01"
    changed = ok(world.pt_api.patch(f"episodes/{made['id']}/", {"mechanism": "Fell"}))
    assert changed["mechanism"] == "Fell"
    assert changed["condition"] == EPISODE["condition"]
    entry = last_entry()
    assert (entry.purpose, entry.shown, entry.withheld) == ("episode", ["history"], [])
    assert entry.channel == "api"


def test_an_imported_episode_is_confirmed(world: World) -> None:
    Episode.objects.filter(pk=world.episode.pk).update(status="review", source="fhir")
    address = f"episodes/{world.episode.pk}/"
    assert ok(world.pt_api.get(address))["origin"] == "fhir"
    assert ok(world.pt_api.patch(address, {"status": "active"}))["status"] == "active"


def test_what_an_episode_lacks_is_named(world: World) -> None:
    body = {"client": str(world.client.pk), "condition": "x", "body_region": "knee"}
    refused = world.pt_api.post("episodes/", body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["started_on"])
    refused = world.pt_api.post("episodes/", {**body, "started_on": "2027-12-01"})
    assert {*refused.json()["errors"]} == {"laterality", "started_on"}


def test_who_may_open_and_change_an_episode(world: World) -> None:
    body = {"client": str(world.client.pk), **EPISODE}
    assert world.other_pt_api.post("episodes/", body).status_code == 404
    for api in (world.trainer_api, world.client_api):
        assert api.post("episodes/", body).status_code == 403
    address = f"episodes/{world.episode.pk}/"
    assert world.pta_api.patch(address, {"mechanism": "Fell"}).status_code == 403
    assert world.client_api.patch(address, {"mechanism": "Fell"}).status_code == 403


def test_a_recipient_reads_an_episode_without_visits_and_only_with_history(world: World) -> None:
    world.share(Scope.RESTRICTIONS)
    address = f"episodes/{world.episode.pk}/"
    assert world.trainer_api.get(address).status_code == 404
    entry = last_entry()
    assert (entry.action, entry.withheld) == ("refused", ["history"])
    granted_consent(
        client=world.client,
        discloser=world.pt,
        recipient=world.trainer,
        classes=frozenset({Scope.HISTORY}),
    )
    seen = ok(world.trainer_api.get(address))
    assert (seen["condition"], seen["plan"]) == (world.episode.condition, None)
    assert ok(world.client_api.get(address))["plan"]["visits_completed"] == 12


def test_episodes_are_listed_for_the_treating_side_without_clinical_words(world: World) -> None:
    for api in (world.pt_api, world.pta_api):
        found = api.get("episodes/")
        assert [each["id"] for each in ok(found)["results"]] == [str(world.episode.pk)]
        assert world.episode.condition not in found.content.decode()
    assert ok(world.other_pt_api.get("episodes/"))["results"] == []
    assert world.client_api.get("episodes/").status_code == 403
    assert ok(world.pt_api.get(f"episodes/?client={world.stranger.pk}"))["results"] == []
    active = ok(world.pt_api.get(f"episodes/?client={world.client.pk}&status=active"))
    assert len(active["results"]) == 1
    assert ok(world.pt_api.get("episodes/?status=finished"))["results"] == []


def test_scores_are_recorded_listed_and_taken_back(world: World) -> None:
    body = {"measure": "probe", "moment": "start", "value": 30, "taken_on": "2026-09-01"}
    first = ok(world.pta_api.post(f"episodes/{world.episode.pk}/measurements/", body), 201)
    assert (first["value"], first["name"], first["side"]) == (30, "Probe scale", None)
    second = ok(world.pt_api.post("measurements/", {**body, "episode": str(world.episode.pk)}), 201)
    for address in (
        f"episodes/{world.episode.pk}/measurements/",
        f"measurements/?episode={world.episode.pk}",
    ):
        found = ok(world.pt_api.get(address))["results"]
        assert {each["id"] for each in found} == {first["id"], second["id"]}
        assert last_entry().shown == ["outcomes"]
    assert world.other_pt_api.delete(f"measurements/{second['id']}/").status_code == 404
    assert world.pt_api.delete(f"measurements/{second['id']}/").status_code == 204
    assert Measurement.objects.get().pk.hex == first["id"].replace("-", "")


def test_impossible_scores_are_refused_by_field(world: World) -> None:
    address = f"episodes/{world.episode.pk}/measurements/"
    good = {"measure": "probe", "moment": "start", "value": 30, "taken_on": "2026-09-01"}
    for change, field in (
        ({"value": 81}, "value"),
        ({"value": 30.5}, "value"),
        ({"value": "many"}, "value"),
        ({"measure": "unknown"}, "measure"),
        ({"moment": "never"}, "moment"),
        ({"taken_on": "2027-02-01"}, "taken_on"),
        ({"side": "middle"}, "side"),
    ):
        refused = world.pt_api.post(address, {**good, **change})
        assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    assert not Measurement.objects.exists()
    assert world.pt_api.get("measurements/").json()["errors"].keys() == {"episode"}


def test_the_scales_are_there_for_everybody_signed_in(world: World) -> None:
    found = ok(world.stranger_api.get("measures/?page_size=100"))["results"]
    lefs = next(each for each in found if each["code"] == "lefs")
    assert (lefs["low"], lefs["high"], lefs["higher_is_better"]) == (0, 80, True)
    assert lefs["important_changes"]
    assert world.nobody_api.get("measures/").status_code == 401


def test_a_draft_is_saved_piece_by_piece_and_never_over_somebody_elses(world: World) -> None:
    started = ok(world.pta_api.post("discharge-notes/", {"episode": str(world.episode.pk)}), 201)
    address = f"discharge-notes/{started['id']}/"
    saved = ok(world.pt_api.patch(address, {"revision": started["revision"], "pain_now": 1}))
    assert (saved["pain_now"], saved["revision"]) == (1, started["revision"] + 1)
    stale = world.pta_api.patch(address, {"revision": started["revision"], "pain_now": 9})
    assert (stale.status_code, stale.json()["type"].split("#")[1]) == (409, "stale")
    assert ok(world.pt_api.get(address))["pain_now"] == 1
    unsaid = world.pt_api.patch(address, {"pain_now": 2})
    assert list(unsaid.json()["errors"]) == ["revision"]
    bad = world.pt_api.patch(address, {"revision": saved["revision"], "pain_now": 11})
    assert list(bad.json()["errors"]) == ["pain_now"]
    again = ok(world.pt_api.post("discharge-notes/", {"episode": str(world.episode.pk)}), 201)
    assert again["id"] == started["id"]


def test_a_note_can_be_begun_with_everything_or_not_at_all(world: World) -> None:
    refused = world.pt_api.post(
        "discharge-notes/", {"episode": str(world.episode.pk), "future_contact": "x" * 301}
    )
    assert refused.status_code == 400
    assert ok(world.pt_api.get("discharge-notes/"))["results"] == []
    body = {"episode": str(world.episode.pk), **NOTE}
    made = ok(world.pt_api.post("discharge-notes/", body), 201)
    assert (made["goals"][0]["text"], made["clearance"]) == ("Swim 500 m", NOTE["clearance"])


def test_signing_names_every_missing_field(world: World) -> None:
    note = ok(world.pt_api.post("discharge-notes/", {"episode": str(world.episode.pk)}), 201)
    refused = world.pt_api.post(f"discharge-notes/{note['id']}/sign/", {"revision": 0})
    assert refused.status_code == 400
    assert refused.json()["errors"] == note["missing"]
    assert {"clearance", "restrictions_decision", "goals", "pain_now"} <= {*note["missing"]}
    goals = {"revision": 0, "goals": [{"text": "Swim"}, {"outcome": "partly", "text": "Row"}]}
    saved = ok(world.pt_api.patch(f"discharge-notes/{note['id']}/", goals))
    assert {"goals.0.outcome", "goals.1.why_not"} <= {*saved["missing"]}


def test_only_what_was_seen_is_signed_and_only_by_the_therapist(world: World) -> None:
    draft = world.ready()
    address = f"discharge-notes/{draft.pk}/"
    seen = ok(world.pt_api.get(address))
    body = {"revision": seen["revision"], "seen": seen["fingerprint"]}
    assert world.pta_api.post(f"{address}sign/", body).status_code == 403
    assert world.other_pt_api.post(f"{address}sign/", body).status_code == 404
    world.list_restrictions()  # the list behind the fingerprint changes
    assert world.pt_api.post(f"{address}sign/", body).status_code == 409
    body["seen"] = ok(world.pt_api.get(address))["fingerprint"]
    signed = ok(world.pt_api.post(f"{address}sign/", body))
    assert (signed["status"], signed["fingerprint"], signed["missing"]) == ("signed", None, {})
    assert world.pt_api.patch(address, {"revision": 2, "pain_now": 2}).status_code == 409
    assert world.pt_api.post(f"{address}sign/", body).status_code == 409


def test_without_a_licence_nothing_is_signed(world: World) -> None:
    note = world.ready()
    world.licence.expires_on = date(2027, 1, 12)
    world.licence.save()
    refused = world.pt_api.post(f"discharge-notes/{note.pk}/sign/", {"revision": note.revision})
    assert refused.status_code == 403
    assert "licence" in refused.json()["detail"]
    assert ok(world.pt_api.get("me/"))["professionals"][0]["may_sign_in"] == []


def test_an_addendum_comes_after_a_signed_note(world: World) -> None:
    note = world.ready()
    address = f"discharge-notes/{note.pk}/addenda/"
    assert world.pt_api.post(address, {"text": "Too early."}).status_code == 409
    world.sign(note)
    added = ok(world.pt_api.post(address, {"text": "Left arm, not right."}), 201)
    assert [each["text"] for each in added["addenda"]] == ["Left arm, not right."]
    assert world.pta_api.post(address, {"text": "x"}).status_code == 403
    assert list(world.pt_api.post(address, {"text": " "}).json()["errors"]) == ["text"]


def test_a_draft_is_the_treating_sides_alone_and_a_signed_note_needs_its_class(
    world: World,
) -> None:
    note = world.ready()
    address = f"discharge-notes/{note.pk}/"
    world.share(*(set(Scope) - {Scope.NOTE}))
    for api in (world.client_api, world.trainer_api, world.other_pt_api):
        assert api.get(address).status_code == 404
    assert ok(world.client_api.get("discharge-notes/"))["results"] == []
    world.sign(note)
    assert ok(world.client_api.get(address))["status"] == "signed"
    assert len(ok(world.client_api.get("discharge-notes/"))["results"]) == 1
    assert world.trainer_api.get(address).status_code == 404
    assert ok(world.pt_api.get("discharge-notes/?signed=0"))["results"] == []
    listed = ok(world.pt_api.get(f"discharge-notes/?signed=1&client={world.client.pk}"))
    assert [each["id"] for each in listed["results"]] == [str(note.pk)]
    assert ok(world.pt_api.get(f"discharge-notes/?episode={world.client.pk}"))["results"] == []
