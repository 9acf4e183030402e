"""What the database itself refuses, asked with the credentials the processes log in with."""

import os
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
import time_machine
from django.apps import apps
from django.db import connection

from handoff.core import roles, subjects
from handoff.core.sensitivity import Sensitivity, fields_of
from handoff.embedded import postgres
from tests.api.conftest import World
from tests.api.test_lists import a_coverage, a_letter, a_package, a_screening
from tests.factories import NOON
from tests.guards.test_canary import job

pytestmark = pytest.mark.django_db(transaction=True)

Login = Callable[[str], "psycopg.Connection[tuple[object, ...]]"]
CLINICAL = sorted(
    {model._meta.db_table for model in apps.get_models() if fields_of(model, Sensitivity.CLINICAL)}
)


@pytest.fixture
def login() -> Iterator[Login]:
    """A connection of its own to the test database, with the rights of one role from its start."""
    opened = []

    def log_in(role: str) -> "psycopg.Connection[tuple[object, ...]]":
        url = urlsplit(os.environ["DATABASE_URL"])
        name = quote(str(connection.settings_dict["NAME"]))
        given = os.environ.get({roles.WEB: "WEB_DATABASE_URL"}.get(role, "WORKER_DATABASE_URL"))
        address = urlsplit(given) if given else url
        made = psycopg.connect(address._replace(path=f"/{name}").geturl(), autocommit=True)
        if not given:  # somebody's own server, whose roles have passwords we do not know
            made.execute(f"SET SESSION AUTHORIZATION {role}")
        opened.append(made)
        return made

    yield log_in
    for each in opened:
        each.close()


@pytest.fixture
def filled(db: None) -> Iterator[World]:
    """The main job, done: something stands in every clinical table."""
    with time_machine.travel(NOON):
        world = World()
        job(world)
        a_letter(world)
        a_coverage(world)
        a_package(world)
        a_screening(world)
        yield world


def count(db: "psycopg.Connection[tuple[object, ...]]", table: str) -> int:
    row = db.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    assert row is not None
    return int(str(row[0]))


def declare(db: "psycopg.Connection[tuple[object, ...]]", *clients: UUID) -> None:
    named = ",".join(map(str, clients))
    db.execute("SELECT set_config('handoff.clients', %s, true)", [f"{{{named}}}"])


class TestClinicalRows:
    @pytest.mark.parametrize("role", roles.ROLES)
    def test_without_a_declaration_there_are_none(
        self, filled: World, login: Login, role: str
    ) -> None:
        db = login(role)
        there = {table for table in subjects.guarded_tables() if count_all(table)}
        assert there >= set(CLINICAL), "the scene leaves a clinical table empty"
        for table in sorted(subjects.guarded_tables()):
            assert count(db, table) == 0, table

    def test_a_declaration_shows_that_client_and_no_other(
        self, filled: World, login: Login
    ) -> None:
        db = login(roles.WEB)
        with db.transaction():
            declare(db, filled.client.pk)
            for table in CLINICAL:
                assert count(db, table) > 0, table
        with db.transaction():
            declare(db, uuid4())
            for table in CLINICAL:
                assert count(db, table) == 0, table

    def test_a_declaration_ends_with_its_transaction(self, filled: World, login: Login) -> None:
        db = login(roles.WEB)
        with db.transaction():
            declare(db, filled.client.pk)
            assert count(db, "referrals_episode") > 0
        assert count(db, "referrals_episode") == 0

    def test_an_account_reaches_its_own_clients(self, filled: World, login: Login) -> None:
        db = login(roles.WEB)
        for account, sees in (
            (filled.client.user_id, True),
            (filled.pt.user_id, True),
            (filled.trainer.user_id, True),
            (uuid4(), False),
        ):
            with db.transaction():
                db.execute("SELECT set_config('handoff.account', %s, true)", [str(account)])
                assert (count(db, "referrals_dischargenote") > 0) is sees

    def test_rows_of_others_cannot_be_changed_removed_or_made(
        self, filled: World, login: Login
    ) -> None:
        db = login(roles.WEB)
        with db.transaction():
            declare(db, uuid4())
            assert db.execute("UPDATE referrals_episode SET mechanism = 'x'").rowcount == 0
            assert db.execute("DELETE FROM referrals_measurement").rowcount == 0
        goal = (
            "INSERT INTO referrals_goal (note_id, position, text, outcome, why_not)"
            f" VALUES ('{connection_note()}', 9, 'x', 'met', '')"
        )
        theft = f"UPDATE referrals_episode SET client_id = '{UUID(int=1)}'"
        for client, statement in ((uuid4(), goal), (filled.client.pk, theft)):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
                declared_and_done(db, client, statement)

    def test_the_mark_of_lookups_is_of_no_use_to_anybody(self, filled: World, login: Login) -> None:
        db = login(roles.WEB)
        with db.transaction():
            db.execute("SELECT set_config('handoff.lookup', 'on', true)")
            declare(db, filled.client.pk)
            assert count(db, "referrals_episode") == 0

    def test_every_clinical_table_is_guarded_and_forced(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
            )
            forced = {name for (name,) in cursor.fetchall()}
            cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity")
            assert forced == {name for (name,) in cursor.fetchall()}
        assert forced == subjects.guarded_tables()
        assert forced >= set(CLINICAL)


AGAINST_A_CHAIN = (
    "UPDATE {} SET hash = repeat('a', 64)",
    "DELETE FROM {}",
    "TRUNCATE {} CASCADE",
    "ALTER TABLE {} DISABLE TRIGGER append_only",
    "ALTER TABLE {} ADD COLUMN more text",
    "DROP TABLE {} CASCADE",
    "DROP TRIGGER append_only ON {}",
    "SELECT 1 FROM {} FOR UPDATE",
)


class TestRights:
    @pytest.mark.parametrize("role", roles.ROLES)
    def test_a_role_owns_nothing_and_goes_round_nothing(self, login: Login, role: str) -> None:
        row = (
            login(role)
            .execute(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,"
                " (SELECT count(*) FROM pg_class WHERE relowner = r.oid)"
                " FROM pg_roles r WHERE rolname = current_user"
            )
            .fetchone()
        )
        assert row == (False, False, False, False, 0)

    @pytest.mark.parametrize("role", roles.ROLES)
    def test_a_chain_takes_additions_only(self, filled: World, login: Login, role: str) -> None:
        db = login(role)
        for table in roles.CHAINS:
            before = count_all(table)
            assert before, table
            for statement in AGAINST_A_CHAIN:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    db.execute(statement.format(table))
                assert count_all(table) == before, (table, statement)

    @pytest.mark.parametrize("role", roles.ROLES)
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE core_ledgerhead SET number = 0",
            "DELETE FROM core_ledgerhead",
            "INSERT INTO core_ledgerhead (chain, number, hash) VALUES ('more', 0, '')",
            "SET session_replication_role = replica",
            "ALTER TABLE referrals_episode NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE referrals_episode DISABLE ROW LEVEL SECURITY",
            "CREATE POLICY mine ON referrals_episode USING (true)",
            "CREATE TABLE mine (id int)",
            "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "UPDATE referrals_addendum SET text = ''",
            "DELETE FROM referrals_loopreport",
            "INSERT INTO django_migrations (app, name, applied) VALUES ('core', 'x', now())",
            "GRANT ALL ON core_ledgerhead TO PUBLIC",
        ],
    )
    def test_what_nobody_but_the_owner_may(self, login: Login, role: str, statement: str) -> None:
        db = login(role)
        if statement.startswith("GRANT"):  # without the right to grant this is a warning, no error
            db.execute(statement)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute("UPDATE core_ledgerhead SET number = 0")
            return
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(statement)

    def test_an_entry_that_does_not_follow_the_head_is_refused(
        self, filled: World, login: Login
    ) -> None:
        db = login(roles.WEB)
        for shift, digest in ((1, "0" * 64), (5, None), (0, None)):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
                db.execute(
                    "INSERT INTO core_auditentry (number, at, prev_hash, hash, actor_roles, verb,"
                    " object_type, object_id, channel, request_id, facts)"
                    " SELECT number + %s, now(), coalesce(%s, hash), repeat('b', 64), '{}', 'x',"
                    " 'x', 'x', 'page', '', '{}' FROM core_ledgerhead WHERE chain = 'audit'",
                    [shift, digest],
                )

    @pytest.mark.parametrize("table", roles.NOT_FOR_THE_WORKER)
    def test_the_worker_does_not_know_how_people_sign_in(self, login: Login, table: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            count(login(roles.WORKER), table)

    def test_every_table_named_here_exists(self) -> None:
        named = {*roles.CHAINS, *roles.READ_ONLY, *roles.APPEND_ONLY, *roles.LOCKED_ALSO}
        assert named | {*roles.NOT_FOR_THE_WORKER} <= set(connection.introspection.table_names())

    def test_the_embedded_server_makes_the_same_roles(self) -> None:
        assert set(postgres.SERVING.values()) == set(roles.ROLES)

    def test_rights_are_given_again_as_often_as_you_like(self) -> None:
        with connection.cursor() as cursor:
            assert roles.grant(cursor) == sorted(roles.ROLES)
            assert roles.grant(cursor) == sorted(roles.ROLES)


def count_all(table: str) -> int:
    """As the superuser of the tests, who sees everything."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        return int(cursor.fetchone()[0])


def connection_note() -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM referrals_dischargenote LIMIT 1")
        found: UUID = cursor.fetchone()[0]
    return found


def declared_and_done(
    db: "psycopg.Connection[tuple[object, ...]]", client: UUID, statement: str
) -> None:
    declare(db, client)
    db.execute(statement)
