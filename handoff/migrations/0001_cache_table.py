"""The table behind Django's database cache: the shape `createcachetable` would make.

A migration, so that `migrate` alone leaves a database that works.
"""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.RunSQL(
            sql=[
                "CREATE TABLE handoff_cache ("
                " cache_key varchar(255) NOT NULL PRIMARY KEY,"
                " value text NOT NULL,"
                " expires timestamp with time zone NOT NULL)",
                "CREATE INDEX handoff_cache_expires ON handoff_cache (expires)",
            ],
            reverse_sql="DROP TABLE handoff_cache",
        )
    ]
