from django.db import migrations

# The one legal way out for rows that are otherwise kept as they were written.
#
# Rows of treatment refuse DELETE unless the transaction runs `handoff_erase`, which says so in a
# table that nobody but the owner of the schema can write. It deletes for one client, for a request
# to erase whose days of grace are over, and the held part only when the last day the law asks for,
# worked out anew from the record itself, lies behind the clock of the database.

# Table -> how to find whose a row is, from the row ($1, as JSON).
WHOSE = {
    "referrals_dischargenote": "SELECT client_id FROM referrals_episode WHERE id = ($1->>'episode_id')::uuid",
    "referrals_goal": "SELECT e.client_id FROM referrals_dischargenote n JOIN referrals_episode e ON e.id = n.episode_id WHERE n.id = ($1->>'note_id')::uuid",
    "referrals_addendum": "SELECT e.client_id FROM referrals_dischargenote n JOIN referrals_episode e ON e.id = n.episode_id WHERE n.id = ($1->>'note_id')::uuid",
    "referrals_measurement": "SELECT client_id FROM referrals_episode WHERE id = ($1->>'episode_id')::uuid",
    "referrals_restrictionversion": "SELECT e.client_id FROM referrals_restriction r JOIN referrals_episode e ON e.id = r.episode_id WHERE r.id = ($1->>'restriction_id')::uuid",
    "referrals_acknowledgement": "SELECT e.client_id FROM referrals_restrictionversion v JOIN referrals_restriction r ON r.id = v.restriction_id JOIN referrals_episode e ON e.id = r.episode_id WHERE v.id = ($1->>'version_id')::uuid",
    "referrals_referralevent": "SELECT client_id FROM referrals_referral WHERE id = ($1->>'referral_id')::uuid",
    "referrals_referralmessage": "SELECT client_id FROM referrals_referral WHERE id = ($1->>'referral_id')::uuid",
    "referrals_loopreport": "SELECT client_id FROM referrals_referral WHERE id = ($1->>'referral_id')::uuid",
}
APPEND_ONLY = ("addendum", "acknowledgement", "referralevent", "referralmessage", "loopreport")
FROZEN = ("dischargenote", "restrictionversion")
# Table, parent, link, column of the parent that seals.
SEALED = (
    ("goal", "referrals_dischargenote", "note_id", "signed_at"),
    ("measurement", "referrals_episode", "episode_id", "ended_on"),
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def replaced() -> str:
    found = []
    for name in APPEND_ONLY:
        table = f"referrals_{name}"
        found.append(f"""
        DROP TRIGGER append_only ON {table};
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW
            EXECUTE FUNCTION handoff_refuse_unless_erased({quoted(WHOSE[table])});
        """)
    for name in FROZEN:
        table = f"referrals_{name}"
        found.append(f"""
        DROP TRIGGER frozen_once_signed_at ON {table};
        CREATE TRIGGER frozen_once_signed_at BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL)
            EXECUTE FUNCTION handoff_refuse_unless_erased({quoted(WHOSE[table])});
        """)
    for name, parent, link, column in SEALED:
        table = f"referrals_{name}"
        sealed = (
            f"SELECT {column} IS NOT NULL FROM {parent} WHERE id = ($1->>'{link}')::uuid FOR SHARE"
        )
        found.append(f"""
        DROP TRIGGER sealed_with_parent ON {table};
        CREATE TRIGGER sealed_with_parent BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
            EXECUTE FUNCTION handoff_refuse_under_sealed('{parent}', '{link}', '{column}');
        CREATE TRIGGER sealed_unless_erased BEFORE DELETE ON {table} FOR EACH ROW
            EXECUTE FUNCTION handoff_refuse_unless_erased({quoted(WHOSE[table])}, {quoted(sealed)});
        """)
    return "".join(found)


def put_back() -> str:
    found = []
    for name in APPEND_ONLY:
        found.append(f"""
        DROP TRIGGER append_only ON referrals_{name};
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON referrals_{name}
            FOR EACH ROW EXECUTE FUNCTION handoff_refuse_change();
        """)
    for name in FROZEN:
        found.append(f"""
        DROP TRIGGER frozen_once_signed_at ON referrals_{name};
        CREATE TRIGGER frozen_once_signed_at BEFORE UPDATE OR DELETE ON referrals_{name}
            FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL)
            EXECUTE FUNCTION handoff_refuse_change();
        """)
    for name, parent, link, column in SEALED:
        found.append(f"""
        DROP TRIGGER sealed_unless_erased ON referrals_{name};
        DROP TRIGGER sealed_with_parent ON referrals_{name};
        CREATE TRIGGER sealed_with_parent BEFORE INSERT OR UPDATE OR DELETE ON referrals_{name}
            FOR EACH ROW
            EXECUTE FUNCTION handoff_refuse_under_sealed('{parent}', '{link}', '{column}');
        """)
    return "".join(found)


FUNCTIONS = """
    CREATE SCHEMA handoff_private;
    REVOKE ALL ON SCHEMA handoff_private FROM PUBLIC;
    -- Which transaction erases for whom at this moment, and from which tables.
    CREATE TABLE handoff_private.erasing (
        transaction xid8 PRIMARY KEY, client uuid NOT NULL, tables text[] NOT NULL
    );
    REVOKE ALL ON handoff_private.erasing FROM PUBLIC;

    -- TG_ARGV: whose the row is; whether it is sealed at all (left out: it is).
    CREATE FUNCTION handoff_refuse_unless_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        sealed boolean := true;
        whose uuid;
    BEGIN
        IF TG_NARGS > 1 THEN
            EXECUTE TG_ARGV[1] INTO sealed USING to_jsonb(OLD);
        END IF;
        IF NOT coalesce(sealed, false) THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'DELETE' THEN
            EXECUTE TG_ARGV[0] INTO whose USING to_jsonb(OLD);
            IF EXISTS (
                SELECT FROM handoff_private.erasing e
                WHERE e.transaction = pg_current_xact_id() AND e.client = whose
                    AND TG_TABLE_NAME = ANY (e.tables)
            ) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION '% on % is refused: its rows are kept as they were written',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$;

    -- The last day on which the record of a client must be kept; NULL where there is no record.
    -- The longest period counts of the states the client lives and was treated in.
    CREATE FUNCTION handoff_held_until(whose uuid) RETURNS date
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        before text := coalesce(current_setting('handoff.clients', true), '');
        last date;
        born date;
        ends date;
    BEGIN
        SELECT birth_date INTO STRICT born FROM clients_client WHERE id = whose;
        PERFORM set_config('handoff.clients', format('{%s}', whose), true);
        SELECT max(day) INTO last FROM (
            SELECT greatest(started_on, last_visit_on, ended_on, created_at::date) AS day
                FROM referrals_episode WHERE client_id = whose
            UNION ALL SELECT n.signed_at::date FROM referrals_dischargenote n
                JOIN referrals_episode e ON e.id = n.episode_id WHERE e.client_id = whose
            UNION ALL SELECT a.signed_at::date FROM referrals_addendum a
                JOIN referrals_dischargenote n ON n.id = a.note_id
                JOIN referrals_episode e ON e.id = n.episode_id WHERE e.client_id = whose
            UNION ALL SELECT v.signed_at::date FROM referrals_restrictionversion v
                JOIN referrals_restriction r ON r.id = v.restriction_id
                JOIN referrals_episode e ON e.id = r.episode_id WHERE e.client_id = whose
            UNION ALL SELECT m.taken_on FROM referrals_measurement m
                JOIN referrals_episode e ON e.id = m.episode_id WHERE e.client_id = whose
            UNION ALL SELECT l.sent_at::date FROM referrals_loopreport l
                JOIN referrals_referral f ON f.id = l.referral_id WHERE f.client_id = whose
        ) AS entries;
        IF last IS NULL THEN
            PERFORM set_config('handoff.clients', before, true);
            RETURN NULL;
        END IF;
        SELECT max(greatest(
            last + make_interval(years => rule.years),
            -- The latest age of majority of any state: rather kept too long than too short.
            CASE WHEN last < born + interval '21 years'
                THEN born + make_interval(years => coalesce(rule.until_age, 18 + rule.years)) END
        ))::date INTO ends
        FROM (
            SELECT state FROM clients_client WHERE id = whose
            UNION SELECT p.state FROM referrals_episode e
                JOIN clients_professional t ON t.id = e.pt_id
                JOIN clients_practice p ON p.id = t.practice_id WHERE e.client_id = whose
        ) AS place
        CROSS JOIN LATERAL (
            SELECT r.years, r.until_age FROM clients_recordretention r
            WHERE r.state IN (place.state, '*') ORDER BY (r.state = '*') LIMIT 1
        ) AS rule;
        IF ends IS NULL THEN
            RAISE EXCEPTION 'no period is known for which this record must be kept'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        PERFORM set_config('handoff.clients', before, true);
        RETURN ends;
    END $$;

    -- Deletes what may go now (`finish` false) or, once the hold is over, all that was held
    -- (`finish` true) of the client of one request. Answers how many rows went from which table.
    CREATE FUNCTION handoff_erase(request uuid, finish boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        before text := coalesce(current_setting('handoff.clients', true), '');
        asked clients_erasure%ROWTYPE;
        held date;
        gone jsonb := '{}';
        step record;
        rows bigint;
    BEGIN
        SELECT * INTO asked FROM clients_erasure WHERE id = request FOR UPDATE;
        IF NOT FOUND OR asked.cancelled_at IS NOT NULL OR asked.finished_at IS NOT NULL
            OR asked.due_at > clock_timestamp()
        THEN
            RAISE EXCEPTION 'this request is not open, or its days of grace are not over'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        held := greatest(asked.held_until, handoff_held_until(asked.client_id));
        IF finish AND held >= (clock_timestamp() AT TIME ZONE 'UTC')::date THEN
            RAISE EXCEPTION 'the record must still be kept'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- Row-level security binds this function too: it declares the one client it is about.
        PERFORM set_config('handoff.clients', format('{%s}', asked.client_id), true);
        INSERT INTO handoff_private.erasing VALUES (
            pg_current_xact_id(), asked.client_id,
            CASE WHEN finish THEN ARRAY['referrals_dischargenote', 'referrals_goal',
                'referrals_addendum', 'referrals_measurement', 'referrals_restrictionversion',
                'referrals_acknowledgement', 'referrals_referralevent',
                'referrals_referralmessage', 'referrals_loopreport']
            ELSE ARRAY['referrals_referralmessage'] END
        );
        FOR step IN SELECT * FROM (VALUES
            (1, true, 'referrals_reminder', 'referral_id IN (SELECT id FROM referrals_referral WHERE client_id = $1) OR consent_id IN (SELECT id FROM clients_consent WHERE client_id = $1) OR episode_id IN (SELECT id FROM referrals_episode WHERE client_id = $1) OR restriction_id IN (SELECT r.id FROM referrals_restriction r JOIN referrals_episode e ON e.id = r.episode_id WHERE e.client_id = $1)'),
            (2, false, 'referrals_referralmessage', 'referral_id IN (SELECT id FROM referrals_referral WHERE client_id = $1)'),
            (3, false, 'referrals_restrictionversion', 'signed_at IS NULL AND restriction_id IN (SELECT r.id FROM referrals_restriction r JOIN referrals_episode e ON e.id = r.episode_id WHERE e.client_id = $1)'),
            (4, false, 'referrals_restriction', 'episode_id IN (SELECT id FROM referrals_episode WHERE client_id = $1) AND NOT EXISTS (SELECT FROM referrals_restrictionversion v WHERE v.restriction_id = referrals_restriction.id) AND NOT EXISTS (SELECT FROM referrals_reminder m WHERE m.restriction_id = referrals_restriction.id)'),
            (5, false, 'referrals_goal', 'note_id IN (SELECT n.id FROM referrals_dischargenote n JOIN referrals_episode e ON e.id = n.episode_id WHERE e.client_id = $1 AND n.signed_at IS NULL)'),
            (6, false, 'referrals_dischargenote', 'signed_at IS NULL AND episode_id IN (SELECT id FROM referrals_episode WHERE client_id = $1)'),
            (7, true, 'referrals_loopreport', 'referral_id IN (SELECT id FROM referrals_referral WHERE client_id = $1)'),
            (8, true, 'referrals_referralevent', 'referral_id IN (SELECT id FROM referrals_referral WHERE client_id = $1)'),
            (9, true, 'referrals_referral', 'client_id = $1'),
            (10, true, 'referrals_acknowledgement', 'version_id IN (SELECT v.id FROM referrals_restrictionversion v JOIN referrals_restriction r ON r.id = v.restriction_id JOIN referrals_episode e ON e.id = r.episode_id WHERE e.client_id = $1)'),
            (11, true, 'referrals_restrictionversion', 'restriction_id IN (SELECT r.id FROM referrals_restriction r JOIN referrals_episode e ON e.id = r.episode_id WHERE e.client_id = $1)'),
            (12, true, 'referrals_restriction', 'episode_id IN (SELECT id FROM referrals_episode WHERE client_id = $1)'),
            (13, true, 'referrals_measurement', 'episode_id IN (SELECT id FROM referrals_episode WHERE client_id = $1)'),
            (14, true, 'referrals_addendum', 'note_id IN (SELECT n.id FROM referrals_dischargenote n JOIN referrals_episode e ON e.id = n.episode_id WHERE e.client_id = $1)'),
            (15, true, 'referrals_goal', 'note_id IN (SELECT n.id FROM referrals_dischargenote n JOIN referrals_episode e ON e.id = n.episode_id WHERE e.client_id = $1)'),
            (16, true, 'referrals_dischargenote', 'episode_id IN (SELECT id FROM referrals_episode WHERE client_id = $1)'),
            (17, true, 'referrals_episode', 'client_id = $1')
        ) AS steps (number, held, place, which) ORDER BY number LOOP
            CONTINUE WHEN step.held AND NOT finish;
            EXECUTE format('DELETE FROM %I WHERE %s', step.place, step.which) USING asked.client_id;
            GET DIAGNOSTICS rows = ROW_COUNT;
            gone := gone || jsonb_build_object(
                step.place, rows + coalesce((gone ->> step.place)::bigint, 0)
            );
        END LOOP;
        DELETE FROM handoff_private.erasing WHERE transaction = pg_current_xact_id();
        PERFORM set_config('handoff.clients', before, true);
        RETURN gone;
    END $$;

    -- How an account proves who it is, deleted with the account of a client whose request is due.
    -- The worker's role may not even read these tables.
    CREATE FUNCTION handoff_close_account(request uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        account uuid;
    BEGIN
        SELECT c.user_id INTO account FROM clients_erasure e JOIN clients_client c ON c.id = e.client_id
            WHERE e.id = request AND e.cancelled_at IS NULL AND e.done_at IS NULL
                AND e.due_at <= clock_timestamp();
        IF account IS NULL THEN
            RAISE EXCEPTION 'this request is not open, or its days of grace are not over'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        DELETE FROM account_emailconfirmation WHERE email_address_id IN (
            SELECT id FROM account_emailaddress WHERE user_id = account);
        DELETE FROM account_emailaddress WHERE user_id = account;
        DELETE FROM mfa_authenticator WHERE user_id = account;
    END $$;
"""
DROP_FUNCTIONS = """
    DROP FUNCTION handoff_close_account(uuid);
    DROP FUNCTION handoff_erase(uuid, boolean);
    DROP FUNCTION handoff_held_until(uuid);
    DROP FUNCTION handoff_refuse_unless_erased();
    DROP TABLE handoff_private.erasing;
    DROP SCHEMA handoff_private;
"""


class Migration(migrations.Migration):
    """Signed rows can go once the law lets them, by one function and no other way."""

    dependencies = [
        ("clients", "0009_erasure"),
        ("referrals", "0007_letters"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS + replaced(), put_back() + DROP_FUNCTIONS),
    ]
