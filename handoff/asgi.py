"""The web process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "handoff.settings")
os.environ.setdefault("HANDOFF_PROCESS", "web")  # settings: connection pool, statement timeout

from django.core.asgi import get_asgi_application

application = get_asgi_application()
