"""People as answers name them: who somebody is to others, nothing about anybody's health."""

from typing import Any

from rest_framework import serializers

from clients.models import Client, Practice, Professional
from handoff.api.shapes import Shape
from handoff.core.actors import Role


class PracticeShape(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Practice.Kind.choices)
    city = serializers.CharField(allow_blank=True)
    state = serializers.CharField()


class ProfessionalBriefShape(Shape):
    """A professional, where another thing names them."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Professional.Role.choices)
    practice = serializers.CharField()


class ClientBriefShape(Shape):
    """A client, where another thing names them. `id` is null before a recipient accepted."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


ROLES = [(role.value, role.value) for role in Role if role is not Role.SYSTEM]


def practice(row: Practice) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "city": row.city,
        "state": row.state,
    }


def professional_brief(row: Professional) -> dict[str, Any]:
    """Takes a row with its user and practice."""
    return {
        "id": row.pk,
        "name": row.name,
        "role": row.role,
        "practice": row.practice.name,
    }


def client_brief(row: Client) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name}
