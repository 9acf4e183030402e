"""The receipt of a consent as something to keep: a file for programs, and one to print.

What stands in it is `clients.receipts`; here it only gets its shape. The keys of the first follow
ISO/IEC TS 27560.
"""

import io
import unicodedata
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
    """The receipt as plain values for JSON."""
    return {
        "schema": SCHEMA,
        "receipt_id": receipt_number(receipt),
        "consent_id": str(receipt.consent_id),
        "language": receipt.language,
        "jurisdiction": receipt.jurisdiction,
        "principal": receipt.client_name,
        "controller": _party(receipt.discloser),
        "recipients": [_party(receipt.recipient)],
        "purposes": [receipt.purpose],
        "data_classes": [
            {"class": line.scope.value, "title": line.title, "meaning": line.meaning}
            for line in receipt.classes
        ],
        "granted_by": receipt.signed_by,
        "authority": receipt.authority,
        "collection_method": receipt.channel,
        "valid_from": _instant(receipt.valid_from),
        "expires_at": _instant(receipt.expires_at),
        "notice": {"version": receipt.notice_version, "sha256": receipt.notice_hash},
        "withdrawal": list(receipt.withdrawal),
        "conditions": NOT_A_CONDITION,
        "redisclosure": receipt.redisclosure,
        "events": [
            {
                "number": event.number,
                "at": _instant(event.at),
                "event": event.kind,
                "classes": list(event.classes),
                "authority": event.authority,
                "hash": event.hash,
            }
            for event in receipt.events
        ],
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
            ],
            text,
        ),
        _paragraph("The parts", head),
        *(_item(f"{line.title}. {line.meaning}", item) for line in receipt.classes),
        _paragraph("If you change your mind", head),
        *(_item(line, item) for line in receipt.withdrawal),
        _paragraph("What else you should know", head),
        _paragraph(NOT_A_CONDITION, text),
        _paragraph(receipt.redisclosure, text),
        _paragraph("What happened", head),
        *(_item(_event(event, zone), item) for event in receipt.events),
        Spacer(1, 4 * mm),
        HRFlowable(width="100%", color=_SOFT, thickness=0.5),
        _paragraph(
            f"Notice {receipt.notice_version}, SHA-256 {receipt.notice_hash}. Last entry"
            f" {receipt.events[-1].number}, {receipt.events[-1].hash}.",
            soft,
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
    parts = f", {len(event.classes)} of 7 parts" if event.classes else ""
    return f"{_moment(event.at, zone)}: {said}{parts}"


def _agreed(receipt: Receipt) -> EventLine:
    kinds = (ConsentEvent.Kind.GRANTED, ConsentEvent.Kind.NARROWED)
    return next(event for event in reversed(receipt.events) if event.kind in kinds)


def _party(line: PartyLine) -> dict[str, str]:
    return {"name": line.name, "role": line.role, "practice": line.practice}


def _named(line: PartyLine) -> str:
    return f"{line.name}, {line.role}, {line.practice}"


def _authority(value: str) -> str:
    return next((words for known, words in AUTHORITY.items() if known == value), value)


def _moment(value: datetime, zone: str) -> str:
    local = value.astimezone(ZoneInfo(zone))
    return f"{day_text(local.date())}, {local:%H:%M} ({zone.replace('_', ' ')})"


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
