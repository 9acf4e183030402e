"""The receipt of a consent as something to keep: a file for programs, and one to print.

What stands in it is `clients.receipts`; here it only gets its shape. The first has the sections and
field names of ISO/IEC TS 27560 (record header, PII processing, party identification, events); the
second says the same in words.
"""

import io
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import reportlab
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import HRFlowable, Paragraph, SimpleDocTemplate, Spacer, Table

from clients.models import ConsentEvent
from clients.receipts import SCHEMA, EventLine, PartyLine, Receipt
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
}
"""What an event means for the consent, in the words of the standard's life cycle."""
_TEXT, _BOLD = "Receipt", "Receipt-Bold"
_INK, _SOFT = HexColor(0x16232C), HexColor(0x4A565E)


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
                    "valid_from": _instant(receipt.valid_from),
                    "expires_at": _instant(receipt.expires_at),
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
                "event_time": _instant(event.at),
                "event_type": event.kind,
                "event_state": STATES.get(event.kind, "unknown"),
                "entity": {
                    "entity_id": str(event.by_id) if event.by_id else None,
                    "name": event.by,
                    "authority": event.authority,
                },
                "pii_types": list(event.classes),
                "validity_until": _instant(event.expires_at) if event.expires_at else None,
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
    _fonts()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=LETTER,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title="Receipt",
        author="Handoff",
        lang=receipt.language,
        invariant=True,
    )
    document.build(_story(receipt, zone))
    return out.getvalue()


def _story(receipt: Receipt, zone: str) -> list[Any]:
    title = _style("title", 18, _BOLD, leading=24, after=2)
    head = _style("head", 11, _BOLD, leading=15, before=12, after=3)
    text = _style("text", 9.5, _TEXT, leading=14, after=2)
    item = _style("item", 9.5, _TEXT, leading=14, after=2, indent=12)
    soft = _style("soft", 8, _TEXT, leading=11, colour=_SOFT)
    notice = receipt.notice
    story: list[Any] = [
        _paragraph("Receipt of what you agreed to share", title),
        _paragraph(f"Receipt {receipt_number(receipt)}", soft),
        Spacer(1, 4 * mm),
        _pairs(
            [
                ("About", receipt.client_name),
                ("Shared by", _named(receipt.discloser)),
                ("Seen by", _named(receipt.recipient)),
                ("Why", receipt.purpose),
                ("From", _moment(receipt.valid_from, zone)),
                ("Until the end of", day_text(last_day(receipt, zone))),
                ("Signed by", f"{receipt.signed_by} ({_authority(receipt.authority)})"),
                ("Law of", receipt.jurisdiction),
                ("Ground", "consent"),
                ("Given by", f"{receipt.channel} ({receipt.language})"),
                ("What is done", PROCESSING),
            ],
            text,
        ),
        _paragraph("The parts", head),
        *(_item(f"{line.title}. {line.meaning}", item) for line in receipt.classes),
        _paragraph("If you change your mind", head),
        *(_item(line, item) for line in notice.if_you_change_your_mind),
        _paragraph("What else you should know", head),
        _paragraph(NOT_A_CONDITION, text),
        _paragraph(notice.redisclosure, text),
        _paragraph("What happened", head),
        *(_item(_event(event, zone), item) for event in receipt.events),
        _paragraph("What you read before you answered", head),
        _paragraph(notice.purpose, text),
        *(_item(f"{line.title}. {line.question} {line.meaning}", item) for line in notice.parts),
        _paragraph("Never shared:", text),
        *(_item(line, item) for line in notice.never_shared),
        _paragraph("If you say no:", text),
        *(_item(line, item) for line in notice.if_you_say_no),
        _paragraph(notice.copy, text),
        Spacer(1, 4 * mm),
        HRFlowable(width="100%", color=_SOFT, thickness=0.5),
        _paragraph(
            f"Record {receipt.consent_id}, shape {SCHEMA}. Notice {receipt.notice_version},"
            f" SHA-256 {receipt.notice_hash}. Its parts:"
            f" {', '.join(line.scope.value for line in notice.parts)}.",
            soft,
        ),
        _paragraph(
            f"Client {receipt.client_id}. Shared by {receipt.discloser.id}. Seen by"
            f" {receipt.recipient.id}.",
            soft,
        ),
        *(
            _paragraph(
                f"Entry {event.number} of the ledger of consent: {event.kind}, state"
                f" {STATES.get(event.kind, 'unknown')}, by {event.by_id or 'the system'}"
                f" ({event.authority}), {event.hash}.",
                soft,
            )
            for event in receipt.events
        ),
    ]
    return story


def _pairs(rows: list[tuple[str, str]], style: ParagraphStyle) -> Table:
    label = _style("label", 9.5, _TEXT, leading=14, colour=_SOFT)
    table = Table(
        [[_paragraph(name, label), _paragraph(value, style)] for name, value in rows],
        colWidths=[36 * mm, None],
        hAlign="LEFT",
    )
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)])
    return table


def _item(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(f"<bullet>\u2022</bullet>{escape(_drawable(text))}", style)


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    # Names and reasons are typed by people: none of it is markup.
    return Paragraph(escape(_drawable(text)), style)


def _style(
    name: str,
    size: float,
    font: str,
    *,
    leading: float,
    colour: Color = _INK,
    before: float = 0,
    after: float = 0,
    indent: float = 0,
) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=font,
        fontSize=size,
        leading=leading,
        textColor=colour,
        spaceBefore=before,
        spaceAfter=after,
        alignment=TA_LEFT,
        bulletIndent=2,
        leftIndent=indent,
    )


@cache
def _fonts() -> frozenset[int]:
    """Take the free fonts that come with reportlab into use; which signs they can draw."""
    folder = Path(reportlab.__file__).parent / "fonts"
    text = TTFont(_TEXT, str(folder / "Vera.ttf"))
    pdfmetrics.registerFont(text)
    pdfmetrics.registerFont(TTFont(_BOLD, str(folder / "VeraBd.ttf")))
    return frozenset(text.face.charToGlyph)


def _drawable(text: str) -> str:
    """The text in signs the font has: a letter without its accent beats an empty box.

    The spelling itself is kept in the other file of the receipt.
    """
    known = _fonts()
    plain = []
    for sign in unicodedata.normalize("NFC", text):
        if ord(sign) in known:
            plain.append(sign)
            continue
        bare = unicodedata.normalize("NFKD", sign)
        kept = "".join(part for part in bare if ord(part) in known)
        plain.append(kept or "?")
    return "".join(plain)


def _event(event: EventLine, zone: str) -> str:
    said = str(ConsentEvent.Kind(event.kind).label)
    who = f" by {event.by}" if event.by else ""
    parts = f": {', '.join(event.classes)}" if event.classes else ""
    until = f", until {_moment(event.expires_at, zone)}" if event.expires_at else ""
    return f"{_moment(event.at, zone)}: {said}{who}{parts}{until}"


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


def _moment(value: datetime, zone: str) -> str:
    local = value.astimezone(ZoneInfo(zone))
    return f"{day_text(local.date())}, {local:%H:%M} ({zone.replace('_', ' ')})"


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
