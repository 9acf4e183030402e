"""Make `.venv` and install one locked list of packages into it. Needs nothing but Python 3.11.

    python3 -I handoff/install.py run|dev

Does nothing when the list has not changed since. `uv` does the work where it can be installed,
pip otherwise; both check the hashes. Also writes a first `.env` for development.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LISTS = {"run": ROOT / "requirements-run.txt", "dev": ROOT / "requirements-dev.txt"}
UV = ROOT / "requirements-uv.txt"
# pip's settings and how uv calls them.
HANDED_ON = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in LISTS:
        sys.exit(f"usage: python3 -I {sys.argv[0]} {'|'.join(LISTS)}")
    newer = find_python()
    if newer is not None:
        os.execv(newer, [newer, "-I", *sys.argv])  # noqa: S606 (a Python we just looked up)
    with only_one():
        write_env()
        if not is_current(sys.argv[1]):
            install(sys.argv[1])


def find_python() -> "str | None":
    """Another Python to use, when this one is too old."""
    if sys.version_info >= (3, 11):  # noqa: UP036 (this file also runs on what a machine has)
        return None
    for name in ("python3.13", "python3.12", "python3.11", "python3.14"):
        if found := shutil.which(name):
            return found
    found_here = ".".join(str(part) for part in sys.version_info[:3])
    sys.exit(f"Handoff needs Python 3.11 or newer; this is {found_here} ({sys.executable})")


@contextlib.contextmanager
def only_one():  # type: ignore[no-untyped-def]  # runs on an older Python up to find_python
    """Two `make` at once must not install into each other."""
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "install.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fingerprint(name: str) -> str:
    text = LISTS[name].read_bytes() + sys.version.encode() + str(ROOT).encode()
    return hashlib.sha256(text).hexdigest()


def stamp(name: str) -> Path:
    return VENV / f".installed-{name}"


def is_current(name: str) -> bool:
    """Whether this list, or the larger one that contains it, is what is installed."""
    if not PYTHON.exists():
        return False
    larger = [name, "dev"]
    return any(
        stamp(each).exists() and stamp(each).read_text() == fingerprint(each) for each in larger
    )


def install(name: str) -> None:
    say(f"Installing what {LISTS[name].name} lists into .venv (once, until the list changes) ...")
    stamp(name).unlink(missing_ok=True)
    if not PYTHON.exists() or not quiet([str(PYTHON), "-m", "pip", "--version"]):
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            shutil.rmtree(VENV, ignore_errors=True)
            reason = (made.stdout + made.stderr).strip().splitlines()
            hint = "on Debian and Ubuntu: apt-get install python3-venv"
            sys.exit(f"cannot make .venv: {reason[-1] if reason else 'venv failed'} ({hint})")
    if not with_uv(LISTS[name]):
        pip = [str(PYTHON), "-m", "pip", "install", "-q", "--require-hashes", "-r"]
        if subprocess.run([*pip, str(LISTS[name])], check=False).returncode != 0:
            sys.exit(f"could not install {LISTS[name].name}: see the lines above")
    stamp(name).write_text(fingerprint(name))


def with_uv(wanted: Path) -> bool:
    """uv is many times faster; where it or its index is not to be had, say no and let pip try."""
    pip = [str(PYTHON), "-m", "pip"]
    if not quiet([*pip, "install", "-q", "--require-hashes", "-r", str(UV)]):
        return False
    # uv does not read pip's settings: hand on the index and the certificates a site prescribes.
    settings = {"UV_SYSTEM_CERTS": "1", **os.environ}
    shown = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False)
    for line in shown.stdout.splitlines():
        section, _, rest = line.partition(".")
        option, _, value = rest.partition("=")
        variable = HANDED_ON.get(option)
        if variable and section in ("global", "install", ":env:"):
            separator = "," if option == "find-links" else " "
            settings[variable] = separator.join(value.strip("'\"").split())
    command = [str(PYTHON), "-m", "uv", "pip", "install", "-q", "--python", str(PYTHON)]
    command += ["--require-hashes", "--index-strategy", "unsafe-best-match", "-r", str(wanted)]
    return quiet(command, settings)


def quiet(command: "list[str]", environ: "dict[str, str] | None" = None) -> bool:
    result = subprocess.run(command, env=environ, capture_output=True, check=False)
    return result.returncode == 0


def write_env() -> None:
    """A first `.env`: demo mode with a key of its own. An existing file is left alone."""
    lines = (
        "# Made by make for this checkout; .env.example explains what else may stand here.",
        "DEMO=1",
        f"SECRET_KEY={secrets.token_urlsafe(60)}",
    )
    with contextlib.suppress(FileExistsError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(ROOT / ".env", flags, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
