from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "clients"
    verbose_name = "People and consent"

    def ready(self) -> None:
        from clients import receivers  # noqa: PLC0415 (needs the models)

        receivers.connect()
