"""Why a referral was declined, called off, paused or ended: short codes, never free text.

Pure. Codes are stored and exported; labels are for people and name no condition.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class DeclineReason(TextChoices):
    NO_CAPACITY = "no_capacity", _("No room for a new client")
    NOT_IN_WINDOW = "not_in_window", _("No free time in the weeks asked for")
    OUTSIDE_SCOPE = "outside_scope", _("Outside what I do")
    OTHER_CARE_FIRST = "other_care_first", _("Other care should come first")
    TOO_FAR = "too_far", _("Too far away")
    COST = "cost", _("Cost or coverage does not work out")
    NOT_REACHED = "not_reached", _("Could not reach the client")
    CREDENTIAL = "credential", _("A certificate is being renewed")
    CONFLICT = "conflict", _("Conflict of interest")
    OTHER = "other", _("Another reason")


class CancelReason(TextChoices):
    CLIENT_CHOICE = "client_choice", _("The client changed plans")
    OTHER_PROFESSIONAL = "other_professional", _("Somebody else takes over")
    NO_LONGER_NEEDED = "no_longer_needed", _("No longer needed")
    CHANGE_OF_HEALTH = "change_of_health", _("The situation changed")
    MOVED_AWAY = "moved_away", _("The client moved away")
    OTHER = "other", _("Another reason")


class HoldReason(TextChoices):
    CLIENT_AWAY = "client_away", _("The client is away")
    CLIENT_UNWELL = "client_unwell", _("The client is unwell")
    WAITING_FOR_PT = "waiting_for_pt", _("Waiting for the physical therapist")
    PROFESSIONAL_AWAY = "professional_away", _("The professional is away")
    SCHEDULE = "schedule", _("No common time for now")
    COST = "cost", _("Cost or coverage")
    OTHER = "other", _("Another reason")


class FailReason(TextChoices):
    NOT_REACHED = "not_reached", _("Could not reach the client")
    DID_NOT_ATTEND = "did_not_attend", _("The client did not come")
    CLIENT_STOPPED = "client_stopped", _("The client stopped")
    OTHER_CARE_FIRST = "other_care_first", _("Other care should come first")
    MOVED_AWAY = "moved_away", _("The client moved away")
    PROFESSIONAL_LEFT = "professional_left", _("The professional can no longer do it")
    OTHER = "other", _("Another reason")


class ErrorReason(TextChoices):
    WRONG_CLIENT = "wrong_client", _("Wrong client")
    WRONG_RECIPIENT = "wrong_recipient", _("Wrong recipient")
    DUPLICATE = "duplicate", _("Entered twice")
    OTHER = "other", _("Another mistake")


class SystemReason(TextChoices):
    """Recorded with an edge, never picked by a person. "Not shared" hides whether the client
    said no or said nothing: nobody is told why sharing did not happen."""

    NOT_SHARED = "not_shared", _("Not shared")
    TIMEOUT = "timeout", _("No answer in time")
    SUPERSEDED = "superseded", _("Replaced by a newer referral")
