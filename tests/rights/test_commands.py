"""The commands of rights: what they print, and that telling writes nothing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from clients.models import Erasure, RecordRetention
from clients.scopes import Scope
from handoff.core.audit import AuditEntry
from referrals.rights import erasure
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    scene.signed()
    scene.share(Scope.RESTRICTIONS)
    return scene


def test_a_dry_run_tells_table_by_table_and_writes_nothing(
    scene: Therapy, capsys: pytest.CaptureFixture[str]
) -> None:
    trail = AuditEntry.objects.count()
    call_command("erase_client", str(scene.client.pk), "--dry-run")
    told = capsys.readouterr().out
    lines = {line.split()[0]: line.split()[1:3] for line in told.splitlines() if "_" in line}
    assert lines["referrals_episode"] == ["1", "held"]
    assert lines["clients_accessentry"] == ["0", "kept"]
    assert lines["account_emailaddress"] == ["1", "goes"]
    assert f"kept until {erasure.held_until(scene.client)}" in told
    assert "Nobody asked for it." in told
    assert scene.client.name not in told
    assert scene.episode.condition not in told
    assert (AuditEntry.objects.count(), Erasure.objects.count()) == (trail, 0)


def test_it_erases_what_was_asked_for_and_due(
    scene: Therapy, capsys: pytest.CaptureFixture[str]
) -> None:
    pk = str(scene.client.pk)
    with pytest.raises(CommandError, match="Nobody asked"):
        call_command("erase_client", pk)
    call_command("erase_client", pk, "--on-paper")
    assert "It can be done from" in capsys.readouterr().out
    with pytest.raises(CommandError, match="not over"):
        call_command("erase_client", pk)
    row = Erasure.objects.get()
    row.cancelled_at = datetime.now(UTC)
    row.save()
    erasure.ask_on_paper(client_id=scene.client.pk, at=datetime.now(UTC) - timedelta(days=8))
    call_command("erase_client", pk)
    assert "is kept until" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no such client"):
        call_command("erase_client", str(uuid4()))


def test_periods_are_shown_and_set(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("record_period")
    assert "NY  6 years, a minor's until 22  8 NYCRR 29.2(a)(3)" in capsys.readouterr().out
    call_command("record_period", "TX", "--years", "7", "--source", "Where it says so")
    assert RecordRetention.objects.get(pk="TX").years == 7
    for words, match in (
        (("Texas", "--years", "7", "--source", "x"), "two capital letters"),
        (("TX", "--years", "7"), "--source"),
        (("TX", "--source", "x"), "--years"),
    ):
        with pytest.raises(CommandError, match=match):
            call_command("record_period", *words)
    with pytest.raises(CommandError, match="1 to 100"):
        call_command("record_period", "TX", "--years", "0", "--source", "x")
