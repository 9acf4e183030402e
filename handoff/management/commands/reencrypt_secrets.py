"""`manage.py reencrypt_secrets`: after a change of FIELD_KEY, before the old one is forgotten."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError

from clients import at_rest
from handoff.core.ciphers import Unreadable


class Command(BaseCommand):
    help = "Bring the secrets of all second factors under the newest FIELD_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)
        try:
            count = at_rest.reencrypt(rows)
        except Unreadable:
            raise CommandError(
                "A secret opens with no known key. Nothing was changed. Name the key it was"
                " written with in FIELD_KEY_FALLBACKS."
            ) from None
        self.stdout.write(f"{count} under the newest key.")
