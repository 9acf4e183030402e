"""What a professional may do, worked out from credentials valid at the moment of use.

Nothing here is stored or cached: a licence that ended at midnight stops counting at midnight.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F

from clients.models import Credential, Professional
from handoff.core.errors import NotAllowed

LICENCE_KINDS = frozenset({Credential.Kind.PT_LICENCE, Credential.Kind.COMPACT_PRIVILEGE})


def local_day(professional: Professional, at: datetime) -> date:
    """The calendar day at the professional's practice; credentials end with that day."""
    return at.astimezone(ZoneInfo(professional.practice.time_zone)).date()


def valid_credentials(user_id: UUID, day: date) -> list[Credential]:
    """The person's verified, unexpired credentials on `day`, newest expiry first."""
    return list(Credential.objects.filter(user_id=user_id).valid_on(day))


class PaperState(Enum):
    """How one credential stands on a day, in the words of its owner's page."""

    VALID = "valid"
    UNCHECKED = "unchecked"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Paper:
    """A credential beside whether it counts, for whoever holds it."""

    credential: Credential
    state: PaperState


def papers_of(user_id: UUID, day: date) -> list[Paper]:
    """Everything this person has handed in, also what does not count, latest expiry first."""
    held = Credential.objects.filter(user_id=user_id).order_by(
        F("expires_on").desc(nulls_first=True), "kind"
    )
    valid = {each.pk for each in valid_credentials(user_id, day)}
    return [Paper(each, _paper_state(each, day, is_valid=each.pk in valid)) for each in held]


def _paper_state(credential: Credential, day: date, *, is_valid: bool) -> PaperState:
    if is_valid:
        return PaperState.VALID
    if credential.withdrawn_at is not None:
        return PaperState.WITHDRAWN
    if credential.expires_on is not None and credential.expires_on < day:
        return PaperState.ENDED
    return PaperState.UNCHECKED


def licence_for(credentials: Iterable[Credential], state: str) -> Credential | None:
    """The licence or compact privilege for `state` among valid credentials, or None."""
    return next(
        (held for held in credentials if held.kind in LICENCE_KINDS and held.state == state), None
    )


def missing_to_sign(role: str, credentials: Sequence[Credential], state: str) -> list[str]:
    """What keeps somebody from signing for a client who lives in `state`; empty when nothing.

    R2 and R3 of the scope-of-practice rules: only a physical therapist with a verified licence
    valid now in the client's state signs; an assistant drafts.
    """
    if role != Professional.Role.PT:
        return ["Only a physical therapist can sign. You can save a draft."]
    if licence_for(credentials, state) is None:
        return [f"You need a verified licence, valid today, for {state}."]
    return []


def missing_to_accept(role: str, credentials: Sequence[Credential], state: str = "") -> list[str]:
    """What keeps a professional from taking a new referral; empty when nothing (R6).

    With a `state`, that of the client: a therapist needs a licence for it, not just any.
    """
    kinds = {held.kind for held in credentials}
    missing = []
    if role == Professional.Role.TRAINER:
        if Credential.Kind.TRAINER_CERTIFICATION not in kinds:
            missing.append("A verified trainer certification, valid today, is missing.")
        if Credential.Kind.CPR_AED not in kinds:
            missing.append("A verified CPR/AED certificate, valid today, is missing.")
    elif role == Professional.Role.PT:
        if state and licence_for(credentials, state) is None:
            missing.append(f"A verified licence, valid today, for {state} is missing.")
        elif not kinds & LICENCE_KINDS:
            missing.append("A verified licence, valid today, is missing.")
    else:
        missing.append("An assistant cannot take referrals.")
    return missing


@dataclass(frozen=True, slots=True)
class Ability:
    """What one professional may do on one day, with the reasons against where there are any."""

    valid: tuple[Credential, ...]
    against_accepting: tuple[str, ...]

    @property
    def may_accept(self) -> bool:
        return not self.against_accepting


def ability(professional: Professional, at: datetime, *, state: str = "") -> Ability:
    """The ability of `professional` at this moment, from the database; for a client who lives in
    `state`, where that is given."""
    return abilities([professional], at, state=state)[professional.pk]


def abilities(
    professionals: Sequence[Professional], at: datetime, *, state: str = ""
) -> dict[UUID, Ability]:
    """`ability` for many, in one query; keyed by professional id."""
    by_user: dict[UUID, list[Credential]] = {}
    users = {professional.user_id for professional in professionals}
    for held in Credential.objects.filter(user_id__in=users):
        by_user.setdefault(held.user_id, []).append(held)
    result = {}
    for professional in professionals:
        day = local_day(professional, at)
        valid = [held for held in by_user.get(professional.user_id, []) if held.is_valid_on(day)]
        against = missing_to_accept(professional.role, valid, state)
        if not professional.is_current:
            against = ["This professional has no active account here.", *against]
        result[professional.pk] = Ability(tuple(valid), tuple(against))
    return result


@dataclass(frozen=True, slots=True)
class Lapse:
    """One paper that somebody needs to take new clients and has not, valid today."""

    what: str
    ended_on: date | None
    """The last day of the newest one that was checked; None where there was none."""


def lapses(professional: Professional, at: datetime) -> list[Lapse]:
    """What keeps them from taking new clients, paper by paper; empty when nothing (R6)."""
    day = local_day(professional, at)
    held = list(Credential.objects.filter(user_id=professional.user_id))
    found = []
    for what, kinds in _NEEDED.get(Professional.Role(professional.role), ()):
        those = [each for each in held if each.kind in kinds]
        if any(each.is_valid_on(day) for each in those):
            continue
        ends = [
            each.expires_on
            for each in those
            if each.verified_at and not each.withdrawn_at and each.expires_on
        ]
        past = [each for each in ends if each < day]
        found.append(Lapse(what, max(past, default=None)))
    return found


_NEEDED: dict[Professional.Role, tuple[tuple[str, frozenset[Credential.Kind]], ...]] = {
    Professional.Role.TRAINER: (
        ("trainer certification", frozenset({Credential.Kind.TRAINER_CERTIFICATION})),
        ("CPR/AED certificate", frozenset({Credential.Kind.CPR_AED})),
    ),
    Professional.Role.PT: (("licence", LICENCE_KINDS),),
}


def require_signer(professional: Professional, *, state: str, at: datetime) -> Credential:
    """The licence under which `professional` may sign for a client in `state` at this moment.

    Raises NotAllowed, with the reason, when there is none.
    """
    held = valid_credentials(professional.user_id, local_day(professional, at))
    missing = missing_to_sign(professional.role, held, state)
    if not professional.is_current:
        missing = ["Your account here has ended.", *missing]
    if missing:
        raise NotAllowed(missing[0])
    return next(row for row in held if row.kind in LICENCE_KINDS and row.state == state)


def require_acceptor(professional: Professional, *, at: datetime, state: str = "") -> None:
    """Raises NotAllowed, with the reason, unless `professional` may take a new referral now, of a
    client who lives in `state` where that is given."""
    against = ability(professional, at, state=state).against_accepting
    if against:
        raise NotAllowed(against[0])
