from django.db import migrations

from handoff.core.immutable import sealed_with

# Tables whose rows are sealed one by one: emptying them would go past the row triggers.
EMPTIED_NEVER = ("referrals_goal", "referrals_measurement")


class Migration(migrations.Migration):
    """Scores are part of what a discharge signature covers: closed with the episode."""

    dependencies = [("referrals", "0004_usual_important_change")]

    operations = [
        sealed_with(
            "referrals_measurement",
            parent="referrals_episode",
            link="episode_id",
            column="ended_on",
        ),
        *(
            migrations.RunSQL(
                f"""
                CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}
                    FOR EACH STATEMENT EXECUTE FUNCTION handoff_refuse_change();
                """,
                f"DROP TRIGGER no_truncate ON {table};",
            )
            for table in EMPTIED_NEVER
        ),
    ]
