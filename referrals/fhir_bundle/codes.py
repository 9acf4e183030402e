"""Which FHIR codes are about the musculoskeletal system, and where on the body they are. Pure.

A decision is made in this order, and the first that answers wins:
1. a SNOMED CT code in the tables below;
2. an ICD-10 code by its longest prefix in `ICD10` (an ICD-10 code outside chapters M and S
   settles that it is not musculoskeletal, whatever the text says);
3. the words: a body region and a kind of problem must both be named, and no word that makes it
   something else (a wound, a tumour, a suspicion).
The answer goes into a draft that a therapist reviews; what cannot be told stays open.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from referrals.fhir_bundle.strict_json import Json, children, text
from referrals.vocabulary import PAIRED, BodyRegion, Laterality

MAX_SEARCHED = 500
"""Characters of one text that are looked at."""
SNOMED = "http://snomed.info/sct"
ICD10_SYSTEMS = frozenset(
    {
        "http://hl7.org/fhir/sid/icd-10-cm",
        "http://hl7.org/fhir/sid/icd-10",
        "urn:oid:2.16.840.1.113883.6.90",
        "urn:oid:2.16.840.1.113883.6.3",
    }
)

SNOMED_CONDITIONS: dict[str, BodyRegion] = {
    "39848009": BodyRegion.CERVICAL,  # whiplash
    "81680005": BodyRegion.CERVICAL,  # neck pain
    "1121000119107": BodyRegion.CERVICAL,  # chronic neck pain
    "279039007": BodyRegion.LUMBAR,  # low back pain
    "278860009": BodyRegion.LUMBAR,  # chronic low back pain
    "307731004": BodyRegion.SHOULDER,  # rotator cuff tendon injury
    "202843000": BodyRegion.SHOULDER,  # full-thickness cuff tear
    "399114005": BodyRegion.SHOULDER,  # frozen shoulder
    "45326000": BodyRegion.SHOULDER,  # shoulder pain
    "58150001": BodyRegion.SHOULDER,  # collarbone fracture
    "202855006": BodyRegion.ELBOW,  # lateral epicondylitis
    "65966004": BodyRegion.WRIST,  # forearm fracture
    "70704007": BodyRegion.WRIST,  # wrist sprain
    "263102004": BodyRegion.WRIST,  # wrist fracture with subluxation
    "239872002": BodyRegion.HIP,  # hip osteoarthritis
    "359817006": BodyRegion.HIP,  # closed hip fracture
    "444470001": BodyRegion.KNEE,  # anterior cruciate ligament injury
    "444448004": BodyRegion.KNEE,  # medial collateral ligament injury
    "239720000": BodyRegion.KNEE,  # meniscus tear
    "30832001": BodyRegion.KNEE,  # patellar tendon rupture
    "239873007": BodyRegion.KNEE,  # knee osteoarthritis
    "44465007": BodyRegion.ANKLE,  # ankle sprain
    "16114001": BodyRegion.ANKLE,  # ankle fracture
    "202882003": BodyRegion.FOOT,  # plantar fasciitis
}

SNOMED_SURGERY: dict[str, BodyRegion] = {
    "387685009": BodyRegion.SHOULDER,  # operation on the shoulder joint
    "397956004": BodyRegion.SHOULDER,  # shoulder replacement
    "52734007": BodyRegion.HIP,  # total hip replacement
    "609588000": BodyRegion.KNEE,  # total knee replacement
    "699253003": BodyRegion.KNEE,  # operation on the knee joint
}

SNOMED_THERAPY = frozenset(
    {
        "91251008",  # physical therapy
        "872781000000100",  # musculoskeletal care
    }
)

SNOMED_SIDES: dict[str, Laterality] = {
    "7771000": Laterality.LEFT,
    "24028007": Laterality.RIGHT,
    "51440002": Laterality.BILATERAL,
}

ICD10: dict[str, BodyRegion] = {
    prefix: region
    for region, prefixes in (
        (BodyRegion.CERVICAL, "M43.6 M48.02 M50 M54.12 M54.2 S12 S13 S16"),
        (BodyRegion.THORACIC, "M48.04 M51.04 M51.14 M51.24 M51.34 M54.14 M54.6 S22 S23 S29.01"),
        (BodyRegion.LUMBAR, "M43.16 M43.17 M48.06 M48.07 M51 M54.16 M54.17 M54.3 M54.4 M54.5"),
        (BodyRegion.LUMBAR, "S32.0 S33.5 S39.012"),
        (BodyRegion.SI_PELVIS, "M46.1 M53.3 S32.1 S32.2 S32.3 S32.5 S32.6 S32.8 S33.6"),
        (BodyRegion.SHOULDER, "M19.01 M19.11 M19.21 M25.31 M25.51 M25.61 M75 S42 S43 S46"),
        (BodyRegion.ELBOW, "M19.02 M25.52 M25.62 M70.2 M77.0 M77.1 S42.4 S52.0 S52.1 S53"),
        (BodyRegion.WRIST, "M19.03 M25.53 M25.63 M65.4 S52 S62.0 S62.1 S63 S63.5"),
        (BodyRegion.HAND, "M18 M19.04 M25.54 M25.64 M65.3 S62 S63.1 S63.2 S63.4 S63.6 S66"),
        (BodyRegion.HIP, "M16 M25.55 M25.65 M70.6 M76.0 M76.1 S32.4 S72.0 S72.1 S72.2 S73 S76.0"),
        (BodyRegion.KNEE, "M17 M22 M23 M25.36 M25.56 M25.66 M70.4 M70.5 M76.5 S76.1 S82.0"),
        (BodyRegion.KNEE, "S82.1 S83"),
        (BodyRegion.ANKLE, "M19.07 M25.37 M25.57 M25.67 M76.6 S82.5 S82.6 S82.84 S82.85 S86.0"),
        (BodyRegion.ANKLE, "S93.0 S93.4"),
        (BodyRegion.FOOT, "M20.1 M20.2 M72.2 M77.3 M77.4 M79.67 S92 S93.3 S93.5 S93.6"),
    )
    for prefix in prefixes.split()
}
"""ICD-10-CM prefixes; the longest that fits wins."""

# In these families of ICD-10-CM the character at this place (dot not counted) tells the side:
# 1 right, 2 left. Elsewhere the same digit means something else, so nothing is concluded there.
_ICD_SIDE_AT: dict[str, int] = {
    prefix: place
    for place, prefixes in (
        (4, "M16.1 M16.3 M16.5 M17.1 M17.3 M75.0 M75.2 M75.3 M75.4 M75.5 M75.8 M76.5 M76.6"),
        (4, "M77.0 M77.1"),
        (5, "M25.5 M75.1 S43.4 S46.0 S83.4 S83.5 S93.4"),
    )
    for prefix in prefixes.split()
}
_ICD_BOTH = frozenset({"M16.0", "M16.2", "M16.4", "M16.6", "M17.0", "M17.2", "M17.4"})
_ICD_SHAPE = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")

# Order matters: "neck of femur" is a hip, a "surgical neck" of the humerus a shoulder.
_WORDS: tuple[tuple[BodyRegion, re.Pattern[str]], ...] = tuple(
    (region, re.compile(rf"\b(?:{words})\b"))
    for region, words in (
        (BodyRegion.HIP, r"hips?|femoral neck|neck of (?:the )?femur|acetabul\w+|trochanter\w*"),
        (
            BodyRegion.KNEE,
            r"knees?|cruciate|menisc\w+|patell\w+|tibial plateau|medial collateral ligament",
        ),
        (BodyRegion.ANKLE, r"ankles?|achilles|malleol\w+|talofibular"),
        (BodyRegion.FOOT, r"foot|feet|toes?|heel|plantar|metatars\w+|calcane\w+|hallux"),
        (
            BodyRegion.SHOULDER,
            r"shoulders?|rotator cuff|clavic\w+|acromi\w+|glenohumeral|supraspinatus|humerus",
        ),
        (BodyRegion.ELBOW, r"elbows?|epicondyl\w+|olecranon|radial head"),
        (BodyRegion.WRIST, r"wrists?|scaphoid|carpal|forearms?|distal radius|radius"),
        (BodyRegion.HAND, r"hands?|fingers?|thumbs?|metacarp\w+"),
        (
            BodyRegion.CERVICAL,
            r"whiplash|neck|cervicalgia"
            r"|cervical (?:spine|spondyl\w+|disc|vertebra\w*|radiculopathy|strain|sprain)",
        ),
        (BodyRegion.THORACIC, r"thoracic (?:spine|disc|vertebra\w*)|ribs?|(?:mid|upper) back"),
        (BodyRegion.LUMBAR, r"low(?:er)? back|lumbar|lumbago|backache|back|sciatica"),
        (BodyRegion.SI_PELVIS, r"sacroiliac|sacrum|coccyx|pelvic (?:girdle|fracture)|pelvis"),
    )
)
_PROBLEM = re.compile(
    r"\b(?:injur(?:y|ies)|sprain\w*|strain\w*|tears?|torn|rupture\w*|fractures?|dislocat\w+"
    r"|sublux\w+|instability|tend[io]n\w*|bursitis|osteoarthr\w+|arthr(?:itis|osis)"
    r"|capsulitis|impingement|fasciitis|epicondylitis|stiff\w*|contracture|pain|ache|backache"
    r"|stenosis|hernia(?:tion|ted)|radiculopathy|spondyl\w+|sciatica|lumbago|cervicalgia"
    r"|whiplash|frozen)\b"
)
_SURGERY = re.compile(
    r"\b(?:\w*arthroplasty|replacement|reconstruction|repair|arthroscop\w+|fixation|fusion"
    r"|arthrodesis|dis[ck]ectomy|meniscectomy|laminectomy|decompression|osteotomy|tenodesis"
    r"|surgical|surgery|release)\b"
)
_SOMETHING_ELSE = re.compile(
    r"\b(?:history of|suspect\w*|possible|rule out|screening|family|cancer|neoplasm|tumou?r"
    r"|carcinoma|sarcoma|metasta\w+|burns?|laceration|abrasion|wounds?|ulcer\w*|cellulitis"
    r"|infect\w*|gunshot|bite|rash|dermat\w+|skin|x-?ray|imaging|mri|ultrasound|radiograph\w*"
    r"|hernia repair)\b"
)
_THERAPY = re.compile(
    r"\b(?:physical therapy|physiotherapy|physio|exercise therapy"
    r"|(?:orthop(?:a?e)dic|musculoskeletal) (?:rehabilitation|care))\b"
)
_LEFT = re.compile(r"\bleft\b")
_RIGHT = re.compile(r"\bright\b")
_BOTH = re.compile(r"\b(?:bilateral|both)\b")
_TAG = re.compile(r"\s*\((?:disorder|finding|procedure|situation|regime/therapy)\)$")


@dataclass(frozen=True, slots=True)
class Concept:
    """One or more CodeableConcepts (a code and its body sites) read as codes and words."""

    words: str
    snomed: tuple[str, ...]
    icd10: tuple[str, ...]
    searched: str
    """Every text of the concept and its sites, in lower case."""


def concept(code: Json, sites: Iterable[Json] = ()) -> Concept:
    """Gather what `code` and its `sites` say. `words` is empty when nothing is said in words."""
    everything = [code, *sites]
    codings = [coding for part in everything for coding in children(part, "coding")]
    texts = [text(part, "text") for part in everything]
    texts += [text(coding, "display") for coding in codings]
    own = [text(code, "text"), *(text(coding, "display") for coding in children(code, "coding"))]
    icd = (
        _dotted(text(coding, "code"))
        for coding in codings
        if text(coding, "system") in ICD10_SYSTEMS
    )
    return Concept(
        words=_TAG.sub("", next((said for said in own if said), "")),
        snomed=tuple(
            text(coding, "code") for coding in codings if text(coding, "system") == SNOMED
        ),
        icd10=tuple(found for found in icd if found),
        searched=" | ".join(said[:MAX_SEARCHED] for said in texts if said).lower(),
    )


def condition_region(found: Concept) -> BodyRegion | None:
    """Where a musculoskeletal condition sits; None when it is not a musculoskeletal one."""
    for code in found.snomed:
        if code in SNOMED_CONDITIONS:
            return SNOMED_CONDITIONS[code]
    for code in found.icd10:
        for length in range(len(code), 2, -1):
            if code[:length] in ICD10:
                return ICD10[code[:length]]
    if any(code[0] not in "MS" for code in found.icd10):
        return None
    return _by_words(found, _PROBLEM)


def surgery_region(found: Concept) -> BodyRegion | None:
    """Where an operation on joint, bone, tendon or spine was; None when it is not one."""
    for code in found.snomed:
        if code in SNOMED_SURGERY:
            return SNOMED_SURGERY[code]
    return _by_words(found, _SURGERY)


def is_therapy(found: Concept) -> bool:
    """Whether a plan's category or title says physical therapy."""
    return not SNOMED_THERAPY.isdisjoint(found.snomed) or bool(_THERAPY.search(found.searched))


def side(found: Concept, region: BodyRegion) -> Laterality | None:
    """Which side; None when the file does not tell (or contradicts itself) on a paired region."""
    said = {SNOMED_SIDES[code] for code in found.snomed if code in SNOMED_SIDES}
    said |= {answer for code in found.icd10 if (answer := _icd_side(code)) is not None}
    if _BOTH.search(found.searched):
        said.add(Laterality.BILATERAL)
    else:
        said |= {Laterality.LEFT} if _LEFT.search(found.searched) else set()
        said |= {Laterality.RIGHT} if _RIGHT.search(found.searched) else set()
    if len(said) == 1:
        return said.pop()
    return None if region in PAIRED or said else Laterality.NOT_APPLICABLE


def _by_words(found: Concept, kind: re.Pattern[str]) -> BodyRegion | None:
    if not kind.search(found.searched) or _SOMETHING_ELSE.search(found.searched):
        return None
    return next((region for region, words in _WORDS if words.search(found.searched)), None)


def _dotted(code: str) -> str:
    """`code` as ICD-10 writes it (S83.511A), or "" when it does not have the shape of one."""
    bare = code.upper().replace(".", "")
    dotted = f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare
    return dotted if _ICD_SHAPE.fullmatch(dotted) else ""


def _icd_side(code: str) -> Laterality | None:
    if code in _ICD_BOTH:
        return Laterality.BILATERAL
    place = _ICD_SIDE_AT.get(code[:5])
    mark = code.replace(".", "")[place : place + 1] if place is not None else ""
    return {"1": Laterality.RIGHT, "2": Laterality.LEFT}.get(mark)
