"""How often a race is run: a few times with the suite, often by `make races`."""

import os

FULL = os.environ.get("RACES") == "full"


def rounds(ordinary: int, full: int) -> range:
    return range(full if FULL else ordinary)
