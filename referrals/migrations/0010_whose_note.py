from django.db import migrations

# As `0006_row_security` has it for episodes and limits: whose a note is, and nothing else of it.
FUNCTION = """
CREATE FUNCTION handoff_clients_of_note(note uuid) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    clients uuid[];
BEGIN
    PERFORM set_config('handoff.lookup', 'on', true);
    SELECT array_agg(episode.client_id) INTO clients FROM referrals_dischargenote found
        JOIN referrals_episode episode ON episode.id = found.episode_id
        WHERE found.id = note;
    PERFORM set_config('handoff.lookup', '', true);
    RETURN clients;
END $$;
"""
DROP_FUNCTION = "DROP FUNCTION handoff_clients_of_note(uuid);"


class Migration(migrations.Migration):
    dependencies = [("referrals", "0009_investment")]

    operations = [migrations.RunSQL(FUNCTION, DROP_FUNCTION)]
