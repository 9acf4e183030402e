"""`consents/`: questions to clients, their answers, and what an answer would show."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers

from clients import consent as ledger
from clients import guardians, scopes
from clients.access import own_clients
from clients.api.base import Endpoint
from clients.api.people import (
    ClientBriefShape,
    ProfessionalBriefShape,
    client_brief,
    professional_brief,
)
from clients.consent import ConsentState, Standing
from clients.models import Consent, ConsentEvent
from clients.scopes import Scope
from handoff.api.operations import acts, lists, reads
from handoff.api.shapes import Body, ListQuery, Query, Shape, WordList
from handoff.core.actors import Actor, Role
from handoff.core.errors import DomainError, Invalid
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import disclosure, questions, sharing
from referrals.api.record import RecordShape, record
from referrals.standpoints import Seen, Side, event_for, side_of, state_for
from referrals.whatif import Effect

CLASSES = Scope.choices
STATES = [(each, each) for each in dict.fromkeys([*ConsentState, *Seen])]
SIDES = [(each.value, each.value) for each in Side]


class ConsentQuery(ListQuery):
    client = serializers.UUIDField(required=False)


class AskBody(Body):
    """A question to the client; nothing is shared by it."""

    client = serializers.UUIDField()
    recipient = serializers.UUIDField(help_text="The professional who would read.")
    discloser = serializers.UUIDField(
        required=False, help_text="The therapist whose records; left out: I am that therapist."
    )
    purpose = serializers.CharField(max_length=300)
    classes = serializers.ListField(
        child=serializers.ChoiceField(choices=CLASSES), allow_empty=False
    )


class GrantBody(Body):
    """Exactly what is shared, and until the end of which day."""

    classes = serializers.ListField(
        child=serializers.ChoiceField(choices=CLASSES), allow_empty=False
    )
    expires_on = serializers.DateField()
    until_training_ends = serializers.BooleanField(
        default=False, help_text="It ends with the training if that is earlier than the day."
    )
    knows_objection = serializers.BooleanField(
        default=False,
        help_text="A guardian knows that the client objects; needed where `objected_at` has any.",
    )


class RenewBody(Body):
    """Until the end of which day the same goes on."""

    expires_on = serializers.DateField()


class NarrowBody(Body):
    classes = serializers.ListField(
        child=serializers.ChoiceField(choices=CLASSES),
        allow_empty=False,
        help_text="What stays shared.",
    )


class PreviewQuery(Query):
    classes = WordList(
        required=False,
        max_length=200,
        help_text="With commas between them; left out: what was asked for.",
    )


class ConsentBriefShape(Shape):
    """One question and how it stands, in the words for my side.

    The client's side sees all of it. Professionals see whether something is shared, never whether
    a client said no or said nothing, and never why it ended.
    """

    id = serializers.UUIDField()
    side = serializers.ChoiceField(choices=SIDES)
    client = ClientBriefShape()
    discloser = ProfessionalBriefShape()
    recipient = ProfessionalBriefShape()
    state = serializers.ChoiceField(choices=STATES)
    classes = serializers.ListField(
        child=serializers.ChoiceField(choices=CLASSES),
        help_text="What is shared at this moment; empty unless the state is `active`.",
    )
    classes_asked = serializers.ListField(
        child=serializers.ChoiceField(choices=CLASSES),
        allow_null=True,
        help_text="Null for the recipient.",
    )
    purpose = serializers.CharField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    until_training_ends = serializers.BooleanField(
        help_text="It ends with the training, and at `expires_at` at the latest."
    )


class ConsentEventShape(Shape):
    """One thing that was said."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    words = serializers.CharField()
    classes = serializers.ListField(child=serializers.ChoiceField(choices=CLASSES))
    by = serializers.CharField(allow_blank=True, help_text="For the client's side.")


class ClassWordsShape(Shape):
    """One class in the words of the notice."""

    scope = serializers.ChoiceField(choices=CLASSES)
    title = serializers.CharField()
    question = serializers.CharField()
    meaning = serializers.CharField()


class NoticeShape(Shape):
    """Every sentence the client must be shown before they answer. Nothing may be preselected."""

    version = serializers.CharField()
    hash = serializers.CharField()
    language = serializers.CharField()
    purpose = serializers.CharField()
    classes = ClassWordsShape(many=True)
    never_shared = serializers.ListField(child=serializers.CharField())
    if_you_say_no = serializers.ListField(child=serializers.CharField())
    if_you_change_your_mind = serializers.ListField(child=serializers.CharField())
    redisclosure = serializers.CharField()
    copy = serializers.CharField()
    last_day = serializers.DateField(help_text="The latest `expires_on`.")


class ChangeShape(Shape):
    """What becomes of one class."""

    scope = serializers.ChoiceField(choices=CLASSES)
    effect = serializers.ChoiceField(choices=[(each.value, each.value) for each in Effect])
    meaning = serializers.CharField(
        allow_blank=True, help_text="What it means, in words; empty where nothing changes."
    )


class WhatIfShape(Shape):
    """What would change for the recipient. Nothing is saved."""

    before = serializers.ListField(
        child=serializers.ChoiceField(choices=CLASSES),
        help_text="What is shared between the same three at this moment.",
    )
    after = serializers.ListField(child=serializers.ChoiceField(choices=CLASSES))
    changes = ChangeShape(many=True)


class ConsentShape(ConsentBriefShape):
    """One question with its history; for those who decide, with the notice."""

    may_decide = serializers.BooleanField(help_text="I am the one who can answer now.")
    objected_at = serializers.ListField(
        child=serializers.DateTimeField(),
        help_text="When the client, as a minor, objected to sharing between the same three. For "
        "the client's side.",
    )
    notice_matches = serializers.BooleanField(
        allow_null=True,
        help_text="The words of `notice` are those it was asked and answered in: their hash is "
        "the one in every entry. For the client's side.",
    )
    events = ConsentEventShape(many=True)
    notice = NoticeShape(allow_null=True, help_text="For the client's side.")


class ConsentEndpoint(Endpoint):
    def show(self, pk: str) -> dict[str, Any]:
        at = timezone.now()
        consent = sharing.consent_for(self.actor, UUID(pk), at=at)
        own = {client.pk for client in own_clients(self.actor, at)}
        side = side_of(self.actor, consent, own)
        return {
            **brief(consent, ledger.standing(consent, at), side),
            "may_decide": side is Side.CLIENT and may_decide(self.actor, consent, at),
            "events": events(consent, side),
            "objected_at": ledger.objections(consent) if side is Side.CLIENT else [],
            "notice_matches": questions.notice_check(consent.pk).matches
            if side is Side.CLIENT
            else None,
            "notice": notice(consent, at) if side is Side.CLIENT else None,
        }


class Consents(ConsentEndpoint):
    policy = Policy.SIGNED_IN

    @lists(ConsentBriefShape, query=ConsentQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Questions to me or those I act for, and those I am a side of; newest first."""
        at = timezone.now()
        rows = sharing.consents_visible_to(self.actor, at)
        if "client" in query:
            rows = rows.filter(client_id=query["client"])
        page = self.rows(rows, query, order=("-asked_at", "-id"))
        ids = [each.pk for each in page.items]
        now = ledger.standings(Consent.objects.filter(pk__in=ids), at)
        own = {client.pk for client in own_clients(self.actor, at)}
        return Page(self._briefs(page.items, now, own), page.next, page.previous)

    def _briefs(
        self, rows: Collection[Consent], now: dict[UUID, Standing], own: set[UUID]
    ) -> list[dict[str, Any]]:
        return [
            brief(each, now[each.pk], side_of(self.actor, each, own))
            for each in rows
            if each.pk in now
        ]

    @acts(ConsentShape, body=AskBody, status=201)
    def post(self, body: dict[str, Any]) -> UUID:
        """Ask a client to share. A client can also ask themself, to share more."""
        discloser = body.get("discloser") or self.actor.professional_id(Role.PT)
        if discloser is None:
            raise Invalid({"discloser": ["Name the therapist whose records are meant."]})
        return sharing.ask(
            actor=self.actor,
            client_id=body["client"],
            discloser_id=discloser,
            recipient_id=body["recipient"],
            purpose=body["purpose"],
            classes=body["classes"],
        ).pk


class OneConsent(ConsentEndpoint):
    policy = Policy.SIGNED_IN

    @reads(ConsentShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """One question, its history and, for the client's side, the whole notice."""
        return self.show(str(id))


class GrantConsent(ConsentEndpoint):
    policy = Policy.CLIENT

    @acts(ConsentShape, body=GrantBody, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Agree to share exactly these classes until the end of that day.

        For the client, or a guardian with verified authority. A handoff that waited goes out.
        """
        return sharing.grant(actor=self.actor, consent_id=id, **body).pk


class DeclineConsent(ConsentEndpoint):
    policy = Policy.CLIENT

    @acts(ConsentShape)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Say no. It costs nothing, and nobody is told why."""
        return sharing.decline(actor=self.actor, consent_id=id).pk


class NarrowConsent(ConsentEndpoint):
    policy = Policy.CLIENT

    @acts(ConsentShape, body=NarrowBody)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Share less from the next read on."""
        return sharing.narrow(actor=self.actor, consent_id=id, classes=body["classes"]).pk


class RevokeConsent(ConsentEndpoint):
    policy = Policy.CLIENT

    @acts(ConsentShape)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Stop sharing: holds for every request that starts after this one answered."""
        return sharing.revoke(actor=self.actor, consent_id=id).pk


class RenewConsent(ConsentEndpoint):
    policy = Policy.CLIENT

    @acts(ConsentShape, body=RenewBody, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Go on sharing the same classes until the end of a later day, without a gap.

        More is a new question. Refused once the notice has changed: then it is asked anew.
        """
        return sharing.renew(actor=self.actor, consent_id=id, expires_on=body["expires_on"]).pk


class ObjectToConsent(ConsentEndpoint):
    policy = Policy.CLIENT

    @acts(ConsentShape)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """A minor says that they do not want this. What is shared stops at once; an open question
        stays open, and a guardian must say that they know in order to agree."""
        return sharing.object_to(actor=self.actor, consent_id=id).pk


class WhatIfConsent(Endpoint):
    policy = Policy.CLIENT

    @reads(WhatIfShape, query=PreviewQuery)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """What the recipient would lose and gain, class by class, and what it means."""
        asked = questions.question(self.actor, id, at=timezone.now())
        after = _classes(query.get("classes", sorted(asked.asked)))
        return {
            "before": sorted(asked.shared_now),
            "after": sorted(after),
            "changes": [
                {"scope": each.scope.value, "effect": each.effect.value, "meaning": each.meaning}
                for each in asked.what_if(after)
            ],
        }


class PreviewConsent(Endpoint):
    policy = Policy.CLIENT

    @reads(RecordShape, query=PreviewQuery)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """Exactly what the recipient would read if these classes were agreed to."""
        chosen = query.get("classes")
        if chosen is None:
            chosen = sharing.consent_for(self.actor, id).classes_asked
        classes = _classes(chosen)
        return record(disclosure.preview(actor=self.actor, consent_id=id, classes=classes))


def _classes(words: Iterable[str]) -> frozenset[Scope]:
    try:
        return scopes.parse(words)
    except Invalid as error:
        raise Invalid({"classes": error.errors["scopes"]}) from None


def brief(consent: Consent, now: Standing, side: Side) -> dict[str, Any]:
    """Takes a consent with its client and both sides."""
    tells_end = side is Side.CLIENT or now.is_active
    return {
        "id": consent.pk,
        "side": side.value,
        "client": client_brief(consent.client),
        "discloser": professional_brief(consent.discloser),
        "recipient": professional_brief(consent.recipient),
        "state": state_for(side, now.state),
        "classes": sorted(now.classes),
        "classes_asked": None if side is Side.RECIPIENT else sorted(consent.classes_asked),
        "purpose": consent.purpose,
        "asked_at": consent.asked_at,
        "expires_at": now.expires_at if tells_end else None,
        "until_training_ends": now.until_training_ends and tells_end,
    }


def may_decide(actor: Actor, consent: Consent, at: datetime) -> bool:
    """Whether the actor is the one who can answer for this client now."""
    try:
        guardians.signer_for(actor, consent.client, at)
    except DomainError:
        return False
    return True


def events(consent: Consent, side: Side) -> list[dict[str, Any]]:
    """What was said, oldest first, in the words for one side."""
    rows = ConsentEvent.objects.filter(consent=consent).select_related("by").order_by("number")
    found = []
    for row, called in questions.happened_as(rows):
        renewed = (called, "Renewed") if called == questions.RENEWED else None
        told = renewed or event_for(side, row.kind)
        if told is not None:
            found.append(
                {
                    "at": row.at,
                    "kind": told[0],
                    "words": told[1],
                    "classes": sorted(row.classes) if side is not Side.RECIPIENT else [],
                    "by": row.by.name if row.by and side is Side.CLIENT else "",
                }
            )
    return found


def notice(consent: Consent, at: datetime) -> dict[str, Any]:
    """The words the question was asked in, with both names put in."""
    words = scopes.notice(consent.notice_version)
    names = {"recipient": consent.recipient.name, "discloser": consent.discloser.name}

    def filled(lines: Collection[str]) -> list[str]:
        return [scopes.fill(line, **names) for line in lines]

    return {
        "version": words.version,
        "hash": words.digest(),
        "language": words.language,
        "purpose": scopes.fill(words.purpose, **names),
        "classes": [
            {
                "scope": scope.value,
                "title": text.title,
                "question": text.question,
                "meaning": text.meaning,
            }
            for scope in words.scopes
            for text in [words.text_for(scope, **names)]
        ],
        "never_shared": filled(words.never_shared),
        "if_you_say_no": filled(words.if_you_say_no),
        "if_you_change_your_mind": filled(words.if_you_change_your_mind),
        "redisclosure": scopes.fill(words.redisclosure, **names),
        "copy": scopes.fill(words.copy, **names),
        "last_day": ledger.last_day_allowed(consent.client, at),
    }
