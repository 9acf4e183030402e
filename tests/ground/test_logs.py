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
