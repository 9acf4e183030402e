import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# As `0006_row_security` has it for every table that names its client.
SECURE = """
ALTER TABLE referrals_referoutfacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals_referoutfacts FORCE ROW LEVEL SECURITY;
CREATE POLICY subjects ON referrals_referoutfacts
    USING (client_id = ANY ((SELECT handoff_clients())::uuid[]))
    WITH CHECK (client_id = ANY ((SELECT handoff_clients())::uuid[]));
CREATE POLICY lookups ON referrals_referoutfacts FOR SELECT USING (
    (SELECT current_setting('handoff.lookup', true) = 'on'
        AND current_user = pg_get_userbyid(relowner)
     FROM pg_class WHERE oid = 'referrals_referoutfacts'::regclass)
);
"""
UNSECURE = """
DROP POLICY lookups ON referrals_referoutfacts;
DROP POLICY subjects ON referrals_referoutfacts;
ALTER TABLE referrals_referoutfacts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE referrals_referoutfacts DISABLE ROW LEVEL SECURITY;
"""

# Facts are written while their referral is a draft. What the client was asked about, and what went
# out, stays as it was; it goes with its referral, and only when that is erased. The referral is
# locked, so that nothing slips in beside a step that is being taken.
KEEP = """
CREATE FUNCTION handoff_keep_facts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    referral referrals_referral%ROWTYPE;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        SELECT * INTO referral FROM referrals_referral WHERE id = NEW.referral_id FOR SHARE;
        IF referral.state IS NOT DISTINCT FROM 'draft' AND referral.client_id = NEW.client_id
            AND referral.sender_id = NEW.author_id
            AND (TG_OP = 'INSERT' OR OLD.referral_id = NEW.referral_id)
        THEN
            RETURN NEW;
        END IF;
    ELSIF EXISTS (
        SELECT FROM handoff_private.erasing e
        WHERE e.transaction = pg_current_xact_id() AND e.client = OLD.client_id
            AND 'referrals_loopreport' = ANY (e.tables)
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% on % is refused: its rows are kept as they were written',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER kept_once_asked BEFORE INSERT OR UPDATE OR DELETE ON referrals_referoutfacts
    FOR EACH ROW EXECUTE FUNCTION handoff_keep_facts();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON referrals_referoutfacts
    FOR EACH STATEMENT EXECUTE FUNCTION handoff_refuse_change();

CREATE FUNCTION handoff_take_facts_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM referrals_referoutfacts WHERE referral_id = OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER takes_facts_along BEFORE DELETE ON referrals_referral
    FOR EACH ROW EXECUTE FUNCTION handoff_take_facts_along();
"""
LET_GO = """
DROP TRIGGER takes_facts_along ON referrals_referral;
DROP FUNCTION handoff_take_facts_along();
DROP TRIGGER no_truncate ON referrals_referoutfacts;
DROP TRIGGER kept_once_asked ON referrals_referoutfacts;
DROP FUNCTION handoff_keep_facts();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0011_directory"),
        ("referrals", "0012_screening"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReferOutFacts",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("observations", models.TextField(max_length=2000)),
                (
                    "body_region",
                    models.CharField(
                        choices=[
                            ("cervical", "Neck"),
                            ("thoracic", "Upper back"),
                            ("lumbar", "Lower back"),
                            ("si_pelvis", "Pelvis"),
                            ("shoulder", "Shoulder"),
                            ("elbow", "Elbow"),
                            ("wrist", "Wrist"),
                            ("hand", "Hand"),
                            ("hip", "Hip"),
                            ("knee", "Knee"),
                            ("ankle", "Ankle"),
                            ("foot", "Foot"),
                            ("core", "Trunk and core"),
                            ("cardiorespiratory", "Heart and breathing"),
                            ("whole_body", "Whole body"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "laterality",
                    models.CharField(
                        choices=[
                            ("left", "Left"),
                            ("right", "Right"),
                            ("bilateral", "Both sides"),
                            ("midline", "Middle"),
                            ("not_applicable", "No side"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "pain_now",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(10)],
                    ),
                ),
                (
                    "pain_worst",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(10)],
                    ),
                ),
                (
                    "signs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("new_swelling", "New swelling"),
                                ("locking", "It locks or gives way"),
                                ("numbness", "Numbness, tingling or weakness"),
                                ("sharp_pain", "Sharp new pain where a limit is set"),
                                ("night_pain", "Pain at night"),
                                ("trauma", "A fall or a blow"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("since", models.DateField(blank=True, null=True)),
                ("stopped", models.CharField(blank=True, max_length=300)),
                ("saved_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clients.professional",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clients.client",
                    ),
                ),
                (
                    "referral",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="facts",
                        to="referrals.referral",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["client", "-saved_at"], name="facts_client_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("pain_now", None), ("pain_now__lte", 10), _connector="OR"),
                            models.Q(
                                ("pain_worst", None), ("pain_worst__lte", 10), _connector="OR"
                            ),
                        ),
                        name="facts_pain_runs_to_ten",
                    )
                ],
            },
        ),
        migrations.RunSQL(SECURE, UNSECURE),
        migrations.RunSQL(KEEP, LET_GO),
    ]
