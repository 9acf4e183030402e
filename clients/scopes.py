"""What a client may share, class by class, and the words in which they are asked.

Pure. A consent stores the version and the hash of the notice it was given under; `notice(version)`
finds those words again. A wording once shown is never edited: add a new version beside it. For
the same reason the notice is plain text in its own language, not a translatable string: evidence
must not change with the reader's settings.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from handoff.core.errors import Invalid


class Scope(TextChoices):
    """The seven share classes. Nothing is ever preselected; empty means nothing."""

    CONTACT = "contact", _("PT's contact details")
    CLEARANCE = "clearance", _("Ready to train")
    RESTRICTIONS = "restrictions", _("What to avoid for now")
    HISTORY = "history", _("What happened")
    OUTCOMES = "outcomes", _("Test results")
    NOTE = "note", _("Closing note")
    TRAINING_FEEDBACK = "training_feedback", _("How training goes")


# Can be taken with one tap; never switched on beforehand.
SUGGESTED: Final[frozenset[Scope]] = frozenset(
    {Scope.CONTACT, Scope.CLEARANCE, Scope.RESTRICTIONS, Scope.TRAINING_FEEDBACK}
)

# --- how long -----------------------------------------------------------------------------------

DURATION_CHOICES_MONTHS: Final[tuple[int, ...]] = (3, 6, 12)
# Some rules cap how long a permission may last (Texas insurers: 24 months); twelve is our own
# default and can be set lower or higher per site.
MAX_DURATION_MONTHS: Final = 12
# The longest that twelve calendar months can be, for database constraints.
MAX_DURATION_DAYS: Final = 366


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month when it has no such day."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(years, month + 1)[1]
    return date(years, month + 1, min(day.day, last))


def latest_expiry(today: date, max_months: int = MAX_DURATION_MONTHS) -> date:
    """The last date until which a consent given today may run."""
    return add_months(today, max_months)


def check_expiry(expires_on: date, *, today: date, max_months: int = MAX_DURATION_MONTHS) -> None:
    """Raises `Invalid` on `expires_on` unless it lies after today and within the longest time."""
    if expires_on <= today:
        raise Invalid({"expires_on": ["Choose a date after today."]})
    if expires_on > latest_expiry(today, max_months):
        raise Invalid({"expires_on": [f"Choose a date within {max_months} months."]})


# --- the words ----------------------------------------------------------------------------------

_PLACEHOLDER: Final = re.compile(r"\{(recipient|discloser)\}")


def fill(text: str, *, recipient: str, discloser: str) -> str:
    """`text` with both names put in, in one pass, so a name that looks like a placeholder stays
    the name it is."""
    names = {"recipient": recipient, "discloser": discloser}
    return _PLACEHOLDER.sub(lambda found: names[found.group(1)], text)


@dataclass(frozen=True, slots=True)
class ScopeText:
    """One class as the client reads it. All three may name {recipient} and {discloser}."""

    title: str
    question: str
    meaning: str

    def filled(self, *, recipient: str, discloser: str) -> ScopeText:
        return ScopeText(
            *(
                fill(text, recipient=recipient, discloser=discloser)
                for text in (self.title, self.question, self.meaning)
            )
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """Every sentence of the consent page, as one version in one language.

    `scopes` follows the order of the page. Lines may name {recipient} and {discloser}.
    """

    version: str
    language: str
    purpose: str
    scopes: Mapping[Scope, ScopeText]
    never_shared: tuple[str, ...]
    if_you_say_no: tuple[str, ...]
    if_you_change_your_mind: tuple[str, ...]
    redisclosure: str
    copy: str

    @property
    def is_of_reports(self) -> bool:
        """It asks what a trainer may tell a therapist, not what a therapist may show."""
        return self.scopes.keys() == {Scope.TRAINING_FEEDBACK}

    def text_for(self, scope: Scope, *, recipient: str, discloser: str) -> ScopeText:
        return self.scopes[scope].filled(recipient=recipient, discloser=discloser)

    def canonical(self) -> str:
        """One byte-stable rendering of all the words, names left open: what is hashed."""
        return json.dumps(
            {
                "version": self.version,
                "language": self.language,
                "purpose": self.purpose,
                "scopes": [
                    [scope.value, text.title, text.question, text.meaning]
                    for scope, text in self.scopes.items()
                ],
                "never_shared": list(self.never_shared),
                "if_you_say_no": list(self.if_you_say_no),
                "if_you_change_your_mind": list(self.if_you_change_your_mind),
                "redisclosure": self.redisclosure,
                "copy": self.copy,
            },
            ensure_ascii=True,
            separators=(",", ":"),
            sort_keys=True,
        )

    def digest(self) -> str:
        """SHA-256 of `canonical()`, in hex: goes into the consent and onto its receipt."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


NOTICE_VERSION: Final = "2026-11"

_2026_11: Final = Notice(
    version="2026-11",
    language="en",
    purpose=(
        "So that your training starts from where your therapy ended, and nothing you worked for"
        " gets undone."
    ),
    scopes=MappingProxyType(
        {
            Scope.RESTRICTIONS: ScopeText(
                title="What your body should avoid for now",
                question="May {recipient} see what you should avoid or do only in part?",
                meaning=(
                    "Movements, weights, dates and what is fine instead."
                    " {recipient} needs this to plan safely."
                ),
            ),
            Scope.CLEARANCE: ScopeText(
                title="That you are ready to train",
                question="May {recipient} see that you are ready to train, and since when?",
                meaning=(
                    "If you may train fully or with limits, from which date, what to do when it"
                    " flares up and when to come back to {discloser}."
                ),
            ),
            Scope.CONTACT: ScopeText(
                title="How to reach {discloser}",
                question="May {recipient} see how to reach {discloser}?",
                meaning=(
                    "Name, clinic, phone and e-mail of {discloser}, so that {recipient} can ask"
                    " before guessing."
                ),
            ),
            Scope.TRAINING_FEEDBACK: ScopeText(
                title="How your training goes",
                question="May {recipient} tell {discloser} how your training goes?",
                meaning=(
                    "This one goes the other way: your sessions, any pain and what {recipient}"
                    " observes go back to {discloser}."
                ),
            ),
            Scope.OUTCOMES: ScopeText(
                title="Your test results",
                question="May {recipient} see your test results?",
                meaning="Scores and numbers for strength, movement and function, with their dates.",
            ),
            Scope.HISTORY: ScopeText(
                title="What happened",
                question="May {recipient} see what you were treated for?",
                meaning="The condition in the words of {discloser}, any surgery and the dates.",
            ),
            Scope.NOTE: ScopeText(
                title="The whole closing note",
                question="May {recipient} read the whole closing note of {discloser}?",
                meaning=(
                    "Everything in the note that {discloser} signed at the end, with what you did"
                    " together and what is advised. It names your condition."
                ),
            ),
        }
    ),
    never_shared=(
        "Insurance, payments and how many visits are left",
        "Notes that {discloser} keeps for the clinic only",
        "Your answers to “Who should I see first?”",
        "Papers about a parent or guardian",
        "Who else you share with",
    ),
    if_you_say_no=(
        "Your care with {discloser} stays the same. It does not depend on your answer.",
        "You can still train with {recipient}.",
        "{recipient} is told only that nothing is shared, never why.",
    ),
    if_you_change_your_mind=(
        "Stop sharing any day, in two taps, from your first page. You need not say why.",
        "{recipient} can open nothing more from that moment.",
        "What {recipient} read before then cannot be unread.",
        "You can also write to {discloser} or the clinic to stop sharing.",
    ),
    redisclosure=(
        "{recipient} may not be a health care provider. Once {recipient} has read your"
        " information, the health privacy law (HIPAA) may no longer protect it, and it could be"
        " passed on. Other rules, such as those of the Federal Trade Commission, may still apply."
    ),
    copy="You get a receipt to keep: who, what, why and until when.",
)

REPORTS_NOTICE_VERSION: Final = "2026-11-reports"

_2026_11_REPORTS: Final = Notice(
    version="2026-11-reports",
    language="en",
    purpose=(
        "So that your physical therapist knows what your trainer saw, and you need not tell it"
        " all again."
    ),
    scopes=MappingProxyType(
        {
            Scope.TRAINING_FEEDBACK: ScopeText(
                title="What {discloser} saw in your training",
                question="May {discloser} tell {recipient} what happened in your training?",
                meaning=(
                    "{discloser}, your trainer, would tell {recipient}, your physical therapist,"
                    " where it hurts and how much, which warning signs there were, which movement"
                    " was stopped, and what {discloser} reported of your sessions before."
                ),
            ),
        }
    ),
    never_shared=(
        "What a therapist has shared with {discloser} about you",
        "Insurance, payments and how many visits are left",
        "Your answers to “Who should I see first?”",
        "Papers about a parent or guardian",
        "Who else you share with",
    ),
    if_you_say_no=(
        "Nothing is sent, and {recipient} does not hear of it.",
        "You can still go to {recipient}, or to any therapist or doctor, and tell it yourself.",
        "{discloser} is told only that nothing is shared, never why.",
    ),
    if_you_change_your_mind=(
        "Stop sharing any day, in two taps, from your first page. You need not say why.",
        "{recipient} can open nothing more from that moment.",
        "What {recipient} read before then cannot be unread, and what {recipient} wrote into"
        " your treatment record stays there.",
        "You can also write to {discloser} to stop sharing.",
    ),
    redisclosure=(
        "{recipient} treats people and keeps records of it. What {recipient} takes into your"
        " treatment record is kept under the rules for such records, and can be passed on as they"
        " allow. {discloser} may not be a health care provider, and the health privacy law (HIPAA)"
        " may not bind {discloser}."
    ),
    copy="You get a receipt to keep: who, what, why and until when.",
)
"""For the other direction: a trainer tells a therapist. It names the one class a trainer holds."""

NOTICES: Final[Mapping[str, Notice]] = MappingProxyType(
    {each.version: each for each in (_2026_11, _2026_11_REPORTS)}
)


def notice(version: str = NOTICE_VERSION) -> Notice:
    """The words of that version; `KeyError` for one that never was."""
    return NOTICES[version]


def is_of_now(version: str) -> bool:
    """Whether clients are asked in these words today, in one direction or the other."""
    return version in (NOTICE_VERSION, REPORTS_NOTICE_VERSION)


# --- what was chosen ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SharingSummary:
    """A set of classes, split and put in the page's order."""

    shared: tuple[Scope, ...]
    withheld: tuple[Scope, ...]

    def __str__(self) -> str:
        if not self.shared:
            return "Shares nothing."
        if not self.withheld:
            return "Shares all 7 parts."
        names = ", ".join(str(scope.label) for scope in self.shared)
        return f"Shares {len(self.shared)} of {len(Scope)} parts: {names}."


def parse(values: Iterable[str]) -> frozenset[Scope]:
    """Class names from a form or a body; `Invalid` on "scopes" naming each unknown one."""
    known: set[Scope] = set()
    errors: list[str] = []
    for value in values:
        if value in Scope.values:
            known.add(Scope(value))
        else:
            errors.append(f"“{value[:40]}” is not a part that can be shared.")
    if errors:
        raise Invalid({"scopes": errors})
    return frozenset(known)


def sharing_summary(scopes: Iterable[Scope]) -> SharingSummary:
    """What a choice shares and what it keeps back, in the order of the current notice."""
    chosen = frozenset(scopes)
    order = tuple(notice().scopes)
    return SharingSummary(
        shared=tuple(scope for scope in order if scope in chosen),
        withheld=tuple(scope for scope in order if scope not in chosen),
    )
