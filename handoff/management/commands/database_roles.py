"""Makes the database roles of web and worker, or gives them new passwords."""

from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from handoff import env as environment
from handoff.core import roles


class Command(BaseCommand):
    help = (
        "Creates handoff_web and handoff_worker with the passwords in WEB_DATABASE_PASSWORD and"
        " WORKER_DATABASE_PASSWORD, over the connection in ADMIN_DATABASE_URL, and gives them"
        " their rights. May be repeated: passwords are then changed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        env = environment.Env()
        try:
            admin = env.secret("ADMIN_DATABASE_URL")
            passwords = {
                roles.WEB: env.secret("WEB_DATABASE_PASSWORD"),
                roles.WORKER: env.secret("WORKER_DATABASE_PASSWORD"),
            }
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        if weak := sorted(role for role, word in passwords.items() if len(word) < 16):
            raise CommandError(f"the password of {weak[0]} is too short: at least 16 characters")
        try:
            with psycopg.connect(admin, autocommit=True, connect_timeout=10) as server:
                roles.create(server.cursor(), passwords)
        except psycopg.Error as error:
            # Its own words may repeat the statement, and with it the password.
            raise CommandError(f"the roles could not be made: {type(error).__name__}") from None
        with transaction.atomic(), connection.cursor() as cursor:
            granted = roles.grant(cursor)
        self.stdout.write(f"{', '.join(granted)}: created, with their rights on every table")
