"""A restriction in plain words: one sentence, a headline, a plate, and when it ends.

Pure. These are the words the trainer, the client and the PT's preview all read. They are built
from closed lists and numbers; the PT's own text is added only where the kind is made of it
(equipment, position, good-to-know). English only so far: sentences put together from parts do
not survive word-by-word translation, another language gets a module of its own.
"""

from referrals.wording.ending import (
    THE_PT,
    criterion_sentence,
    day_text,
    earliest_line,
    full_text,
    lifts_when,
    review_line,
)
from referrals.wording.sentences import (
    headline,
    limit_text,
    plate_caption,
    plate_text,
    sentence,
    site,
)

__all__ = [
    "THE_PT",
    "criterion_sentence",
    "day_text",
    "earliest_line",
    "full_text",
    "headline",
    "lifts_when",
    "limit_text",
    "plate_caption",
    "plate_text",
    "review_line",
    "sentence",
    "site",
]
