"""`referrals/{id}/<verb>/`: the steps of a referral, one address each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from django.urls import URLPattern, path
from rest_framework import serializers

from clients.scopes import Scope
from handoff.api.operations import acts
from handoff.api.shapes import Body
from handoff.core.policy import Policy
from referrals import lifecycle
from referrals.api.referral_answers import ReferralShape
from referrals.api.referrals import ReferralEndpoint
from referrals.models import Referral
from referrals.reasons import CancelReason, DeclineReason, ErrorReason, FailReason, HoldReason
from referrals.states import Verb


class SendBody(Body):
    """What to ask the client for when they have not agreed yet."""

    classes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), required=False, allow_empty=False
    )
    purpose = serializers.CharField(max_length=300, required=False, allow_blank=True)


class TextBody(Body):
    text = serializers.CharField(max_length=2000, trim_whitespace=False)


class ScheduleBody(Body):
    first_session_at = serializers.DateTimeField()


class ReportBody(Body):
    observations = serializers.CharField(max_length=4000, trim_whitespace=False)
    sessions_held = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=500
    )


class RerouteBody(Body):
    recipient = serializers.UUIDField(help_text="Another of `professionals/`, of the same trade.")


def reason_body(choices: type[TextChoices], *, required: bool = True) -> type[Body]:
    """The body of a step that needs a reason of one list, with words of one's own if wanted."""
    return type(
        f"{choices.__name__}Body",
        (Body,),
        {
            "reason_code": serializers.ChoiceField(choices=choices.choices, required=required),
            "reason_text": serializers.CharField(max_length=500, required=False, allow_blank=True),
        },
    )


def step(
    verb: Verb, walk: Callable[..., Referral], words: str, body: type[Body] = Body
) -> URLPattern:
    """The address of one step. The keys of its body are the arguments of the verb."""

    def post(self: ReferralEndpoint, body: dict[str, Any], id: UUID) -> UUID:
        return walk(actor=self.actor, referral_id=id, **body).pk

    post.__doc__ = words
    view: type[ReferralEndpoint] = type(
        f"{verb.name.title().replace('_', '')}Referral",
        (ReferralEndpoint,),
        {"policy": Policy.SIGNED_IN, "post": acts(ReferralShape, body=body)(post)},
    )
    return path(f"referrals/<uuid:id>/{verb.value}/", view.as_view())


class Reroute(ReferralEndpoint):
    policy = Policy.PROFESSIONAL

    @acts(ReferralShape, body=RerouteBody, status=201)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """A new draft to somebody else, in place of one that ended without the client taken on."""
        return lifecycle.reroute(
            actor=self.actor, referral_id=id, recipient_id=body["recipient"]
        ).pk


_NOT_OURS = "Whose step it is, and from which states, is in `actions` of the referral."

urlpatterns = [
    step(
        Verb.SEND,
        lifecycle.send,
        f"""Send it, or ask the client first when they have not agreed.

        To a trainer it needs a signed note and valid certificates; to a therapist, a licence
        where the client lives. {_NOT_OURS}
        """,
        SendBody,
    ),
    step(Verb.VIEW, lifecycle.view, "Say that I have opened it. Does nothing a second time."),
    step(Verb.ASK, lifecycle.ask, "Ask the sender before I answer.", TextBody),
    step(Verb.ANSWER, lifecycle.answer, "Answer the recipient's question.", TextBody),
    step(
        Verb.ACCEPT,
        lifecycle.accept,
        "Take the client on.\n\nNeeds certificates valid today. From now on I read what is shared.",
    ),
    step(Verb.DECLINE, lifecycle.decline, "Say no, with a reason.", reason_body(DeclineReason)),
    step(Verb.SCHEDULE, lifecycle.schedule, "Book the first session.", ScheduleBody),
    step(Verb.NO_SHOW, lifecycle.no_show, "The client did not come to the booked session."),
    step(
        Verb.CANCEL_APPOINTMENT,
        lifecycle.cancel_appointment,
        "Call the booked session off; the referral goes on.",
    ),
    step(
        Verb.BEGIN,
        lifecycle.begin,
        "The first session took place.\n\nShared restrictions must have been acknowledged before.",
    ),
    step(Verb.HOLD, lifecycle.hold, "Pause it, with a reason.", reason_body(HoldReason)),
    step(Verb.RESUME, lifecycle.resume, "Go on after a pause."),
    step(
        Verb.REPORT,
        lifecycle.report,
        "Send an interim report.\n\nThe sender reads it if the client shares `training_feedback`.",
        ReportBody,
    ),
    step(Verb.COMPLETE, lifecycle.complete, "Close the loop with a final report.", ReportBody),
    step(Verb.FAIL, lifecycle.fail, "It came to nothing, with a reason.", reason_body(FailReason)),
    step(
        Verb.CANCEL,
        lifecycle.cancel,
        "Call it off.\n\nAt once before acceptance; after it, the recipient confirms. A draft is"
        " thrown away and needs no reason.",
        reason_body(CancelReason, required=False),
    ),
    step(Verb.CONFIRM_CANCEL, lifecycle.confirm_cancel, "Confirm that it is called off."),
    step(Verb.DISCARD, lifecycle.discard, "Throw a draft away."),
    step(
        Verb.ENTER_IN_ERROR,
        lifecycle.enter_in_error,
        "It should never have existed.\n\nRecipient and client no longer see it.",
        reason_body(ErrorReason),
    ),
    path("referrals/<uuid:id>/reroute/", Reroute.as_view()),
]
