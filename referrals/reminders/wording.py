"""The words of the in-app list: who waits for what. People's names, never clinical content.

A trainer reads a client's first name only; whoever treats the client or is the client knows more
anyway. Mail has one neutral letter for everything and takes nothing from here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.utils import timezone
from django.utils.dateformat import format as in_words
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from clients.models import Client, Professional
from referrals.calendars import local_today, zone_named
from referrals.models import Reminder
from referrals.reminders.rules import Audience, Rule
from referrals.states import Kind, State

DAY: Final = "j M Y"
MINUTE: Final = "j M Y, H:i"


def title(reminder: Reminder) -> str:
    """What this reminder asks or tells, for the person it is for.

    The row comes with its subject and the people around it (`inbox.WITH_PEOPLE`).
    """
    words: Callable[[Reminder, Audience], str]
    match Rule(reminder.rule_id):
        case Rule.DISCHARGE_PLANNED | Rule.NOTE_UNSIGNED | Rule.VISITS_LOW:
            words = _of_episode
        case Rule.CONSENT_ASKED | Rule.CONSENT_ENDING | Rule.SHARING_ENDED:
            words = _of_consent
        case Rule.RESTRICTION_REVIEW:
            words = _of_restriction
        case Rule.CREDENTIAL_EXPIRING:
            words = _of_credential
        case _:
            words = _of_referral
    return words(reminder, Audience(reminder.audience))


def path(reminder: Reminder) -> str:
    """Where to go to see to it, as an address of this site."""
    audience = Audience(reminder.audience)
    if audience is Audience.ADMIN:
        return "/admin/"
    match Rule(reminder.rule_id):
        case Rule.DISCHARGE_PLANNED | Rule.NOTE_UNSIGNED:
            return f"/discharge/{reminder.episode_id}/"
        case Rule.VISITS_LOW:
            return f"/episodes/{reminder.episode_id}/coverage/"
        case Rule.CONSENT_ASKED if audience is Audience.DECIDER:
            return "/consents/"
        case Rule.CONSENT_ENDING if audience is Audience.DECIDER:
            return f"/consents/{reminder.consent_id}/renew/"
        case Rule.CONSENT_ASKED | Rule.SHARING_ENDED if audience is not Audience.READER:
            return f"/clients/{_there(reminder.consent).client_id}/"
        case Rule.SHARING_ENDED:
            return "/referrals/"
        case Rule.RESTRICTION_REVIEW:
            return f"/clients/{_there(reminder.restriction).episode.client_id}/"
        case Rule.NOT_ACKNOWLEDGED if audience is Audience.RECIPIENT:
            return f"/clients/{_there(reminder.referral).client_id}/"
        case Rule.CREDENTIAL_EXPIRING:
            return "/profile/"
        case _:
            return f"/referrals/{reminder.referral_id}/"


def _of_episode(reminder: Reminder, audience: Audience) -> str:
    episode = _there(reminder.episode)
    planned = reminder.rule_id == Rule.DISCHARGE_PLANNED
    if audience is Audience.ADMIN:
        if planned:
            return _("{pt} has a planned discharge without a signed note.").format(
                pt=episode.pt.name
            )
        return _("{pt} has a note that waits for a signature.").format(pt=episode.pt.name)
    client = episode.client.name
    if reminder.rule_id == Rule.VISITS_LOW:
        return _("{client}: few visits or days are left. Plan how it goes on.").format(
            client=client
        )
    if planned:
        return _("{client}: the planned discharge is near. Finish the note.").format(client=client)
    return _("{client}: the note is not signed. Sign it, or plan the discharge.").format(
        client=client
    )


def _of_consent(reminder: Reminder, audience: Audience) -> str:
    consent = _there(reminder.consent)
    names = {
        "client": consent.client.name,
        "first": consent.client.first_name,
        "discloser": consent.discloser.name,
        "recipient": consent.recipient.name,
        "day": _last_day(reminder, consent.client),
    }
    own = _is_own(reminder, consent.client)
    tells = consent.discloser.role == Professional.Role.TRAINER
    match Rule(reminder.rule_id), audience:
        case Rule.CONSENT_ASKED, Audience.DECIDER if tells and own:
            text = _("{discloser} asks whether to tell {recipient} how your training goes.")
        case Rule.CONSENT_ASKED, Audience.DECIDER if tells:
            text = _("{discloser} asks whether to tell {recipient} how {first} is training.")
        case _, Audience.DISCLOSER if tells:
            text = _("{recipient} no longer reads what you told about {client}.")
        case Rule.CONSENT_ASKED, Audience.ASKER:
            text = _("{client} has not answered your question about sharing yet.")
        case Rule.CONSENT_ASKED, _ if own:
            text = _("{discloser} asks what you want to share with {recipient}.")
        case Rule.CONSENT_ASKED, _:
            text = _("{discloser} asks what to share about {first} with {recipient}.")
        case Rule.CONSENT_ENDING, _ if own:
            text = _("Your sharing with {recipient} ends after {day}.")
        case Rule.CONSENT_ENDING, _:
            text = _("Sharing about {first} with {recipient} ends after {day}.")
        case _, Audience.DISCLOSER:
            text = _("{recipient} no longer sees what you shared about {client}.")
        case _:
            text = _("Sharing about {first} has ended.")
    return text.format(**names)


def _of_restriction(reminder: Reminder, audience: Audience) -> str:
    episode = _there(reminder.restriction).episode
    if audience is Audience.ADMIN:
        return _("{pt} has a review that is overdue.").format(pt=episode.pt.name)
    if audience is Audience.PT:
        return _("{client}: a review is due.").format(client=episode.client.name)
    return _("{first}: {pt} has a review to do. Nothing changes until you hear of it.").format(
        first=episode.client.first_name, pt=episode.pt.name
    )


def _of_credential(reminder: Reminder, audience: Audience) -> str:
    credential = _there(reminder.credential)
    day = in_words(credential.expires_on, DAY) if credential.expires_on else ""
    kind = credential.get_kind_display()
    today = local_today(timezone.now(), reminder.zone)  # of the reading, not of the planning
    is_over = credential.expires_on is not None and credential.expires_on < today
    match audience, is_over:
        case Audience.ADMIN, True:
            text = _("{owner}: {kind} ended on {day}.")
        case Audience.ADMIN, _:
            text = _("{owner}: {kind} ends on {day}.")
        case _, True:
            text = _("{kind}: yours ended on {day}. Renewal is due.")
        case _:
            text = _("{kind}: yours ends on {day}. Renew it in time.")
    return text.format(owner=credential.user.name, kind=kind, day=day)


_REFERRAL: Final[dict[tuple[Rule, Audience], str]] = {
    (Rule.REFERRAL_WAITING, Audience.RECIPIENT): noop(
        "{first} has a handoff waiting for your answer."
    ),
    (Rule.REFERRAL_WAITING, Audience.SENDER): noop(
        "{recipient} has not answered your handoff for {client} yet."
    ),
    (Rule.NOT_BOOKED, Audience.RECIPIENT): noop("{first} has no first session yet. Book one."),
    (Rule.NOT_BOOKED, Audience.CLIENT): noop("Book the first session with {recipient}."),
    (Rule.NOT_BOOKED, Audience.ADMIN): noop(
        "{recipient} accepted a handoff and has booked nothing."
    ),
    (Rule.FIRST_SESSION, Audience.RECIPIENT): noop("First session with {first}: {session}."),
    (Rule.FIRST_SESSION, Audience.CLIENT): noop("The first session with {recipient}: {session}."),
    (Rule.NOT_ACKNOWLEDGED, Audience.RECIPIENT): noop(
        "{first}: read and confirm what {sender} has set before you train."
    ),
    (Rule.NOT_ACKNOWLEDGED, Audience.SENDER): noop(
        "{recipient} has not confirmed what you set for {client}."
    ),
    (Rule.REPORT_DUE, Audience.RECIPIENT): noop(
        "{first}: {sender} would like to hear how it goes."
    ),
    (Rule.REPORT_DUE, Audience.SENDER): noop("{recipient} has sent no report about {client}."),
    (Rule.QUESTION_WAITING, Audience.SENDER): noop(
        "{recipient} asked you something about {client}."
    ),
    (Rule.CANCELLATION_ASKED, Audience.RECIPIENT): noop(
        "{first}: you are asked to confirm that this is called off."
    ),
    (Rule.SESSION_TO_RECORD, Audience.RECIPIENT): noop(
        "{first}: say whether the session took place."
    ),
    (Rule.REFERRAL_ENDED, Audience.CLIENT): noop(
        "{recipient} cannot take it on. {sender} can ask somebody else."
    ),
    (Rule.REFERRAL_ENDED, Audience.ADMIN): noop(
        "A handoff of {sender} ended and nothing followed."
    ),
}
_TO_THERAPY: Final[dict[tuple[Rule, Audience], str]] = {
    (Rule.REFERRAL_WAITING, Audience.RECIPIENT): noop("{sender} asks you to see {first}."),
    (Rule.REFERRAL_WAITING, Audience.SENDER): noop(
        "{recipient} has not answered you about {client} yet."
    ),
    (Rule.NOT_BOOKED, Audience.RECIPIENT): noop("{first} has no first visit yet. Book one."),
    (Rule.NOT_BOOKED, Audience.CLIENT): noop("Book the first visit with {recipient}."),
    (Rule.NOT_BOOKED, Audience.ADMIN): noop(
        "{recipient} accepted a client sent back and has booked nothing."
    ),
    (Rule.FIRST_SESSION, Audience.RECIPIENT): noop("First visit of {first}: {session}."),
    (Rule.FIRST_SESSION, Audience.CLIENT): noop("The first visit with {recipient}: {session}."),
    (Rule.NOT_SEEN, Audience.CLIENT): noop(
        "{sender} sent you back to {recipient}. See them before you go on training."
    ),
    (Rule.NOT_SEEN, Audience.RECIPIENT): noop("{first} waits to be seen. {sender} sent them back."),
    (Rule.NOT_SEEN, Audience.SENDER): noop("{recipient} has not seen {client} yet."),
    (Rule.NOT_SEEN, Audience.ADMIN): noop(
        "{recipient} has not seen a client that {sender} sent back."
    ),
    (Rule.SESSION_TO_RECORD, Audience.RECIPIENT): noop(
        "{first}: say whether the visit took place."
    ),
    (Rule.REFERRAL_ENDED, Audience.ADMIN): noop(
        "A client that {sender} sent back was not taken on, and nothing followed."
    ),
}
"""Where a trainer sends a client back to a therapist."""
_ENDED_TO_THERAPY: Final[dict[State, str]] = {
    State.CANCELLED: noop("Nothing is shared, so {recipient} was not asked about {client}."),
    State.FAILED: noop("{recipient} ended what you asked for {client}. See what happened."),
}
_ENDED: Final[dict[State, str]] = {
    State.EXPIRED: noop("{recipient} did not answer in time. Choose somebody else for {client}."),
    State.CANCELLED: noop("Nothing is shared, so your handoff for {client} has ended."),
    State.FAILED: noop("{recipient} ended the training of {client}. See what happened."),
}
_DECLINED: Final = noop("{recipient} cannot take {client}. Choose somebody else.")


def _of_referral(reminder: Reminder, audience: Audience) -> str:
    referral = _there(reminder.referral)
    rule = Rule(reminder.rule_id)
    to_therapy = referral.kind == Kind.REFER_OUT
    if (rule, audience) == (Rule.REFERRAL_ENDED, Audience.SENDER):
        own = _ENDED_TO_THERAPY if to_therapy else _ENDED
        text = own.get(State(referral.state)) or _ENDED.get(State(referral.state), _DECLINED)
    elif to_therapy and (rule, audience) in _TO_THERAPY:
        text = _TO_THERAPY[rule, audience]
    else:
        text = _REFERRAL[rule, audience]
    session = referral.first_session_at
    return _(text).format(
        client=referral.client.name,
        first=referral.client.first_name,
        sender=referral.sender.name,
        recipient=referral.recipient.name,
        session=_minute(session, reminder.zone) if session else "",
    )


def _is_own(reminder: Reminder, client: Client) -> bool:
    return client.user_id == reminder.recipient_id


def _last_day(reminder: Reminder, client: Client) -> str:
    """The last day of sharing, where the client lives."""
    if reminder.ends_at is None:
        return ""
    return in_words(
        local_today(reminder.ends_at - timedelta(microseconds=1), client.time_zone), DAY
    )


def _minute(instant: datetime, zone: str) -> str:
    return in_words(instant.astimezone(zone_named(zone)), MINUTE)


T = TypeVar("T")


def _there(subject: T | None) -> T:
    """The subject of a rule's reminder, which the planner has set."""
    if subject is None:
        raise LookupError("this reminder is about something else")
    return subject
