"""The launcher, as other processes meet it: started, shared, killed, started again."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from handoff.embedded import places
from tests.ground.checkout import (
    bare_environment,
    copy_of_launcher,
    none_left,
    processes_of,
    python,
)

# Starts the servers, says so with the address, and ends when its input does.
HOLD = """
import os, sys
from handoff import embedded
embedded.on_termination(lambda number: sys.exit(128 + number))
try:
    with embedded.shared(embedded.wanted(os.environ)) as attached:
        print("up", attached.addresses.get("DATABASE_URL", "-"), flush=True)
        sys.stdin.read()
except embedded.EmbeddedError as error:
    sys.exit(f"refused: {error}")
except KeyboardInterrupt:
    sys.exit("interrupted")
"""
SQL = """
import os, sys, psycopg
from handoff import embedded
with embedded.shared(embedded.wanted(os.environ)) as attached:
    with psycopg.connect(attached.addresses["DATABASE_URL"]) as connection:
        cursor = connection.execute(sys.argv[1])
        print(cursor.fetchone()[0] if cursor.description else "done")
"""


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """Shared by the tests that leave the data usable: an initdb each would take their time."""
    with made_checkout() as folder:
        yield folder


@pytest.fixture
def own_checkout() -> Iterator[Path]:
    with made_checkout() as folder:
        yield folder


@contextmanager
def made_checkout() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="handoff-checkout-", dir="/tmp"))
    folder.chmod(0o755)
    copy_of_launcher(folder)
    sockets = sockets_of(folder)
    yield folder
    for line in processes_of(folder, sockets):
        os.kill(int(line.split()[0]), signal.SIGKILL)
    shutil.rmtree(folder)
    shutil.rmtree(sockets, ignore_errors=True)


def sockets_of(checkout: Path) -> Path:
    code = "from handoff.embedded import places; print(places.Place.for_run().sockets)"
    return Path(run(checkout, code).stdout.strip())


def run(
    checkout: Path, code: str, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=checkout,
        env=bare_environment(PYTHONPATH=str(checkout), **environ),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def sql(checkout: Path, statement: str) -> str:
    result = run(checkout, SQL, statement)
    assert result.returncode == 0, result.stderr
    return str(result.stdout).strip()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return str(process.stdout.readline()).strip()


def test_data_outlives_the_servers(checkout: Path) -> None:
    sql(checkout, "CREATE TABLE kept41 AS SELECT 41 AS n")
    assert none_left(checkout, sockets_of(checkout))
    assert sql(checkout, "SELECT n + 1 FROM kept41") == "42"


def test_the_product_is_no_superuser(checkout: Path) -> None:
    assert sql(
        checkout, "SELECT current_user || rolsuper FROM pg_roles WHERE rolname = current_user"
    ) == ("handofffalse")


def test_the_last_user_stops_the_servers_and_no_other(checkout: Path) -> None:
    with python(checkout, "-c", HOLD) as first, python(checkout, "-c", HOLD) as second:
        assert first_line(first) == first_line(second)
        first.communicate()  # the one that started them leaves
        assert sql(checkout, "SELECT 1") == "1"
        assert processes_of(f"{checkout}/var")
        second.communicate()
    assert none_left(checkout, sockets_of(checkout))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_no_process(checkout: Path, number: signal.Signals) -> None:
    with python(checkout, "-c", HOLD) as holder:
        assert first_line(holder).startswith("up")
        holder.send_signal(number)
        holder.wait(20)
    assert none_left(checkout, sockets_of(checkout))


def test_a_kill_is_recovered_from(checkout: Path) -> None:
    with python(checkout, "-c", HOLD) as holder:
        assert first_line(holder).startswith("up")
        sql(checkout, "CREATE TABLE kept7 AS SELECT 7 AS n")
        holder.kill()
        holder.wait()
    assert processes_of(f"{checkout}/var"), "nothing to recover from: the test proves nothing"
    assert sql(checkout, "SELECT n FROM kept7") == "7"
    assert none_left(checkout, sockets_of(checkout))


def test_killed_servers_are_recovered_from(checkout: Path) -> None:
    sockets = sockets_of(checkout)
    with python(checkout, "-c", HOLD) as holder:
        assert first_line(holder).startswith("up")
        sql(checkout, "CREATE TABLE kept8 AS SELECT 8 AS n")
        for line in processes_of(f"-D {checkout}", f"{sockets}/valkey"):
            os.kill(int(line.split()[0]), signal.SIGKILL)
        assert sql(checkout, "SELECT n FROM kept8") == "8"
        holder.communicate()
    assert none_left(checkout, sockets)


def test_an_address_in_the_environment_wins(own_checkout: Path) -> None:
    shutil.rmtree(own_checkout / "var")
    with python(
        own_checkout, "-c", HOLD, DATABASE_URL="postgresql://a@b/c", REDIS_URL="redis://d"
    ) as holder:
        assert first_line(holder) == "up -"
        assert not (own_checkout / "var").exists()


def test_a_folder_prepared_by_somebody_else_is_refused(own_checkout: Path) -> None:
    sockets = sockets_of(own_checkout)
    sockets.rmdir()
    elsewhere = own_checkout / "elsewhere"
    elsewhere.mkdir()
    sockets.symlink_to(elsewhere)
    try:
        result = run(own_checkout, HOLD)
        assert result.returncode != 0
        assert f"{sockets} belongs to somebody else" in result.stderr
        assert list(elsewhere.iterdir()) == []
    finally:
        sockets.unlink()


def test_nothing_is_open_to_others(checkout: Path) -> None:
    with python(checkout, "-c", HOLD) as holder:
        assert first_line(holder).startswith("up")
        sockets = sockets_of(checkout)
        for path in (sockets / "pg", sockets / "valkey", checkout / "var/embedded/postgres"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        password = checkout / "var/embedded/postgres.password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert password.read_text() not in " ".join(processes_of(checkout))
        assert stat.S_IMODE(checkout.stat().st_mode) == 0o755


def test_damaged_data_is_told_in_one_line(own_checkout: Path) -> None:
    sql(own_checkout, "SELECT 1")
    (own_checkout / "var/embedded/postgres/PG_VERSION").unlink()
    result = run(own_checkout, HOLD)
    assert result.stderr.strip().count("\n") == 0
    assert "make reset" in result.stderr


def test_a_missing_wheel_names_the_variable() -> None:
    with pytest.raises(places.EmbeddedError, match="set DATABASE_URL"):
        places.wheel_folder("handoff_no_such_wheel", "DATABASE_URL")


THROWAWAY = """
import os, sys
from handoff import embedded
servers = embedded.ThrowAway(embedded.wanted({}))
print("up", servers.start()["DATABASE_URL"], flush=True)
print(servers.root, flush=True)
sys.stdin.read()
servers.stop()
"""


def test_two_sessions_run_at_once_and_leave_nothing(checkout: Path) -> None:
    with python(checkout, "-c", THROWAWAY) as first, python(checkout, "-c", THROWAWAY) as second:
        addresses = {first_line(first), first_line(second)}
        roots = {first_line(first), first_line(second)}
        assert len(addresses) == len(roots) == 2
        first.communicate()
        second.communicate()
    assert none_left(*roots)
    assert not any(Path(root).exists() for root in roots)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_session_leaves_no_process_and_the_next_no_folder(checkout: Path) -> None:
    with python(checkout, "-c", THROWAWAY) as session:
        first_line(session)
        root = first_line(session)
        session.kill()
        session.wait()
    assert none_left(root)
    with python(checkout, "-c", THROWAWAY) as session:
        first_line(session)
        session.communicate()
    assert not Path(root).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another account must be locked out")
def test_root_behind_a_closed_door_opens_none(own_checkout: Path) -> None:
    """A checkout in root's 0700 home: the servers' account cannot come in, and need not."""
    own_checkout.chmod(0o700)
    sql(own_checkout, "CREATE TABLE kept AS SELECT 9 AS n")
    assert sql(own_checkout, "SELECT n FROM kept") == "9"
    assert stat.S_IMODE(own_checkout.stat().st_mode) == 0o700
    assert not (own_checkout / "var/embedded/postgres").exists()
    run(own_checkout, "from handoff import embedded; embedded.throw_away_data()")
    key = sockets_of(own_checkout).name.rpartition("-")[2]
    assert not any((places.private_folder() / key).iterdir())
    (places.private_folder() / key).rmdir()
