from django.db import migrations

from handoff.core.immutable import chained


class Migration(migrations.Migration):
    dependencies = [("clients", "0002_keep_entries"), ("core", "0003_chain_by_trigger")]

    operations = [
        chained("clients_consentevent", "consent"),
        chained("clients_accessentry", "access"),
    ]
