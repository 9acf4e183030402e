from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "clients"
    verbose_name = "People and consent"

    def ready(self) -> None:
        # Models can be imported only now that all apps are loaded.
        from clients import endings, receivers  # noqa: PLC0415

        receivers.connect()
        endings.follow()
