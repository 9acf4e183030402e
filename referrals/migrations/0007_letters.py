import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# As `0006_row_security` has it for every table that names its client.
SECURE = """
ALTER TABLE referrals_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals_letter FORCE ROW LEVEL SECURITY;
CREATE POLICY subjects ON referrals_letter
    USING (client_id = ANY ((SELECT handoff_clients())::uuid[]))
    WITH CHECK (client_id = ANY ((SELECT handoff_clients())::uuid[]));
CREATE POLICY lookups ON referrals_letter FOR SELECT USING (
    (SELECT current_setting('handoff.lookup', true) = 'on'
        AND current_user = pg_get_userbyid(relowner)
     FROM pg_class WHERE oid = 'referrals_letter'::regclass)
);
CREATE FUNCTION handoff_clients_of_letter(letter uuid) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    clients uuid[];
BEGIN
    PERFORM set_config('handoff.lookup', 'on', true);
    SELECT array_agg(found.client_id) INTO clients FROM referrals_letter found
        WHERE found.id = letter;
    PERFORM set_config('handoff.lookup', '', true);
    RETURN clients;
END $$;
"""
UNSECURE = """
DROP FUNCTION handoff_clients_of_letter(uuid);
DROP POLICY lookups ON referrals_letter;
DROP POLICY subjects ON referrals_letter;
ALTER TABLE referrals_letter NO FORCE ROW LEVEL SECURITY;
ALTER TABLE referrals_letter DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0008_evidence"),
        ("core", "0005_stored_files"),
        ("referrals", "0006_row_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Letter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("clearance", "Clearance to train"),
                            ("surgery", "Report of an operation"),
                            ("findings", "Findings or images"),
                            ("prescription", "Referral or prescription"),
                            ("other", "Other letter"),
                        ],
                        max_length=12,
                    ),
                ),
                ("author", models.CharField(max_length=120)),
                ("dated_on", models.DateField()),
                ("key", models.BinaryField(null=True)),
                (
                    "added_as",
                    models.CharField(
                        choices=[
                            ("client", "Client"),
                            ("guardian", "Parent or guardian"),
                            ("pt", "Treating side"),
                        ],
                        max_length=8,
                    ),
                ),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letters",
                        to="clients.client",
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.storedfile",
                    ),
                ),
                (
                    "pt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letters",
                        to="clients.professional",
                    ),
                ),
            ],
            options={
                "ordering": ["-dated_on", "-added_at", "id"],
                "indexes": [
                    models.Index(fields=["client", "-dated_on"], name="letter_client_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("key__isnull", True), ("removed_at__isnull", False)),
                            models.Q(("key__isnull", False), ("removed_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="letter_has_key_until_removed",
                    )
                ],
            },
        ),
        migrations.RunSQL(SECURE, UNSECURE),
    ]
