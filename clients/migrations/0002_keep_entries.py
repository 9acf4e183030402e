from django.db import migrations

from handoff.core.immutable import append_only


class Migration(migrations.Migration):
    dependencies = [("clients", "0001_initial"), ("core", "0002_keep_entries")]

    operations = [
        append_only("clients_consent"),
        append_only("clients_consentevent"),
        append_only("clients_accessentry"),
    ]
