"""A log line holds ids and verbs; a value nobody allowed never reaches it."""

import json
import subprocess
import sys

from handoff.embedded import BASE_DIR
from tests.ground.checkout import bare_environment

CANARY = "Osgood-Schlatter"
PROGRAM = f"""
import logging
import structlog
from handoff import logs
logs.configure(level="INFO", readable=False)
log = structlog.get_logger("referrals.lifecycle")
log.info("referral.accepted", referral="r-1", condition="{CANARY}", actor="u-1")
log.debug("not.at.this.level")
try:
    raise ValueError("value too long: {CANARY}")
except ValueError:
    log.exception("referral.failed", referral="r-1")
    logging.getLogger("django.request").error(
        "Internal Server Error: %s", "/invitations/{CANARY}/", exc_info=True
    )
    logging.getLogger("celery.app.trace").error(
        "Task %(name)s[%(id)s] raised unexpected: %(exc)s\\n%(traceback)s",
        dict(name="referrals.tasks.tick", id="t-1", exc="{CANARY}", traceback="{CANARY}"),
    )
logging.getLogger("django.db.backends").info("SELECT '{CANARY}'")
"""


def test_only_what_is_on_the_list_is_written() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=BASE_DIR,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert CANARY not in result.stderr
    accepted, failed, foreign, task = (json.loads(line) for line in result.stderr.splitlines())
    assert accepted.pop("timestamp")
    assert accepted == {
        "event": "referral.accepted",
        "level": "info",
        "logger": "referrals.lifecycle",
        "referral": "r-1",
        "actor": "u-1",
        "dropped": 1,
    }
    assert task["event"] == "Task %(name)s[%(id)s] raised unexpected: %(exc)s"
    assert (task["task"], task["task_id"]) == ("referrals.tasks.tick", "t-1")
    assert foreign["event"] == "Internal Server Error: %s"
    assert failed["exception"] == foreign["exception"] == "builtins.ValueError"
    assert failed["places"] == foreign["places"] == ["<string>:10 <module>"]


BREAKERS = {
    "line feed": 'Ana\n{"event": "forged"}',
    "carriage return": "Ana\r\nevent=forged",
    "form feed": "Ana\x0c\x0bforged",
    "next line": "Ana\x85forged",
    "line separator": "Ana\u2028forged\u2029",
    "colours": "\x1b[2J\x1b[31mAna\x1b[0m",
    "title of a terminal": "\x1b]0;forged\x07",
    "backspace": "Ana\x08\x08\x08Bob",
    "nul": "Ana\x00",
    "surrogate": "Ana\ud800",
    "right to left": "\u202egnp.ana",
    "quotes": '", "level": "critical", "x": "',
}
INJECTION = """
import json
import logging
import sys
import structlog
from handoff import logs
logs.configure(level="INFO", readable=False)
for name in json.loads(sys.argv[1]):
    log = structlog.get_logger("clients." + name)
    log.info("client.changed", client=name, reason=name, path=name, name=name)
    log.info(name)
    logging.getLogger("django.request").warning("Not Found: %s", "/" + name)
    logging.getLogger("elsewhere").warning(name)
    try:
        raise ValueError(name)
    except ValueError:
        log.exception("client.failed", client=name)
"""


def test_no_name_breaks_a_line_or_writes_one_of_its_own() -> None:
    """Line breaks of every kind, and what a terminal would obey, in every value that is allowed."""
    result = subprocess.run(
        [sys.executable, "-c", INJECTION, json.dumps(list(BREAKERS.values()))],
        cwd=BASE_DIR,
        env=bare_environment(),
        capture_output=True,
        check=True,
    )
    written = result.stderr.decode("ascii")  # whatever is not plain is escaped
    assert all(" " <= letter <= "~" or letter == "\n" for letter in written)
    lines = [json.loads(line) for line in written.splitlines()]
    assert len(lines) == 5 * len(BREAKERS)
    assert {line["level"] for line in lines} == {"info", "warning", "error"}
    assert not any(line["event"] == "forged" for line in lines)
    for value, line in zip(BREAKERS.values(), lines[::5], strict=True):
        assert line["client"] == line["reason"] == value
        assert "name" not in line
