import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# A request to erase is evidence: it stays, and nothing about it moves but forward.
KEEP = migrations.RunSQL(
    """
    CREATE FUNCTION handoff_keep_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE'
            AND NEW.client_id = OLD.client_id
            AND NEW.asked_by_id IS NOT DISTINCT FROM OLD.asked_by_id
            AND NEW.asked_at = OLD.asked_at
            AND NEW.due_at = OLD.due_at
            AND (OLD.cancelled_at IS NULL OR NEW.cancelled_at = OLD.cancelled_at)
            AND (OLD.done_at IS NULL OR NEW.done_at = OLD.done_at)
            AND (OLD.held_until IS NULL OR NEW.held_until >= OLD.held_until)
            AND (OLD.finished_at IS NULL OR NEW.finished_at = OLD.finished_at)
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '% on % is refused: a request to erase only moves forward',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$;
    CREATE TRIGGER only_forward BEFORE UPDATE OR DELETE ON clients_erasure
        FOR EACH ROW EXECUTE FUNCTION handoff_keep_erasure();
    CREATE TRIGGER no_truncate BEFORE TRUNCATE ON clients_erasure
        FOR EACH STATEMENT EXECUTE FUNCTION handoff_refuse_change();

    -- Legal periods: for the role that owns the tables (and migrates them), for no other.
    CREATE FUNCTION handoff_owner_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF pg_has_role(
            current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER'
        ) THEN
            RETURN coalesce(NEW, OLD);
        END IF;
        RAISE EXCEPTION '% on % is refused: only the owner of the table may',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END $$;
    CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE ON clients_recordretention
        FOR EACH ROW EXECUTE FUNCTION handoff_owner_only();
    """,
    """
    DROP TRIGGER owner_only ON clients_recordretention;
    DROP FUNCTION handoff_owner_only();
    DROP TRIGGER no_truncate ON clients_erasure;
    DROP TRIGGER only_forward ON clients_erasure;
    DROP FUNCTION handoff_keep_erasure();
    """,
)


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0008_evidence"),
        ("core", "0003_chain_by_trigger"),
    ]

    operations = [
        migrations.AddField(
            model_name="client",
            name="erased_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Since when only the record the law asks for is kept.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="RecordRetention",
            fields=[
                (
                    "state",
                    models.CharField(
                        help_text="'*' for every state without a row of its own.",
                        max_length=2,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("years", models.PositiveSmallIntegerField(help_text="After the last entry.")),
                (
                    "until_age",
                    models.PositiveSmallIntegerField(
                        help_text="A minor's record at least until this age. Empty: 18 and the years.",
                        null=True,
                    ),
                ),
                ("source", models.CharField(max_length=200)),
            ],
            options={
                "ordering": ["state"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("years__gte", 1), ("years__lte", 100)),
                        name="retention_years_sane",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(help_text="Until then it can be called off.")),
                ("cancelled_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "held_until",
                    models.DateField(help_text="Last day the record must be kept.", null=True),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        help_text="Empty: on paper.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasures",
                        to="clients.client",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("cancelled_at", None), ("finished_at", None)),
                        fields=["due_at"],
                        name="erasure_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cancelled_at", None)),
                        fields=("client",),
                        name="erasure_one_per_client",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cancelled_at", None), ("done_at", None), _connector="OR"
                        ),
                        name="erasure_done_or_cancelled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at", None), ("done_at__isnull", False), _connector="OR"
                        ),
                        name="erasure_finished_was_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("due_at__gt", models.F("asked_at"))),
                        name="erasure_due_after_asked",
                    ),
                ],
            },
        ),
        KEEP,
    ]
