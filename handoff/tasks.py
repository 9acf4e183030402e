"""Tasks of the shell itself."""

from celery import shared_task
from django.utils import timezone

from clients import sessions
from handoff import health
from handoff.core import attempts


@shared_task(name="handoff.heartbeat")
def heartbeat() -> None:
    """Beat, queue, worker and database in one round trip; `/readyz` shows how old it is."""
    health.stamp("worker")


@shared_task(name="handoff.tidy")
def tidy() -> None:
    """Remove what sign-ins leave behind: counters that say nothing, sessions that are over."""
    attempts.forget()
    sessions.forget(timezone.now())
