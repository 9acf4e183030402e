"""The main job through the API alone: a signed discharge reaches the gym floor, with consent.

    make run                        (in another terminal)
    python docs/main_job.py         [http://localhost:8000]

Needs Python 3.11 and nothing else. Speaks as three fictional people of the demo: Jonas, the
client, is discharged by Priya, the therapist; Tom, the trainer, takes him on; Jonas shares three
of seven classes and then stops. It can be run again: each time therapy begins anew.
"""

from __future__ import annotations

import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SITE = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://localhost:8000"
PASSWORD = "handoff-demo"  # noqa: S105 (the fictional people's own, printed by make run)
GRANTED = ["clearance", "contact", "restrictions"]
# A day that is already a whole day old nowhere and has begun everywhere in the United States.
TODAY = (datetime.now(UTC) - timedelta(hours=10)).date()


def day(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


class Refused(Exception):
    """An answer that is no success; carries the problem."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('title')}: {problem.get('detail')} {problem}")
        self.status, self.problem = status, problem


class Person:
    """Somebody of the cast, signed in with a token of their own."""

    def __init__(self, email: str) -> None:
        self.token = ""
        answer = self.post("tokens/", {"email": email, "password": PASSWORD, "name": "main job"})
        self.token, self.token_id = answer["token"], answer["id"]
        self.me = self.get("me/")

    def get(self, path: str) -> Any:
        return self._send("GET", path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._send("POST", path, body or {})

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self._send("PATCH", path, body)

    def delete(self, path: str) -> None:
        self._send("DELETE", path)

    def refused(self, path: str) -> tuple[int, str]:
        """Status and kind of the problem that a GET answers with."""
        try:
            self.get(path)
        except Refused as error:
            return error.status, str(error.problem["type"]).rpartition("#")[2]
        return 200, ""

    def all_of(self, path: str) -> list[dict[str, Any]]:
        """Every row of a list, page by page."""
        found: list[dict[str, Any]] = []
        page = self.get(path)
        while True:
            found += page["results"]
            if page["next"] is None:
                return found
            page = self.get(page["next"].partition("/api/v1/")[2])

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        if method == "POST" and self.token:
            # Should the line break, the same key makes the repetition harmless.
            headers["Idempotency-Key"] = str(uuid.uuid4())
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{SITE}/api/v1/{path}", data, headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310 (the reader's own address)
                text = answer.read()
        except HTTPError as error:
            raise Refused(error.code, json.loads(error.read())) from None
        return json.loads(text) if text else None


def say(text: str) -> None:
    print(f"  {text}")


def expect(fact: bool, text: str) -> None:
    """Say what was found true; end here when it is not."""
    if not fact:
        sys.exit(f"NOT SO: {text}")
    say(f"ok: {text}")


def main() -> None:
    pt, trainer = Person("pt@example.org"), Person("trainer@example.org")
    client = Person("client2@example.org")
    client_id = client.me["client"]["id"]
    record = f"clients/{client_id}/record/"
    print(f"{pt.me['name']}, {trainer.me['name']} and {client.me['name']} are signed in.")
    close_what_is_open(pt, trainer, client, client_id)

    print("The therapist discharges.")
    episode = running_episode(pt, client_id)
    note = sign_discharge(pt, episode)
    say(f"signed by {note['signature']['name']}, licence {note['signature']['licence_number']}")

    print("The therapist chooses a trainer. The client has not been asked yet.")
    work = next(each for each in trainer.me["professionals"] if each["role"] == "trainer")
    found = pt.all_of(f"professionals/?role=trainer&accepting=1&q={trainer.me['name'].split()[-1]}")
    expect(any(each["id"] == work["id"] for each in found), "the trainer stands in the directory")
    referral = pt.post(
        "referrals/",
        {
            "client": client_id,
            "episode": episode,
            "recipient": work["id"],
            "goal": "Swim again by summer",
            "start_from": day(3),
            "start_until": day(24),
        },
    )
    handoff = f"referrals/{referral['id']}/"
    sent = pt.post(f"{handoff}send/")
    expect(sent["state"] == "awaiting_consent", "it waits for the client's yes")
    expect(trainer.refused(handoff)[0] == 404, "for the trainer it does not exist yet")
    expect(trainer.refused(record)[0] == 404, "nor does the client's record")

    print("The client is asked, looks at what would be seen, and shares three of seven classes.")
    consent = f"consents/{sent['consent']}/"
    question = client.get(consent)
    say(f"asked: {question['purpose']}")
    preview = client.get(f"{consent}preview/?classes={','.join(GRANTED)}")
    say(f"preview: {len(preview['restrictions']['items'])} restrictions would be seen")
    answer = client.post(f"{consent}grant/", {"classes": GRANTED, "expires_on": day(180)})
    expect(answer["classes"] == GRANTED, "exactly those three are shared")
    say(f"receipt: {client.get(f'{consent}receipt/')['receipt']['receipt_id']}")

    print("The trainer sees the envelope, accepts, and sees the three classes.")
    waiting = trainer.get(handoff)
    envelope = waiting["envelope"]
    say(f"{envelope['client_name']}, {envelope['goal']!r}, {envelope['clearance_level']}")
    expect(waiting["client"]["id"] is None, "before accepting, nothing but the envelope")
    trainer.post(f"{handoff}view/")
    trainer.post(f"{handoff}accept/")
    seen = trainer.get(record)
    withheld = sorted(name for name, part in seen.items() if part == {"withheld": name})
    expect(len(withheld) == 4, f"four classes say that they are not shared: {', '.join(withheld)}")
    for restriction in seen["restrictions"]["items"]:
        say(f"{restriction['severity']}: {restriction['sentence']}")
        version = {"version": restriction["version"]}
        trainer.post(f"restrictions/{restriction['id']}/acknowledge/", version)
    expect(len(seen["restrictions"]["items"]) == 2, "two restrictions, read and acknowledged")

    print("The client stops sharing.")
    client.post(f"{consent}revoke/")
    after = trainer.get(record)
    expect(
        all(after[name] == {"withheld": name} for name in [*GRANTED, *withheld]),
        "the trainer's very next request shows nothing clinical",
    )
    expect(
        trainer.refused(f"restrictions/?client={client_id}") == (403, "not-shared"),
        "a list that is not shared says so; it is not empty",
    )

    print("The client reads who looked.")
    log = client.get("access-log/?others=1&page_size=100")["results"]
    for entry in reversed(log[:8]):
        parts = ", ".join(entry["shown"]) or "nothing"
        say(f"{entry['at'][:16]}  {entry['who']['name']}: {entry['action']} ({parts})")
    looks = [each for each in log if each["who"]["name"] == trainer.me["name"]]
    expect(
        any(sorted(each["shown"]) == GRANTED for each in looks)
        and any(each["refused"] for each in looks),
        "it lists the trainer's look and the refusals",
    )
    close_what_is_open(pt, trainer, client, client_id)
    for person in (pt, trainer, client):
        person.delete(f"tokens/{person.token_id}/")
    print("Done.")


def running_episode(pt: Person, client_id: str) -> str:
    """The episode under way, or a new one when an earlier run has ended it."""
    active = pt.all_of(f"episodes/?client={client_id}&status=active")
    if active:
        return str(active[0]["id"])
    opened = pt.post(
        "episodes/",
        {
            "client": client_id,
            "condition": "Right shoulder stiff again after a fall",
            "body_region": "shoulder",
            "laterality": "right",
            "mechanism": "Fell from a bicycle",
            "started_on": day(-30),
            "last_visit_on": day(-1),
            "visits_completed": 9,
        },
    )
    return str(opened["id"])


def sign_discharge(pt: Person, episode: str) -> dict[str, Any]:
    """Scores, restrictions and note of an episode, then the signature."""
    started = pt.get(f"episodes/{episode}/")["started_on"]
    measured = pt.all_of(f"measurements/?episode={episode}")
    have = {each["moment"] for each in measured if each["measure"] == "nprs"}
    for moment, value, taken_on in (("start", 6, started), ("discharge", 1, day(0))):
        if moment not in have:
            body = {"measure": "nprs", "moment": moment, "value": value, "taken_on": taken_on}
            pt.post(f"episodes/{episode}/measurements/", body)
    for draft in pt.all_of(f"restrictions/?episode={episode}&status=draft"):
        pt.delete(f"restrictions/{draft['id']}/")
    for restriction in RESTRICTIONS:
        pt.post("restrictions/", {"episode": episode, "review_on": day(56), **restriction})
    note = pt.post("discharge-notes/", {"episode": episode})
    address = f"discharge-notes/{note['id']}/"
    say(f"a draft; still missing: {', '.join(note['missing'])}")
    dates = {"discharge_on": day(0), "first_visit_on": started, "last_visit_on": day(-1)}
    note = pt.patch(address, {"revision": note["revision"], **dates, **NOTE})
    expect(note["missing"] == {}, "nothing is missing for the signature")
    body = {"revision": note["revision"], "seen": note["fingerprint"]}
    signed: dict[str, Any] = pt.post(f"{address}sign/", body)
    return signed


def close_what_is_open(pt: Person, trainer: Person, client: Person, client_id: str) -> None:
    """End what this or an earlier run left open: sharing, handoffs, and the limits."""
    ids = {each["id"] for each in trainer.me["professionals"]}
    for consent in client.all_of("consents/"):
        if consent["state"] == "active" and consent["recipient"]["id"] in ids:
            client.post(f"consents/{consent['id']}/revoke/")
    for referral in pt.all_of(f"referrals/?box=out&open=1&client={client_id}"):
        if referral["recipient"]["id"] not in ids:
            continue
        address = f"referrals/{referral['id']}/"
        if "cancel" in pt.get(address)["actions"]:
            referral = pt.post(f"{address}cancel/", {"reason_code": "no_longer_needed"})
        if referral["state"] == "cancel_requested":
            trainer.post(f"{address}confirm-cancel/")
    for restriction in pt.all_of(f"restrictions/?client={client_id}"):
        # Time lifts none; the therapist's signature does.
        body = {"reason": "Seen again, strong enough now.", "version": restriction["version"]}
        pt.post(f"restrictions/{restriction['id']}/lift/", body)


RESTRICTIONS: list[dict[str, Any]] = [
    {
        "kind": "avoid",
        "severity": "must_not",
        "body_region": "shoulder",
        "laterality": "right",
        "patterns": ["push_vertical", "hang"],
        "wording": "No pressing overhead and no hanging.",
        "rationale": "End range is not strong enough yet.",
        "instead": "Push-ups on the wall, rows with a band.",
        "criteria": [{"kind": "pt_review"}],
    },
    {
        "kind": "limit_load",
        "severity": "limit",
        "body_region": "shoulder",
        "laterality": "right",
        "patterns": ["carry"],
        "comparator": "le",
        "value": 10,
        "unit": "kg",
        "wording": "Carrying with the right arm: at most 10 kg.",
        "criteria": [
            {"measure": "Carry, right arm", "comparator": "ge", "value": 15, "unit": "kg"}
        ],
    },
]
NOTE: dict[str, Any] = {
    "discharge_type": "full",
    "reason": "goals_met",
    "visits_completed": 12,
    "diagnosis": "Right shoulder stiffness after a fall.",
    "course": "Manual therapy, then range and strength work.",
    "pain_now": 1,
    "pain_worst": 3,
    "pain_best": 0,
    "functional_level": "Reaches the top shelf, sleeps through.",
    "home_programme": "Band rows and wall slides, three times a week.",
    "follow_up": "Strength with a trainer for three months.",
    "trainer_referral": "yes",
    "clearance": "cleared_with_restrictions",
    "restrictions_decision": "listed",
    "flare_up_plan": "Two quiet days, then half the load for a week.",
    "return_criteria": "Pain above 5 that stays a second night.",
    "goals": [{"text": "Reach the top shelf without pain", "outcome": "met"}],
}


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        sys.exit(f"REFUSED: {error}")
    except OSError as error:
        sys.exit(f"No answer from {SITE}: {error}. Is `make run` on?")
