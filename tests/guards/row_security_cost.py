"""What row-level security costs on 100,000 notes: `python -m tests.guards.row_security_cost`.

The same statements, by turns, with the rights of the web role and a declared client, and as the
superuser of a throw-away server, for whom there is no row-level security. Prints a table for the
ADR. No test: it judges nothing.
"""

import os
import statistics
import time
from collections.abc import Callable

from handoff import embedded
from tests import servers

CLIENTS, EPISODES_EACH, ROUNDS = 2000, 50, 300


def main() -> None:
    servers._environment()
    throwaway = embedded.ThrowAway(embedded.wanted(os.environ))
    try:
        os.environ.update(throwaway.start())
        measure()
    finally:
        throwaway.stop()


def measure() -> None:
    import django  # noqa: PLC0415 (the servers have to be there before the settings are read)
    import psycopg  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0, interactive=False)
    seed()
    owner = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    web = psycopg.connect(os.environ["WEB_DATABASE_URL"], autocommit=True)
    owner.execute("ANALYZE")
    count = owner.execute("SELECT count(*) FROM referrals_dischargenote").fetchone()
    rows = owner.execute(
        "SELECT note.id, episode.client_id, episode.pt_id, pt.user_id"
        " FROM referrals_dischargenote note"
        " JOIN referrals_episode episode ON episode.id = note.episode_id"
        " JOIN clients_professional pt ON pt.id = episode.pt_id ORDER BY note.id LIMIT %s",
        [ROUNDS],
    ).fetchall()
    print(f"{count[0] if count else 0} notes, {CLIENTS} clients, {ROUNDS} rounds; ms, median")
    print("| | without | one client declared | the account declared |")
    print("| --- | --- | --- | --- |")
    for words, sql, arguments in STATEMENTS:
        bare, client, account = [], [], []
        for row in rows:
            values = arguments(row)
            bare.append(timed(owner, sql, values, "", ""))
            client.append(timed(web, sql, values, f"{{{row[1]}}}", ""))
            account.append(timed(web, sql, values, "", str(row[3])))
        print(
            f"| {words} |",
            " | ".join(f"{statistics.median(x):.2f}" for x in (bare, client, account)),
            "|",
        )
    nothing = web.execute("SELECT count(*) FROM referrals_dischargenote").fetchone()
    print(f"without any declaration the web role counts {nothing[0] if nothing else None} notes")


STATEMENTS: list[tuple[str, str, Callable[[tuple], list]]] = [  # type: ignore[type-arg]
    (
        "one note by its id",
        "SELECT * FROM referrals_dischargenote WHERE id = %s",
        lambda row: [row[0]],
    ),
    (
        "the notes of one client",
        "SELECT note.* FROM referrals_dischargenote note JOIN referrals_episode episode"
        " ON episode.id = note.episode_id WHERE episode.client_id = %s",
        lambda row: [row[1]],
    ),
    (
        "the 25 newest episodes of a therapist",
        "SELECT * FROM referrals_episode WHERE pt_id = %s AND client_id = %s"
        " ORDER BY created_at DESC, id DESC LIMIT 25",
        lambda row: [row[2], row[1]],
    ),
]


def timed(db, sql: str, values: list, clients: str, account: str) -> float:  # type: ignore[no-untyped-def,type-arg]
    """Milliseconds from BEGIN to COMMIT, with the declaration between, as the engine does it."""
    began = time.perf_counter()
    with db.transaction():
        if clients or account:
            db.execute(
                "SELECT set_config('handoff.clients', %s, true),"
                " set_config('handoff.account', %s, true)",
                [clients, account],
            )
        db.execute(sql, values).fetchall()
    return (time.perf_counter() - began) * 1000


def seed() -> None:
    from django.db import connection  # noqa: PLC0415

    from tests.factories import ClientFactory, DischargeNoteFactory, licensed_pt  # noqa: PLC0415

    note = DischargeNoteFactory.create()
    pts = [licensed_pt().pk for _ in range(20)]
    one = ClientFactory.create(user=None)
    with connection.cursor() as cursor:
        # A session in which no trigger fires: every row is one of the factories', multiplied.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO clients_client SELECT (jsonb_populate_record(NULL::clients_client,"
            " to_jsonb(t) || jsonb_build_object('id', gen_random_uuid()))).*"
            " FROM clients_client t, generate_series(1, %s) WHERE t.id = %s",
            [CLIENTS, one.pk],
        )
        cursor.execute(
            "INSERT INTO referrals_episode SELECT (jsonb_populate_record(NULL::referrals_episode,"
            " to_jsonb(e) || jsonb_build_object('id', gen_random_uuid(), 'client_id', c.id,"
            " 'pt_id', (%s::uuid[])[1 + (hashtext(c.id::text) & 7)]))).*"
            " FROM referrals_episode e, clients_client c, generate_series(1, %s)"
            " WHERE e.id = %s AND c.user_id IS NULL",
            [pts, EPISODES_EACH, note.episode_id],
        )
        cursor.execute(
            "INSERT INTO referrals_dischargenote SELECT (jsonb_populate_record("
            "NULL::referrals_dischargenote, to_jsonb(n) || jsonb_build_object("
            "'id', gen_random_uuid(), 'episode_id', e.id))).*"
            " FROM referrals_dischargenote n, referrals_episode e WHERE n.id = %s AND e.id <> %s",
            [note.pk, note.episode_id],
        )


if __name__ == "__main__":
    main()
