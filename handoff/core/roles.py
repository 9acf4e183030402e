"""The database roles of the product, and what each may do. None of them owns a table.

The owner (of `DATABASE_URL` when migrating) creates and changes tables. `handoff_web` serves
people, `handoff_worker` runs Celery. Both read and write rows as the lists below say, may add to
what is append-only and never change it, and are bound by row-level security. Rights are given anew
after every migration, so a new table needs no thought beyond this module.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import connections, transaction
from psycopg import sql

WEB: Final = "handoff_web"
WORKER: Final = "handoff_worker"
ROLES: Final = (WEB, WORKER)

CHAINS: Final = ("clients_consentevent", "clients_accessentry", "core_auditentry")
"""Entries are added, each following the head; nothing else is possible."""
READ_ONLY: Final = ("core_ledgerhead", "django_migrations")
"""Heads are moved by the trigger of the entry that follows them."""
APPEND_ONLY: Final = (
    "clients_consent",
    "referrals_acknowledgement",
    "referrals_addendum",
    "referrals_loopreport",
    "referrals_referralevent",
    "referrals_referralmessage",
)
WORKERS_CARE: Final = ("core_custody",)
"""Whether the house is held, and what was anchored: whoever serves people only reads it."""
CARED_FOR: Final = ("core_journalline",)
"""Added to by all; the worker writes down when a line that was owed has reached its file."""
LOCKED_ALSO: Final = {"clients_consent": "id"}
"""Append-only, but locked by verbs: SELECT FOR UPDATE wants the right to update one column. A
trigger refuses the update itself."""
NOT_FOR_THE_WORKER: Final = ("mfa_authenticator", "account_emailconfirmation", "django_admin_log")
"""Nothing Celery does needs to know how people prove who they are."""


def present(cursor: Any) -> list[str]:
    """Those of the product's roles that this server has."""
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [list(ROLES)])
    return sorted(name for (name,) in cursor.fetchall())


def create(cursor: Any, passwords: Mapping[str, str]) -> None:
    """Create the roles, or give them these passwords. Takes a connection that may make roles."""
    there = present(cursor)
    for role in ROLES:
        verb = "ALTER" if role in there else "CREATE"
        cursor.execute(
            sql.SQL(
                "{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {word}"
            ).format(
                verb=sql.SQL(verb), role=sql.Identifier(role), word=sql.Literal(passwords[role])
            )
        )


def grant(cursor: Any) -> list[str]:
    """Give the roles that exist exactly their rights on everything there is; which they are."""
    roles = present(cursor)
    for role in roles:
        cursor.execute("".join(_rights(cursor, role)))
    return roles


def grant_after_migrate(using: str = "default", **_: Any) -> None:
    """Signal handler of `post_migrate`."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        grant(cursor)


def _rights(cursor: Any, role: str) -> list[str]:
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace ORDER BY relname"
    )
    tables = [name for (name,) in cursor.fetchall()]
    words = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};",
        f"GRANT USAGE ON SCHEMA public TO {role};",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};",
        "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role};",
    ]
    groups: dict[str, list[str]] = {}
    for table in tables:
        if role == WORKER and table in NOT_FOR_THE_WORKER:
            continue
        groups.setdefault(_right(role, table), []).append(f'"{table}"')
    words += [f"GRANT {right} ON {', '.join(names)} TO {role};" for right, names in groups.items()]
    words += [
        f'GRANT UPDATE ("{column}") ON "{table}" TO {role};'
        for table, column in LOCKED_ALSO.items()
        if table in tables
    ]
    return words


def _right(role: str, table: str) -> str:
    if table in READ_ONLY or (role == WEB and table in WORKERS_CARE):
        return "SELECT"
    if table in CARED_FOR or table in WORKERS_CARE:
        return "SELECT, INSERT, UPDATE" if role == WORKER else "SELECT, INSERT"
    if table in CHAINS or table in APPEND_ONLY:
        return "SELECT, INSERT"
    return "SELECT, INSERT, UPDATE, DELETE"
