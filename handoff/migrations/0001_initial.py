"""Two technical tables without models: Django's cache and the signs of life.

The cache table has the shape `createcachetable` would make; as a migration, `migrate` alone
leaves a database that works.
"""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
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
        ),
        migrations.RunSQL(
            sql="CREATE TABLE handoff_heartbeat ("
            " process text NOT NULL PRIMARY KEY,"
            " seen_at timestamp with time zone NOT NULL)",
            reverse_sql="DROP TABLE handoff_heartbeat",
        ),
    ]
