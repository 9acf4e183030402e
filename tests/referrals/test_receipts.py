"""The files of a receipt: what they must name, and that odd names break neither."""

import json
from datetime import date, timedelta

import pytest

from clients.models import ConsentEvent, User
from clients.receipts import receipt_for
from clients.scopes import Scope, notice
from handoff.core.errors import Stale
from referrals import receipts, sharing
from tests.factories import NOON, GuardianshipFactory, acting, asked_consent
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db
ZONE = "America/New_York"


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    scene.share(Scope.CLEARANCE, Scope.CONTACT)
    return scene


def test_it_names_all_that_the_law_asks_for(scene: Therapy) -> None:
    held = receipts.as_data(receipt_for(scene.consent))
    required = {
        *("schema", "receipt_id", "consent_id", "language", "jurisdiction", "principal"),
        *("controller", "recipients", "purposes", "data_classes", "granted_by", "authority"),
        *("collection_method", "valid_from", "expires_at", "notice", "withdrawal"),
        *("conditions", "redisclosure", "events"),
    }
    assert set(held) == required
    assert all(held[name] for name in required)
    assert held["notice"] == {"version": notice().version, "sha256": notice().digest()}
    assert held["jurisdiction"] == "US-NY"
    assert held["valid_from"] == "2027-01-13T17:00:00Z"
    assert "HIPAA" in held["redisclosure"]
    entries = ConsentEvent.objects.order_by("number")
    assert [event["hash"] for event in held["events"]] == [entry.hash for entry in entries]
    json.dumps(held)


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
    assert receipts.as_data(receipt)["granted_by"] == guardian.name


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
    assert receipts.as_data(receipt)["recipients"][0]["name"].startswith(name)
