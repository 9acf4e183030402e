"""The shell of the project as a Django app: management commands and static files."""

from django.apps import AppConfig

# Imported here so that every Django process has the Celery app before any task is declared.
from handoff.celery import app as celery_app

__all__ = ["HandoffConfig", "celery_app"]


class HandoffConfig(AppConfig):
    name = "handoff"
    label = "handoff"
    verbose_name = "Handoff"
