"""Files as people send them, and as nobody should."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    TextStringObject,
)
from reportlab.pdfgen.canvas import Canvas

SECRET = "Zyxquorrel"


def photo(kind: str = "JPEG", size: tuple[int, int] = (60, 40)) -> bytes:
    """With the place it was taken at, the camera, and a comment."""
    image = Image.new("RGB", size, (20, 120, 60))
    exif = Image.Exif()
    exif[0x010F] = SECRET
    exif[0x0112] = 6  # lies on its side
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (40.0, 42.0, 46.0)
    out = io.BytesIO()
    extra: dict[str, Any] = {"comment": SECRET.encode()} if kind == "JPEG" else {}
    image.save(out, kind, exif=exif, **extra)
    return out.getvalue()


def paper(pages: int = 1, text: str = "Seen today.") -> bytes:
    """A PDF that says who made it, with what, and in which words."""
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.setTitle(SECRET)
    canvas.setAuthor(SECRET)
    for number in range(pages):
        canvas.drawString(72, 700, f"{text} {number + 1}")
        canvas.linkURL(f"https://example.org/{SECRET}", (72, 690, 200, 710))
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scan() -> bytes:
    """A PDF around a photo, as a telephone makes it."""
    out = io.BytesIO()
    Image.new("RGB", (200, 300), (240, 240, 235)).save(out, "PDF")
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(out.getvalue())))
    for each in writer.pages[0]["/Resources"]["/XObject"].values():  # type: ignore[index]
        each.get_object()._data = photo(size=(200, 300))
    again = io.BytesIO()
    writer.write(again)
    return again.getvalue()


def acting_paper() -> bytes:
    """A PDF with all that must not come along."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(paper())))
    runs = DictionaryObject()
    runs[NameObject("/S")], runs[NameObject("/JS")] = NameObject("/JavaScript"), _text()
    writer._root_object[NameObject("/OpenAction")] = runs
    writer.add_attachment("inside.txt", SECRET.encode())
    writer.add_metadata({"/Author": SECRET})
    page = writer.pages[0]
    resources = page["/Resources"].get_object()
    assert isinstance(resources, DictionaryObject)
    page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): runs})
    outside = DecodedStreamObject()
    outside.set_data(b"q Q")
    outside[NameObject("/Type")] = NameObject("/XObject")
    outside[NameObject("/Subtype")] = NameObject("/Form")
    outside[NameObject("/F")] = _text()
    outside[NameObject("/Metadata")] = _text()
    outside[NameObject("/PieceInfo")] = DictionaryObject({NameObject("/Own"): _text()})
    names = DictionaryObject({NameObject("/A"): writer._add_object(outside)})
    resources[NameObject("/XObject")] = names
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _text() -> TextStringObject:
    return TextStringObject(SECRET)


def locked_paper() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(paper())))
    writer.encrypt("a word")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pixel_flood(width: int = 60_000, height: int = 60_000) -> bytes:
    """A few hundred bytes that claim to be billions of pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + _chunk(b"IEND", b"")
    )


def text_bomb() -> bytes:
    """A PNG whose comment unpacks to far more than it is."""
    image = photo("PNG")
    bomb = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"A" * 200_000_000, 9))
    return image[:33] + bomb + image[33:]


def _chunk(name: bytes, data: bytes) -> bytes:
    checked = name + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))


def packed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("inside.txt", SECRET)
    return out.getvalue()


def deep_paper(levels: int = 400) -> bytes:
    """A PDF whose resources lie in one another."""
    inner = b"<< >>"
    for _ in range(levels):
        inner = b"<< /Font " + inner + b" >>"
    body = b"%PDF-1.4\n"
    places = []
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources " + inner + b" >>",
    )
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    start = len(body)
    body += b"xref\n0 4\n0000000000 65535 f \n"
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"trailer << /Root 1 0 R /Size 4 >>\nstartxref\n%d\n%%%%EOF\n" % start
