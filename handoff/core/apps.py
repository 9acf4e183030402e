from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "handoff.core"
    label = "core"
    verbose_name = "Ledgers"

    def ready(self) -> None:
        # Models can be imported only now that all apps are loaded.
        from handoff.core import hold, roles  # noqa: PLC0415

        post_migrate.connect(roles.grant_after_migrate, sender=self)
        post_migrate.connect(hold.take_custody_after_migrate, sender=self)
