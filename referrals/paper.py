"""Printing on paper from plain values: draws, fetches nothing, and takes no text for markup."""

import io
import unicodedata
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
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
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

from referrals.wording import day_text

TEXT, BOLD = "Receipt", "Receipt-Bold"
INK, SOFT = HexColor(0x16232C), HexColor(0x4A565E)


def print_out(story: list[Any], *, title: str, language: str) -> bytes:
    """The pages as a PDF; the same story gives the same bytes."""
    fonts()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=LETTER,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=title,
        author="Handoff",
        lang=language,
        invariant=True,
    )
    document.build(story)
    return out.getvalue()


def pairs(rows: list[tuple[str, str]], look: ParagraphStyle) -> Table:
    label = style("label", 9.5, TEXT, leading=14, colour=SOFT)
    table = Table(
        [[paragraph(name, label), paragraph(value, look)] for name, value in rows],
        colWidths=[36 * mm, None],
        hAlign="LEFT",
    )
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)])
    return table


def item(text: str, look: ParagraphStyle) -> Paragraph:
    return Paragraph(f"<bullet>\u2022</bullet>{escape(drawable(text))}", look)


def paragraph(text: str, look: ParagraphStyle) -> Paragraph:
    # Names and reasons are typed by people: none of it is markup.
    return Paragraph(escape(drawable(text)), look)


def style(
    name: str,
    size: float,
    font: str,
    *,
    leading: float,
    colour: Color = INK,
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
def fonts() -> frozenset[int]:
    """Take the free fonts that come with reportlab into use; which signs they can draw."""
    folder = Path(reportlab.__file__).parent / "fonts"
    text = TTFont(TEXT, str(folder / "Vera.ttf"))
    pdfmetrics.registerFont(text)
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / "VeraBd.ttf")))
    return frozenset(text.face.charToGlyph)


def drawable(text: str) -> str:
    """The text in signs the font has: a letter without its accent beats an empty box.

    The spelling itself is kept in the other file of the receipt.
    """
    known = fonts()
    plain = []
    for sign in unicodedata.normalize("NFC", text):
        if ord(sign) in known:
            plain.append(sign)
            continue
        bare = unicodedata.normalize("NFKD", sign)
        kept = "".join(part for part in bare if ord(part) in known)
        plain.append(kept or "?")
    return "".join(plain)


def moment(value: datetime, zone: str) -> str:
    """A moment as somebody in `zone` reads it."""
    local = value.astimezone(ZoneInfo(zone))
    return f"{day_text(local.date())}, {local:%H:%M} ({zone.replace('_', ' ')})"


def instant(value: datetime) -> str:
    """A moment as programs read it."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
