"""Sending a client back to training: to whom, from when."""

from referrals.forms.pt_entries import Choices, EntryForm, choice, day, words
from referrals.models import Referral


class ReturnForm(EntryForm):
    """The trainers are those who had taken the client on before."""

    recipient = choice("Trainer", ())
    goal = words(
        "What the client wants to train for",
        required=False,
        hint="The trainer reads this before they accept. No diagnosis.",
    )
    start_from = day("Start from", required=False)
    start_until = day("At the latest", required=False)
    priority = choice("How urgent", Referral.Priority.choices)

    def offer(self, trainers: Choices) -> None:
        """Whom to choose from."""
        rows = list(trainers)
        widget = self.fields["recipient"].widget
        widget.choices = rows if len(rows) == 1 else [("", "Choose"), *rows]
