import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# As `0006_row_security` has it for every table that names its client.
SECURE = """
ALTER TABLE referrals_wish ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals_wish FORCE ROW LEVEL SECURITY;
CREATE POLICY subjects ON referrals_wish
    USING (client_id = ANY ((SELECT handoff_clients())::uuid[]))
    WITH CHECK (client_id = ANY ((SELECT handoff_clients())::uuid[]));
"""
UNSECURE = """
DROP POLICY subjects ON referrals_wish;
ALTER TABLE referrals_wish NO FORCE ROW LEVEL SECURITY;
ALTER TABLE referrals_wish DISABLE ROW LEVEL SECURITY;
"""
ROLES = [
    ("pt", "Physical therapist"),
    ("pta", "Physical therapist assistant"),
    ("trainer", "Personal trainer"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0011_directory"),
        ("referrals", "0010_whose_note"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Wish",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("role", models.CharField(choices=ROLES, max_length=10)),
                ("wished_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("taken_back_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wishes",
                        to="clients.client",
                    ),
                ),
                (
                    "professional",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clients.professional",
                    ),
                ),
                (
                    "wished_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["role", "-wished_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("taken_back_at__isnull", True)),
                        fields=("client", "role"),
                        name="wish_one_open_per_role",
                    )
                ],
            },
        ),
        migrations.RunSQL(SECURE, UNSECURE),
    ]
