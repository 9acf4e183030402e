"""What professionals work on most, as fixed words: code and how it reads. Pure."""

from types import MappingProxyType
from typing import Final

from django.core.exceptions import ValidationError

SPECIALTIES: Final = MappingProxyType(
    {
        "knee": "Knee",
        "hip": "Hip",
        "ankle_foot": "Ankle and foot",
        "shoulder": "Shoulder",
        "elbow_hand": "Elbow, wrist and hand",
        "neck": "Neck",
        "back": "Back",
        "post_surgical": "After an operation",
        "after_therapy": "Training after therapy",
        "strength": "Strength",
        "running": "Running",
        "field_sport": "Field and court sport",
        "return_to_sport": "Return to sport",
        "youth_sport": "Young athletes",
        "older_adults": "Older adults",
        "balance": "Balance and falls",
        "pregnancy": "During and after pregnancy",
        "pelvic_floor": "Pelvic floor",
        "neurological": "Stroke and nervous system",
        "heart_lung": "Heart and lung",
        "arthritis": "Arthritis and joint replacement",
        "persistent_pain": "Long-lasting pain",
        "work": "Work and lifting",
        "general_fitness": "General fitness",
    }
)
MOST_SPECIALTIES: Final = 8


def validate_specialty(code: str) -> None:
    if code not in SPECIALTIES:
        raise ValidationError("Choose from the list.")


def matching(words: str) -> list[str]:
    """The codes meant by a code, or by a part of how one reads."""
    wanted = words.strip().casefold()
    if wanted in SPECIALTIES:
        return [wanted]
    return [code for code, label in SPECIALTIES.items() if wanted and wanted in label.casefold()]
