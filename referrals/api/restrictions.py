"""`restrictions/`: listed with the note, signed with it, then changed only by signed versions."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from clients.scopes import Scope
from handoff.api.operations import acts, lists, reads, removes
from handoff.api.problems import NotShared
from handoff.api.shapes import Body, ListQuery, Number
from handoff.core.errors import Invalid, Stale
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import access, disclosure, particulars, restrictions
from referrals.api.restriction_answers import (
    STATUSES,
    RestrictionShape,
    draft,
    restriction,
)
from referrals.models import RestrictionVersion
from referrals.packets import RestrictionView, Withheld
from referrals.particulars import VersionView
from referrals.vocabulary import (
    Authority,
    BodyRegion,
    Comparator,
    CriterionKind,
    JointAction,
    Laterality,
    Pattern,
    RestrictionKind,
    Severity,
    Unit,
    WeightBearing,
)


class RestrictionQuery(ListQuery):
    client = serializers.UUIDField(
        required=False, help_text="All in force for this client, as far as shared with me."
    )
    episode = serializers.UUIDField(
        required=False, help_text="All of one episode: drafts and lifted ones where I may."
    )
    status = serializers.ChoiceField(choices=STATUSES, required=False)


class CriterionBody(Body):
    kind = serializers.ChoiceField(choices=CriterionKind.choices, required=False)
    measure = serializers.CharField(max_length=120, required=False, allow_blank=True)
    comparator = serializers.ChoiceField(
        choices=Comparator.choices, required=False, allow_null=True
    )
    value = Number(required=False, allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, required=False, allow_null=True)
    side = serializers.ChoiceField(choices=Laterality.choices, required=False, allow_null=True)


class RestrictionFields(Body):
    """Which of these a kind of limit needs, and which units fit it, the answer says by field."""

    kind = serializers.ChoiceField(choices=RestrictionKind.choices, required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices, required=False)
    laterality = serializers.ChoiceField(choices=Laterality.choices, required=False)
    patterns = serializers.ListField(
        child=serializers.ChoiceField(choices=Pattern.choices), required=False, max_length=25
    )
    joint_action = serializers.ChoiceField(
        choices=JointAction.choices, required=False, allow_null=True
    )
    comparator = serializers.ChoiceField(
        choices=Comparator.choices, required=False, allow_null=True
    )
    value = Number(required=False, allow_null=True)
    value_high = Number(required=False, allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, required=False, allow_null=True)
    weight_bearing = serializers.ChoiceField(
        choices=WeightBearing.choices, required=False, allow_null=True
    )
    wording = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text="For the trainer: plain words, no diagnosis.",
    )
    instead = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="What is fine instead."
    )
    rationale = serializers.CharField(
        max_length=2000,
        required=False,
        allow_blank=True,
        help_text="Clinical reason; part of the full note only.",
    )
    criteria = serializers.ListField(child=CriterionBody(), required=False, max_length=10)
    review_on = serializers.DateField(required=False)
    earliest_lift_on = serializers.DateField(required=False, allow_null=True)
    authority = serializers.ChoiceField(choices=Authority.choices, required=False)
    authority_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    authority_on = serializers.DateField(required=False, allow_null=True)


class RestrictionBody(RestrictionFields):
    """Before the note is signed: one more draft. After: a signed restriction, with a reason."""

    episode = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=RestrictionKind.choices)
    severity = serializers.ChoiceField(choices=Severity.choices)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices)
    review_on = serializers.DateField()
    reason = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="Once the note is signed."
    )


class ReviseBody(RestrictionFields):
    """What is left out stays as it is."""

    reason = serializers.CharField(max_length=500)
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="The version you saw; 409 when another rules."
    )


class LiftBody(Body):
    reason = serializers.CharField(max_length=500)
    version = serializers.IntegerField(required=False, min_value=1)


class AcknowledgeBody(Body):
    version = serializers.IntegerField(min_value=1, help_text="The version you read.")


class RequestLiftBody(Body):
    text = serializers.CharField(max_length=2000)


class VersionShape(RestrictionShape):
    """One signed version."""

    signed_at = serializers.DateTimeField()
    change_reason = serializers.CharField(
        allow_null=True, allow_blank=True, help_text="Null for a recipient."
    )


class RestrictionEndpoint(Endpoint):
    def show(self, pk: str) -> dict[str, Any]:
        view = particulars.restriction(actor=self.actor, restriction_id=UUID(pk))
        if isinstance(view, RestrictionView):
            return restriction(view)
        return draft(view)


class Restrictions(RestrictionEndpoint):
    policy = Policy.SIGNED_IN

    @lists(RestrictionShape, query=RestrictionQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Restrictions of one client or of one episode, strictest first.

        Where the class is not shared, the answer is the problem `not-shared`, not an empty list.
        """
        if ("client" in query) == ("episode" in query):
            raise Invalid({"client": ["Name a client or an episode."]})
        found = (
            self._of_client(query["client"])
            if "client" in query
            else self._of_episode(query["episode"])
        )
        if "status" in query:
            found = [each for each in found if each["status"] == query["status"]]
        return self.values(found, query, key=lambda each: str(each["id"]))

    @acts(RestrictionShape, body=RestrictionBody, status=201, policy=Policy.PT, may_confirm=True)
    def post(self, body: dict[str, Any]) -> UUID:
        """List a restriction for the note, or set one after the note was signed.

        After the signature it needs a `reason` and a licence valid now, and holds at once.
        """
        episode_id, reason = body.pop("episode"), body.pop("reason", "")
        if reason:
            self.require_proof()
            made = restrictions.add_signed(
                actor=self.actor, episode_id=episode_id, data=body, reason=reason
            )
        else:
            made = restrictions.add_draft(actor=self.actor, episode_id=episode_id, data=body)
        return made.restriction_id

    def _of_client(self, client_id: UUID) -> list[dict[str, Any]]:
        packet = disclosure.disclose(
            actor=self.actor, client_id=client_id, purpose="restrictions", only=Scope.RESTRICTIONS
        )
        if isinstance(packet.restrictions, Withheld):
            raise NotShared(Scope.RESTRICTIONS.value)
        return [restriction(each) for each in packet.restrictions.items]

    def _of_episode(self, episode_id: UUID) -> list[dict[str, Any]]:
        signed = particulars.signed_restrictions(actor=self.actor, episode_id=episode_id)
        found = [restriction(each) for each in signed]
        if access.episodes_visible_to(self.actor).filter(pk=episode_id).exists():
            listed = particulars.drafts(actor=self.actor, episode_id=episode_id)
            found += [draft(each) for each in listed]
        return found


class OneRestriction(RestrictionEndpoint):
    policy = Policy.SIGNED_IN

    @reads(RestrictionShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """One restriction as it rules now, lifted or not; a draft for the treating side."""
        return self.show(str(id))

    @acts(RestrictionShape, body=RestrictionFields, policy=Policy.PT, repeatable=False)
    def patch(self, body: dict[str, Any], id: UUID) -> UUID:
        """Change a draft. What is signed is changed by `revise/`."""
        return restrictions.change_draft(
            actor=self.actor, version_id=self._draft(id), data=body
        ).restriction_id

    @removes(policy=Policy.PT)
    def delete(self, id: UUID) -> None:
        """Take a draft off the list. What is signed is ended by `lift/`."""
        restrictions.remove_draft(actor=self.actor, version_id=self._draft(id))

    def _draft(self, pk: UUID) -> UUID:
        row = access.restriction_for(self.actor, pk)
        found = RestrictionVersion.objects.drafts_of(row.episode_id).filter(restriction=row)
        version_id = found.values_list("pk", flat=True).first()
        if version_id is None:
            raise Stale("This is signed. Revise or lift it.")
        return version_id


class ReviseRestriction(RestrictionEndpoint):
    policy = Policy.PT

    @acts(RestrictionShape, body=ReviseBody, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Say it differently from now on: a new signed version, with a reason.

        Tighter or looser: only the treating therapist, with a licence valid now.
        """
        reason, version = body.pop("reason"), body.pop("version", None)
        restrictions.revise(
            actor=self.actor, restriction_id=id, data=body, reason=reason, version=version
        )
        return id


class LiftRestriction(RestrictionEndpoint):
    policy = Policy.PT

    @acts(RestrictionShape, body=LiftBody, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """End it by a signed version. Nothing else ever ends a restriction."""
        restrictions.lift(
            actor=self.actor,
            restriction_id=id,
            reason=body["reason"],
            version=body.get("version"),
        )
        return id


class AcknowledgeRestriction(RestrictionEndpoint):
    policy = Policy.TRAINER

    @acts(RestrictionShape, body=AcknowledgeBody)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Say that I have read this version."""
        restrictions.acknowledge(actor=self.actor, restriction_id=id, version=body["version"])
        return id


class RequestLift(RestrictionEndpoint):
    policy = Policy.TRAINER

    @acts(RestrictionShape, body=RequestLiftBody)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Ask the therapist to lift or explain it. It stays in force."""
        restrictions.request_lift(actor=self.actor, restriction_id=id, text=body["text"])
        return id


class RestrictionHistory(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(VersionShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """Every signed version of one restriction, newest first."""
        found = particulars.restriction_history(actor=self.actor, restriction_id=id)
        page = self.values(found, query, key=lambda each: str(each.restriction.version_id))
        return Page([_version(each) for each in page.items], page.next, page.previous)


def _version(view: VersionView) -> dict[str, Any]:
    return {
        **restriction(view.restriction),
        "signed_at": view.signed_at,
        "change_reason": view.change_reason,
    }
