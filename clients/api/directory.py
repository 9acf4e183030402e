"""`professionals/`: who can be found."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from clients import licensing
from clients.api.base import Endpoint
from clients.api.people import PracticeShape, practice
from clients.directory import listed
from clients.licensing import Ability
from clients.models import Credential, Professional
from handoff.api.operations import lists
from handoff.api.shapes import ListQuery, Shape
from handoff.core.paging import Page
from handoff.core.policy import Policy

ROLES = [
    (role.value, str(role.label)) for role in (Professional.Role.PT, Professional.Role.TRAINER)
]


class DirectoryQuery(ListQuery):
    role = serializers.ChoiceField(choices=ROLES, required=False)
    q = serializers.CharField(
        required=False, max_length=80, help_text="Words in name, practice or city; all must occur."
    )
    specialty = serializers.CharField(required=False, max_length=60)
    accepting = serializers.BooleanField(
        required=False, help_text="Only those who may take a new client now and say so."
    )


class PaperShape(Shape):
    """A checked document, without its number."""

    kind = serializers.ChoiceField(choices=Credential.Kind.choices)
    title = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True)


class ProfessionalShape(Shape):
    """A professional whose licence or certification is checked and valid today."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=ROLES)
    practice = PracticeShape()
    specialties = serializers.ListField(child=serializers.CharField())
    introduction = serializers.CharField(allow_blank=True)
    accepting = serializers.BooleanField()
    credentials = PaperShape(many=True)


class Professionals(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(ProfessionalShape, query=DirectoryQuery, limit="search")
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Therapists and trainers whose papers are checked, by name."""
        at = timezone.now()
        rows = listed(
            at,
            role=query.get("role", ""),
            words=query.get("q", ""),
            specialty=query.get("specialty", ""),
            accepting=query.get("accepting", False),
        )
        page = self.rows(rows, query, order=("user__last_name", "user__first_name", "id"))
        able = licensing.abilities(page.items, at)
        return Page([_answer(row, able[row.pk]) for row in page.items], page.next, page.previous)


def _answer(row: Professional, able: Ability) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "role": row.role,
        "practice": practice(row.practice),
        "specialties": row.specialties,
        "introduction": row.introduction,
        "accepting": row.accepts_referrals and able.may_accept,
        "credentials": [
            {"kind": held.kind, "title": held.title, "state": held.state} for held in able.valid
        ],
    }
