"""The reader of FHIR Bundles: what it takes, what it refuses, and that nothing breaks it."""

import copy
import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.core.errors import Invalid
from referrals.fhir_bundle import BundleReading, Outcome, read_bundle, strict_json
from referrals.fhir_bundle.entries import MAX_ENTRIES
from referrals.vocabulary import BodyRegion, Laterality

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
SHARED = Path(os.environ.get("HANDOFF_SHARED_DATA") or ROOT.parent / "shared" / "data")
KNEE, SHOULDER = (
    json.loads((DATA / f"fhir_{name}.json").read_text()) for name in ("knee", "shoulder")
)
PATIENT, HAY_FEVER, ACL, ANKLE, XRAY, SURGERY, PLAN = 1, 2, 3, 4, 5, 6, 7

INNER_PATIENT = {"resourceType": "Patient", "id": "p"}
MERGED = [{"type": "replaced-by", "other": {"reference": "Patient/2"}}]
STU3_PROFILE = {"profile": ["http://hl7.org/fhir/3.0/StructureDefinition/Organization"]}

Bundle = dict[str, Any]


def knee(change: Callable[[list[Any]], object] | None = None) -> Bundle:
    """The knee bundle, with its resources changed."""
    bundle: Bundle = copy.deepcopy(KNEE)
    if change:
        change([entry["resource"] for entry in bundle["entry"]])
    return bundle


def read(bundle: object, **kwargs: Any) -> BundleReading:
    return read_bundle(json.dumps(bundle).encode(), **kwargs)


def refusal(raw: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read_bundle(raw)
    return str(caught.value)


def verdict(reading: BundleReading, index: int) -> tuple[Outcome, str]:
    return reading.entries[index].outcome, reading.entries[index].reason


# --- what is taken ------------------------------------------------------------------------------


def test_the_patient_of_the_knee_bundle() -> None:
    patient = read(knee()).patient
    assert (patient.first_name, patient.last_name) == ("Nell Demo", "Fictional")
    assert patient.birth_date == date(1994, 2, 11)
    assert (patient.state, patient.language) == ("OR", "en-US")
    assert (patient.phone, patient.email) == ("+1 555-0100", "Nell.Fictional@example.com")


def test_only_record_numbers_identify_never_the_social_security_number() -> None:
    identifiers = read(knee()).patient.identifiers
    assert [(one.system, one.value) for one in identifiers] == [
        ("urn:example:fictional-clinic", "K-1001")
    ]


def test_the_episode_takes_the_condition_of_the_therapy_plan_and_its_surgery() -> None:
    episode = read(knee()).episode
    assert episode is not None
    assert episode.condition.words == "Torn anterior cruciate ligament of right knee"
    assert episode.condition.icd10 == "S83.511A"
    assert (episode.condition.region, episode.condition.laterality) == (
        BodyRegion.KNEE,
        Laterality.RIGHT,
    )
    assert episode.condition.onset == date(2025, 1, 18)
    assert [one.performed_on for one in episode.procedures] == [date(2025, 2, 10)]
    assert episode.care_plan is not None
    assert (episode.care_plan.start, episode.care_plan.end) == (
        date(2025, 2, 17),
        date(2025, 8, 29),
    )


def test_every_entry_of_the_knee_bundle_is_accounted_for() -> None:
    reading = read(knee())
    assert [(one.index, one.resource_type) for one in reading.entries] == [
        (index, entry["resource"]["resourceType"]) for index, entry in enumerate(KNEE["entry"])
    ]
    assert [one.outcome.value for one in reading.entries] == [
        *("ignored", "taken", "ignored", "taken", "ignored", "ignored"),
        *("taken", "taken", "ignored", "refused"),
    ]
    assert verdict(reading, 9) == (Outcome.REFUSED, "not valid R4 at Observation.code")
    assert "another" in verdict(reading, ANKLE)[1]


def test_a_bundle_of_words_without_codes() -> None:
    reading = read(SHOULDER)
    assert reading.episode is not None
    condition, plan = reading.episode.condition, reading.episode.care_plan
    assert (condition.region, condition.laterality) == (BodyRegion.SHOULDER, Laterality.LEFT)
    assert condition.onset is None  # the file gives a month, which is no day
    assert plan is not None
    assert (plan.status, plan.start) == ("active", date(2025, 6, 3))
    assert reading.patient.state == ""
    assert len(reading.patient.identifiers) == 1
    assert reading.patient.identifiers[0].system == "urn:handoff:fhir-patient-sha256"
    assert reading.patient.identifiers == read(SHOULDER).patient.identifiers


def test_without_a_plan_the_newest_condition_is_taken() -> None:
    reading = read(knee(lambda found: found[PLAN].update(status="revoked")))
    assert reading.episode is not None
    assert reading.episode.condition.index == ANKLE
    assert reading.episode.care_plan is None
    assert reading.episode.procedures == ()
    assert verdict(reading, SURGERY) == (Outcome.IGNORED, "an operation for something else")
    assert any("first visit" in remark for remark in reading.remarks)


def test_a_surgery_without_a_reason_belongs_by_place_side_and_time() -> None:
    def unlinked(found: list[Any], **more: Any) -> None:
        del found[SURGERY]["reasonReference"]
        found[SURGERY].update(more)

    def taken(bundle: Bundle) -> bool:
        return verdict(read(bundle), SURGERY)[0] is Outcome.TAKEN

    assert taken(knee(unlinked))
    left = {"text": "Reconstruction of a ligament of left knee"}
    assert not taken(knee(lambda found: unlinked(found, code=left)))
    early = {"start": "2024-12-01"}
    assert not taken(knee(lambda found: unlinked(found, performedPeriod=early)))
    hip = {"text": "Right hip replacement"}
    assert not taken(knee(lambda found: unlinked(found, code=hip)))


def test_no_musculoskeletal_condition_is_no_episode() -> None:
    def other(found: list[Any]) -> None:
        for index in (ACL, ANKLE):
            found[index]["code"] = {"text": "Seasonal hay fever"}
            found[index].pop("bodySite", None)

    reading = read(knee(other))
    assert reading.episode is None
    assert Counter(one.outcome for one in reading.entries)[Outcome.TAKEN] == 1


@pytest.mark.parametrize(
    ("place", "change", "outcome"),
    [
        (ACL, {"verificationStatus": {"coding": [{"code": "refuted"}]}}, "ignored"),
        (ACL, {"onsetDateTime": "0001-01-01"}, "refused"),
        (ACL, {"onsetDateTime": "9999-12-31"}, "refused"),
        (ACL, {"onsetDateTime": "2025-02-30"}, "refused"),
        (ACL, {"onsetDateTime": "1980-01-01"}, "refused"),  # before birth
        (ACL, {"abatementDateTime": "2024-01-01"}, "refused"),  # before onset
        (ACL, {"onsetDateTime": 20250118}, "refused"),
        (ACL, {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}, "refused"),
        (ACL, {"implicitRules": "urn:x"}, "refused"),
        (ACL, {"meta": {"security": [{"code": "R"}]}}, "refused"),
        (ACL, {"subject": {"reference": "#p"}, "contained": [INNER_PATIENT]}, "refused"),
        (ACL, {"subject": '{"reference": "Patient/fictional-knee"}'}, "refused"),
        (ACL, {"contained": [{"resourceType": "Nope"}]}, "refused"),
        (ACL, {"unheardOf": 1}, "refused"),
        (SURGERY, {"status": "not-done"}, "ignored"),
        (PLAN, {"intent": "proposal"}, "ignored"),
        (PLAN, {"category": [{"text": "Diet"}], "title": "Diet"}, "ignored"),
        (PLAN, {"period": {"start": "2025-08-01", "end": "2025-02-01"}}, "refused"),
    ],
)
def test_one_bad_entry_leaves_the_others_alone(
    place: int, change: dict[str, Any], outcome: str
) -> None:
    reading = read(knee(lambda found: found[place].update(change)))
    assert reading.entries[place].outcome == outcome
    others = [one for one in reading.entries if one.index not in (place, ACL, ANKLE, SURGERY, PLAN)]
    untouched = read(knee())
    assert others == [untouched.entries[one.index] for one in others]


def test_a_request_to_delete_is_refused() -> None:
    bundle = knee()
    bundle["entry"][ACL]["request"]["method"] = "DELETE"
    assert verdict(read(bundle), ACL)[0] is Outcome.REFUSED


def test_two_entries_at_one_address_the_second_is_refused() -> None:
    bundle = knee()
    bundle["entry"][ANKLE]["fullUrl"] = bundle["entry"][ACL]["fullUrl"]
    assert verdict(read(bundle), ANKLE) == (Outcome.REFUSED, "has the same address as entry 3")


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/fictional-knee"},
        {"reference": "Patient/fictional-knee/_history/2"},
        {"reference": "Patient?identifier=urn:example:fictional-clinic|K-1001"},
        {"identifier": {"system": "urn:example:fictional-clinic", "value": "K-1001"}},
    ],
)
def test_other_ways_to_point_at_the_patient(reference: dict[str, Any]) -> None:
    reading = read(knee(lambda found: found[ACL].update(subject=reference)))
    assert verdict(reading, ACL)[0] is Outcome.TAKEN


def test_reports_repeat_nothing_from_the_file() -> None:
    """Not its words, and not what somebody hid in a name of an element or a type."""

    def spiked(found: list[Any]) -> None:
        found[HAY_FEVER]["SecretDiagnosis"] = "SecretDiagnosis"
        found[XRAY]["resourceType"] = "SecretDiagnosis"
        found[8]["valueInteger"] = "SecretDiagnosis"

    printed = " ".join(f"{one.resource_type} {one.reason}" for one in read(knee(spiked)).entries)
    assert "SecretDiagnosis" not in printed
    for word in ("knee", "ligament", "ankle", "ACL", "S83", "444470001", "Fictional", "2025"):
        assert word.lower() not in printed.lower()


# --- shifting -----------------------------------------------------------------------------------


def test_shifting_moves_every_date_by_the_same_days() -> None:
    plain, moved = read(knee()), read(knee(), shift_to=date(2026, 11, 20))
    assert plain.episode is not None
    assert moved.episode is not None
    assert moved.episode.care_plan is not None
    assert moved.episode.care_plan.end == date(2026, 11, 20)
    by = date(2026, 11, 20) - date(2025, 8, 29)
    assert moved.shifted_days == by.days
    assert [day + by for day in plain.episode.dates()] == list(moved.episode.dates())
    assert moved.patient.birth_date == plain.patient.birth_date + by
    assert [one.onset for one in moved.conditions] == [
        one.onset + by if one.onset else None for one in plain.conditions
    ]
    assert moved.entries == plain.entries


def test_shifting_out_of_our_time_is_refused() -> None:
    with pytest.raises(Invalid, match="out of range"):
        read(knee(), shift_to=date.max)
    with pytest.raises(Invalid, match="out of range"):
        read(knee(), shift_to=date.min)


def test_nothing_to_shift_is_refused() -> None:
    bare = knee(lambda found: [found[ACL].pop("onsetDateTime"), found[ACL].pop("recordedDate")])
    bare["entry"] = [bare["entry"][PATIENT], bare["entry"][ACL]]
    with pytest.raises(Invalid, match="no date"):
        read(bare, shift_to=date(2026, 1, 1))


# --- hostile and broken files -------------------------------------------------------------------


def _entries(count: int) -> Bundle:
    return knee() | {"entry": KNEE["entry"][:1] * count}


def _with(text: str) -> bytes:
    """The knee bundle with `text` in place of one quoted string."""
    return json.dumps(KNEE).encode().replace(b'"Fictional Sports Clinic"', text.encode())


def _somebody_else(found: list[Any]) -> None:
    found[8]["subject"] = {"reference": "Patient/somebody-else"}


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not JSON"),
    "text": (b"hello", "not JSON"),
    "cut off": (json.dumps(KNEE).encode()[:-9], "not JSON"),
    "zip": (b"PK\x03\x04\xff\xfe", "not UTF-8"),
    "utf-16": (json.dumps(KNEE).encode("utf-16"), "not UTF-8"),
    "xml": (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Bundle>&b;</Bundle>', "not JSON"),
    "a list": (b"[]", "not a FHIR Bundle"),
    "a number": (b"1", "not a FHIR Bundle"),
    "a patient": (json.dumps(KNEE["entry"][1]["resource"]).encode(), "not a FHIR Bundle"),
    "no type": (b'{"resourceType": "Bundle"}', "type"),
    "history": (json.dumps(KNEE | {"type": "history"}).encode(), "type"),
    "no entry": (b'{"resourceType": "Bundle", "type": "collection"}', "no entries"),
    "entries as text": (b'{"resourceType":"Bundle","type":"batch","entry":"x"}', "no entries"),
    "bad shell": (json.dumps(KNEE | {"surprise": 1}).encode(), "refused"),
    "too large": (b" " * (strict_json.MAX_BYTES + 1), "larger than 50 MB"),
    "too many values": (b"[" + b"[]," * strict_json.MAX_VALUES + b"[]]", "too many values"),
    "too many entries": (json.dumps(_entries(MAX_ENTRIES + 1)).encode(), "entries"),
    "deep": (_with('{"a":' * 60 + "1" + "}" * 60), "nested too deeply"),
    "very deep": (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
    "NaN": (_with("NaN"), "NaN"),
    "infinity": (_with("-Infinity"), "NaN"),
    "huge float": (_with("1e999"), "out of all range"),
    "huge whole number": (_with("9" * 5000), "out of all range"),
    "same key twice": (_with('"x", "name": "y"'), "same key twice"),
    "half a surrogate pair": (_with('"\\ud800"'), "surrogate"),
    "NUL": (_with('"a\\u0000b"'), "NUL"),
    "NUL in a key": (_with('"x", "a\\u0000": 1'), "NUL"),
    "no patient": (json.dumps(_entries(2)).encode(), "no patient"),
    "two patients": (
        json.dumps(knee() | {"entry": [*KNEE["entry"], KNEE["entry"][1]]}).encode(),
        "more than one patient",
    ),
    "somebody else's observation": (json.dumps(knee(_somebody_else)).encode(), "somebody else"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_one_clear_line(name: str) -> None:
    raw, says = HOSTILE[name]
    line = refusal(raw)
    assert says in line
    assert "\n" not in line
    assert len(line) < 120


@pytest.mark.parametrize(
    ("place", "change", "says"),
    [
        (PATIENT, {"birthDate": "0001-01-01"}, "birth date"),
        (PATIENT, {"birthDate": "9999-12-31"}, "birth date"),
        (PATIENT, {"birthDate": "1994"}, "no full birth date"),
        (PATIENT, {"name": []}, "no name"),
        (PATIENT, {"name": [{"family": "x" * 81}]}, "longer"),
        (PATIENT, {"name": "Nell"}, "refused"),
        (PATIENT, {"active": False}, "closed"),
        (PATIENT, {"deceasedDateTime": "2026-01-01"}, "closed"),
        (PATIENT, {"link": MERGED}, "closed"),
        (ACL, {"subject": {"reference": "urn:uuid:somebody-else"}}, "somebody else"),
        (ACL, {"subject": {"reference": "http://elsewhere.example/Patient/1"}}, "somebody else"),
        (ACL, {"subject": {"identifier": {"system": "a", "value": "b"}}}, "somebody else"),
        (ACL, {"clinicalStatus": "active"}, "not FHIR R4"),  # STU3
        (ACL, {"patient": {"reference": "Patient/fictional-knee"}}, "not FHIR R4"),  # DSTU2
        (SURGERY, {"occurrenceDateTime": "2025-02-10"}, "not FHIR R4"),  # R5
        (8, {"resourceType": "MedicationOrder"}, "not FHIR R4"),
        (0, {"meta": STU3_PROFILE}, "not FHIR R4"),
    ],
)
def test_what_spoils_the_whole_file(place: int, change: dict[str, Any], says: str) -> None:
    raw = json.dumps(knee(lambda found: found[place].update(change))).encode()
    assert says in refusal(raw)


def test_characters_that_reorder_text_do_not_reach_a_name() -> None:
    name = [{"family": "Fict\u202eional\x07", "given": ["Ne\u2066ll\n", "  "]}]
    patient = read(knee(lambda found: found[PATIENT].update(name=name))).patient
    assert (patient.first_name, patient.last_name) == ("Nell", "Fictional")


SHORT = st.text(max_size=3)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "\u202e", "0001-01-01", "9999-12-31T23:59:60Z", "#", "{}", "a\x00"]),
    st.just("\ud800"),
    st.recursive(
        SHORT,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SHORT, inner, max_size=2),
        max_leaves=4,
    ),
)


def _paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for key, item in inner for found in _paths(item, (*path, key)))]


PATHS = [path for path in _paths(KNEE) if path]


@given(data=st.data())
def test_no_mutation_of_a_valid_bundle_raises_anything_but_invalid(data: st.DataObject) -> None:
    bundle = knee()
    for _ in range(data.draw(st.integers(1, 4))):
        *parents, last = data.draw(st.sampled_from(PATHS))
        target: Any = bundle
        try:
            for step in parents:
                target = target[step]
            if data.draw(st.booleans()):
                target[last] = data.draw(JUNK)
            else:
                del target[last]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took the place away
    try:
        reading = read(bundle, shift_to=data.draw(st.none() | st.dates()))
    except Invalid:
        return
    assert [one.index for one in reading.entries] == list(range(len(bundle["entry"])))
    assert sum(one.reason == "the client" for one in reading.entries) == 1


@given(raw=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_invalid(raw: bytes) -> None:
    with pytest.raises(Invalid):
        read_bundle(raw)


# --- bundles made by Synthea ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "entries", "region", "plan", "operated"),
    [
        ("Abdul_Koepp", 180, "knee", (date(2017, 3, 21), date(2017, 5, 27)), date(2017, 3, 28)),
        ("Trent_Jaskolski", 126, "shoulder", (date(2020, 6, 26), date(2020, 8, 25)), None),
    ],
)
def test_synthea(
    start: str, entries: int, region: str, plan: tuple[date, date], operated: date | None
) -> None:
    found = sorted((SHARED / "synthea").glob(f"{start}_*.json"))
    if not found:
        pytest.skip("no Synthea bundles here; HANDOFF_SHARED_DATA names their folder")
    reading = read_bundle(found[0].read_bytes())
    counts = Counter(one.outcome for one in reading.entries)
    assert len(reading.entries) == entries
    assert counts[Outcome.REFUSED] == 0
    assert counts[Outcome.TAKEN] == (4 if operated else 3)
    assert reading.patient.state == "MA"
    assert len(reading.patient.identifiers) == 2
    assert reading.episode is not None
    assert reading.episode.condition.region == region
    assert reading.episode.condition.laterality is None
    assert reading.episode.care_plan is not None
    assert (reading.episode.care_plan.start, reading.episode.care_plan.end) == plan
    assert [one.performed_on for one in reading.episode.procedures] == [operated] * bool(operated)
    moved = read_bundle(found[0].read_bytes(), shift_to=date(2026, 11, 20))
    assert moved.episode is not None
    assert max(moved.episode.dates()) == date(2026, 11, 20)
