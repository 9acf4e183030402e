"""`referrals/`: what passes between professionals, its messages, and starting one."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from clients.access import own_clients
from clients.api.base import Endpoint
from handoff.api.operations import acts, lists, reads
from handoff.api.shapes import Body, ListQuery, Shape
from handoff.core.errors import Invalid, NotAllowed, NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import access, disclosure, lifecycle
from referrals.api.facts import FactsBody
from referrals.api.referral_answers import ReferralBriefShape, ReferralShape, brief, full
from referrals.facts import FIELDS
from referrals.models import Referral
from referrals.packets import MessageView
from referrals.states import OPEN, TERMINAL, Kind, Party, State

BOXES = [
    ("in", "Received by me"),
    ("out", "Sent by my side"),
    ("waiting", "In which it is my turn"),
]


class ReferralQuery(ListQuery):
    box = serializers.ChoiceField(choices=BOXES, required=False)
    state = serializers.ChoiceField(choices=State.choices, required=False)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    client = serializers.UUIDField(required=False)
    open = serializers.BooleanField(required=False, help_text="1: not ended; 0: ended.")


class ReferralBody(Body):
    """A draft; nobody but the sender's side knows of it until it is sent."""

    client = serializers.UUIDField()
    episode = serializers.UUIDField(
        required=False, help_text="Whose therapist hands over, or sends back to training."
    )
    recipient = serializers.UUIDField(
        required=False,
        help_text="Of `professionals/`. Left out, a trainer refers back to whoever handed over.",
    )
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    goal = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text="What the client wants to train for. Read before accepting: no diagnosis.",
    )
    start_from = serializers.DateField(required=False, allow_null=True)
    start_until = serializers.DateField(required=False, allow_null=True)
    priority = serializers.ChoiceField(choices=Referral.Priority.choices, required=False)
    facts = FactsBody(required=False, help_text="With `refer_out`: what the trainer saw.")
    previous = serializers.UUIDField(
        required=False, help_text="With `return_to_training`: the referral back that it answers."
    )


class MessageBody(Body):
    text = serializers.CharField(max_length=2000, trim_whitespace=False)


class MessageShape(Shape):
    """One question or answer."""

    id = serializers.UUIDField()
    author = serializers.CharField()
    is_mine = serializers.BooleanField()
    text = serializers.CharField()
    sent_at = serializers.DateTimeField()


class ReferralEndpoint(Endpoint):
    def show(self, pk: str) -> dict[str, Any]:
        # After a step that ended one's sight of it, which is no try to enter.
        at = timezone.now()
        return full(self.actor, access.referral_for(self.actor, UUID(pk), at=at), at)


class Referrals(ReferralEndpoint):
    policy = Policy.SIGNED_IN

    @lists(ReferralBriefShape, query=ReferralQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Referrals I sent, received, or that concern me or those I act for; newest step first."""
        at = timezone.now()
        rows = access.referrals_visible_to(self.actor, at).select_related(
            "client", "sender__user", "sender__practice", "recipient__user", "recipient__practice"
        )
        match query.get("box"):
            case "in":
                rows = rows.filter(recipient_id__in=self.actor.professional_ids)
            case "out":
                own = [*self.actor.professional_ids, *access.treating_ids(self.actor)]
                rows = rows.filter(sender_id__in=own)
            case "waiting":
                rows = access.waiting_for(self.actor, rows)
        for name in ("state", "kind"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        if "client" in query:
            rows = rows.filter(self._about(query["client"]))
        if "open" in query:
            rows = rows.filter(state__in=list(OPEN if query["open"] else TERMINAL))
        page = self.rows(rows, query, order=("-state_at", "-id"))
        own_ids = {client.pk for client in own_clients(self.actor, at)}
        answers = [brief(self.actor, row, is_client=row.client_id in own_ids) for row in page.items]
        return Page(answers, page.next, page.previous)

    def _about(self, client_id: UUID) -> Q:
        """Of this client; a recipient who has not accepted cannot search by a client's id."""
        known = access.clients_visible_to(self.actor).filter(pk=client_id)
        return Q(client_id=client_id, client__in=known.values("pk"))

    @acts(ReferralShape, body=ReferralBody, status=201, policy=Policy.PROFESSIONAL)
    def post(self, body: dict[str, Any]) -> UUID:
        """Begin a referral. It goes out with `send/`.

        A therapist hands over to a trainer (`discharge_handoff`), or sends back to one who had
        the client before (`return_to_training`). A trainer refers back to a therapist
        (`refer_out`), with `facts`.
        """
        ids = ("client", "episode", "recipient", "previous")
        names = {name: f"{name}_id" for name in ids}
        given = {names.get(name, name): value for name, value in body.items()}
        try:
            return lifecycle.draft(actor=self.actor, **given).pk
        except Invalid as wrong:
            # In this body the facts stand under a name of their own.
            raise Invalid(
                {
                    f"facts.{name}" if name in FIELDS else name: list(texts)
                    for name, texts in wrong.errors.items()
                }
            ) from None


class OneReferral(ReferralEndpoint):
    policy = Policy.SIGNED_IN

    @reads(ReferralShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """One referral. Looking does not count as `view/`: say that separately."""
        at = timezone.now()
        referral = disclosure.handoff(actor=self.actor, referral_id=id, at=at)
        return full(self.actor, referral, at)


class Messages(Endpoint):
    policy = Policy.PROFESSIONAL

    @lists(MessageShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """Questions and answers of a referral, oldest first; for its two professionals.

        The recipient reads them while the client shares something with them.
        """
        found = disclosure.thread(actor=self.actor, referral_id=id)
        if found is None:
            raise NotAllowed("The messages of this referral are not shared with you now.")
        page = self.values(found, query, key=lambda each: str(each.id))
        return Page([_message(each) for each in page.items], page.next, page.previous)

    @acts(MessageShape, body=MessageBody, status=201)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Ask as the recipient, answer as the sender: the same as `ask/` and `answer/`."""
        referral = access.referral_for(self.actor, id)
        asks = Party.RECIPIENT in access.parties(self.actor, referral)
        step = lifecycle.ask if asks else lifecycle.answer
        step(actor=self.actor, referral_id=id, text=body["text"])
        return id

    def show(self, pk: str) -> dict[str, Any]:
        found = disclosure.thread(actor=self.actor, referral_id=UUID(pk)) or ()
        mine = [each for each in found if each.is_mine]
        if not mine:
            raise NotVisible
        return _message(mine[-1])


def _message(view: MessageView) -> dict[str, Any]:
    return {
        "id": view.id,
        "author": view.author,
        "is_mine": view.is_mine,
        "text": view.text,
        "sent_at": view.sent_at,
    }
