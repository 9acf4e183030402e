"""Takes the pictures in docs/screens/ anew."""

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

PYTEST = ("-m", "pytest", "-q", "-p", "no:randomly", "tests/browser/take_screens.py")


class Command(BaseCommand):
    help = "Take the screenshots in docs/screens/ with a throw-away server and the demo cast."

    def handle(self, *args: Any, **options: Any) -> None:
        # Its own process: pytest starts servers of its own before Django reads its settings.
        done = subprocess.run(  # noqa: S603 (a fixed command of our own)
            [sys.executable, *PYTEST], cwd=settings.BASE_DIR, check=False
        )
        if done.returncode:
            raise CommandError("The pictures could not be taken; see above.")
