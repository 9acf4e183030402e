"""What a client may share, class by class, and the words in which they are asked.

Pure. A consent stores the version of the notice it was given under; `notice(version)` finds
those words again, so a wording once shown is never edited: add a new version.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Scope(TextChoices):
    """The seven share classes. Nothing is ever preselected; empty means nothing."""

    CONTACT = "contact", _("PT's contact details")
    CLEARANCE = "clearance", _("Ready to train")
    RESTRICTIONS = "restrictions", _("What to avoid for now")
    HISTORY = "history", _("What happened")
    OUTCOMES = "outcomes", _("Test results")
    NOTE = "note", _("Closing note")
    TRAINING_FEEDBACK = "training_feedback", _("How training goes")


SUGGESTED: frozenset[Scope] = frozenset(
    {Scope.CONTACT, Scope.CLEARANCE, Scope.RESTRICTIONS, Scope.TRAINING_FEEDBACK}
)
NOTICE_VERSION = "2026-11"
