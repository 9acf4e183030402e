from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0004_wait_for_looks"),
    ]

    operations = [
        migrations.AddField(
            model_name="consentevent",
            name="until_training_ends",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="consentevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("requested", "Asked"),
                    ("granted", "Agreed"),
                    ("declined", "Declined"),
                    ("narrowed", "Narrowed"),
                    ("revoked", "Stopped"),
                    ("superseded", "Replaced by a newer one"),
                    ("lapsed", "Not answered in time"),
                    ("withdrawn", "Question taken back"),
                    ("objected", "The client objects"),
                    ("ended", "Ended by itself"),
                ],
                max_length=12,
            ),
        ),
    ]
