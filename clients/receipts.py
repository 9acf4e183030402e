"""The receipt of a consent: what was agreed to, in the words it was agreed in. Kept by the client.

Built from the ledger alone, so it stays the same however often it is asked for. Its entries follow
ISO/IEC TS 27560.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clients import scopes
from clients.models import Consent, ConsentEvent, User
from clients.scopes import Scope
from handoff.core.errors import Stale

SCHEMA = "handoff-consent-receipt-1"

_AGREED = (ConsentEvent.Kind.GRANTED, ConsentEvent.Kind.NARROWED)


@dataclass(frozen=True, slots=True)
class PartyLine:
    """One side, as the receipt names it."""

    name: str
    role: str
    practice: str


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class that was agreed to, in the words of the notice."""

    scope: Scope
    title: str
    meaning: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One entry of the ledger about this consent."""

    number: int
    at: datetime
    kind: str
    classes: tuple[str, ...]
    authority: str
    hash: str


@dataclass(frozen=True, slots=True)
class Receipt:
    consent_id: UUID
    client_name: str
    discloser: PartyLine
    recipient: PartyLine
    purpose: str
    classes: tuple[ClassLine, ...]
    signed_by: str
    authority: str
    valid_from: datetime
    expires_at: datetime
    jurisdiction: str
    channel: str
    language: str
    notice_version: str
    notice_hash: str
    withdrawal: tuple[str, ...]
    redisclosure: str
    events: tuple[EventLine, ...]


def receipt_for(consent: Consent) -> Receipt:
    """The receipt of what was agreed to last. Raises Stale when nothing ever was.

    Takes a consent with its client and both sides. Whoever shows it has checked that it may be.
    """
    events = list(
        ConsentEvent.objects.filter(consent=consent).select_related("by").order_by("number")
    )
    agreed = [each for each in events if each.kind in _AGREED]
    if not agreed:
        raise Stale("Nothing was agreed to, so there is no receipt.")
    last = agreed[-1]
    notice = scopes.notice(last.notice_version)
    names = {"recipient": consent.recipient.name, "discloser": consent.discloser.name}
    assert last.valid_from is not None  # noqa: S101 (a constraint of the table)
    assert last.expires_at is not None  # noqa: S101 (a constraint of the table)
    return Receipt(
        consent_id=consent.pk,
        client_name=consent.client.name,
        discloser=_party(consent, "discloser"),
        recipient=_party(consent, "recipient"),
        purpose=consent.purpose,
        classes=tuple(
            ClassLine(scope, text.title, text.meaning)
            for scope in notice.scopes
            if scope in last.classes
            for text in [notice.text_for(scope, **names)]
        ),
        signed_by=_name(last.by),
        authority=last.authority,
        valid_from=last.valid_from,
        expires_at=last.expires_at,
        jurisdiction=f"US-{consent.client.state}",
        channel=last.channel,
        language=notice.language,
        notice_version=last.notice_version,
        notice_hash=last.notice_hash,
        withdrawal=tuple(scopes.fill(line, **names) for line in notice.if_you_change_your_mind),
        redisclosure=scopes.fill(notice.redisclosure, **names),
        events=tuple(
            EventLine(
                each.number,
                each.at,
                each.kind,
                tuple(sorted(each.classes)),
                each.authority,
                each.hash,
            )
            for each in events
        ),
    )


def _party(consent: Consent, side: str) -> PartyLine:
    row = consent.discloser if side == "discloser" else consent.recipient
    return PartyLine(row.name, row.get_role_display(), row.practice.name)


def _name(user: User | None) -> str:
    return user.name if user is not None else ""
