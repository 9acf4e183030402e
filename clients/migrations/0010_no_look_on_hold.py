from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clients", "0009_erasure"), ("core", "0007_hold")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TRIGGER not_on_hold BEFORE INSERT ON clients_accessentry
                FOR EACH ROW EXECUTE FUNCTION handoff_refuse_on_hold();
            """,
            "DROP TRIGGER not_on_hold ON clients_accessentry;",
        )
    ]
