"""Secrets of second factors that were stored before they were encrypted."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from clients import at_rest


def encrypt(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("mfa", "Authenticator").objects
    at_rest.reencrypt(rows.filter(type__in=("totp", "recovery_codes")))


class Migration(migrations.Migration):
    dependencies = [("clients", "0006_known_browsers"), ("mfa", "0003_authenticator_type_uniq")]

    # Not undone: the code before this one reads plain secrets, and they are not made plain again.
    operations = [migrations.RunPython(encrypt, migrations.RunPython.noop)]
