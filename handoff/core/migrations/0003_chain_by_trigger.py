from django.db import migrations

from handoff.core.immutable import CREATE_CHAIN_FUNCTIONS, chained


class Migration(migrations.Migration):
    dependencies = [("core", "0002_keep_entries")]

    operations = [CREATE_CHAIN_FUNCTIONS, chained("core_auditentry", "audit")]
