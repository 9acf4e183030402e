"""`/profile/`: one's own details, and for professionals how their papers stand."""

from datetime import date
from typing import Any

import pytest
from django.test import Client as Browser

from clients.models import Credential
from tests.factories import NOON, ClientFactory, CredentialFactory, ProfessionalFactory, UserFactory

pytestmark = pytest.mark.django_db
TITLE = "My licences and certificates"


def profile_of(user: Any) -> str:
    browser = Browser()
    browser.force_login(user)
    return browser.get("/profile/").content.decode()


def test_a_professional_sees_what_counts_and_what_does_not(time_machine: Any) -> None:
    time_machine.move_to(NOON)
    user = ProfessionalFactory.create().user
    admin = UserFactory.create(is_staff=True)
    papers: dict[str, dict[str, Any]] = {
        "Valid": {"expires_on": date(2028, 4, 1)},
        "Renewal due": {"expires_on": date(2026, 4, 1)},
        "Being checked": {"expires_on": date(2028, 4, 1), "unverified": True},
        "Withdrawn": {"expires_on": date(2028, 4, 1), "withdrawn_at": NOON, "withdrawn_by": admin},
    }
    for number, fields in enumerate(papers.values()):
        CredentialFactory.create(
            user=user, kind=Credential.Kind.PT_LICENCE, number=f"PT-{number}", **fields
        )
    text = profile_of(user)
    assert TITLE in text
    for number, word in enumerate(papers):
        after = text.split(f"PT-{number}")[1]
        assert word in after.split("</li>")[0]
    assert "Ended on" in text.split("PT-1")[1].split("</li>")[0]


def test_somebody_without_papers_is_not_asked_for_any() -> None:
    assert TITLE not in profile_of(ClientFactory.create().user)
