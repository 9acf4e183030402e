"""Which codes and words are musculoskeletal, where on the body, and on which side."""

import pytest

from referrals.fhir_bundle import codes
from referrals.vocabulary import BodyRegion, Laterality


@pytest.mark.parametrize(
    ("words", "region"),
    [
        ("Fracture of neck of femur", BodyRegion.HIP),
        ("Sprain of ligament of ankle", BodyRegion.ANKLE),
        ("Chronic low back pain", BodyRegion.LUMBAR),
        ("Fracture of surgical neck of humerus", BodyRegion.SHOULDER),
        ("Lateral epicondylitis", BodyRegion.ELBOW),
        ("Neck pain", BodyRegion.CERVICAL),
        ("Rupture of Achilles tendon", BodyRegion.ANKLE),
        ("Laceration of foot", None),
        ("Suspected fracture of wrist", None),
        ("History of knee injury", None),
        ("Carcinoma of cervix", None),
        ("Injury of kidney", None),
        ("Hypertension", None),
        ("Knee", None),
    ],
)
def test_conditions_by_words(words: str, region: BodyRegion | None) -> None:
    assert codes.condition_region(codes.concept({"text": words})) == region


@pytest.mark.parametrize(
    ("code", "region", "side"),
    [
        ("S83.511A", BodyRegion.KNEE, Laterality.RIGHT),
        ("S83512D", BodyRegion.KNEE, Laterality.LEFT),
        ("s83.519a", BodyRegion.KNEE, None),
        ("M17.0", BodyRegion.KNEE, Laterality.BILATERAL),
        ("M17.12", BodyRegion.KNEE, Laterality.LEFT),
        ("M25.511", BodyRegion.SHOULDER, Laterality.RIGHT),
        ("M25.51", BodyRegion.SHOULDER, None),
        ("M75.11", BodyRegion.SHOULDER, None),
        ("M75.112", BodyRegion.SHOULDER, Laterality.LEFT),
        ("M54.50", BodyRegion.LUMBAR, Laterality.NOT_APPLICABLE),
        ("M51.14", BodyRegion.THORACIC, Laterality.NOT_APPLICABLE),
        ("M51.16", BodyRegion.LUMBAR, Laterality.NOT_APPLICABLE),
        ("S83.201A", BodyRegion.KNEE, None),  # here the same digit is something else
    ],
)
def test_conditions_by_icd10(code: str, region: BodyRegion, side: Laterality | None) -> None:
    system = "http://hl7.org/fhir/sid/icd-10-cm"
    found = codes.concept({"coding": [{"system": system, "code": code}]})
    assert codes.condition_region(found) == region
    assert codes.side(found, region) == side


def test_an_icd10_code_of_another_chapter_overrules_the_words() -> None:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "L03.115"}
    found = codes.concept({"coding": [coding], "text": "Pain in right ankle"})
    assert codes.condition_region(found) is None


def test_sides_that_contradict_each_other_stay_open() -> None:
    found = codes.concept({"text": "Sprain of left knee"}, [{"text": "Right knee"}])
    assert codes.side(found, BodyRegion.KNEE) is None
    assert codes.side(codes.concept({"text": "Both knees"}), BodyRegion.KNEE) == "bilateral"
