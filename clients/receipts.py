"""The receipt of a consent: what was agreed to, in the words it was agreed in. Kept by the client.

Built from the ledger and the notice of that time, so it stays the same however often it is asked
for. How it looks in a file is `referrals.receipts`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clients import scopes
from clients.models import Consent, ConsentEvent, User
from clients.scopes import Notice, Scope
from handoff.core.errors import Stale

SCHEMA = "handoff-consent-receipt-2"

_AGREED = (ConsentEvent.Kind.GRANTED, ConsentEvent.Kind.NARROWED)


@dataclass(frozen=True, slots=True)
class PartyLine:
    """One side, as the receipt names it."""

    id: UUID
    name: str
    role: str
    practice: str


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class that was agreed to, in the words of the notice."""

    scope: Scope
    title: str
    question: str
    meaning: str


@dataclass(frozen=True, slots=True)
class NoticeText:
    """All that was read before answering, with both names put in."""

    purpose: str
    parts: tuple[ClassLine, ...]
    """Every part that could be shared, agreed to or not, in the order of the page."""
    never_shared: tuple[str, ...]
    if_you_say_no: tuple[str, ...]
    if_you_change_your_mind: tuple[str, ...]
    redisclosure: str
    copy: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One entry of the ledger about this consent."""

    number: int
    at: datetime
    kind: str
    classes: tuple[str, ...]
    expires_at: datetime | None
    authority: str
    by_id: UUID | None
    by: str
    hash: str


@dataclass(frozen=True, slots=True)
class Receipt:
    consent_id: UUID
    client_id: UUID
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
    notice: NoticeText
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
    text = _text(consent, notice)
    assert last.valid_from is not None  # noqa: S101 (a constraint of the table)
    assert last.expires_at is not None  # noqa: S101 (a constraint of the table)
    return Receipt(
        consent_id=consent.pk,
        client_id=consent.client_id,
        client_name=consent.client.name,
        discloser=_party(consent, "discloser"),
        recipient=_party(consent, "recipient"),
        purpose=consent.purpose,
        classes=tuple(line for line in text.parts if line.scope in last.classes),
        signed_by=_name(last.by),
        authority=last.authority,
        valid_from=last.valid_from,
        expires_at=last.expires_at,
        jurisdiction=f"US-{consent.client.state}",
        channel=last.channel,
        language=notice.language,
        notice_version=last.notice_version,
        notice_hash=last.notice_hash,
        notice=text,
        events=tuple(
            EventLine(
                number=each.number,
                at=each.at,
                kind=each.kind,
                classes=tuple(sorted(each.classes)),
                expires_at=each.expires_at,
                authority=each.authority,
                by_id=each.by_id,
                by=_name(each.by),
                hash=each.hash,
            )
            for each in events
        ),
    )


def _text(consent: Consent, notice: Notice) -> NoticeText:
    names = {"recipient": consent.recipient.name, "discloser": consent.discloser.name}

    def filled(lines: Iterable[str]) -> tuple[str, ...]:
        return tuple(scopes.fill(line, **names) for line in lines)

    return NoticeText(
        purpose=scopes.fill(notice.purpose, **names),
        parts=tuple(
            ClassLine(scope, text.title, text.question, text.meaning)
            for scope in notice.scopes
            for text in [notice.text_for(scope, **names)]
        ),
        never_shared=filled(notice.never_shared),
        if_you_say_no=filled(notice.if_you_say_no),
        if_you_change_your_mind=filled(notice.if_you_change_your_mind),
        redisclosure=scopes.fill(notice.redisclosure, **names),
        copy=scopes.fill(notice.copy, **names),
    )


def _party(consent: Consent, side: str) -> PartyLine:
    row = consent.discloser if side == "discloser" else consent.recipient
    return PartyLine(row.pk, row.name, row.get_role_display(), row.practice.name)


def _name(user: User | None) -> str:
    return user.name if user is not None else ""
