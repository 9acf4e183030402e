"""Every component in every state, on one page: for the eye, for screenshots and for axe.

Only where no real person's page is: in development and in the demo. The people are invented.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from handoff.web import look
from handoff.web.bodymap import sites_of
from handoff.web.pages import page
from handoff.web.requests import PageRequest
from handoff.web.templatetags.ui import icon_names


class SampleForm(forms.Form):
    """One of each control."""

    measure = forms.CharField(label="Name of measure", help_text="As printed on the form")
    limit = forms.DecimalField(label="At most", max_value=180)
    review_on = forms.DateField(label="Review on")
    side = forms.ChoiceField(
        label="Side", choices=[("", "Choose"), ("left", "Left"), ("right", "Right")]
    )
    clinic = forms.CharField(label="Clinic", disabled=True, initial="Harbour Physical Therapy")
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    severity = forms.ChoiceField(
        label="How strict",
        choices=[("must_not", "Avoid"), ("limit", "Modify"), ("caution", "Caution")],
        widget=forms.RadioSelect,
    )
    until = forms.ChoiceField(
        label="Until", choices=[("3", "3 months"), ("6", "6 months")], widget=forms.RadioSelect
    )
    trainer = forms.ChoiceField(
        label="Trainer",
        choices=[("tom", "Tom Okafor"), ("uma", "Uma Lindgren")],
        widget=forms.RadioSelect,
    )
    copies = forms.MultipleChoiceField(
        label="Send a copy to",
        choices=[("me", "Me"), ("clinic", "The clinic")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    remind = forms.BooleanField(label="Remind me", help_text="One day before", required=False)
    share_limits = forms.BooleanField(
        label="What your body should avoid for now",
        help_text="Priya asks for this.",
        required=False,
    )


_FILLED = {
    "measure": "LEFS",
    "limit": "90",
    "review_on": "2027-01-12",
    "side": "left",
    "note": "Full extension from week 5.",
    "severity": "limit",
    "until": "6",
    "trainer": "tom",
    "copies": ["me"],
    "remind": "on",
    "share_limits": "on",
}
_WRONG = {"limit": "900", "review_on": "yesterday"}
_LIMITS = (
    ("knee", "left", "must_not"),
    ("hip", "left", "limit"),
    ("ankle", "left", "caution"),
    ("shoulder", "right", "none"),
)


@page(Policy.PUBLIC)
def gallery(request: PageRequest) -> HttpResponse:
    if not (settings.DEBUG or settings.DEMO):
        raise NotVisible
    return render(request, "design/gallery.html", sample())


def sample() -> dict[str, Any]:
    """Something for each component to show."""
    now = timezone.now()
    marks = [(site, severity) for area, side, severity in _LIMITS for site in sites_of(area, side)]
    return {
        "icons": sorted(icon_names()),
        "sample_messages": [
            Message(messages.SUCCESS, "Saved."),
            Message(messages.INFO, "Your address is confirmed."),
            Message(messages.WARNING, "The page was open in two windows."),
            Message(messages.ERROR, "The note could not be signed yet."),
        ],
        "tones": [tone for tone in look.STRICTEST_FIRST if tone is not look.INFO],
        "phases": list(look.PHASES),
        "severities": ["must_not", "limit", "caution", "none", "untagged", "info"],
        "filled": SampleForm({f"filled-{k}": v for k, v in _FILLED.items()}, prefix="filled"),
        "wrong": SampleForm({f"wrong-{k}": v for k, v in _WRONG.items()}, prefix="wrong"),
        "pick": SampleForm(prefix="pick"),
        "marks": marks,
        "counts": {"avoid": 2, "modify": 3, "caution": 1, "clear": 9},
        "pain_steps": range(11),
        "soon": timezone.localdate() + timedelta(days=50),
        "late": timezone.localdate() - timedelta(days=3),
        "now": now,
        "events": [
            {"title": "Physical therapy", "at": now - timedelta(days=90), "phase": "rehab"},
            {
                "title": "Training with limits",
                "at": now,
                "phase": "training",
                "when": "now",
                "text": "2 things to avoid, 3 to change",
            },
            {"title": "Review", "at": timezone.localdate() + timedelta(days=50), "when": "next"},
        ],
    }
