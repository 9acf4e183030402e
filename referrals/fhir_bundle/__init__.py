"""A FHIR R4 Bundle, read into a draft of one client and one episode. Pure: bytes in, values out.

`read_bundle` writes nothing, and raises nothing but Invalid. What it decides is written down in
docs/import.md. Reports and errors hold positions, element paths and FHIR's own names, never a
word, name or date from the file: they end up on terminals and in logs.

`strict_json` opens a hostile file, `entries` checks the Bundle and each entry, `codes` knows what
is musculoskeletal, `resources` makes drafts, `reading` chooses and reports.
"""

from referrals.fhir_bundle.drafts import (
    BundleReading,
    CarePlanDraft,
    ConditionDraft,
    EntryReport,
    EpisodeDraft,
    IdentifierDraft,
    Outcome,
    PatientDraft,
    ProcedureDraft,
)
from referrals.fhir_bundle.reading import read_bundle

__all__ = [
    "BundleReading",
    "CarePlanDraft",
    "ConditionDraft",
    "EntryReport",
    "EpisodeDraft",
    "IdentifierDraft",
    "Outcome",
    "PatientDraft",
    "ProcedureDraft",
    "read_bundle",
]
