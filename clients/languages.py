"""Languages a client can be spoken to in: the code of ISO 639, and the name in English. Pure."""

from types import MappingProxyType
from typing import Final

from django.core.exceptions import ValidationError

LANGUAGES: Final = MappingProxyType(
    {
        "en": "English",
        "es": "Spanish",
        "ase": "American Sign Language",
        "am": "Amharic",
        "ar": "Arabic",
        "hy": "Armenian",
        "bn": "Bengali",
        "yue": "Cantonese",
        "cmn": "Mandarin",
        "nl": "Dutch",
        "fr": "French",
        "de": "German",
        "el": "Greek",
        "gu": "Gujarati",
        "ht": "Haitian Creole",
        "he": "Hebrew",
        "hi": "Hindi",
        "hmn": "Hmong",
        "it": "Italian",
        "ja": "Japanese",
        "km": "Khmer",
        "ko": "Korean",
        "lo": "Lao",
        "nv": "Navajo",
        "ne": "Nepali",
        "fa": "Persian",
        "pl": "Polish",
        "pt": "Portuguese",
        "pa": "Punjabi",
        "ru": "Russian",
        "so": "Somali",
        "sw": "Swahili",
        "tl": "Tagalog",
        "ta": "Tamil",
        "te": "Telugu",
        "th": "Thai",
        "tr": "Turkish",
        "uk": "Ukrainian",
        "ur": "Urdu",
        "vi": "Vietnamese",
        "yi": "Yiddish",
    }
)
MOST_LANGUAGES: Final = 10


def validate_language(code: str) -> None:
    if code not in LANGUAGES:
        raise ValidationError("Choose from the list.")
