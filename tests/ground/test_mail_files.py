"""In demo mode each message is one file, complete as soon as it has its name."""

import stat
from email import message_from_bytes, policy
from pathlib import Path

from django.core.mail import EmailMessage
from pytest_django import Settings

from handoff.core.mail_files import EmailBackend


def test_each_message_becomes_one_readable_file(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "var" / "mail"
    settings.EMAIL_FILE_PATH = str(folder)
    messages = [
        EmailMessage("You have an update", f"Nummer {n}: grüß Gott", "a@x.example", ["b@x.example"])
        for n in (1, 2)
    ]
    assert EmailBackend().send_messages(messages) == 2
    files = sorted(folder.iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    first = message_from_bytes(files[0].read_bytes(), policy=policy.default)
    assert first["Subject"] == "You have an update"
    assert first["To"] == "b@x.example"
    assert first.get_content().strip() == "Nummer 1: grüß Gott"
