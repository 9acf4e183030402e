"""How long records of treatment must be kept, by state. Pure data a new database starts with.

Only what was looked up stands here, with where. For every other state a long period holds until
whoever runs a clinic there looks up the law and sets it (`manage.py record_period`).
"""

from typing import Final, NamedTuple

EVERYWHERE_ELSE: Final = "*"


class Period(NamedTuple):
    """Years after the last entry; a minor's record at least until an age."""

    state: str
    years: int
    until_age: int | None
    source: str


SEED: Final[tuple[Period, ...]] = (
    Period(EVERYWHERE_ELSE, 10, None, "Nobody looked it up: set by the clinic"),
    Period("CA", 7, 19, "Cal. Bus. & Prof. Code 2620.7"),
    Period("NY", 6, 22, "8 NYCRR 29.2(a)(3)"),
)
