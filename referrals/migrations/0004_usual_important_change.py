from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0003_reminder_audience"),
    ]

    operations = [
        migrations.AddField(
            model_name="importantchange",
            name="usual",
            field=models.BooleanField(
                default=False, help_text="Compared with unless another is chosen."
            ),
        ),
    ]
