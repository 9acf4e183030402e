"""Migration operations for rows that are kept as they were written.

Plain triggers of our own: a library whose triggers can be switched off by a session variable
would not hold against the sessions these are there to stop.
"""

from django.db.migrations import RunSQL

CREATE_FUNCTIONS = RunSQL(
    """
    CREATE FUNCTION handoff_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% on % is refused: its rows are kept as they were written',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$;

    -- Rows that belong to a parent (TG_ARGV: parent table, column naming it, column of the parent
    -- that seals it) may not be added, changed or removed once the parent is sealed. The parent is
    -- locked, so that nothing slips in beside a signature that is being written.
    CREATE FUNCTION handoff_refuse_under_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        sealed boolean;
        parent uuid;
    BEGIN
        IF TG_OP <> 'DELETE' THEN
            parent := (to_jsonb(NEW) ->> TG_ARGV[1])::uuid;
            EXECUTE format('SELECT %I IS NOT NULL FROM %I WHERE id = $1 FOR SHARE',
                TG_ARGV[2], TG_ARGV[0]) INTO sealed USING parent;
        END IF;
        IF NOT coalesce(sealed, false) AND TG_OP <> 'INSERT' THEN
            parent := (to_jsonb(OLD) ->> TG_ARGV[1])::uuid;
            EXECUTE format('SELECT %I IS NOT NULL FROM %I WHERE id = $1 FOR SHARE',
                TG_ARGV[2], TG_ARGV[0]) INTO sealed USING parent;
        END IF;
        IF coalesce(sealed, false) THEN
            RAISE EXCEPTION '% on % is refused: what it belongs to is signed',
                TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN coalesce(NEW, OLD);
    END $$;
    """,
    """
    DROP FUNCTION handoff_refuse_under_sealed();
    DROP FUNCTION handoff_refuse_change();
    """,
)


# Both run with the rights of whoever owns the tables, so that the product's own roles need none on
# heads: they can lock one and add the entry that follows it, and nothing else.
CREATE_CHAIN_FUNCTIONS = RunSQL(
    """
    CREATE FUNCTION handoff_lock_head(wanted text, OUT number bigint, OUT hash text)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        LOOP
            SELECT head.number, head.hash INTO number, hash
                FROM core_ledgerhead head WHERE head.chain = wanted FOR UPDATE;
            EXIT WHEN FOUND;
            INSERT INTO core_ledgerhead (chain, number, hash)
                VALUES (wanted, 0, repeat('0', 64)) ON CONFLICT DO NOTHING;
        END LOOP;
    END $$;

    CREATE FUNCTION handoff_follow_head() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        UPDATE core_ledgerhead head SET number = NEW.number, hash = NEW.hash
            WHERE head.chain = TG_ARGV[0]
              AND head.number = NEW.number - 1 AND head.hash = NEW.prev_hash;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'INSERT on % is refused: it does not follow the newest entry',
                TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$;
    """,
    """
    DROP FUNCTION handoff_follow_head();
    DROP FUNCTION handoff_lock_head(text);
    """,
)


def chained(table: str, chain: str) -> RunSQL:
    """Take an INSERT into `table` only where it follows the head of `chain`, and move the head."""
    return RunSQL(
        f"""
        CREATE TRIGGER follows_head BEFORE INSERT ON {table}
            FOR EACH ROW EXECUTE FUNCTION handoff_follow_head('{chain}');
        """,
        f"DROP TRIGGER follows_head ON {table};",
    )


def append_only(table: str) -> RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE on `table`, for every role that owns it or not."""
    return RunSQL(
        f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION handoff_refuse_change();
        CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION handoff_refuse_change();
        """,
        f"DROP TRIGGER no_truncate ON {table}; DROP TRIGGER append_only ON {table};",
    )


def frozen_once(table: str, column: str) -> RunSQL:
    """Refuse UPDATE and DELETE of a row of `table` once its `column` holds a value."""
    return RunSQL(
        f"""
        CREATE TRIGGER frozen_once_{column} BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW WHEN (OLD.{column} IS NOT NULL)
            EXECUTE FUNCTION handoff_refuse_change();
        CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION handoff_refuse_change();
        """,
        f"DROP TRIGGER no_truncate ON {table}; DROP TRIGGER frozen_once_{column} ON {table};",
    )


def sealed_with(table: str, *, parent: str, link: str, column: str) -> RunSQL:
    """Refuse any change to rows of `table` once the `parent` row named by `link` has `column`."""
    return RunSQL(
        f"""
        CREATE TRIGGER sealed_with_parent BEFORE INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW
            EXECUTE FUNCTION handoff_refuse_under_sealed('{parent}', '{link}', '{column}');
        """,
        f"DROP TRIGGER sealed_with_parent ON {table};",
    )
