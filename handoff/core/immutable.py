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
