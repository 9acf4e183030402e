from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "handoff.core"
    label = "core"
    verbose_name = "Ledgers"

    def ready(self) -> None:
        from handoff.core import roles  # noqa: PLC0415 (models only once all apps are loaded)

        post_migrate.connect(roles.grant_after_migrate, sender=self)
