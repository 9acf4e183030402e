"""Words in a trainer's text that read like a diagnosis or a treatment. Pure.

A trainer writes down what they saw; what it is, and what is done about it, is for the therapist to
say. A word is no proof: whoever wrote it is asked to look again, and can say that they saw it.
"""

import re
from typing import Final

from referrals.vocabulary import diagnosis_words

TREATMENT_WORDS: Final = (
    *("prescri\\w*", "rehab\\w*", "treat", "treats", "treated", "treating", "treatments?"),
    *("therap(?:y|ies|eutic)", "manipulat\\w*", "mobili[sz]ations?", "medicat\\w*"),
    *("ibuprofen", "inject\\w*", "cure[sd]?", "heal(?:s|ed|ing)?"),
)
"""Beside the words that name a condition (`referrals.vocabulary.diagnosis_words`)."""

_TREATMENT: Final = re.compile(rf"\b(?:{'|'.join(TREATMENT_WORDS)})\b", re.IGNORECASE)
# "Physical therapy" is where somebody goes, not what a trainer does.
_PLACE: Final = re.compile(r"\bphysical therap(?:y|ist|ists)\b", re.IGNORECASE)


def beyond_training(text: str) -> tuple[str, ...]:
    """Words of a trainer's text to look at again, in lower case, each once."""
    said = _PLACE.sub(" ", text)
    treatment = (found.group(0).lower() for found in _TREATMENT.finditer(said))
    return tuple(dict.fromkeys((*diagnosis_words(said), *treatment)))


def warning(words: tuple[str, ...]) -> str:
    """What somebody who wrote these words is asked."""
    return (
        f"This may name a condition or a treatment ({', '.join(words)}). Say what you saw and what"
        " the client said; the therapist says what it is."
    )
