"""The script a reader runs against `make run`, run against a real server with the demo's people."""

import subprocess
import sys
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from clients.models import AccessEntry
from handoff import demo_cast
from handoff.core.tokens import ApiToken
from handoff.embedded import BASE_DIR
from referrals.models import DischargeNote, Referral
from referrals.states import State

SCRIPT = BASE_DIR / "docs" / "main_job.py"


@pytest.fixture
def noon() -> None:
    """The demo lies around today, and the script lives there: no other clock."""


def run(address: str) -> subprocess.CompletedProcess[str]:
    # -I: nothing but the standard library, wherever this runs.
    command = [sys.executable, "-I", str(SCRIPT), address]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


@pytest.mark.django_db(transaction=True)
def test_the_script_walks_the_main_job_and_can_be_run_again(
    live_server: LiveServer, settings: Any
) -> None:
    settings.SECOND_FACTOR_DEMANDED = False  # it walks the demo, which asks nobody for one
    demo_cast.load(timezone.now())
    for round_ in (1, 2):
        done = run(live_server.url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.endswith("Done.\n")
        assert "NOT SO" not in done.stdout
        signed = DischargeNote.objects.filter(
            episode__client__user__email="client2@example.org", signed_at__isnull=False
        )
        assert signed.count() == round_
    walked = Referral.objects.filter(client__user__email="client2@example.org")
    assert {each.state for each in walked} == {State.CANCELLED}
    assert AccessEntry.objects.filter(channel="api", action="refused").exists()
    assert not ApiToken.objects.filter(revoked_at__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_the_script_says_what_was_refused(live_server: LiveServer) -> None:
    refused = run(live_server.url)  # nobody is there to sign in
    assert refused.returncode == 1
    assert "REFUSED: 401" in refused.stderr


def test_the_script_says_when_nobody_answers() -> None:
    silent = run("http://127.0.0.1:9")
    assert silent.returncode == 1
    assert "make run" in silent.stderr
