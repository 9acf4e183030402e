from django.db import migrations

FUNCTIONS = """
-- Where this row lives: cluster, database, table. A dump that is put back gets at least another
-- table, wherever that is.
CREATE FUNCTION handoff_fingerprint() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system())::text
        || ':' || (SELECT oid FROM pg_database WHERE datname = current_database())::text
        || ':' || 'core_custody'::regclass::oid::text;
END $$;

-- Why nothing may be shown or sent; '' when it may.
CREATE FUNCTION handoff_hold() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    custody record;
BEGIN
    SELECT hold, fingerprint INTO custody FROM core_custody WHERE id = 1;
    IF NOT FOUND THEN
        RETURN 'missing';
    ELSIF custody.hold <> '' THEN
        RETURN custody.hold;
    ELSIF custody.fingerprint <> handoff_fingerprint() THEN
        RETURN 'restored';
    END IF;
    RETURN '';
END $$;

-- No look is entered while the house is held; and what is not entered is not shown.
CREATE FUNCTION handoff_refuse_on_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF handoff_hold() <> '' THEN
        RAISE EXCEPTION '% on % is refused: this database is on hold', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END $$;

INSERT INTO core_custody
    (id, fingerprint, hold, backed_up_heads, journal_was_lost, anchor_number, anchor_mac)
VALUES (1, handoff_fingerprint(), '', '{}', false, 0, '');
"""

UNDO = """
DELETE FROM core_custody;
DROP FUNCTION handoff_refuse_on_hold();
DROP FUNCTION handoff_hold();
DROP FUNCTION handoff_fingerprint();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0006_journal")]

    operations = [migrations.RunSQL(FUNCTIONS, UNDO)]
