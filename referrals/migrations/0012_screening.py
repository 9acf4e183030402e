import datetime
import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# As `0006_row_security` has it for every table that names its client.
SECURE = """
ALTER TABLE referrals_screening ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals_screening FORCE ROW LEVEL SECURITY;
CREATE POLICY subjects ON referrals_screening
    USING (client_id = ANY ((SELECT handoff_clients())::uuid[]))
    WITH CHECK (client_id = ANY ((SELECT handoff_clients())::uuid[]));
"""
UNSECURE = """
DROP POLICY subjects ON referrals_screening;
ALTER TABLE referrals_screening NO FORCE ROW LEVEL SECURITY;
ALTER TABLE referrals_screening DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0010_no_look_on_hold"),
        ("referrals", "0011_wishes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Screening",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("medical", "Medical help first"),
                            ("physician", "A doctor first"),
                            ("pt", "A physical therapist first"),
                            ("handoff", "A trainer, with a handoff"),
                            ("trainer", "A trainer"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=24), size=None
                    ),
                ),
                ("rules_version", models.PositiveSmallIntegerField()),
                ("taken_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("taken_on", models.DateField()),
                ("valid_until", models.DateField()),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="screenings",
                        to="clients.client",
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-taken_at", "-id"],
                "indexes": [
                    models.Index(
                        fields=["client", "-taken_at", "-id"], name="screening_client_newest"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__gte", models.F("taken_on")),
                            (
                                "valid_until__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("taken_on"),
                                    "+",
                                    models.Value(datetime.timedelta(days=366)),
                                ),
                            ),
                        ),
                        name="screening_valid_a_year_at_most",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reasons__len__gte", 1)), name="screening_says_why"
                    ),
                ],
            },
        ),
        migrations.RunSQL(SECURE, UNSECURE),
    ]
