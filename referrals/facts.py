"""Facts a trainer writes down when they refer a client back: read, judged, kept with the referral.

Nothing here says what it is: where it hurts, how much, since when, which signs there were, which
movement was stopped. Who may write is for `referrals.lifecycle`, which calls this with the referral
locked.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final

from clients.licensing import local_day
from clients.models import Client, Professional
from referrals.intake import Intake
from referrals.models import RedSign, ReferOutFacts, Referral
from referrals.models.facts import MOST_WORDS
from referrals.vocabulary import PAIRED, BodyRegion, Laterality, sides_of

FIELDS: Final = (
    *("observations", "body_region", "laterality", "pain_now", "pain_worst", "signs", "since"),
    "stopped",
)
RED_ABOVE: Final = 5
"""Pain above this is red, as is every sign of `RedSign` whatever the pain."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored, field by field."""

    observations: str
    body_region: str
    laterality: str
    pain_now: int | None
    pain_worst: int | None
    signs: tuple[str, ...]
    since: date | None
    stopped: str

    @property
    def is_red(self) -> bool:
        return is_red(self.signs, self.pain_now, self.pain_worst)


def is_red(signs: object, *pains: int | None) -> bool:
    """Pure: whether the therapist is asked to look soon."""
    return bool(signs) or any(pain is not None and pain > RED_ABOVE for pain in pains)


def read(
    data: Mapping[str, object], *, client: Client, author: Professional, at: datetime
) -> Facts:
    """What somebody typed. Raises Invalid with every field named that is missing or cannot be."""
    intake = Intake(data, FIELDS)
    region = intake.choice("body_region", BodyRegion)
    side = intake.choice("laterality", Laterality)
    if side is None and region is not None and region not in PAIRED:
        side = Laterality.NOT_APPLICABLE
    found = Facts(
        observations=intake.text("observations", most=MOST_WORDS, lines=True).strip(),
        body_region=region or "",
        laterality=side or "",
        pain_now=intake.whole("pain_now", low=0, high=10),
        pain_worst=intake.whole("pain_worst", low=0, high=10),
        signs=tuple(sorted(set(intake.choices("signs", RedSign)))),
        since=intake.day("since"),
        stopped=intake.text("stopped", most=300).strip(),
    )
    intake.refuse_all(_problems(found, region, side, client.birth_date, local_day(author, at)))
    intake.raise_if_wrong()
    return found


def keep(referral: Referral, facts: Facts, *, at: datetime) -> ReferOutFacts:
    """Write the facts of a referral that is a draft; the database refuses any other."""
    values = {**asdict(facts), "signs": list(facts.signs), "saved_at": at}
    row, _ = ReferOutFacts.objects.update_or_create(
        referral=referral,
        defaults=values,
        create_defaults={
            **values,
            "client_id": referral.client_id,
            "author_id": referral.sender_id,
        },
    )
    return row


def of(referral: Referral) -> Facts | None:
    """The stored facts of a referral, for whoever may read them already."""
    row = ReferOutFacts.objects.filter(referral=referral).first()
    if row is None:
        return None
    return Facts(**{name: getattr(row, name) for name in FIELDS} | {"signs": tuple(row.signs)})


def _problems(
    facts: Facts,
    region: BodyRegion | None,
    side: Laterality | None,
    born: date,
    today: date,
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not facts.observations:
        found["observations"] = ["Write what you saw and what the client said."]
    if region is None:
        found["body_region"] = ["Choose the body region."]
    elif side not in sides_of(region):
        paired = region in PAIRED
        found["laterality"] = [
            "Choose left, right or both." if paired else "This region has no such side."
        ]
    if facts.since is not None and facts.since > today:
        found["since"] = ["This cannot be in the future."]
    elif facts.since is not None and facts.since < born:
        found["since"] = ["This is before the client was born."]
    if None not in (facts.pain_now, facts.pain_worst) and (facts.pain_worst or 0) < (
        facts.pain_now or 0
    ):
        found["pain_worst"] = ["The worst pain cannot be less than the pain now."]
    return found
