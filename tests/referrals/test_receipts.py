"""The files of a receipt: what they must name, and that odd names break neither."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pypdf import PdfReader

from clients import scopes
from clients.models import ConsentEvent, User
from clients.receipts import receipt_for
from clients.scopes import Scope, notice
from handoff.core.errors import Stale
from handoff.embedded import BASE_DIR
from referrals import receipts, sharing
from tests.factories import NOON, GuardianshipFactory, acting, asked_consent, granted_consent
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db
ZONE = "America/New_York"


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    scene.share(Scope.CLEARANCE, Scope.CONTACT)
    return scene


def held_by(scene: Therapy) -> dict[str, Any]:
    return receipts.as_data(receipt_for(scene.consent))


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (BASE_DIR / "docs" / "consent-receipt.schema.json").read_text()
    )
    return found


def complaints(held: object) -> list[str]:
    Draft202012Validator.check_schema(schema())
    checks = FormatChecker(["uuid"])
    return [
        each.message
        for each in Draft202012Validator(schema(), format_checker=checks).iter_errors(held)
    ]


def leaves(held: object) -> Iterator[object]:
    """Every single value in a tree of plain values."""
    if isinstance(held, dict):
        for each in held.values():
            yield from leaves(each)
    elif isinstance(held, list):
        for each in held:
            yield from leaves(each)
    else:
        yield held


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def printed(scene: Therapy) -> str:
    paper = receipts.as_pdf(receipt_for(scene.consent), zone=ZONE)
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages)


def test_it_names_all_that_the_law_asks_for(scene: Therapy) -> None:
    held = held_by(scene)
    assert complaints(held) == []
    notice_held = held["pii_processing"]["privacy_notice"]
    assert (notice_held["version"], notice_held["sha256"]) == (notice().version, notice().digest())
    purpose = held["pii_processing"]["purposes"][0]
    assert purpose["jurisdiction"] == "US-NY"
    assert purpose["valid_from"] == "2027-01-13T17:00:00Z"
    assert [each["pii_type"] for each in purpose["pii_information"]] == ["clearance", "contact"]
    assert purpose["pii_controllers"] == [str(scene.pt.pk)]
    assert purpose["recipient_third_parties"] == [str(scene.trainer.pk)]
    assert {each["party_id"]: each["party_role"] for each in held["party_identification"]} == {
        str(scene.client.pk): "pii_principal",
        str(scene.pt.pk): "pii_controller",
        str(scene.trainer.pk): "recipient",
    }
    assert "HIPAA" in notice_held["text"]["redisclosure"]
    entries = ConsentEvent.objects.order_by("number")
    assert [(each["event_state"], each["evidence"]) for each in held["events"]] == [
        (state, {"ledger": "consent", "number": entry.number, "hash": entry.hash})
        for state, entry in zip(["requested", "given"], entries, strict=True)
    ]


@pytest.mark.parametrize("path", ["receipt", "record", "pii_processing", "events"])
def test_the_schema_can_complain(scene: Therapy, path: str) -> None:
    held = held_by(scene)
    del held[path]
    assert complaints(held)
    assert complaints(held_by(scene) | {"extra": 1})


def test_every_kind_of_entry_has_a_state(scene: Therapy) -> None:
    sharing.narrow(
        actor=scene.as_client, consent_id=scene.consent.pk, classes=[Scope.CLEARANCE], at=NOON
    )
    sharing.revoke(actor=scene.as_client, consent_id=scene.consent.pk, at=NOON)
    held = held_by(scene)
    assert complaints(held) == []
    assert [each["event_state"] for each in held["events"]] == [
        *("requested", "given", "given", "withdrawn"),
    ]
    assert set(receipts.STATES) == set(ConsentEvent.Kind)


def test_the_paper_says_the_same(scene: Therapy) -> None:
    """Every text, id, number and hash of the file stands on the paper; moments stand there in the
    client's own time."""
    sharing.narrow(
        actor=scene.as_client, consent_id=scene.consent.pk, classes=[Scope.CLEARANCE], at=NOON
    )
    paper = squeezed(printed(scene))
    held = held_by(scene)
    for each in leaves(held):
        if each is None or each in ("pii_principal", "pii_controller", "recipient", "health"):
            continue
        if isinstance(each, str) and re.fullmatch(r"[0-9-]{10}T[0-9:.]+Z", each):
            local = datetime.fromisoformat(each).astimezone(ZoneInfo(ZONE))
            if local.time() == time(0):
                local -= timedelta(days=1)
            each = f"{local.day} {local:%b %Y}"
        assert squeezed(str(each)) in paper, each


def test_an_old_consent_keeps_the_words_it_was_agreed_in(
    scene: Therapy, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, paper = held_by(scene), printed(scene)
    newer = replace(notice(), version="2099-01", redisclosure="Other words.", purpose="Anew.")
    monkeypatch.setattr(scopes, "NOTICES", {**scopes.NOTICES, newer.version: newer})
    monkeypatch.setattr(scopes, "NOTICE_VERSION", newer.version)
    assert held_by(scene) == before
    assert printed(scene) == paper
    assert "Other words." not in paper
    asked = granted_consent(client=scene.client, discloser=scene.pt, recipient=scene.trainer)
    fresh = receipts.as_data(receipt_for(asked))["pii_processing"]["privacy_notice"]
    assert fresh["text"]["redisclosure"] == "Other words."
    assert (fresh["version"], fresh["sha256"]) == ("2099-01", newer.digest())


def test_the_last_day_is_that_of_the_client(scene: Therapy) -> None:
    receipt = receipt_for(scene.consent)
    assert receipts.last_day(receipt, ZONE) == NOON.date() + timedelta(days=180)


def test_in_force_until_something_comes_after(scene: Therapy) -> None:
    receipt = receipt_for(scene.consent)
    assert receipts.is_in_force(receipt, NOON)
    assert not receipts.is_in_force(receipt, receipt.expires_at)
    sharing.narrow(
        actor=scene.as_client, consent_id=scene.consent.pk, classes=[Scope.CLEARANCE], at=NOON
    )
    narrowed = receipt_for(scene.consent)
    assert receipts.is_in_force(narrowed, NOON)
    assert receipts.receipt_number(narrowed) != receipts.receipt_number(receipt)
    assert [line.scope for line in narrowed.classes] == [Scope.CLEARANCE]
    sharing.revoke(actor=scene.as_client, consent_id=scene.consent.pk, at=NOON)
    assert not receipts.is_in_force(receipt_for(scene.consent), NOON)


def test_a_guardian_signs_as_one() -> None:
    scene = Therapy()
    scene.client.birth_date = date(2011, 6, 1)
    scene.client.save()
    guardian = GuardianshipFactory.create(client=scene.client).user
    asked = asked_consent(client=scene.client, discloser=scene.pt, recipient=scene.trainer)
    with pytest.raises(Stale):
        receipt_for(asked)
    sharing.grant(
        actor=acting(guardian),
        consent_id=asked.pk,
        classes=[Scope.CLEARANCE],
        expires_on=date(2027, 3, 1),
        at=NOON,
    )
    receipt = receipt_for(asked)
    assert receipts.authority_words(receipt) == "parent or guardian, authority checked"
    entity = receipts.as_data(receipt)["events"][-1]["entity"]
    assert entity == {
        "entity_id": str(guardian.pk),
        "name": guardian.name,
        "authority": "guardian",
    }


@pytest.mark.parametrize(
    "name",
    [
        "<b>Bold</b> & <script>alert(1)</script>",
        "Łukasz Řehoř Nguyễn",
        "王小明",
        "עברית",
        "O'Brien \u202e\U0001f3cb",
        "</para><para>",
    ],
)
def test_any_name_can_be_printed(scene: Therapy, name: str) -> None:
    User.objects.filter(pk=scene.trainer.user_id).update(first_name=name)
    scene.consent.recipient.user.refresh_from_db()
    receipt = receipt_for(scene.consent)
    assert receipts.as_pdf(receipt, zone=ZONE).startswith(b"%PDF-")
    held = receipts.as_data(receipt)
    assert held["party_identification"][2]["party_name"].startswith(name)
    assert complaints(held) == []
