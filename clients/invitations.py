"""How clients and guardians are invited: by a link that works once, for one address, for a week.

The secret of a link exists in the mail only; stored is its hash. Whether an address already has
an account or a record is never looked up here, so inviting tells nothing about it. What happens
to the link afterwards is `clients.links`.
"""

import hashlib
import secrets
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clients import access, details, guardians
from clients.models import Client, Guardianship, Invitation, Professional
from clients.models.user import DEFAULT_ZONE
from handoff.core import audit, mail
from handoff.core.actors import Actor, Role
from handoff.core.errors import Invalid, NotVisible, Stale

LINK_LIFE = timedelta(days=7)
KNOWN_HERE = "You have a client with this address and date of birth. Open their page instead."

Kind = Invitation.Kind
log = structlog.get_logger(__name__)


def add_client(
    *,
    actor: Actor,
    first_name: str,
    last_name: str,
    birth_date: date,
    state: str,
    email: str = "",
    phone: str = "",
    time_zone: str = DEFAULT_ZONE,
    therapist_id: UUID | None = None,
    at: datetime | None = None,
) -> Client:
    """Make the record of a client without an account, on the caseload of a therapist.

    A therapist's own; an assistant names one of their practice (`therapist_id`) unless there is
    only one. Raises NotVisible for anybody else, Invalid by field, also for a client of the same
    address and date of birth whom this therapist brought in before.
    """
    at = at or timezone.now()
    therapist = _therapist(actor, therapist_id)
    tidy = details.tidied(
        {
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "phone": phone,
            "state": state,
            "time_zone": time_zone,
        }
    )
    details.check_birth_date(birth_date, today=at.astimezone(ZoneInfo(tidy["time_zone"])).date())
    with transaction.atomic():
        # Two presses of one button: the second waits here and then finds the first one's record.
        Professional.objects.select_for_update(no_key=True).get(pk=therapist.pk)
        known = Client.objects.filter(
            created_by=therapist,
            email=tidy["email"],
            birth_date=birth_date,
            merged_into__isnull=True,
        )
        if tidy["email"] and known.exists():
            raise Invalid({"email": [KNOWN_HERE]})
        client = Client.objects.create(
            birth_date=birth_date, created_by=therapist, created_at=at, **tidy
        )
        audit.record(actor, "client.added", client, at=at)
    return client


def invite_client(
    *,
    actor: Actor,
    first_name: str,
    last_name: str,
    birth_date: date,
    email: str,
    state: str,
    time_zone: str = DEFAULT_ZONE,
    phone: str = "",
    therapist_id: UUID | None = None,
    at: datetime | None = None,
) -> tuple[Client, Invitation]:
    """Make a client's record and send them a link.

    The answer is the same whether or not the address is known here. When the mail is not taken,
    the invitation comes back cancelled. Raises as `add_client`, and Invalid without an address.
    """
    at = at or timezone.now()
    address = details.address(email)
    with transaction.atomic():
        client = add_client(
            actor=actor,
            first_name=first_name,
            last_name=last_name,
            birth_date=birth_date,
            email=address,
            state=state,
            time_zone=time_zone,
            phone=phone,
            therapist_id=therapist_id,
            at=at,
        )
        invitation = _issue(actor, client, Kind.CLIENT, address, at)
    return client, invitation


def invite_existing_record(
    *, actor: Actor, client_id: UUID, email: str, at: datetime | None = None
) -> Invitation:
    """Send a link for a record that has no account yet; older unused links stop working.

    Raises NotVisible unless the actor's side brought the record in, Stale when its person has
    come already, Invalid for an address that cannot be one.
    """
    at = at or timezone.now()
    address = details.address(email)
    with transaction.atomic():
        client = brought_in(actor, client_id)
        if client.user_id is not None:
            raise Stale("This client has an account already.")
        if client.email != address:
            client.email = address
            client.save(update_fields=["email"])
        return _issue(actor, client, Kind.CLIENT, address, at)


def invite_guardian(
    *,
    actor: Actor,
    client_id: UUID,
    email: str,
    relationship: str,
    at: datetime | None = None,
) -> Invitation:
    """Send a parent or guardian of a minor a link; an older one to the same address stops working.

    Raises NotVisible unless the actor's side brought the record in, Invalid for an address or a
    relationship that cannot be one, and for a client who decides for themselves.
    """
    at = at or timezone.now()
    address = details.address(email)
    if relationship not in Guardianship.Relationship.values:
        raise Invalid({"relationship": ["Choose from the list."]})
    with transaction.atomic():
        client = brought_in(actor, client_id)
        if not guardians.is_minor(client, at):
            raise Invalid("This client is of age and decides alone.")
        if client.user is not None and client.user.email == address:
            raise Invalid({"email": ["This is the client's own address. Use the guardian's."]})
        return _issue(actor, client, Kind.GUARDIAN, address, at, relationship=relationship)


def correct_details(
    *,
    actor: Actor,
    client_id: UUID,
    first_name: str,
    last_name: str,
    birth_date: date,
    at: datetime | None = None,
) -> Client:
    """Put right what was written down about a client who has not come yet.

    Raises NotVisible unless the actor's side brought the record in, Stale once its person has an
    account (then they keep their own details), Invalid by field.
    """
    at = at or timezone.now()
    tidy = details.tidied({"first_name": first_name, "last_name": last_name})
    with transaction.atomic():
        client = brought_in(actor, client_id)
        if client.user_id is not None:
            raise Stale("This client has an account and keeps these details.")
        today = at.astimezone(ZoneInfo(client.time_zone)).date()
        details.check_birth_date(birth_date, today=today)
        client.first_name, client.last_name = tidy["first_name"], tidy["last_name"]
        client.birth_date = birth_date
        client.save(update_fields=["first_name", "last_name", "birth_date"])
        audit.record(actor, "client.corrected", client, at=at)
    return client


def cancel(*, actor: Actor, invitation_id: UUID, at: datetime | None = None) -> None:
    """Make an unused link stop working. Raises NotVisible, or Stale when it was used."""
    at = at or timezone.now()
    with transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update(no_key=True).filter(pk=invitation_id).first()
        )
        if invitation is None:
            raise NotVisible
        brought_in(actor, invitation.client_id)
        if invitation.used_at is not None:
            raise Stale
        if invitation.cancelled_at is None:
            invitation.cancelled_at = at
            invitation.save(update_fields=["cancelled_at"])
            audit.record(actor, "invitation.cancelled", invitation, at=at)


def brought_in(actor: Actor, client_id: UUID) -> Client:
    """A record that the actor's side brought in, locked. Raises NotVisible for any other."""
    client = (
        Client.objects.select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .filter(
            access.brought_in_by(_side(actor)),
            pk=client_id,
            merged_into__isnull=True,
            erased_at__isnull=True,
        )
        .first()
    )
    if client is None:
        raise NotVisible
    return client


def hashed(token: str) -> str:
    """What is stored of the secret in a link."""
    return hashlib.sha256(token.encode()).hexdigest()


def _side(actor: Actor) -> list[UUID]:
    """The therapists whose new records the actor may handle: own, or those of the clinic."""
    own = [pk for role, pk in actor.professionals if role == Role.PT]
    return own + [each.pk for each in _assisted(actor)]


def _assisted(actor: Actor) -> list[Professional]:
    """The therapists an assistant works with."""
    assistant = actor.professional_id(Role.PTA)
    if assistant is None:
        return []
    practices = Professional.objects.filter(pk=assistant).values("practice_id")
    return list(
        Professional.objects.filter(
            practice_id__in=practices,
            role=Professional.Role.PT,
            left_at__isnull=True,
            user__is_active=True,
        )
    )


def _therapist(actor: Actor, wanted: UUID | None) -> Professional:
    """On whose caseload a new record goes."""
    own = actor.professional_id(Role.PT)
    choices = _assisted(actor)
    if own is not None and wanted in (None, own):
        return Professional.objects.get(pk=own)
    if wanted is None and len(choices) > 1:
        raise Invalid({"therapist_id": ["Choose the therapist who treats them."]})
    for each in choices:
        if wanted in (None, each.pk):
            return each
    raise NotVisible


def _issue(
    actor: Actor,
    client: Client,
    kind: str,
    address: str,
    at: datetime,
    *,
    relationship: str = "",
) -> Invitation:
    """Write the invitation and, once that is committed, mail its link.

    The secret is in the mail alone. When the mail is not taken, `cancelled_at` is set.
    """
    older = Invitation.objects.filter(
        Q(email=address) if kind == Kind.GUARDIAN else Q(),
        client=client,
        kind=kind,
        used_at__isnull=True,
        cancelled_at__isnull=True,
    )
    older.update(cancelled_at=at)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        kind=kind,
        client=client,
        email=address,
        relationship=relationship,
        token_hash=hashed(token),
        invited_by=access.professional_of(actor, Role.PT, Role.PTA),
        created_at=at,
        expires_at=at + LINK_LIFE,
    )
    audit.record(actor, f"invitation.sent_{kind}", invitation, at=at)
    transaction.on_commit(partial(_mail_link, actor, invitation, token))
    return invitation


def _mail_link(actor: Actor, invitation: Invitation, token: str) -> None:
    """Mail the link; one that cannot be sent is cancelled, so that nobody waits for it."""
    path = f"/invitations/{token}/"
    letter = mail.invitation(to=invitation.email, path=path, reference=invitation.pk)
    try:
        with mail.Post() as post:
            post.send(letter)
    except mail.NotSent as error:
        log.warning("invitation.not_sent", invitation=str(invitation.pk), code=error.code)
        with transaction.atomic():
            invitation.cancelled_at = timezone.now()
            invitation.save(update_fields=["cancelled_at"])
            audit.record(actor, "invitation.not_sent", invitation)
