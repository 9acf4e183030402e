from django.db import migrations

from handoff.core.immutable import CREATE_FUNCTIONS, append_only


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [CREATE_FUNCTIONS, append_only("core_auditentry")]
