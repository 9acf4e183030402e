#!/usr/bin/env python
"""Management commands; in development with the embedded servers when no other is named."""

import contextlib
import os
import sys

from handoff import embedded, env


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "handoff.settings")
    env.read_file(embedded.BASE_DIR / ".env")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 (after .env)

    development = env.Env().flag("DEMO") or env.Env().flag("DEBUG")
    try:
        # In production nothing is started: settings refuse a missing DATABASE_URL by name.
        with embedded.for_command() if development else contextlib.nullcontext():
            execute_from_command_line(sys.argv)
    except embedded.EmbeddedError as error:
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
