import django.contrib.postgres.fields
import django.core.validators
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0002_keep_entries"),
        ("referrals", "0002_keep_what_is_signed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="reminder",
            name="reminder_mine",
        ),
        migrations.RemoveIndex(
            model_name="reminder",
            name="reminder_referral",
        ),
        migrations.AddField(
            model_name="reminder",
            name="audience",
            field=models.CharField(
                choices=[
                    ("pt", "The treating therapist"),
                    ("sender", "Who sent the referral"),
                    ("recipient", "Who received the referral"),
                    ("client", "The client's side"),
                    ("decider", "Who decides for the client"),
                    ("asker", "Who asked for consent"),
                    ("discloser", "Who shares under a consent"),
                    ("reader", "Who may read under a consent"),
                    ("owner", "The owner of a credential"),
                    ("admin", "Admins"),
                ],
                default="",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reminder",
            name="ends_at",
            field=models.DateTimeField(
                blank=True, help_text="When time alone takes the reason away.", null=True
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="urgent",
            field=models.BooleanField(
                default=False, help_text="Does not wait for quiet hours to end."
            ),
        ),
        migrations.AddField(
            model_name="reminderrule",
            name="urgent_escalate_after",
            field=models.CharField(
                blank=True,
                help_text="Empty: as routine.",
                max_length=12,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A(-?[0-9]{1,3}[hd]|[0-9]{1,2}bd)\\Z",
                        "Write it like 4h, -7d or 2bd (business days only forwards).",
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="done_at",
            field=models.DateTimeField(
                blank=True, help_text="Ticked off by the person, or the reason is gone.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="useful_until",
            field=models.DateTimeField(help_text="Not mailed after this; the list shows it."),
        ),
        migrations.AlterField(
            model_name="reminderrule",
            name="escalate_after",
            field=models.CharField(
                blank=True,
                max_length=12,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A(-?[0-9]{1,3}[hd]|[0-9]{1,2}bd)\\Z",
                        "Write it like 4h, -7d or 2bd (business days only forwards).",
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="reminderrule",
            name="routine_offsets",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=12,
                    validators=[
                        django.core.validators.RegexValidator(
                            "\\A(-?[0-9]{1,3}[hd]|[0-9]{1,2}bd)\\Z",
                            "Write it like 4h, -7d or 2bd (business days only forwards).",
                        )
                    ],
                ),
                blank=True,
                help_text="When to remind, from the moment that starts the wait: 2bd, 4h, -7d.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="reminderrule",
            name="urgent_offsets",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=12,
                    validators=[
                        django.core.validators.RegexValidator(
                            "\\A(-?[0-9]{1,3}[hd]|[0-9]{1,2}bd)\\Z",
                            "Write it like 4h, -7d or 2bd (business days only forwards).",
                        )
                    ],
                ),
                blank=True,
                default=list,
                help_text="The same for urgent cases. Empty: as routine.",
                size=None,
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True), ("shown_at__isnull", False)),
                fields=["recipient", "-due_at", "-id"],
                name="reminder_mine",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("accepted_at__isnull", False)),
                fields=["recipient", "accepted_at"],
                name="reminder_mailed",
            ),
        ),
    ]
