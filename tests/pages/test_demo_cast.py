"""The demo cast loads with the real verbs, once, and every one of them can begin."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from clients.models import AccessEntry, User
from handoff.core.audit import AuditEntry
from handoff.web.demo import LOGINS
from referrals.models import DischargeNote, Referral
from referrals.states import State

pytestmark = pytest.mark.django_db


def test_every_demo_person_exists_and_their_first_page_loads() -> None:
    call_command("demo")
    assert {each.email for each in LOGINS} == set(
        User.objects.filter(email__endswith="@example.org", password__gt="").values_list(
            "email", flat=True
        )
    )
    for login in LOGINS:
        browser = Browser()
        assert browser.login(email=login.email, password="handoff-demo")
        answer = browser.get("/home/", follow=True)
        assert answer.status_code == 200, login.email


def test_the_cast_stands_in_every_stage_of_the_journey() -> None:
    call_command("demo")
    assert set(Referral.objects.values_list("state", flat=True)) == {
        State.AWAITING_CONSENT,
        State.IN_PROGRESS,
    }
    assert DischargeNote.objects.filter(signed_at__isnull=True).count() == 1
    assert DischargeNote.objects.filter(signed_at__isnull=False).count() == 3


def test_who_trains_has_looks_to_look_up_and_nobody_else_has() -> None:
    call_command("demo")
    tom = User.objects.get(email="trainer@example.org")
    assert set(AccessEntry.objects.values_list("client__user__email", "actor_id")) == {
        ("client3@example.org", tom.pk)
    }
    call_command("verify_ledger")


def test_loading_twice_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo")
    before = AuditEntry.objects.count()
    call_command("demo")
    assert AuditEntry.objects.count() == before
    assert "already" in capsys.readouterr().out


def test_the_demo_is_for_demo_mode_only(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError):
        call_command("demo")
    assert not User.objects.exists()
