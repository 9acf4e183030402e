"""The first page of a therapist or an assistant: what needs them today."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients import licensing
from clients.access import professional_of
from handoff.core.actors import Role
from handoff.web.requests import PageRequest
from referrals import reminders
from referrals.views.caseload_rows import Tab, chosen, rows_of

AT_ONCE = 8
"""Rows of each list; the rest is one tap away."""


def pt_home(request: PageRequest) -> HttpResponse:
    """Notes to sign, reviews, questions and trainers to choose; then whom others keep waiting."""
    actor, at = request.actor, timezone.now()
    me = professional_of(actor, Role.PT, Role.PTA)
    rows = rows_of(actor, at)
    yours, others = chosen(rows, Tab.YOURS), chosen(rows, Tab.OTHERS)
    ability = licensing.ability(me, at)
    return render(
        request,
        "pt/home.html",
        {
            "yours": yours[:AT_ONCE],
            "yours_count": len(yours),
            "overdue_count": len(chosen(rows, Tab.OVERDUE)),
            "others": others[:AT_ONCE],
            "others_count": len(others),
            "total": len(rows),
            "reminders": reminders.mine(actor, at, size=5),
            "me": me,
            "signs": Role.PT in actor.roles,
            "papers": sorted(
                (held for held in ability.valid if held.expires_on),
                key=lambda held: str(held.expires_on),
            ),
            "licences": [held for held in ability.valid if held.kind in licensing.LICENCE_KINDS],
        },
    )
