"""Health checks for containers, light enough to run every half minute.

python -m handoff.probe web       the web server answers and is ready
python -m handoff.probe worker    beat, queue and worker did a round trip lately
"""

import os
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

PORT = 8000
WORKER_SECONDS = 120


def web() -> bool:
    host = urlsplit(os.environ["SITE_URL"]).netloc  # any other name is refused
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/readyz", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=8) as answer:  # noqa: S310 (our own address)
        return bool(answer.status == 200)


def worker() -> bool:
    import psycopg  # noqa: PLC0415 (the web probe does without)

    named = os.environ.get("DATABASE_URL_FILE")
    url = Path(named).read_text().strip() if named else os.environ["DATABASE_URL"]
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT clock_timestamp() - seen_at < make_interval(secs => %s)"
            " FROM handoff_heartbeat WHERE process = 'worker'",
            [WORKER_SECONDS],
        ).fetchone()
    return row is not None and bool(row[0])


def main() -> None:
    probe = {"web": web, "worker": worker}.get(" ".join(sys.argv[1:]))
    if probe is None:
        sys.exit("usage: python -m handoff.probe web|worker")
    try:
        healthy = probe()
    except Exception as error:  # whatever it was: unhealthy
        sys.exit(f"unhealthy: {type(error).__name__}")
    if not healthy:
        sys.exit("unhealthy")


if __name__ == "__main__":
    main()
