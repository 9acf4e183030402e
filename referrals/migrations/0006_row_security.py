"""Row-level security on the clinical tables: see `handoff.core.subjects` and ADR 0021."""

from django.db import migrations

# `handoff.lookup` marks the few functions that find out whose a row is. They run as the owner of
# the tables, whom FORCE binds like anybody else, and see rows by the policy `lookups`. Setting it
# by hand gives web and worker nothing: that policy is for the owner, and `handoff_clients` then
# names none. (A SET clause of the function would say it better, but takes a superuser.)


def lookup(signature: str, query: str) -> str:
    """A function that answers the ids of clients that `query` finds as `client_id`."""
    return f"""
    CREATE FUNCTION {signature} RETURNS uuid[]
        LANGUAGE plpgsql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        clients uuid[];
    BEGIN
        PERFORM set_config('handoff.lookup', 'on', true);
        SELECT array_agg(DISTINCT found.client_id) INTO clients FROM ({query}) found;
        PERFORM set_config('handoff.lookup', '', true);
        RETURN clients;
    END $$;
    """


FUNCTIONS = (
    lookup(
        "handoff_reach(wanted uuid)",
        """
        WITH me AS (
            SELECT id, role, practice_id FROM clients_professional
            WHERE user_id = wanted AND left_at IS NULL
        ), sides AS (
            SELECT id FROM me
            UNION
            SELECT pt.id FROM clients_professional pt
            JOIN me ON me.role = 'pta' AND pt.practice_id = me.practice_id
            WHERE pt.role = 'pt' AND pt.left_at IS NULL
        ), near AS (
            SELECT id FROM clients_client WHERE user_id = wanted
            UNION
            SELECT client_id FROM clients_guardianship WHERE user_id = wanted AND ended_at IS NULL
            UNION
            SELECT client_id FROM referrals_episode WHERE pt_id IN (SELECT id FROM sides)
            UNION
            SELECT id FROM clients_client WHERE created_by_id IN (SELECT id FROM sides)
            UNION
            SELECT client_id FROM referrals_referral WHERE sender_id IN (SELECT id FROM sides)
            UNION
            SELECT client_id FROM referrals_referral
            WHERE recipient_id IN (SELECT id FROM me)
                AND state NOT IN ('draft', 'awaiting_consent', 'discarded')
        )
        SELECT id AS client_id FROM near
        UNION
        SELECT merged_into_id FROM clients_client
        WHERE id IN (SELECT id FROM near) AND merged_into_id IS NOT NULL
        """,
    )
    + """
    CREATE FUNCTION handoff_clients() RETURNS uuid[]
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        named text := current_setting('handoff.clients', true);
        account text := current_setting('handoff.account', true);
    BEGIN
        IF current_setting('handoff.lookup', true) = 'on' THEN
            RETURN NULL;
        END IF;
        IF named <> '' THEN
            RETURN named::uuid[];
        END IF;
        IF account <> '' THEN
            RETURN handoff_reach(account::uuid);
        END IF;
        RETURN NULL;
    END $$;
    """
    + lookup(
        "handoff_clients_behind("
        "referrals uuid[], consents uuid[], episodes uuid[], restrictions uuid[])",
        """
        SELECT client_id FROM referrals_referral WHERE id = ANY (referrals)
        UNION
        SELECT client_id FROM clients_consent WHERE id = ANY (consents)
        UNION
        SELECT client_id FROM referrals_episode WHERE id = ANY (episodes)
        UNION
        SELECT episode.client_id FROM referrals_restriction restriction
        JOIN referrals_episode episode ON episode.id = restriction.episode_id
        WHERE restriction.id = ANY (restrictions)
        """,
    )
    + lookup(
        "handoff_clients_between(low uuid, high uuid)",
        """
        SELECT client_id FROM referrals_referral WHERE id >= low AND id < high
        UNION
        SELECT client_id FROM referrals_episode WHERE id >= low AND id < high
        UNION
        SELECT episode.client_id FROM referrals_restriction restriction
        JOIN referrals_episode episode ON episode.id = restriction.episode_id
        WHERE restriction.id >= low AND restriction.id < high
        """,
    )
    + lookup(
        "handoff_clients_waiting(states text[], since_before timestamptz)",
        """
        SELECT client_id FROM referrals_referral
        WHERE state = ANY (states) AND state_at <= since_before
        """,
    )
)

DROP_FUNCTIONS = """
DROP FUNCTION handoff_clients_waiting(text[], timestamptz);
DROP FUNCTION handoff_clients_between(uuid, uuid);
DROP FUNCTION handoff_clients_behind(uuid[], uuid[], uuid[], uuid[]);
DROP FUNCTION handoff_clients();
DROP FUNCTION handoff_reach(uuid);
"""

# A row of these names its client; a row of those belongs to a row that does.
NAME_THEIR_CLIENT = ("referrals_episode", "referrals_referral")
BELONG_TO = (
    ("referrals_dischargenote", "episode_id", "referrals_episode"),
    ("referrals_measurement", "episode_id", "referrals_episode"),
    ("referrals_restriction", "episode_id", "referrals_episode"),
    ("referrals_goal", "note_id", "referrals_dischargenote"),
    ("referrals_addendum", "note_id", "referrals_dischargenote"),
    ("referrals_restrictionversion", "restriction_id", "referrals_restriction"),
    ("referrals_acknowledgement", "version_id", "referrals_restrictionversion"),
    ("referrals_referralevent", "referral_id", "referrals_referral"),
    ("referrals_referralmessage", "referral_id", "referrals_referral"),
    ("referrals_loopreport", "referral_id", "referrals_referral"),
)


def secured(table: str, rule: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY subjects ON {table} USING ({rule}) WITH CHECK ({rule});
        CREATE POLICY lookups ON {table} FOR SELECT USING (
            (SELECT current_setting('handoff.lookup', true) = 'on'
                AND current_user = pg_get_userbyid(relowner)
             FROM pg_class WHERE oid = '{table}'::regclass)
        );
        """,
        f"""
        DROP POLICY lookups ON {table};
        DROP POLICY subjects ON {table};
        ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


class Migration(migrations.Migration):
    dependencies = [("referrals", "0005_seal_goals_and_scores")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        *(
            secured(table, "client_id = ANY ((SELECT handoff_clients())::uuid[])")
            for table in NAME_THEIR_CLIENT
        ),
        *(
            secured(
                table,
                f"EXISTS (SELECT 1 FROM {parent} parent WHERE parent.id = {table}.{link})",
            )
            for table, link, parent in BELONG_TO
        ),
    ]
