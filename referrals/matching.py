"""What follows when an invited person comes in, and when they turn out to have a record already.

`clients.links` looks after the link and the account. Here the reminders learn of the new person,
and the draft record of a known one is joined with the record they have: episodes and referrals
move over, open questions are put anew, signed things stay word for word.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from clients import consent as consents
from clients import details, links
from clients.consent import ConsentState
from clients.models import Client, ClientIdentifier, Consent, Guardianship, Invitation
from clients.scopes import Scope
from handoff.core import audit, subjects
from handoff.core.actors import SYSTEM, Actor
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import reminders
from referrals.models import Coverage, Episode, Gate, Letter, Referral, Screening, Wish
from referrals.states import OPEN, State

DIFFERENT: Final = (
    "The details in this invitation do not fit the record you have. Ask whoever invited you to"
    " check them with you. Nothing was connected."
)
UNCLEAR: Final = (
    "These two records cannot be joined without a look at both. Ask whoever invited you to write"
    " to us. Nothing was connected."
)


def accept(
    *,
    actor: Actor,
    invitation_id: UUID,
    birth_date: date | None = None,
    at: datetime | None = None,
) -> Invitation:
    """Take up an invitation: as a client by date of birth, or as a guardian to be verified.

    Questions that wait for the client from now on remind whoever can answer them. Raises as
    `clients.links.accept`.
    """
    at = at or timezone.now()
    refused: Invalid | None = None
    with transaction.atomic():
        try:
            invitation = links.accept(
                actor=actor, invitation_id=invitation_id, birth_date=birth_date, at=at
            )
        except Invalid as error:
            refused = error  # the wrong date stays counted, so the transaction must end well
        else:
            reminders.people_changed(invitation.client_id, at=at)
    if refused is not None:
        raise refused
    return invitation


def connect(*, actor: Actor, invitation_id: UUID, at: datetime | None = None) -> Client:
    """Join the invited draft record with the record the person has; returns the latter.

    Only when both name one person: otherwise, and where joining would mix up what others decided,
    raises NotAllowed with what to do, and nothing is changed. Raises as `clients.links.accept`
    for the link itself, and Stale when there is nothing to join.
    """
    at = at or timezone.now()
    try:
        with subjects.among(_both(actor, invitation_id)), transaction.atomic():
            return _connect(actor, invitation_id, at)
    except IntegrityError:
        # Both records have an open handoff to the same recipient: somebody has to choose.
        raise NotAllowed(UNCLEAR) from None


def _connect(actor: Actor, invitation_id: UUID, at: datetime) -> Client:
    # Care before people: everywhere else a referral is locked before its client.
    about = Invitation.objects.filter(pk=invitation_id).values("client_id")
    list(Episode.objects.select_for_update(no_key=True).filter(client__in=about).order_by("id"))
    list(Referral.objects.select_for_update(no_key=True).filter(client__in=about).order_by("id"))
    invitation = links.claimed(actor=actor, invitation_id=invitation_id, at=at)
    if (
        links.outlook(actor=actor, invitation_id=invitation_id, at=at).stage
        is not links.Stage.MATCH
    ):
        raise Stale
    draft = invitation.client
    own = _own_record(actor)
    if not details.same_person(_identity(own), _identity(draft)):
        raise NotAllowed(DIFFERENT)
    questions = _open_questions(draft, at)
    Episode.objects.filter(client=draft).update(client=own)
    Referral.objects.filter(client=draft).update(client=own)
    Gate.objects.filter(client=draft).update(client=own)
    Letter.objects.filter(client=draft).update(client=own)
    Coverage.objects.filter(client=draft).update(client=own)
    # A wish for the draft is no longer said by anybody: the record may have another one.
    Wish.objects.filter(client=draft, taken_back_at=None).update(taken_back_at=at)
    Wish.objects.filter(client=draft).update(client=own)
    Screening.objects.filter(client=draft).update(client=own)
    ClientIdentifier.objects.filter(client=draft).update(client=own)
    draft.merged_into = own
    draft.save(update_fields=["merged_into"])
    for question in questions:
        _ask_anew(actor, question, own, at)
    links.use(invitation, actor=actor, at=at)
    reminders.people_changed(own.pk, at=at)
    audit.record(actor, "client.joined", own, at=at, facts={"draft": str(draft.pk)})
    return own


def _both(actor: Actor, invitation_id: UUID) -> set[UUID]:
    """The draft and the record it may be joined with: the rows of both are about to be touched."""
    found = set(Invitation.objects.filter(pk=invitation_id).values_list("client_id", flat=True))
    return found | set(Client.objects.filter(user=actor.user_id).values_list("pk", flat=True))


def _own_record(actor: Actor) -> Client:
    if actor.user_id is None:
        raise NotVisible
    return Client.objects.select_for_update(no_key=True).get(
        user=actor.user_id, merged_into__isnull=True
    )


def _identity(client: Client) -> dict[str, object]:
    return {
        "first_name": client.first_name,
        "last_name": client.last_name,
        "birth_date": client.birth_date,
    }


def _open_questions(draft: Client, at: datetime) -> list[Consent]:
    """Questions nobody has answered. Raises NotAllowed when somebody decided for the draft."""
    rows = (
        Consent.objects.filter(client=draft)
        .select_related("discloser", "recipient")
        .order_by("asked_at")
    )
    standings = consents.standings(Consent.objects.filter(client=draft), at)
    decided = {ConsentState.ACTIVE, ConsentState.NOT_YET, ConsentState.SUSPENDED}
    if any(each.state in decided for each in standings.values()):
        raise NotAllowed(UNCLEAR)
    if Guardianship.objects.filter(client=draft, ended_at__isnull=True).exists():
        raise NotAllowed(UNCLEAR)
    return [row for row in rows if standings[row.pk].state is ConsentState.REQUESTED]


def _ask_anew(actor: Actor, question: Consent, own: Client, at: datetime) -> None:
    """Take a question about the draft back and put it about the record, in the asker's name."""
    waiting = list(Referral.objects.filter(consent=question, state__in=sorted(OPEN)))
    consents.withdraw_question(actor=SYSTEM, consent_id=question.pk, at=at)
    asker = Actor(user_id=question.asked_by_id, channel=actor.channel, request_id=actor.request_id)
    anew = consents.ask(
        actor=asker,
        client=own,
        discloser=question.discloser,
        recipient=question.recipient,
        purpose=question.purpose,
        classes=[Scope(each) for each in question.classes_asked],
        at=at,
    )
    for referral in waiting:
        referral.consent = anew
        referral.save(update_fields=["consent"])
    reminders.consent_changed(question, at=at)
    urgent = any(
        each.state == State.AWAITING_CONSENT and each.priority == Referral.Priority.URGENT
        for each in waiting
    )
    reminders.consent_asked(anew, urgent=urgent, at=at)
