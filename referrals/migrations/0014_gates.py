import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# As `0006_row_security` has it for every table that names its client; and a gate can name only the
# client of its episode.
SECURE = """
ALTER TABLE referrals_gate ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals_gate FORCE ROW LEVEL SECURITY;
CREATE POLICY subjects ON referrals_gate
    USING (client_id = ANY ((SELECT handoff_clients())::uuid[]))
    WITH CHECK (
        client_id = ANY ((SELECT handoff_clients())::uuid[])
        AND EXISTS (
            SELECT FROM referrals_episode parent
            WHERE parent.id = referrals_gate.episode_id
                AND parent.client_id = referrals_gate.client_id
        )
    );
CREATE POLICY lookups ON referrals_gate FOR SELECT USING (
    (SELECT current_setting('handoff.lookup', true) = 'on'
        AND current_user = pg_get_userbyid(relowner)
     FROM pg_class WHERE oid = 'referrals_gate'::regclass)
);
"""
UNSECURE = """
DROP POLICY lookups ON referrals_gate;
DROP POLICY subjects ON referrals_gate;
ALTER TABLE referrals_gate NO FORCE ROW LEVEL SECURITY;
ALTER TABLE referrals_gate DISABLE ROW LEVEL SECURITY;
"""

# Closed with the episode, like its scores. Only whose it is may follow the episode, when one
# person's two records become one; and it goes when the record is erased.
SEAL = """
CREATE TRIGGER sealed_with_parent BEFORE INSERT ON referrals_gate FOR EACH ROW
    EXECUTE FUNCTION handoff_refuse_under_sealed('referrals_episode', 'episode_id', 'ended_on');
CREATE TRIGGER sealed_unless_moved BEFORE UPDATE ON referrals_gate FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'client_id' IS DISTINCT FROM to_jsonb(NEW) - 'client_id')
    EXECUTE FUNCTION handoff_refuse_under_sealed('referrals_episode', 'episode_id', 'ended_on');
CREATE TRIGGER sealed_unless_erased BEFORE DELETE ON referrals_gate FOR EACH ROW
    EXECUTE FUNCTION handoff_refuse_unless_erased(
        'SELECT ($1->>''client_id'')::uuid',
        'SELECT ended_on IS NOT NULL FROM referrals_episode
            WHERE id = ($1->>''episode_id'')::uuid FOR SHARE'
    );
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON referrals_gate
    FOR EACH STATEMENT EXECUTE FUNCTION handoff_refuse_change();
"""
UNSEAL = """
DROP TRIGGER no_truncate ON referrals_gate;
DROP TRIGGER sealed_unless_erased ON referrals_gate;
DROP TRIGGER sealed_unless_moved ON referrals_gate;
DROP TRIGGER sealed_with_parent ON referrals_gate;
"""

# An episode that has ended stays ended: who comes back gets a new one.
STAYS_ENDED = """
CREATE TRIGGER stays_finished BEFORE UPDATE ON referrals_episode FOR EACH ROW
    WHEN (OLD.status = 'finished' AND NEW.status <> 'finished')
    EXECUTE FUNCTION handoff_refuse_change();
"""
MAY_REOPEN = "DROP TRIGGER stays_finished ON referrals_episode;"


def rewritten(*changes: tuple[str, str]) -> str:
    """`handoff_erase` as it is, with pieces of it replaced: others add to it as well. Refused where
    a piece is not there exactly once."""
    lines = "".join(
        f"""
        IF (length(body) - length(replace(body, $old${old}$old$, ''))) <> length($old${old}$old$) THEN
            RAISE EXCEPTION 'handoff_erase is not as it was expected';
        END IF;
        body := replace(body, $old${old}$old$, $new${new}$new$);
        """
        for old, new in changes
    )
    return f"""
    DO $do$
    DECLARE
        body text := pg_get_functiondef('handoff_erase(uuid, boolean)'::regprocedure);
    BEGIN
        {lines}
        EXECUTE body;
    END $do$;
    """


SIGNED = "ARRAY['referrals_dischargenote', 'referrals_goal',"
SIGNED_WITH_GATES = "ARRAY['referrals_gate', 'referrals_dischargenote', 'referrals_goal',"
LAST = "(17, true, 'referrals_episode', 'client_id = $1')"
GATES_FIRST = f"(16, true, 'referrals_gate', 'client_id = $1'),\n            {LAST}"


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0010_no_look_on_hold"),
        ("referrals", "0013_refer_out"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Gate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "test",
                    models.CharField(
                        blank=True,
                        help_text="In words, where no measure is recorded here.",
                        max_length=120,
                    ),
                ),
                (
                    "comparator",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("le", "at most"),
                            ("lt", "less than"),
                            ("ge", "at least"),
                            ("gt", "more than"),
                            ("eq", "exactly"),
                            ("between", "between"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "value",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=8, null=True),
                ),
                (
                    "unit",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("deg", "degrees"),
                            ("kg", "kg"),
                            ("lb", "lb"),
                            ("pct_1rm", "% of one-rep max"),
                            ("pct_bw", "% of body weight"),
                            ("rpe", "effort 0-10"),
                            ("reps", "reps"),
                            ("sets", "sets"),
                            ("sessions_week", "sessions a week"),
                            ("min", "minutes"),
                            ("sec", "seconds"),
                            ("m", "metres"),
                            ("cm", "cm"),
                            ("bpm", "heartbeats a minute"),
                            ("pct_hrmax", "% of highest heart rate"),
                            ("nprs", "pain 0-10"),
                            ("kmh", "km/h"),
                            ("mph", "mph"),
                            ("pct_max_speed", "% of top speed"),
                            ("pct", "%"),
                            ("points", "points"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        blank=True,
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
                ("source", models.CharField(blank=True, help_text="Who says so.", max_length=200)),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["added_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="episode",
            name="full_return_on",
            field=models.DateField(
                blank=True, help_text="Back to everything after the earlier episode.", null=True
            ),
        ),
        migrations.AddField(
            model_name="episode",
            name="recurrence_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("early", "Early recurrence"),
                    ("late", "Late recurrence"),
                    ("delayed", "Delayed recurrence"),
                    ("exacerbation", "Exacerbation, worse before it was over"),
                ],
                db_default="",
                default="",
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="episode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("recurrence_kind", ""), ("recurrence_of__isnull", False), _connector="OR"
                ),
                name="episode_label_of_a_recurrence",
            ),
        ),
        migrations.AddConstraint(
            model_name="episode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("full_return_on__isnull", True),
                    ("recurrence_kind__in", ["early", "late", "delayed"]),
                    _connector="OR",
                ),
                name="episode_return_before_recurrence",
            ),
        ),
        migrations.AddField(
            model_name="gate",
            name="added_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="gate",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gates",
                to="clients.client",
            ),
        ),
        migrations.AddField(
            model_name="gate",
            name="episode",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gates",
                to="referrals.episode",
            ),
        ),
        migrations.AddField(
            model_name="gate",
            name="measure",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="referrals.measure",
            ),
        ),
        migrations.AddIndex(
            model_name="gate",
            index=models.Index(fields=["episode", "added_at"], name="gate_episode_oldest"),
        ),
        migrations.AddConstraint(
            model_name="gate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("measure__isnull", False), ("test", ""), ("value__isnull", False)),
                    models.Q(("measure__isnull", True), models.Q(("test", ""), _negated=True)),
                    _connector="OR",
                ),
                name="gate_on_a_measure_or_in_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="gate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("comparator__in", ["le", "lt", "ge", "gt", "eq"]),
                        ("value__isnull", False),
                        models.Q(("unit", ""), _negated=True),
                    ),
                    models.Q(("comparator", ""), ("unit", ""), ("value__isnull", True)),
                    _connector="OR",
                ),
                name="gate_number_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="gate",
            constraint=models.CheckConstraint(
                condition=models.Q(("side__in", ["", "left", "right"])), name="gate_one_side"
            ),
        ),
        migrations.RunSQL(SECURE, UNSECURE),
        migrations.RunSQL(SEAL, UNSEAL),
        migrations.RunSQL(STAYS_ENDED, MAY_REOPEN),
        migrations.RunSQL(
            rewritten((SIGNED, SIGNED_WITH_GATES), (LAST, GATES_FIRST)),
            rewritten((SIGNED_WITH_GATES, SIGNED), (GATES_FIRST, LAST)),
        ),
    ]
