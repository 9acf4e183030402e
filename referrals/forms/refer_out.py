"""What a trainer fills in, on a phone and in a hurry, to refer a client back to a therapist."""

from typing import Any

from django import forms

from referrals.forms.pt_entries import Choices, Entry, EntryForm, choice, day, text, tick, words
from referrals.models import RedSign
from referrals.scope_of_practice import beyond_training, warning
from referrals.vocabulary import BodyRegion, Laterality

PAIN = [(str(number), str(number)) for number in range(11)]
BESIDE = ("recipient", "urgent", "seen_it")
"""What the form holds beside the facts themselves."""


class FactsForm(EntryForm):
    """Facts only. Words that read like a diagnosis are pointed out once, and can be confirmed."""

    body_region = choice("Where it hurts", BodyRegion.choices)
    laterality = choice("Side", Laterality.choices, required=False, empty="No side")
    pain_now = choice("Pain now", PAIN, required=False, empty="Not asked")
    pain_worst = choice("At its worst", PAIN, required=False, empty="Not asked")
    signs = Entry(
        label="Any of these?",
        required=False,
        help_text="Each one makes it urgent, as pain above 5 does.",
        widget=forms.CheckboxSelectMultiple(choices=RedSign.choices),
    )
    observations = text(
        "What you saw, and what the client said",
        hint="What they were doing, what happened, what they said. Not what it might be.",
        rows=4,
    )
    stopped = words("Which movement did you stop?", required=False)
    since = day("Since when", required=False)
    recipient = choice("Physical therapist", ())
    urgent = tick("Urgent", hint="The therapist should see them within days.")
    seen_it = tick("These are facts I saw", hint="Tick it to send the words as they are.")

    def __init__(self, *args: Any, therapists: Choices | None, **kwargs: Any) -> None:
        """Without `therapists` the one who is asked is settled."""
        super().__init__(*args, **kwargs)
        if therapists is None:
            del self.fields["recipient"]
        else:
            self.fields["recipient"].widget = forms.Select(choices=list(therapists))
        self._doubtful = self._words()
        if not self._doubtful:
            del self.fields["seen_it"]

    @property
    def facts(self) -> dict[str, Any]:
        """What was typed of the facts."""
        return {name: each for name, each in self.entries().items() if name not in BESIDE}

    def may_go(self) -> bool:
        """Whether the words raise no question, or were confirmed; else it is put at the field."""
        if not self._doubtful or self.entries()["seen_it"]:
            return True
        self.add_error("observations", warning(self._doubtful))
        return False

    def _words(self) -> tuple[str, ...]:
        if not self.is_bound:
            return ()
        typed = self.entries()
        return beyond_training(f"{typed['observations'] or ''} {typed['stopped'] or ''}")
