import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def secure(table: str) -> str:
    """As `0006_row_security` has it for every table that names its client."""
    return f"""
    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
    CREATE POLICY subjects ON {table}
        USING (client_id = ANY ((SELECT handoff_clients())::uuid[]))
        WITH CHECK (client_id = ANY ((SELECT handoff_clients())::uuid[]));
    """


def unsecure(table: str) -> str:
    return f"""
    DROP POLICY subjects ON {table};
    ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
    """


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0010_no_look_on_hold"),
        ("referrals", "0008_erasure"),
    ]

    operations = [
        migrations.CreateModel(
            name="Coverage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("payer", models.CharField(max_length=120)),
                ("visits_authorized", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("visits_used", models.PositiveSmallIntegerField(default=0)),
                ("authorized_until", models.DateField(blank=True, null=True)),
                (
                    "cost_per_visit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="The client's own part, in dollars.",
                        max_digits=8,
                        null=True,
                    ),
                ),
                (
                    "low_since",
                    models.DateTimeField(
                        blank=True,
                        help_text="Since when few of the authorised visits are left.",
                        null=True,
                    ),
                ),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coverages",
                        to="clients.client",
                    ),
                ),
                (
                    "episode",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="coverage",
                        to="referrals.episode",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cost_per_visit__isnull", True),
                            ("cost_per_visit__gte", 0),
                            _connector="OR",
                        ),
                        name="coverage_cost_not_negative",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Package",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=120)),
                ("sessions_bought", models.PositiveSmallIntegerField()),
                ("sessions_used", models.PositiveSmallIntegerField(default=0)),
                (
                    "price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="For all of them, in dollars.",
                        max_digits=9,
                        null=True,
                    ),
                ),
                ("bought_on", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="packages",
                        to="clients.client",
                    ),
                ),
            ],
            options={
                "ordering": ["-bought_on", "-id"],
                "indexes": [
                    models.Index(
                        fields=["client", "-bought_on", "-id"], name="package_client_newest"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sessions_used__lte", models.F("sessions_bought"))),
                        name="package_not_more_used_than_bought",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("price__isnull", True), ("price__gte", 0), _connector="OR"
                        ),
                        name="package_price_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True),
                            ("valid_until__gte", models.F("bought_on")),
                            _connector="OR",
                        ),
                        name="package_ends_after_it_begins",
                    ),
                ],
            },
        ),
        *(
            migrations.RunSQL(secure(table), unsecure(table))
            for table in ("referrals_coverage", "referrals_package")
        ),
    ]
