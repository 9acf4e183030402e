"""`professionals/`: who can be found, and what somebody says of themselves there."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers

from clients import directory, listing
from clients.api.base import Endpoint
from clients.api.people import PracticeShape
from clients.directory import Availability, Entry, listed
from clients.languages import LANGUAGES
from clients.models import Credential, Professional
from clients.models.professional import MOST_PLACES
from clients.specialties import SPECIALTIES
from clients.us_states import US_STATES
from handoff.api.operations import acts, lists, reads
from handoff.api.shapes import Body, ListQuery, Shape
from handoff.core.paging import Page
from handoff.core.policy import Policy

ROLES = [
    (role.value, str(role.label)) for role in (Professional.Role.PT, Professional.Role.TRAINER)
]
STATES = [(code, code) for code in US_STATES]
LANGUAGE_CODES = list(LANGUAGES.items())
SPECIALTY_CODES = list(SPECIALTIES.items())
AVAILABILITIES = [(each.value, each.value) for each in Availability]


class DirectoryQuery(ListQuery):
    role = serializers.ChoiceField(choices=ROLES, required=False)
    q = serializers.CharField(
        required=False, max_length=80, help_text="Words in name, practice or city; all must occur."
    )
    specialty = serializers.CharField(
        required=False, max_length=60, help_text="A code, or a part of how it reads."
    )
    state = serializers.ChoiceField(
        choices=STATES,
        required=False,
        help_text="Where a therapist may treat today, and where a trainer works.",
    )
    language = serializers.ChoiceField(choices=LANGUAGE_CODES, required=False)
    accepting = serializers.BooleanField(
        required=False,
        help_text="Only those who may take a new client now, say so and have a place.",
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
    specialties = serializers.ListField(child=serializers.ChoiceField(choices=SPECIALTY_CODES))
    languages = serializers.ListField(child=serializers.ChoiceField(choices=LANGUAGE_CODES))
    introduction = serializers.CharField(allow_blank=True)
    accepting = serializers.BooleanField(help_text="Takes new clients and has a place.")
    availability = serializers.ChoiceField(choices=AVAILABILITIES)
    credentials = PaperShape(many=True)
    states = serializers.ListField(
        child=serializers.CharField(), help_text="Where a therapist may treat and sign today."
    )
    may = serializers.ListField(child=serializers.CharField(), help_text="In plain words.")
    may_not = serializers.ListField(child=serializers.CharField(), help_text="In plain words.")


class MyListingShape(Shape):
    """What I say of myself in the directory."""

    id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=ROLES)
    in_directory = serializers.BooleanField(help_text="I want to be found.")
    accepts_referrals = serializers.BooleanField()
    open_places = serializers.IntegerField(allow_null=True, help_text="Null: I have not said.")
    specialties = serializers.ListField(child=serializers.ChoiceField(choices=SPECIALTY_CODES))
    languages = serializers.ListField(child=serializers.ChoiceField(choices=LANGUAGE_CODES))
    introduction = serializers.CharField(allow_blank=True)


class ListingBody(Body):
    """What to say from now on; what is left out stays."""

    in_directory = serializers.BooleanField(required=False)
    accepts_referrals = serializers.BooleanField(required=False)
    open_places = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=MOST_PLACES
    )
    specialties = serializers.ListField(
        child=serializers.ChoiceField(choices=SPECIALTY_CODES), required=False, max_length=50
    )
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=LANGUAGE_CODES), required=False, max_length=50
    )
    introduction = serializers.CharField(required=False, allow_blank=True, max_length=600)


class Professionals(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(ProfessionalShape, query=DirectoryQuery, limit="search")
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Therapists and trainers whose papers are checked and who want to be found, by name."""
        at = timezone.now()
        rows = listed(
            at,
            role=query.get("role", ""),
            words=query.get("q", ""),
            specialty=query.get("specialty", ""),
            state=query.get("state", ""),
            language=query.get("language", ""),
            accepting=query.get("accepting", False),
        )
        page = self.rows(rows, query, order=directory.BY_NAME)
        found = directory.entries(page.items, at)
        return Page([_answer(each) for each in found], page.next, page.previous)


class OneProfessional(Endpoint):
    policy = Policy.SIGNED_IN

    @reads(ProfessionalShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """One professional who is in the directory now."""
        return _answer(directory.entry(id, timezone.now()))


class MyListing(Endpoint):
    policy = Policy.PROFESSIONAL

    @reads(MyListingShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """What I say of myself in the directory."""
        return self.show(str(id))

    @acts(MyListingShape, body=ListingBody, repeatable=False)
    def patch(self, body: dict[str, Any], id: UUID) -> UUID:
        """Say something else of myself. Whether my papers are valid is not mine to say."""
        return listing.change(actor=self.actor, professional_id=id, values=body).pk

    def show(self, pk: str) -> dict[str, Any]:
        row = listing.own_one(self.actor, UUID(pk))
        return {name: getattr(row, name) for name in ("id", "role", *sorted(listing.FIELDS))}


def _answer(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "role": entry.role,
        "practice": {
            "id": entry.practice_id,
            "name": entry.practice,
            "kind": entry.practice_kind,
            "city": entry.city,
            "state": entry.state,
        },
        "specialties": [code for code, _ in entry.specialties],
        "languages": [code for code, _ in entry.languages],
        "introduction": entry.introduction,
        "accepting": entry.availability is Availability.OPEN,
        "availability": entry.availability,
        "credentials": [
            {"kind": held.kind, "title": held.title, "state": held.state} for held in entry.papers
        ],
        "states": list(entry.states),
        "may": list(entry.remit.may),
        "may_not": list(entry.remit.may_not),
    }
