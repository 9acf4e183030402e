"""A change of what is shared waits, while it commits, for the looks that are being entered.

Looks hold the head of the access ledger from when they read the grounds until they are entered.
Whoever stops sharing takes that head at the last possible moment: a deferred trigger runs within
COMMIT, after everything else the verb does. A look that comes later finds the event. So no look
gets a number after the withdrawal that forbids it, whichever way the event was written, and
nobody waits for anything but a commit.

Questions and what ends them unanswered share nothing before and nothing after; they do not wait.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clients", "0003_chain_by_trigger"), ("core", "0003_chain_by_trigger")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION handoff_wait_for_looks() RETURNS trigger
                LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
            AS $$
            BEGIN
                PERFORM handoff_lock_head('access');
                RETURN NULL;
            END $$;

            CREATE CONSTRAINT TRIGGER wait_for_looks AFTER INSERT ON clients_consentevent
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                WHEN (NEW.kind NOT IN ('requested', 'declined', 'lapsed', 'withdrawn'))
                EXECUTE FUNCTION handoff_wait_for_looks();
            """,
            """
            DROP TRIGGER wait_for_looks ON clients_consentevent;
            DROP FUNCTION handoff_wait_for_looks();
            """,
        ),
    ]
