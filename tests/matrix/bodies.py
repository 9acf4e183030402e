"""The least that each change has to send so that it is looked at at all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.factories import NOON
from tests.matrix.oracle.answers import Route
from tests.matrix.oracle.people import Who

if TYPE_CHECKING:
    from tests.matrix.scene import Scene

TOMORROW = (NOON + timedelta(days=1)).isoformat()
LIMIT = {
    "kind": "avoid",
    "severity": "must_not",
    "body_region": "shoulder",
    "laterality": "right",
    "patterns": ["push_vertical"],
    "wording": "No pressing overhead.",
    "instead": "Row instead.",
    "review_on": "2027-03-01",
}
SCORE = {"measure": "matrix", "moment": "interim", "value": 30, "taken_on": "2027-01-12"}
PAID = {"payer": "Somebody", "visits_authorized": 12, "visits_used": 2}
BOUGHT = {"provider": "A gym", "sessions_bought": 10, "bought_on": "2027-01-12"}
ANSWERS: dict[str, Any] = {
    "warning": ["none"], "health": ["none"], "body": ["pain"], "injury": "none",
    "goal": "stronger", "active": "yes", "effort": "easy",
}  # fmt: skip
REASON = {"reason_text": "Because."}
STEPS: dict[str, dict[str, Any]] = {
    "ask": {"text": "When?"},
    "answer": {"text": "Then."},
    "decline": {"reason_code": "no_capacity"},
    "schedule": {"first_session_at": TOMORROW},
    "hold": {"reason_code": "client_away"},
    "report": {"observations": "Well."},
    "complete": {"observations": "Well.", "sessions_held": 3},
    "fail": {"reason_code": "not_reached"},
    "cancel": {"reason_code": "client_choice"},
    "enter-in-error": {"reason_code": "duplicate"},
}


def body_for(route: Route, scene: Scene) -> dict[str, Any]:
    """JSON for the API, a form for a page."""
    address = route.address.removeprefix("/api/v1")
    if address == route.address:
        return _form(route, scene)
    ids = {name: str(pk) for name, pk in scene.things.items()}
    tail = address.rstrip("/").rpartition("/")[2]
    trainer = str(scene.professionals[Who.TRAINER].pk)
    match (route.method, address):
        case (_, "/clients/"):
            return {
                "first_name": "Cleo", "last_name": "Quill", "birth_date": "1990-01-01",
                "email": "cleo@example.org", "state": "NY",
            }  # fmt: skip
        case ("PATCH", "/clients/<uuid:id>/"):
            return {"first_name": "Anna"}
        case (_, "/clients/<uuid:id>/invitations/"):
            return {"kind": "client", "email": "cleo@example.org"}
        case (_, "/clients/<uuid:id>/wishes/"):
            return {"professional_id": ids["listing"]}
        case ("PATCH", "/professionals/<uuid:id>/listing/"):
            return {"open_places": 3}
        case (_, "/consents/"):
            return {
                "client": ids["client"], "discloser": str(scene.author.pk), "recipient": trainer,
                "purpose": "To train.", "classes": ["clearance"],
            }  # fmt: skip
        case (_, "/consents/<uuid:id>/grant/"):
            return {"classes": ["clearance"], "expires_on": "2027-06-01"}
        case (_, "/consents/<uuid:id>/renew/"):
            return {"expires_on": "2027-12-01"}
        case (_, "/consents/<uuid:id>/narrow/"):
            return {"classes": ["clearance"]}
        case (_, "/triage/"):
            return {"save_for": ids["client"]}
        case (_, "/episodes/"):
            return {
                "client": ids["client"], "condition": "Knee pain", "body_region": "knee",
                "started_on": "2027-01-01",
            }  # fmt: skip
        case ("PATCH", "/episodes/<uuid:id>/"):
            return {"condition": "Knee pain"}
        case (_, "/episodes/<uuid:id>/coverage/"):
            return PAID
        case (_, "/clients/<uuid:id>/packages/"):
            return BOUGHT
        case (_, "/episodes/<uuid:id>/measurements/"):
            return SCORE
        case (_, "/episodes/<uuid:id>/gates/"):
            return {"test": "Steady on one leg"}
        case (_, "/episodes/<uuid:id>/recurrence/"):
            return {"kind": "late"}
        case (_, "/measurements/"):
            return {**SCORE, "episode": ids["running episode"]}
        case (_, "/discharge-notes/"):
            return {"episode": ids["running episode"]}
        case ("PATCH", "/discharge-notes/<uuid:id>/"):
            return {"revision": 0, "course": "Well."}
        case (_, "/discharge-notes/<uuid:id>/sign/"):
            return {"revision": 0}
        case (_, "/discharge-notes/<uuid:id>/addenda/"):
            return {"text": "One more thing."}
        case (_, "/restrictions/"):
            return {**LIMIT, "episode": ids["running episode"]}
        case ("PATCH", "/restrictions/<uuid:id>/"):
            return {"wording": "No pressing."}
        case (_, "/restrictions/<uuid:id>/revise/"):
            return {"reason": "Stronger.", "wording": "Light pressing."}
        case (_, "/restrictions/<uuid:id>/lift/"):
            return {"reason": "Strong."}
        case (_, "/restrictions/<uuid:id>/acknowledge/"):
            return {"version": 1}
        case (_, "/restrictions/<uuid:id>/request-lift/"):
            return {"text": "May she press?"}
        case (_, "/referrals/"):
            return {"client": ids["client"], "episode": ids["episode"], "recipient": trainer}
        case ("PUT", "/referrals/<uuid:id>/facts/"):
            return {"observations": "It hurts.", "body_region": "knee", "laterality": "left"}
        case (_, "/referrals/<uuid:id>/messages/"):
            return {"text": "When?"}
        case (_, "/referrals/<uuid:id>/reroute/"):
            return {"recipient": str(scene.professionals[Who.OTHERS_TRAINER].pk)}
        case (_, "/reminders/<uuid:id>/snooze/"):
            return {"until": TOMORROW}
    return STEPS.get(tail, {}) if address.startswith("/referrals/") else {}


def _form(route: Route, scene: Scene) -> dict[str, Any]:
    match route.address:
        case "/clients/":
            return {"find": "Ana"}
        case "/directory/<uuid:pk>/wish/":
            return {"client": str(scene.things["client"])}
        case "/triage/":
            return ANSWERS
        case "/triage/save/":
            return {**ANSWERS, "client": str(scene.things["client"])}
        case "/clients/<uuid:pk>/ask/":
            return {"classes": ["note"], "purpose": "To train."}
        case "/consents/<uuid:pk>/view-as/" | "/consents/<uuid:pk>/what-if/":
            return {"classes": ["note"]}
        case "/consents/<uuid:pk>/renew/":
            return {"until": "day", "until_day": "2027-12-01"}
        case "/clients/<uuid:pk>/read/":
            return {"read": [f"{scene.things['restriction']}:1"]}
        case "/episodes/<uuid:episode_id>/coverage/":
            return PAID
        case "/clients/<uuid:pk>/costs/":
            return BOUGHT
        case "/limits/<uuid:pk>/ask/":
            return {"text": "May she press?"}
        case "/referrals/<uuid:pk>/<slug:verb>/":
            return {"reason_code": "client_choice"}
        case "/consents/<uuid:pk>/grant/":
            return {"classes": ["clearance"], "expires_on": "2027-06-01"}
        case "/consents/<uuid:pk>/narrow/":
            return {"classes": ["clearance"]}
        case "/reminders/<uuid:pk>/snooze/":
            return {"days": "1"}
        case _:
            return {}
