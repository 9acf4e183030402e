"""Tasks of the shell itself."""

from celery import shared_task

from handoff import health


@shared_task(name="handoff.heartbeat")
def heartbeat() -> None:
    """Beat, queue, worker and database in one round trip; `/readyz` shows how old it is."""
    health.stamp("worker")
