"""The form of "Who should I see first?", and which answers a filled one stands for."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from referrals.triage import ASKED, NO, UNSURE, YES, Question, Topic

NONE: Final = "none"
_NONE_OF_THESE: Final = "\u201cNone of these\u201d"
_FROM_THE_LIST: Final = {"invalid_choice": "Choose from the list."}


def _of(topic: Topic) -> list[Question]:
    return [question for question, asked in ASKED.items() if asked.topic is topic]


class SeveralField(forms.MultipleChoiceField):
    """What of a list applies. Nothing ticked is no answer: "none of these" is said."""

    def __init__(self, topic: Topic, label: str) -> None:
        choices = [(each.value, ASKED[each].words) for each in _of(topic)]
        super().__init__(
            label=label,
            choices=[
                *choices,
                (NONE, "None of these"),
                (UNSURE, "I am not sure about one of these"),
            ],
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": f"Tick what applies, or {_NONE_OF_THESE}.",
                "invalid_choice": "Choose from the list.",
                "invalid_list": "Choose from the list.",
            },
        )

    def clean(self, value: Any) -> list[str]:
        ticked = list(super().clean(value))
        if NONE in ticked and len(ticked) > 1:
            raise forms.ValidationError(
                f"{_NONE_OF_THESE} does not go together with another tick. Take one of them away."
            )
        return ticked


def _one(question: Question) -> forms.ChoiceField:
    asked = ASKED[question]
    return forms.ChoiceField(
        label=asked.words,
        choices=list(asked.options.items()),
        widget=forms.RadioSelect,
        error_messages=_FROM_THE_LIST,
    )


class TriageForm(forms.Form):
    warning = SeveralField(Topic.WARNING, "Do you have any of these now, or in the last few days?")
    health = SeveralField(Topic.HEALTH, "Does any of this apply to you?")
    body = SeveralField(Topic.BODY, "How is your body today?")
    injury = _one(Question.INJURY)
    goal = _one(Question.GOAL)
    active = _one(Question.ACTIVE)
    effort = _one(Question.EFFORT)

    def answers(self) -> dict[str, str]:
        """What a valid form says, by code of question."""
        said: dict[str, str] = {}
        for topic in (Topic.WARNING, Topic.HEALTH, Topic.BODY):
            ticked = self.cleaned_data[topic.value]
            otherwise = UNSURE if UNSURE in ticked else NO
            for question in _of(topic):
                said[question.value] = YES if question.value in ticked else otherwise
        for question in (Question.INJURY, Question.GOAL, Question.ACTIVE, Question.EFFORT):
            said[question.value] = self.cleaned_data[question.value]
        return said

    def kept(self) -> list[tuple[str, str]]:
        """Name and value of each answer, to be sent once more with the next form."""
        return [
            (name, value) for name, given in self.cleaned_data.items() for value in _each(given)
        ]

    def in_words(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each question with what was answered, to be read again."""
        found = []
        for bound in self:
            field = self.fields[bound.name]
            if isinstance(field, forms.ChoiceField):
                words = {str(value): str(label) for value, label in _pairs(field)}
                given = _each(self.cleaned_data[bound.name])
                found.append((str(bound.label), tuple(words[value] for value in given)))
        return found


def _each(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _pairs(field: forms.ChoiceField) -> Iterable[tuple[Any, Any]]:
    return field.widget.choices  # type: ignore[no-any-return]  # a list of pairs, as made above


class SaveForm(TriageForm):
    """The same answers, and for whom their result is kept."""

    client = forms.UUIDField(widget=forms.HiddenInput, error_messages={"invalid": "Choose one"})
