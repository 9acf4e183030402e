"""From a parsed Bundle to entries that can be trusted one by one. Pure.

What makes the whole file unsafe to read raises Invalid: no Bundle, another FHIR version, no
patient or several, an entry about somebody else. What is wrong with one entry stays with that
entry as its `problem`, and the others go on. No message quotes the file: only positions, element
paths and names that FHIR itself defines.
"""

import re
from dataclasses import dataclass, field

from handoff.core.errors import Invalid
from referrals.fhir_bundle.strict_json import Json, child, children, text

MAX_ENTRIES = 20_000
BUNDLE_TYPES = frozenset({"transaction", "batch", "collection", "document", "searchset"})
READ = frozenset({"Patient", "Condition", "Procedure", "CarePlan"})
"""The resource types a draft is made from. Every other type is ignored, but still validated."""

# R4 types that R4B dropped; the validator's models are those of R4B.
_R4_ONLY = frozenset(
    {
        *("EffectEvidenceSynthesis", "RiskEvidenceSynthesis", "MedicinalProduct"),
        *("MedicinalProductAuthorization", "MedicinalProductContraindication"),
        *("MedicinalProductIndication", "MedicinalProductIngredient"),
        *("MedicinalProductInteraction", "MedicinalProductManufactured"),
        *("MedicinalProductPackaged", "MedicinalProductPharmaceutical"),
        *("MedicinalProductUndesirableEffect", "SubstanceNucleicAcid", "SubstancePolymer"),
        *("SubstanceProtein", "SubstanceReferenceInformation", "SubstanceSourceMaterial"),
        "SubstanceSpecification",
    }
)
_OLD_TYPES = frozenset(
    {
        *("MedicationOrder", "DiagnosticOrder", "ProcedureRequest", "ReferralRequest"),
        *("DeviceUseRequest", "DataElement", "Conformance", "EligibilityRequest", "Sequence"),
    }
)
# Elements that exist before R4 (DSTU2, STU3) or after it (R5), and not in R4.
_OLD_ELEMENTS = {
    "Patient": ("careProvider", "animal"),
    "Condition": ("patient", "context", "assertedDate", "dateRecorded"),
    "Procedure": ("context", "definition", "notDone", "notPerformed"),
    "CarePlan": ("context", "definition"),
    "Encounter": ("incomingReferral", "indication", "patient"),
}
_NEW_ELEMENTS = {
    "Condition": ("participant",),
    "Procedure": ("occurrenceDateTime", "occurrencePeriod", "recorded"),
    "Encounter": ("actualPeriod", "plannedStartDate"),
}
_VERSION_IN_PROFILE = re.compile(r"^https?://hl7\.org/fhir/(1\.0|3\.0|5\.0|DSTU2|STU3|R5)/")
_NO_TYPE = "not a resource type of R4"
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{2,60}")
_ELEMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_HISTORY = re.compile(r"/_history/[^/]+$")
_NAMES_PATIENT = re.compile(r"(^|/)Patient[/?]")


@dataclass(slots=True)
class Entry:
    """One entry of the Bundle. `index` counts from 0; `problem` is "" while nothing is wrong."""

    index: int
    kind: str
    resource: Json
    address: str = ""
    problem: str = ""

    def refuse(self, problem: str) -> None:
        """Keep the first problem found."""
        self.problem = self.problem or problem


@dataclass(slots=True)
class OpenBundle:
    """All entries, the one patient among them, and where a reference leads."""

    entries: list[Entry]
    patient: Entry
    places: dict[str, int] = field(default_factory=dict)

    def target(self, reference: Json) -> Entry | None:
        """The entry that `reference` points to, or None when it is not in the file."""
        place = self.places.get(_HISTORY.sub("", text(reference, "reference")))
        return None if place is None else self.entries[place]

    def is_about_patient(self, reference: Json) -> bool:
        """Whether `reference` is to the file's patient: by address or by business identifier."""
        found = self.target(reference)
        if found is not None:
            return found is self.patient
        said = text(reference, "reference")
        named = child(reference, "identifier")
        pair = (text(named, "system"), text(named, "value"))
        if said.startswith("Patient?identifier="):
            system, _, value = said.removeprefix("Patient?identifier=").partition("|")
            pair = (system, value)
        elif said:
            return False
        own = children(self.patient.resource, "identifier")
        return bool(pair[1]) and pair in {(text(one, "system"), text(one, "value")) for one in own}


def open_bundle(bundle: Json) -> OpenBundle:
    """Check the whole, then each entry on its own. Raises Invalid as the module says."""
    if text(bundle, "resourceType") != "Bundle":
        raise Invalid("The file is not a FHIR Bundle.")
    if text(bundle, "type") not in BUNDLE_TYPES:
        raise Invalid(f"Only Bundles of type {', '.join(sorted(BUNDLE_TYPES))} can be imported.")
    listed = bundle.get("entry")
    if not isinstance(listed, list) or not listed:
        raise Invalid("The Bundle has no entries.")
    if len(listed) > MAX_ENTRIES:
        raise Invalid(f"The Bundle has more than {MAX_ENTRIES} entries.")
    shell = {key: value for key, value in bundle.items() if key != "entry"}
    if problem := _mismatch("Bundle", shell):
        raise Invalid(f"The Bundle is refused: {problem}.")
    entries = [_entry(index, item) for index, item in enumerate(listed)]
    for entry in entries:
        _check_version(entry)
    opened = OpenBundle(entries, _only_patient(entries))
    opened.places = _places(entries)
    for entry in entries:
        _check_person(opened, entry)
    for entry in entries:
        if not entry.problem and entry.kind not in _R4_ONLY and entry.kind != "Bundle":
            entry.refuse(_mismatch(entry.kind, entry.resource))
            if entry.problem == _NO_TYPE:
                entry.kind = "-"  # a made-up name is the file's own words
        if not entry.problem and entry.kind in READ:
            _check_readable(entry)
    return opened


def _entry(index: int, item: object) -> Entry:
    if not isinstance(item, dict):
        return Entry(index, "-", {}, problem="is not an object")
    resource = child(item, "resource")
    kind = text(resource, "resourceType")
    if not _TYPE_NAME.fullmatch(kind):
        return Entry(index, "-", {}, problem="holds no resource with a type")
    entry = Entry(index, kind, resource, address=text(item, "fullUrl"))
    if text(child(item, "request"), "method") not in ("", "POST", "PUT"):
        entry.refuse("asks for something else than storing the resource")
    if text(child(item, "search"), "mode") == "outcome":
        entry.refuse("is a message about a search")
    return entry


def _check_version(entry: Entry) -> None:
    kind, resource = entry.kind, entry.resource
    found = ""
    if (
        kind in _OLD_TYPES
        or any(key in resource for key in _OLD_ELEMENTS.get(kind, ()))
        or (kind == "Condition" and isinstance(resource.get("clinicalStatus"), str))
    ):
        found = "DSTU2 or STU3"
    elif kind == "Encounter" and isinstance(resource.get("class"), str):
        found = "DSTU2"
    elif any(key in resource for key in _NEW_ELEMENTS.get(kind, ())) or (
        kind == "Encounter" and isinstance(resource.get("class"), list)
    ):
        found = "R5"
    profiles = child(resource, "meta").get("profile")
    for profile in profiles if isinstance(profiles, list) else ():
        if isinstance(profile, str) and (match := _VERSION_IN_PROFILE.match(profile)):
            found = match[1]
    if found:
        raise Invalid(f"This is not FHIR R4: entry {entry.index} has the shape of {found}.")


def _only_patient(entries: list[Entry]) -> Entry:
    patients = [entry for entry in entries if entry.kind == "Patient"]
    if not patients:
        raise Invalid("The Bundle holds no patient.")
    if len(patients) > 1:
        raise Invalid("The Bundle holds more than one patient; import one at a time.")
    return patients[0]


def _places(entries: list[Entry]) -> dict[str, int]:
    """Every address an entry can be referred to by. The second entry at an address is refused."""
    places: dict[str, int] = {}
    for entry in entries:
        own = text(entry.resource, "id")
        for address in (entry.address, f"{entry.kind}/{own}" if own else ""):
            if not address:
                continue
            if places.setdefault(address, entry.index) != entry.index:
                entry.refuse(f"has the same address as entry {places[address]}")
    return places


def _check_person(opened: OpenBundle, entry: Entry) -> None:
    """A file about two people is refused as a whole: better no record than a mixed one."""
    for key in ("subject", "patient"):
        if key not in entry.resource or entry.kind == "Patient":
            continue
        reference = child(entry.resource, key)
        said = text(reference, "reference")
        if entry.kind in READ and not said and not child(reference, "identifier"):
            entry.refuse("names no patient")
        elif said.startswith("#"):
            entry.refuse("hides its patient inside itself")
        elif not opened.is_about_patient(reference):
            names_patient = text(reference, "type") == "Patient" or _NAMES_PATIENT.search(said)
            if names_patient or (entry.kind in READ and opened.target(reference) is None):
                raise Invalid(f"Entry {entry.index} is about somebody else than the patient.")
            if entry.kind in READ:
                entry.refuse("is not about the patient")


def _check_readable(entry: Entry) -> None:
    """What R4 allows but what must not be read past without understanding it."""
    resource = entry.resource
    if entry.kind != "Patient" and not child(resource, "subject"):
        entry.refuse("names no patient")  # the validator lets JSON in a string pass as one
    if "modifierExtension" in resource or "implicitRules" in resource:
        entry.refuse("carries a modifier that this import does not know")
    labels = {text(label, "code") for label in children(child(resource, "meta"), "security")}
    if labels & {"R", "V"}:
        entry.refuse("is labelled as restricted")


def _mismatch(kind: str, resource: Json) -> str:
    """Where `resource` is not a valid R4 `kind`, or nothing. Never quotes a value."""
    # Local imports: they take a fifth of a second that only this command should pay.
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415
    from fhir.resources.R4B.resource import Resource  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        model = get_fhir_model_class(kind)
    except ValueError:
        return _NO_TYPE
    if not issubclass(model, Resource):
        return _NO_TYPE
    try:
        # It also accepts JSON inside strings in place of objects; the readers here do not.
        model.model_validate(resource)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"not valid R4 at {_path(kind, first['type'], first['loc'])}"
    except Exception:
        # A third party's validator on hostile input: whatever it trips over, this entry is out.
        return f"not valid R4 at {kind}"
    return ""


def _path(kind: str, problem: str, loc: tuple[int | str, ...]) -> str:
    # The last name of an unknown element comes from the file, so it is not repeated.
    known = loc[:-1] if problem == "extra_forbidden" else loc
    path = kind
    for part in known:
        if isinstance(part, int):
            path += f"[{part}]"
        elif _ELEMENT_NAME.fullmatch(part) and not part.startswith("resource_type"):
            path += f".{part}"
    return f"{path} (unknown element)" if problem == "extra_forbidden" else path
