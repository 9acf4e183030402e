"""The receipt of a consent as something to keep: a file for programs, and one to print.

What stands in it is `clients.receipts`; here it only gets its shape. The first has the sections and
field names of ISO/IEC TS 27560 (record header, PII processing, party identification, events); the
second says the same in words.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm
from reportlab.platypus import HRFlowable, Spacer

from clients.models import ConsentEvent
from clients.receipts import SCHEMA, EventLine, PartyLine, Receipt
from referrals import paper
from referrals.wording import day_text

AUTHORITY: Final = {
    ConsentEvent.Authority.SELF: "the client",
    ConsentEvent.Authority.GUARDIAN: "parent or guardian, authority checked",
}
NOT_A_CONDITION: Final = (
    "Care does not depend on this permission. Nobody may refuse or change treatment because it was"
    " not given or was taken back."
)
PROCESSING: Final = "Reading in Handoff by the recipient; each look is entered in a ledger."
STATES: Final[Mapping[str, str]] = {
    ConsentEvent.Kind.REQUESTED: "requested",
    ConsentEvent.Kind.GRANTED: "given",
    ConsentEvent.Kind.NARROWED: "given",
    ConsentEvent.Kind.DECLINED: "refused",
    ConsentEvent.Kind.REVOKED: "withdrawn",
    ConsentEvent.Kind.SUPERSEDED: "invalidated",
    ConsentEvent.Kind.LAPSED: "unanswered",
    ConsentEvent.Kind.WITHDRAWN: "request_ended",
    ConsentEvent.Kind.ENDED: "terminated",
    ConsentEvent.Kind.OBJECTED: "objected",
}
"""What an event means for the consent, in the words of the standard's life cycle."""


def receipt_number(receipt: Receipt) -> str:
    """What names this receipt: the consent, and the entry of the ledger it shows as agreed."""
    return f"{receipt.consent_id}-{_agreed(receipt).number}"


def last_day(receipt: Receipt, zone: str) -> date:
    """The last day of sharing, where the client lives."""
    return (receipt.expires_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def is_in_force(receipt: Receipt, at: datetime) -> bool:
    """Whether nothing came after the agreement, and its time is not over."""
    return receipt.events[-1] == _agreed(receipt) and at < receipt.expires_at


def authority_words(receipt: Receipt) -> str:
    """On what ground it was signed."""
    return _authority(receipt.authority)


def as_data(receipt: Receipt) -> dict[str, Any]:
    """The receipt as plain values for JSON; docs/consent-receipt.schema.json describes it."""
    pii = [
        {
            "pii_type": line.scope.value,
            "title": line.title,
            "meaning": line.meaning,
            "special_pii_category": "health",
        }
        for line in receipt.classes
    ]
    return {
        "receipt": {
            "receipt_id": receipt_number(receipt),
            "schema_version": SCHEMA,
            "language": receipt.language,
        },
        "record": {
            "record_id": str(receipt.consent_id),
            "schema_version": SCHEMA,
            "pii_principal_id": str(receipt.client_id),
        },
        "pii_processing": {
            "privacy_notice": _notice(receipt),
            "language": receipt.language,
            "purposes": [
                {
                    "purpose": receipt.purpose,
                    "lawful_basis": "consent",
                    "pii_information": pii,
                    "pii_controllers": [str(receipt.discloser.id)],
                    "recipient_third_parties": [str(receipt.recipient.id)],
                    "collection_method": receipt.channel,
                    "processing_method": PROCESSING,
                    "valid_from": paper.instant(receipt.valid_from),
                    "expires_at": paper.instant(receipt.expires_at),
                    "withdrawal_method": list(receipt.notice.if_you_change_your_mind),
                    "conditions": NOT_A_CONDITION,
                    "jurisdiction": receipt.jurisdiction,
                }
            ],
        },
        "party_identification": [
            {
                "party_id": str(receipt.client_id),
                "party_role": "pii_principal",
                "party_name": receipt.client_name,
            },
            _party(receipt.discloser, "pii_controller"),
            _party(receipt.recipient, "recipient"),
        ],
        "events": [
            {
                "event_time": paper.instant(event.at),
                "event_type": event.kind,
                "event_state": STATES.get(event.kind, "unknown"),
                "entity": {
                    "entity_id": str(event.by_id) if event.by_id else None,
                    "name": event.by,
                    "authority": event.authority,
                },
                "pii_types": list(event.classes),
                "validity_until": paper.instant(event.expires_at) if event.expires_at else None,
                "evidence": {
                    "ledger": ConsentEvent.CHAIN,
                    "number": event.number,
                    "hash": event.hash,
                },
            }
            for event in receipt.events
        ],
    }


def _notice(receipt: Receipt) -> dict[str, Any]:
    """The words that were read, in full: they outlive the page they stood on."""
    text = receipt.notice
    return {
        "version": receipt.notice_version,
        "sha256": receipt.notice_hash,
        "text": {
            "purpose": text.purpose,
            "parts": [
                {
                    "pii_type": line.scope.value,
                    "title": line.title,
                    "question": line.question,
                    "meaning": line.meaning,
                }
                for line in text.parts
            ],
            "never_shared": list(text.never_shared),
            "if_you_say_no": list(text.if_you_say_no),
            "if_you_change_your_mind": list(text.if_you_change_your_mind),
            "redisclosure": text.redisclosure,
            "copy": text.copy,
        },
    }


def as_pdf(receipt: Receipt, *, zone: str) -> bytes:
    """The receipt on paper, with times in the client's own zone."""
    return paper.print_out(_story(receipt, zone), title="Receipt", language=receipt.language)


def _story(receipt: Receipt, zone: str) -> list[Any]:
    title = paper.style("title", 18, paper.BOLD, leading=24, after=2)
    head = paper.style("head", 11, paper.BOLD, leading=15, before=12, after=3)
    text = paper.style("text", 9.5, paper.TEXT, leading=14, after=2)
    item = paper.style("item", 9.5, paper.TEXT, leading=14, after=2, indent=12)
    soft = paper.style("soft", 8, paper.TEXT, leading=11, colour=paper.SOFT)
    notice = receipt.notice
    story: list[Any] = [
        paper.paragraph("Receipt of what you agreed to share", title),
        paper.paragraph(f"Receipt {receipt_number(receipt)}", soft),
        Spacer(1, 4 * mm),
        paper.pairs(
            [
                ("About", receipt.client_name),
                ("Shared by", _named(receipt.discloser)),
                ("Seen by", _named(receipt.recipient)),
                ("Why", receipt.purpose),
                ("From", paper.moment(receipt.valid_from, zone)),
                ("Until the end of", day_text(last_day(receipt, zone))),
                ("Signed by", f"{receipt.signed_by} ({_authority(receipt.authority)})"),
                ("Law of", receipt.jurisdiction),
                ("Ground", "consent"),
                ("Given by", f"{receipt.channel} ({receipt.language})"),
                ("What is done", PROCESSING),
            ],
            text,
        ),
        paper.paragraph("The parts", head),
        *(paper.item(f"{line.title}. {line.meaning}", item) for line in receipt.classes),
        paper.paragraph("If you change your mind", head),
        *(paper.item(line, item) for line in notice.if_you_change_your_mind),
        paper.paragraph("What else you should know", head),
        paper.paragraph(NOT_A_CONDITION, text),
        paper.paragraph(notice.redisclosure, text),
        paper.paragraph("What happened", head),
        *(paper.item(_event(event, zone), item) for event in receipt.events),
        paper.paragraph("What you read before you answered", head),
        paper.paragraph(notice.purpose, text),
        *(
            paper.item(f"{line.title}. {line.question} {line.meaning}", item)
            for line in notice.parts
        ),
        paper.paragraph("Never shared:", text),
        *(paper.item(line, item) for line in notice.never_shared),
        paper.paragraph("If you say no:", text),
        *(paper.item(line, item) for line in notice.if_you_say_no),
        paper.paragraph(notice.copy, text),
        Spacer(1, 4 * mm),
        HRFlowable(width="100%", color=paper.SOFT, thickness=0.5),
        paper.paragraph(
            f"Record {receipt.consent_id}, shape {SCHEMA}. Notice {receipt.notice_version},"
            f" SHA-256 {receipt.notice_hash}. Its parts:"
            f" {', '.join(line.scope.value for line in notice.parts)}.",
            soft,
        ),
        paper.paragraph(
            f"Client {receipt.client_id}. Shared by {receipt.discloser.id}. Seen by"
            f" {receipt.recipient.id}.",
            soft,
        ),
        *(
            paper.paragraph(
                f"Entry {event.number} of the ledger of consent: {event.kind}, state"
                f" {STATES.get(event.kind, 'unknown')}, by {event.by_id or 'the system'}"
                f" ({event.authority}), {event.hash}.",
                soft,
            )
            for event in receipt.events
        ),
    ]
    return story


def _event(event: EventLine, zone: str) -> str:
    said = str(ConsentEvent.Kind(event.kind).label)
    who = f" by {event.by}" if event.by else ""
    parts = f": {', '.join(event.classes)}" if event.classes else ""
    until = f", until {paper.moment(event.expires_at, zone)}" if event.expires_at else ""
    return f"{paper.moment(event.at, zone)}: {said}{who}{parts}{until}"


def _agreed(receipt: Receipt) -> EventLine:
    kinds = (ConsentEvent.Kind.GRANTED, ConsentEvent.Kind.NARROWED)
    return next(event for event in reversed(receipt.events) if event.kind in kinds)


def _party(line: PartyLine, role: str) -> dict[str, str]:
    return {
        "party_id": str(line.id),
        "party_role": role,
        "party_name": line.name,
        "party_type": line.role,
        "party_organization": line.practice,
    }


def _named(line: PartyLine) -> str:
    return f"{line.name}, {line.role}, {line.practice}"


def _authority(value: str) -> str:
    return next((words for known, words in AUTHORITY.items() if known == value), value)
