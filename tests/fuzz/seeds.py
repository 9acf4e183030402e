"""Rows for every kind of address, in the states its verbs need, and the description that knows
their ids: a generator that only ever meets 404 proves nothing."""

from __future__ import annotations

import base64
import copy
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from clients import invitations
from clients.scopes import Scope
from handoff.core import tokens
from handoff.core.actors import Actor
from handoff.core.files.accepting import Accepted
from handoff.core.files.kinds import Kind
from referrals import care, gates, letters, screenings, wishes
from referrals.models import Letter, Package, Referral
from referrals.states import EDGES, State
from tests.api.client import PREFIX, Api, description
from tests.api.conftest import World
from tests.api.test_lists import reminder
from tests.core.uploaded import paper
from tests.factories import (
    NOON,
    PASSWORD,
    EpisodeFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    asked_consent,
    certified_trainer,
    signed_note,
)
from tests.referrals.scenes import NO_PRESSING

NOBODYS: Final = "00000000-0000-4000-8000-000000000000"
IDENTITIES: Final = ("client", "pt", "trainer")
LETTER: Final = Accepted(Kind.PDF, b"%PDF- a letter\n%%EOF")

# What the rules want and a shape cannot say.
FITTING: Final[dict[str, Any]] = {
    "expires_on": "2027-07-01",
    "first_session_at": (NOON + timedelta(days=2)).isoformat(),
    "until": (NOON + timedelta(days=2)).isoformat(),
    "review_on": "2027-03-01",
    "started_on": "2026-09-01",
    "taken_on": "2027-01-12",
    "birth_date": "1990-05-04",
    "email": "somebody.new@example.org",
    "measure": "probe",
    "moment": "interim",
    "value": 3,
    "version": 1,
}
# What only some kinds of a thing need, so that the description cannot demand it.
BESIDES: Final[dict[str, tuple[str, ...]]] = {"ReferralRequest": ("episode", "recipient")}
# Bodies the rules take, whole: a limit is right only as all of its parts together.
WHOLE: Final[dict[str, dict[str, Any]]] = {
    "RestrictionRequest": dict(NO_PRESSING),
    "RestrictionFieldsRequest": {"instead": "Row instead.", "review_on": "2027-03-01"},
    "ReviseRequest": {"reason": "Looked at again.", "review_on": "2027-04-01"},
    "GateRequest": {"test": "Steady on one leg"},
    "RewriteRequest": {"observations": "It hurts.", "body_region": "knee", "laterality": "left"},
    "EpisodeChangeRequest": {"mechanism": "A fall."},
    "NoteChangeRequest": {"course": "In three phases."},
    "LetterRequest": {
        "dated_on": "2027-01-04",
        "file_name": "letter.pdf",
        "media_type": "application/pdf",
        "content": base64.b64encode(paper()).decode(),
    },
    "CoverageRequest": {"payer": "Somebody", "visits_authorized": 12},
    "PackageRequest": {"provider": "A gym", "sessions_bought": 10},
    "GrantRequest": {"classes": ["clearance"], "expires_on": "2027-07-01"},
    "ConfirmRequest": {"password": PASSWORD},
    "MeRequest": {"first_name": "Ana"},
    "OwnDataRequest": {"first_name": "Ana"},
    "EpisodeRequest": {
        "condition": "Knee",
        "body_region": "knee",
        "laterality": "left",
        "started_on": "2026-12-01",
    },
}


class Seeded(World):
    """The scene with a row in every state; who speaks is chosen by `api_of`."""

    def __init__(self) -> None:
        super().__init__()
        self.signed()
        self.share(*Scope, state=State.IN_PROGRESS)
        self.other_trainer = certified_trainer()
        self.question = asked_consent(
            client=self.client, discloser=self.pt, recipient=self.other_trainer
        )
        # A therapy that still runs, with everything in draft.
        self.running = EpisodeFactory.create(
            client=self.client, pt=self.pt, recurrence_of=self.episode
        )
        finished, self.episode = self.episode, self.running
        self.draft = self.ready()
        self.episode = finished
        self.drafted = RestrictionFactory.create(episode=self.running)
        RestrictionVersionFactory.create(restriction=self.drafted, draft=True)
        self.score = care.record_measurement(
            actor=self.as_pt,
            episode_id=self.running.pk,
            measure="probe",
            moment="interim",
            value=30,
            taken_on=NOON.date(),
            at=NOON,
        )
        self.gate = gates.add_gate(
            actor=self.as_pt, episode_id=self.running.pk, data={"test": "Hop"}, at=NOON
        )
        self.fresh = EpisodeFactory.create(client=self.newcomer, pt=self.pt)
        self.invitation = invitations.invite_existing_record(
            actor=self.as_pt, client_id=self.newcomer.pk, email="new@example.org", at=NOON
        )
        self.by_state = {state: self._referral(state) for state in State}
        self.reminders = {
            who: self._reminder(getattr(self, who), number) for number, who in enumerate(IDENTITIES)
        }

        # Each is removed by whoever handed it in; the trainer's side has none.
        self.wish = wishes.wish(
            actor=self.as_client, client_id=self.client.pk, professional_id=self.trainer.pk, at=NOON
        )
        self.letters = {
            "client": self._letter(self.as_client),
            "pt": self._letter(self.as_pt),
        }
        self.letters["trainer"] = self.letters["client"]
        self.package = Package.objects.create(
            client=self.client, provider="A gym", sessions_bought=10, bought_on=NOON.date()
        )
        self.screenings = [
            screenings.save(
                actor=self.as_client, client_id=self.client.pk, answers={"pain": "yes"}, at=NOON
            )
            for _ in range(2)
        ]

    def api_of(self, who: str) -> Api:
        api: Api = getattr(self, f"{who}_api")
        return api

    def _letter(self, actor: Actor) -> Letter:
        values = {
            "pt": str(self.pt.pk),
            "kind": "findings",
            "author": "Dr. Probe",
            "dated_on": NOON.date(),
        }
        return letters.hand_in(
            actor=actor, client_id=self.client.pk, values=values, letter=LETTER, at=NOON
        )

    def _referral(self, state: State) -> Referral:
        """One found in this state, of a client of its own, signed and with nothing to read."""
        episode = EpisodeFactory.create(pt=self.pt, status="finished", ended_on=NOON.date())
        note = signed_note(episode=episode)
        return ReferralFactory.create(
            client=episode.client,
            episode=episode,
            note=note,
            sender=self.pt,
            recipient=self.trainer,
            state=state,
            sent_at=None if state is State.DRAFT else NOON,
            first_session_at=NOON + timedelta(days=1),
        )

    def _reminder(self, who: Any, number: int) -> UUID:
        row = reminder(self, self.referral)
        row.recipient = who.user
        row.occurrence_key = f"seeded-{number}"
        row.save()
        return UUID(str(row.pk))


def token_of(api: Api) -> tuple[str, str]:
    """A token to speak with, and the id of another to look at and to end."""
    _, secret = tokens.issue(user_id=api.account.pk, name="speaks", second_factor=True)
    other, _ = tokens.issue(user_id=api.account.pk, name="is looked at")
    return secret, str(other.pk)


def described(seeded: Seeded, who: str, token: str) -> dict[str, Any]:
    """The committed description, with our ids beside "any UUID"."""
    raw = copy.deepcopy(description())
    areas = _ids_by_area(seeded, who, token)
    for path, methods in raw["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                known = _ids_for(seeded, areas, path, parameter)
                if known:
                    # A choice beside "any UUID" would be simplified to "any UUID" again.
                    parameter["schema"] = {"type": "string", "enum": [*known, NOBODYS]}
            # Sessions are for pages; here everybody speaks by token.
            operation["security"] = [
                each for each in operation.get("security", ()) if "cookieAuth" not in each
            ]
    raw["components"]["securitySchemes"].pop("cookieAuth")
    ids = _ids_by_key(seeded)
    for name, shape in raw["components"]["schemas"].items():
        if name.endswith("Request"):
            for key, schema in shape["properties"].items():
                if key in ids and schema.get("format") == "uuid":
                    shape["properties"][key] = {"type": "string", "enum": [*ids[key], NOBODYS]}
    return raw


def fitting_body(seeded: Seeded, raw: dict[str, Any], operation: Any) -> dict[str, Any] | None:
    """A body that the rules may well take; None where the operation has none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    name = content["schema"]["$ref"].rsplit("/", 1)[1]
    shapes = raw["components"]["schemas"]
    body = {
        key: FITTING[key] if key in FITTING else _first(shapes, shapes[name]["properties"][key])
        for key in (*shapes[name].get("required", ()), *BESIDES.get(name, ()))
    }
    if name == "TriageRequest":  # advice is for everybody; keeping it is for who is known
        body |= {"save_for": str(seeded.client.pk)}
    if "revision" in body:
        body |= {"revision": seeded.draft.revision}
    return {**body, **WHOLE.get(name, {})}


def _first(shapes: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The first value that a schema names, or plain words."""
    if "$ref" in schema:
        return _first(shapes, shapes[schema["$ref"].rsplit("/", 1)[1]])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _first(shapes, schema[several][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [_first(shapes, schema["items"])]
    return "Words."


def _ids_by_key(seeded: Seeded) -> dict[str, list[Any]]:
    """Keys of bodies that hold an id or a number only the server knows."""
    return {
        "client": [str(seeded.client.pk)],
        "save_for": [str(seeded.client.pk)],
        "episode": [str(seeded.running.pk), str(seeded.fresh.pk), str(seeded.episode.pk)],
        "recipient": [str(seeded.other_trainer.pk), str(seeded.trainer.pk)],
        "discloser": [str(seeded.pt.pk)],
        "therapist_id": [str(seeded.pt.pk)],
        "professional_id": [str(seeded.other_trainer.pk)],
        "recurrence_of": [str(seeded.episode.pk)],
    }


def _ids_by_area(seeded: Seeded, who: str, token: str) -> dict[str, list[str]]:
    """The first word of an address -> ids that stand behind it."""
    avoid, load = seeded.restriction("avoid"), seeded.drafted
    return {
        "clients": [str(seeded.client.pk), str(seeded.newcomer.pk)],
        "consents": [str(seeded.consent.pk), str(seeded.question.pk)],
        "discharge-notes": [
            *(str(pk) for pk in seeded.episode.notes.values_list("pk", flat=True)),
            str(seeded.draft.pk),
        ],
        "episodes": [str(seeded.running.pk), str(seeded.episode.pk), str(seeded.fresh.pk)],
        "letters": [str(seeded.letters[who].pk), str(seeded.letters["pt"].pk)],
        "gates": [str(seeded.gate.pk)],
        "measurements": [str(seeded.score.pk)],
        "packages": [str(seeded.package.pk)],
        "professionals": [str(seeded.pt.pk), str(seeded.trainer.pk)],
        "referrals": [str(seeded.referral.pk)],
        "wishes": [str(seeded.wish.pk)],
        "reminders": [str(seeded.reminders[who])],
        "restrictions": [str(avoid.pk), str(load.pk)],
        "screenings": [str(each.pk) for each in seeded.screenings],
        "tokens": [token],
    }


def _ids_for(
    seeded: Seeded, areas: dict[str, list[str]], path: str, parameter: dict[str, Any]
) -> list[Any]:
    name, place = parameter["name"], parameter["in"]
    area, _, rest = path.removeprefix(PREFIX).partition("/")
    if place == "query":
        known = {"client": areas["clients"], "client_id": areas["clients"]}
        return list(({**known, "episode": areas["episodes"]}).get(name, ()))
    if place != "path":
        return []
    if name == "invitation":
        return [str(seeded.invitation.pk)]
    if "invitations" in rest:
        return [str(seeded.newcomer.pk)]
    verb = rest.removeprefix("{id}/").strip("/")
    sources = {edge.source for edge in EDGES if edge.verb.value == verb}
    if area == "referrals" and sources:
        return [str(seeded.by_state[state].pk) for state in State if state in sources]
    return areas[area]
