"""Secrets at rest: under the newest key, readable under every known one, and changed by naming."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.db import connection

from clients import at_rest
from handoff.core import ciphers
from tests.factories import UserFactory

OLD = "an older key of more than fifty characters, 0123456789 abcdef"
NEW = "a newer key of more than fifty characters, 9876543210 fedcba"


def only(settings: Any, key: str, *fallbacks: str) -> None:
    settings.FIELD_KEY, settings.FIELD_KEY_FALLBACKS = key, list(fallbacks)


def test_what_goes_in_comes_out_and_looks_different_each_time() -> None:
    once, again = ciphers.encrypt("JBSWY3DPEHPK3PXP"), ciphers.encrypt("JBSWY3DPEHPK3PXP")
    assert once != again
    assert "JBSWY3DPEHPK3PXP" not in once
    assert ciphers.decrypt(once) == ciphers.decrypt(again) == "JBSWY3DPEHPK3PXP"
    assert ciphers.is_encrypted(once)
    assert not ciphers.is_encrypted("JBSWY3DPEHPK3PXP")


def test_an_older_key_still_reads_and_the_newest_writes(settings: Any) -> None:
    only(settings, OLD)
    stored = ciphers.encrypt("seed")
    only(settings, NEW, OLD)
    assert ciphers.decrypt(stored) == "seed"
    fresh = ciphers.encrypt("seed")
    only(settings, NEW)
    assert ciphers.decrypt(fresh) == "seed"
    with pytest.raises(ciphers.Unreadable):
        ciphers.decrypt(stored)


@pytest.mark.parametrize("broken", ["", "JBSWY3DPEHPK3PXP", "gAAAAAnonsense", "\ud800"])
def test_what_is_no_secret_of_ours_is_not_read(broken: str) -> None:
    with pytest.raises(ciphers.Unreadable):
        ciphers.decrypt(broken)


def test_a_changed_byte_is_noticed() -> None:
    stored = ciphers.encrypt("seed")
    with pytest.raises(ciphers.Unreadable):
        ciphers.decrypt(stored[:-6] + ("A" if stored[-6] != "A" else "B") + stored[-5:])


@pytest.mark.django_db
def test_the_database_holds_no_secret_of_a_second_factor() -> None:
    user = UserFactory.create()
    TOTP.activate(user, secret := generate_totp_secret())
    codes = RecoveryCodes.activate(user).get_unused_codes()
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert secret not in stored
    assert not [code for code in codes if code in stored]
    for row in Authenticator.objects.all():
        assert ciphers.is_encrypted(row.data.get("secret") or row.data["seed"])


@pytest.mark.django_db
def test_a_key_is_changed_without_anybody_enrolling_anew(settings: Any) -> None:
    only(settings, OLD)
    user = UserFactory.create()
    TOTP.activate(user, generate_totp_secret())
    codes = RecoveryCodes.activate(user).get_unused_codes()
    only(settings, NEW, OLD)
    out = StringIO()
    call_command("reencrypt_secrets", stdout=out)
    assert out.getvalue() == "2 under the newest key.\n"
    only(settings, NEW)
    again = Authenticator.objects.get(user=user, type="recovery_codes").wrap()
    assert again.get_unused_codes() == codes


@pytest.mark.django_db
def test_a_secret_that_opens_with_no_key_stops_the_change(settings: Any) -> None:
    only(settings, OLD)
    TOTP.activate(UserFactory.create(), generate_totp_secret())
    before = Authenticator.objects.get().data
    only(settings, NEW)
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("reencrypt_secrets")
    assert Authenticator.objects.get().data == before


def test_what_was_stored_plain_is_encrypted_and_nothing_else_touched() -> None:
    data = {"secret": "JBSWY3DP", "migrated_codes": ["12345678"], "used_mask": 3}
    fresh = at_rest.reencrypted(data)
    assert ciphers.decrypt(fresh["secret"]) == "JBSWY3DP"
    assert [ciphers.decrypt(code) for code in fresh["migrated_codes"]] == ["12345678"]
    assert fresh["used_mask"] == 3
    assert data["secret"] == "JBSWY3DP"
