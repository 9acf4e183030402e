"""Loads the fictional demo cast."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from handoff import demo_cast


class Command(BaseCommand):
    help = "Load the demo cast (fictional people). Does nothing when it is there already."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo cast is for demo mode only (DEMO=1).")
        loaded = demo_cast.load(timezone.now())
        self.stdout.write("Demo cast loaded." if loaded else "The demo cast is there already.")
