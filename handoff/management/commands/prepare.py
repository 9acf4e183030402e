"""What `make run` does to the database before anything else starts."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    help = "Migrates; in demo mode loads the demo cast into a database without people."

    def handle(self, *args: Any, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEMO or get_user_model().objects.exists():
            return
        if "demo" in get_commands():
            self.stdout.write("Loading the demo cast ...")
            self.stdout.flush()
            call_command("demo")
