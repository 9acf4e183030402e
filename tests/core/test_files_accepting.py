"""What is uploaded is rewritten or refused, in words that help, within time and memory."""

import io
import resource
import subprocess
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from handoff.core.errors import Invalid
from handoff.core.files import accepting
from handoff.core.files.accepting import accept
from handoff.core.files.cleaning import LARGEST, MOST_PAGES
from handoff.core.files.kinds import Kind
from tests.core.uploaded import (
    SECRET,
    acting_paper,
    deep_paper,
    locked_paper,
    packed,
    paper,
    photo,
    pixel_flood,
    scan,
    text_bomb,
)

TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}


def taken(data: bytes, name: str, declared: str = "") -> bytes:
    declared = declared or TYPES[name.rpartition(".")[2].lower()]
    return accept(name=name, declared=declared, data=data).data


def complaint(data: bytes, name: str, declared: str = "image/jpeg") -> str:
    with pytest.raises(Invalid) as refused:
        accept(name=name, declared=declared, data=data)
    assert list(refused.value.errors) == ["file"]
    return str(refused.value)


@pytest.mark.parametrize(
    ("kind", "name"), [("JPEG", "a.jpg"), ("JPEG", "A.JPEG"), ("PNG", "a.png")]
)
def test_a_photo_keeps_its_pixels_and_nothing_else(kind: str, name: str) -> None:
    before = photo(kind)
    assert SECRET.encode() in before
    after = taken(before, name)
    assert SECRET.encode() not in after
    image = Image.open(io.BytesIO(after))
    assert image.format == kind
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert image.size == (40, 60)  # turned upright before the note that it lay was lost
    red, green, blue = image.convert("RGB").getpixel((20, 30))  # type: ignore[misc]
    assert (abs(red - 20), abs(green - 120), abs(blue - 60)) < (6, 6, 6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_picture_is_taken(mode: str) -> None:
    out = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (8, 8)).save(out, kind)
    name = "a.jpg" if kind == "JPEG" else "a.png"
    assert Image.open(io.BytesIO(taken(out.getvalue(), name))).size == (8, 8)


def test_a_paper_keeps_its_pages_and_says_nothing_of_its_maker() -> None:
    after = taken(paper(3), "letter.pdf")
    reader = PdfReader(io.BytesIO(after))
    assert [page.extract_text().strip() for page in reader.pages] == [
        f"Seen today. {number}" for number in (1, 2, 3)
    ]
    assert not reader.metadata
    assert SECRET.encode() not in after


def test_nothing_in_a_paper_acts_or_leads_elsewhere() -> None:
    before = acting_paper()
    assert b"/JavaScript" in before
    after = taken(before, "letter.pdf")
    reader = PdfReader(io.BytesIO(after))
    everything = repr([reader.get_object(number) for number in range(1, len(reader.xref[0]) + 1)])
    for word in ("JavaScript", "/JS", "/AA", "/OpenAction", "EmbeddedFile", "/URI", "/Annots"):
        assert word not in everything
        assert word.encode() not in after
    for word in ("/F'", "/Metadata", "/PieceInfo", "/Names", "/Producer", SECRET):
        assert word not in everything
    assert "'/A'" in everything  # a name that somebody chose for a drawing is no action
    assert "Seen today." in reader.pages[0].extract_text()


def test_a_scanned_photo_inside_a_paper_loses_where_it_was_taken() -> None:
    before = scan()
    assert SECRET.encode() in before
    after = taken(before, "scan.pdf")
    assert SECRET.encode() not in after
    (image,) = PdfReader(io.BytesIO(after)).pages[0].images
    assert image.image is not None
    assert image.image.size == (200, 300)


@pytest.mark.parametrize(
    ("data", "name", "declared"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "a.svg", "image/svg+xml"),
        (photo(), "a.gif", "image/gif"),
        (photo(), "photo", "image/jpeg"),
        (packed(), "a.zip", "application/zip"),
        (b"MZ", "a.pdf.exe", "application/pdf"),
    ],
)
def test_other_kinds_are_refused(data: bytes, name: str, declared: str) -> None:
    assert complaint(data, name, declared) == "Choose a PDF, or a photo as JPEG or PNG."


@pytest.mark.parametrize(
    ("data", "name", "declared"),
    [
        (photo(), "a.png", "image/png"),
        (photo(), "a.jpg", "image/png"),
        (photo(), "a.jpg", "text/html"),
        (photo("PNG"), "a.jpg", "image/jpeg"),
        (paper(), "a.jpg", "image/jpeg"),
        (b"<html>", "a.pdf", "application/pdf"),
        (b"\n" + paper(), "a.pdf", "application/pdf"),
        (photo() + paper(), "a.jpg", "image/jpeg"),
        (photo("PNG") + b"<sCript>alert(1)</script>", "a.png", "image/png"),
        (photo() + packed(), "a.jpg", "image/jpeg"),
        (paper() + packed(), "a.pdf", "application/pdf"),
    ],
)
def test_a_file_that_is_two_things_is_refused(data: bytes, name: str, declared: str) -> None:
    assert "not what its name says" in complaint(data, name, declared)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.jpg", "a\0.jpg", "C:\\x\\y.JPG", "\u202egpj.jpg"]
)
def test_whatever_a_file_is_called_only_its_ending_is_looked_at(name: str) -> None:
    assert taken(photo(), name).startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.jpg", "empty"),
        (photo(size=(600, 400))[:-300], "a.jpg", "damaged"),
        (photo("PNG")[:-30], "a.png", "damaged"),
        (paper(3)[:-200], "a.pdf", "damaged"),
        (b"%PDF-1.7\nnothing at all\n%%EOF", "a.pdf", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "a.png", "damaged"),
        (locked_paper(), "a.pdf", "password"),
        (paper(MOST_PAGES + 1), "a.pdf", "too many pages"),
        (deep_paper(), "a.pdf", "too complicated"),
        (photo() + b"\0" * LARGEST, "a.jpg", "too large: 10 MB"),
        (pixel_flood(), "a.png", "fewer pixels"),
        (pixel_flood(1_000_000, 1), "a.png", "fewer pixels"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words_that_help(
    data: bytes, name: str, words: str
) -> None:
    assert words in complaint(data, name, TYPES[name[-3:]])


def test_a_bomb_is_defused_within_bounds() -> None:
    began = time.monotonic()
    assert complaint(text_bomb(), "a.png", "image/png")
    assert time.monotonic() - began < 12


def test_a_paper_whose_objects_unpack_without_end_is_refused_within_bounds() -> None:
    began = time.monotonic()
    many = paper(1)[:-6] + b"\n" + b"9 0 obj\n" * 900_000 + b"%%EOF\n"
    complaint(many, "a.pdf", "application/pdf")
    assert time.monotonic() - began < 12


def test_the_cleaner_knows_no_secret_and_is_held_to_its_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}
    plain = subprocess.run

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.update(kwargs)
        return plain(*args, **kwargs)

    monkeypatch.setenv("SECRET_KEY_SEEN", SECRET)
    monkeypatch.setattr(subprocess, "run", watched)
    taken(photo(), "a.jpg")
    assert seen["env"] == {}
    assert seen["timeout"] == accepting.SECONDS
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert before == resource.getrlimit(resource.RLIMIT_AS)  # the limits are the cleaner's alone


def test_a_cleaner_that_hangs_or_dies_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*args: Any, **kwargs: Any) -> Any:
        raise subprocess.TimeoutExpired("cleaner", 1)

    monkeypatch.setattr(subprocess, "run", hangs)
    assert "too complicated" in complaint(photo(), "a.jpg")

    def dies(*args: Any, **kwargs: Any) -> Any:
        return subprocess.CompletedProcess("cleaner", -9, b"", b"")

    monkeypatch.setattr(subprocess, "run", dies)
    assert "too complicated" in complaint(photo(), "a.jpg")


def test_files_wait_for_their_turn_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "PATIENCE", 0.05)
    for _ in range(accepting.AT_ONCE):
        accepting._turns.acquire()
    try:
        assert "Try again in a moment" in complaint(photo(), "a.jpg")
    finally:
        for _ in range(accepting.AT_ONCE):
            accepting._turns.release()
    assert taken(photo(), "a.jpg")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_file_is_taken_whole_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["pdf", "jpg", "png"]))
    whole = bytearray({"pdf": paper(), "jpg": photo(), "png": photo("PNG")}[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = accept(name=f"a.{kind}", declared=TYPES[kind], data=bytes(whole))
    except Invalid:
        return
    assert made.kind is {"pdf": Kind.PDF, "jpg": Kind.JPEG, "png": Kind.PNG}[kind]
