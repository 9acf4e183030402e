"""Rewrites one uploaded file as a harmless one. A program of its own, run by `accepting`.

It reads a file from standard input and writes the new one to standard output, or ends with
REFUSED and one word of `Refusal` on standard error. It knows neither Django nor our settings, gets
no environment, and sets its own limits before it reads a byte: whatever a hostile file does to the
libraries that parse it, it does to a process that holds no secret and ends soon.

An image is decoded and encoded anew, from its pixels alone. Of a PDF the pages are copied, object
by object, without whatever acts, leads elsewhere, or tells about the one who made it.
"""

import io
import resource
import sys
from enum import StrEnum
from typing import Any, Final

REFUSED: Final = 3
LARGEST: Final = 10_000_000
"""Of the file given, and of the one that comes out."""
MOST_PAGES: Final = 30
MOST_PIXELS: Final = 50_000_000
LONGEST_SIDE: Final = 20_000
MOST_OBJECTS: Final = 20_000
DEEPEST: Final = 40
MEMORY: Final = 1_000_000_000
SECONDS: Final = 10


class Refusal(StrEnum):
    """Why a file is not taken."""

    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    PAGES = "pages"
    PIXELS = "pixels"
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"


class Refused(Exception):
    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


def main() -> None:
    _limit()
    kind = sys.argv[1]
    data = sys.stdin.buffer.read(LARGEST + 1)
    try:
        cleaned = clean(kind, data)
    except Refused as refused:
        why = refused.why
    except MemoryError:
        why = Refusal.TOO_COMPLEX
    except Exception:
        # Parsers meet broken files with errors of every kind; none of them says more than this.
        why = Refusal.BROKEN
    else:
        sys.stdout.buffer.write(cleaned)
        return
    sys.stderr.write(why)
    sys.exit(REFUSED)


def clean(kind: str, data: bytes) -> bytes:
    """The file anew. Raises Refused, or whatever a parser raises on what it cannot read."""
    cleaned = _pdf(data) if kind == "pdf" else _image(kind, data)
    if len(cleaned) > LARGEST:
        raise Refused(Refusal.TOO_LARGE)
    return cleaned


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


# --- images -------------------------------------------------------------------------------------


def _image(kind: str, data: bytes) -> bytes:
    from PIL import Image, ImageOps  # noqa: PLC0415 (only what the kind needs is loaded)

    Image.MAX_IMAGE_PIXELS = None  # ours is lower, and is asked before anything is unpacked
    with Image.open(io.BytesIO(data), formats=["JPEG" if kind == "jpeg" else "PNG"]) as found:
        width, height = found.size
        if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
            raise Refused(Refusal.PIXELS)
        found.load()
        # Which way is up is kept in the metadata: turned before that goes.
        upright = ImageOps.exif_transpose(found)
        see_through = kind == "png" and (
            upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
        )
        grey = upright.mode in ("1", "L")
        pixels = upright.convert("RGBA" if see_through else "L" if grey else "RGB")
    # A new image from bare pixels: nothing that hung on the old one comes along.
    bare = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    out = io.BytesIO()
    if kind == "jpeg":
        bare.save(out, "JPEG", quality=88)
    else:
        bare.save(out, "PNG")
    return out.getvalue()


# --- PDF ----------------------------------------------------------------------------------------

_OF_A_PAGE: Final = ("/MediaBox", "/CropBox", "/Rotate", "/Resources", "/Contents", "/Group")
_NEVER: Final = frozenset(
    {
        # What acts, or leads elsewhere.
        *("/A", "/AA", "/OpenAction", "/JS", "/JavaScript", "/URI", "/Launch", "/Dest", "/Next"),
        *("/Annots", "/AcroForm", "/XFA", "/RichMedia", "/Movie", "/Sound", "/Rendition"),
        # What is kept inside or fetched from outside.
        *("/EmbeddedFiles", "/EF", "/AF", "/RF", "/Names", "/Ref", "/OPI", "/Alternates"),
        *("/UF", "/FS", "/Collection"),
        # What tells about its maker, and ways back into the whole document.
        *("/Metadata", "/PieceInfo", "/LastModified", "/Thumb", "/ID", "/Info", "/Root"),
        *("/Parent", "/Outlines", "/StructTreeRoot", "/StructParent", "/StructParents"),
        *("/Measure", "/PtData", "/GTS_Env", "/Private_Data"),
    }
)
_NEVER_IN_A_STREAM: Final = _NEVER | {"/F", "/FFilter", "/FDecodeParms"}
"""A stream may say that its data lies in another file."""
_NAMES: Final = frozenset(
    {
        *("/Font", "/XObject", "/ColorSpace", "/Pattern", "/Shading", "/ExtGState"),
        *("/Properties", "/CharProcs", "/Colorants"),
    }
)
"""What lies below these is called what its maker liked, also "/A" or "/Info"."""
_NEVER_TYPES: Final = frozenset(
    {
        *("/Action", "/Annot", "/Catalog", "/EmbeddedFile", "/Filespec", "/F", "/Metadata"),
        *("/Page", "/Pages", "/Sig", "/Template"),
    }
)
_NEVER_SUBTYPES: Final = frozenset({"/PS", "/U3D", "/PRC", "/XML", "/3D", "/RichMedia"})


def _pdf(data: bytes) -> bytes:
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 (as above)
    from pypdf.generic import DictionaryObject, NameObject  # noqa: PLC0415

    if b"%%EOF" not in data[-2048:]:
        raise Refused(Refusal.BROKEN)  # cut off
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        raise Refused(Refusal.ENCRYPTED)
    count = len(reader.pages)
    if not count:
        raise Refused(Refusal.BROKEN)
    if count > MOST_PAGES:
        raise Refused(Refusal.PAGES)
    writer = PdfWriter()
    writer.metadata = None
    copy = _Copy(writer)
    for page in reader.pages:
        box = page.mediabox
        new = writer.add_blank_page(width=float(box.width) or 1, height=float(box.height) or 1)
        for key in _OF_A_PAGE:
            # Some are inherited from the tree of pages; pypdf has put those on the page already.
            value = page.get(key)
            if value is not None:
                new[NameObject(key)] = copy.of(page.raw_get(key), 0)
        if not isinstance(new.get("/Resources"), DictionaryObject):
            new[NameObject("/Resources")] = DictionaryObject()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


class _Copy:
    """Copies objects from one document into another, each once, without what must not come."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._known: dict[tuple[int, int], Any] = {}
        self._count = 0

    def of(self, value: Any, depth: int, *, named: bool = False) -> Any:
        """The copy. `named`: the keys of this dictionary are names that somebody chose."""
        from pypdf.generic import (  # noqa: PLC0415
            ArrayObject,
            DictionaryObject,
            EncodedStreamObject,
            IndirectObject,
            NullObject,
            StreamObject,
        )

        self._count += 1
        if self._count > MOST_OBJECTS * 10 or len(self._known) > MOST_OBJECTS or depth > DEEPEST:
            raise Refused(Refusal.TOO_COMPLEX)
        if isinstance(value, IndirectObject):
            key = (value.idnum, value.generation)
            if key not in self._known:
                found = value.get_object()
                if found is None or isinstance(found, IndirectObject):
                    found = NullObject()
                made = self._empty(found)
                # Known before it is filled: objects may lead back to themselves.
                self._known[key] = self._writer._add_object(made)
                self._fill(made, found, depth, named)
            return self._known[key]
        if isinstance(value, StreamObject | EncodedStreamObject | DictionaryObject | ArrayObject):
            made = self._empty(value)
            self._fill(made, value, depth, named)
            return made
        return value

    def _empty(self, found: Any) -> Any:
        from pypdf.generic import (  # noqa: PLC0415
            ArrayObject,
            DictionaryObject,
            EncodedStreamObject,
            NullObject,
            StreamObject,
        )

        if isinstance(found, DictionaryObject) and _is_refused(found):
            return NullObject()
        if isinstance(found, EncodedStreamObject):
            return EncodedStreamObject()
        if isinstance(found, StreamObject):
            return StreamObject()
        if isinstance(found, DictionaryObject):
            return DictionaryObject()
        if isinstance(found, ArrayObject):
            return ArrayObject()
        return found

    def _fill(self, made: Any, found: Any, depth: int, named: bool) -> None:
        from pypdf.generic import (  # noqa: PLC0415
            ArrayObject,
            DictionaryObject,
            NameObject,
            StreamObject,
        )

        if isinstance(made, ArrayObject):
            made.extend(self.of(each, depth + 1) for each in found)
        elif isinstance(made, DictionaryObject):
            streams = isinstance(made, StreamObject)
            never = _NEVER_IN_A_STREAM if streams else frozenset() if named else _NEVER
            for key in found:
                if key not in never and not (streams and key == "/Length"):
                    names = not named and key in _NAMES
                    made[NameObject(key)] = self.of(found.raw_get(key), depth + 1, named=names)
            if isinstance(made, StreamObject) and isinstance(found, StreamObject):
                photo = "/DCTDecode" in _filters(found)
                made._data = _bare_jpeg(found._data) if photo else found._data


def _is_refused(found: Any) -> bool:
    kind, subtype = found.get("/Type"), found.get("/Subtype")
    return kind in _NEVER_TYPES or subtype in _NEVER_SUBTYPES


def _filters(stream: Any) -> list[str]:
    named = stream.get("/Filter")
    return [str(each) for each in named] if isinstance(named, list) else [str(named)]


def _bare_jpeg(data: bytes) -> bytes:
    """A photo inside a PDF without its comments and application segments (where it was taken,
    with what), except the two that say how its colours are meant. Any other filter in front of it
    leaves it as it is: then it does not begin like a photo."""
    if data[:2] != b"\xff\xd8":
        return data
    kept, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        told = data[at + 1] == 0xFE or (0xE1 <= data[at + 1] <= 0xEF and data[at + 1] != 0xEE)
        if not told:
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


if __name__ == "__main__":
    main()
