"""Words a trainer is asked to look at again, and words that are theirs to write."""

import pytest

from referrals.scope_of_practice import TREATMENT_WORDS, beyond_training, warning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I think it is a TEAR. Surely a tear.", ("tear",)),
        ("It may have ruptured.", ("ruptured",)),
        ("I would diagnose tendinitis.", ("diagnose", "tendinitis")),
        ("Prescribed rest and treated the knee.", ("prescribed", "treated")),
        ("Sent home with ibuprofen, for healing.", ("ibuprofen", "healing")),
        ("Go on with the rehab.", ("rehab",)),
        ("Manual therapy would help.", ("therapy",)),
    ],
)
def test_words_of_a_diagnosis_or_a_treatment_are_named_once(
    text: str, words: tuple[str, ...]
) -> None:
    assert beyond_training(text) == words
    assert all(word in warning(words) for word in words)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Said it hurts at the front, 6 of 10, when going down the stairs.",
        "Stopped squats at 60 kg. Swelling above the knee since Monday.",
        "Wants to go back to physical therapy, and asked for the physical therapist.",
        "Slipped on the wet floor, held the shoulder. Numb fingers.",
    ],
)
def test_facts_raise_no_question(text: str) -> None:
    assert beyond_training(text) == ()


def test_no_word_of_the_list_is_empty() -> None:
    assert all(TREATMENT_WORDS)
