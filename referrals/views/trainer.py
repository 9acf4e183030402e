"""The trainer's own pages: what waits for them, and the clients they took on."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients import licensing
from clients.access import professional_of
from clients.models import Credential
from handoff.core.actors import Actor, Role
from handoff.core.paging import capped_count, keyset_page
from handoff.web.requests import PageRequest
from referrals import access, reminders
from referrals.models import Referral
from referrals.states import RECIPIENT_MAY_READ, RECIPIENT_SEES_ENVELOPE
from referrals.views.referral import Row, in_turn, row_of

AT_ONCE = 10
"""Rows of each list on the first page; the rest is one tap away."""


@dataclass(frozen=True, slots=True)
class Papers:
    """The trainer's own credentials: what is valid, what is missing."""

    ability: licensing.Ability

    @property
    def ending_first(self) -> list[Credential]:
        return sorted(
            (each for each in self.ability.valid if each.expires_on),
            key=lambda each: str(each.expires_on),
        )


def trainer_home(request: PageRequest) -> HttpResponse:
    """What a trainer needs first: requests to answer, then what is next with each client."""
    actor, at = request.actor, timezone.now()
    trainer = professional_of(actor, Role.TRAINER)
    asked = _received(actor).filter(state__in=list(RECIPIENT_SEES_ENVELOPE))
    running = _clients(actor)
    return render(
        request,
        "trainer/home.html",
        {
            "asked": _rows(actor, in_turn(actor, asked, at)),
            "asked_count": capped_count(asked),
            "running": _rows(actor, running.order_by("-state_at", "-id")),
            "running_count": capped_count(running),
            "trainer": trainer,
            "lapses": licensing.lapses(trainer, at),
            "is_full": trainer.accepts_referrals and trainer.open_places == 0,
            "papers": Papers(licensing.ability(trainer, at)),
            "reminders": reminders.mine(actor, at),
        },
    )


def trainer_clients(request: PageRequest) -> HttpResponse:
    """Every client this trainer took on, newest change first."""
    found = keyset_page(
        _clients(request.actor),
        order=("-state_at", "-id"),
        cursor=request.GET.get("cursor"),
    )
    return render(
        request,
        "trainer/clients.html",
        {"page": found, "rows": [row_of(request.actor, each) for each in found.items]},
    )


def _received(actor: Actor) -> QuerySet[Referral]:
    return (
        access.referrals_visible_to(actor)
        .filter(recipient_id__in=actor.professional_ids)
        .select_related(
            "client", "sender__user", "sender__practice", "recipient__user", "recipient__practice"
        )
    )


def _clients(actor: Actor) -> QuerySet[Referral]:
    return _received(actor).filter(state__in=list(RECIPIENT_MAY_READ))


def _rows(actor: Actor, rows: QuerySet[Referral]) -> list[Row]:
    return [row_of(actor, each) for each in rows[:AT_ONCE]]
