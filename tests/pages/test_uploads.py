"""Handing in letters and papers on the pages: what is said, what stays, what is sent out again."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.test import override_settings

from clients.models import AccessEntry, Credential, Evidence
from handoff.core.audit import AuditEntry
from handoff.core.files.storing import StoredFile
from referrals.models import Letter
from tests.core.uploaded import SECRET, locked_paper, paper, photo
from tests.factories import NOON, UserFactory
from tests.pages.reading import as_, get
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(time_machine: Any) -> Therapy:
    time_machine.move_to(NOON, tick=False)
    return Therapy()


def file(
    data: bytes | None = None, name: str = "ana-duarte-letter.pdf", kind: str = "application/pdf"
) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, paper() if data is None else data, content_type=kind)


def letter(scene: Therapy, **changes: Any) -> dict[str, Any]:
    return {
        "pt": str(scene.pt.pk),
        "kind": "clearance",
        "author": "Dr. Imani Vale",
        "dated_on": "2027-01-04",
        "file": file(),
        **changes,
    }


def is_inert(answer: Any, kind: str, name: str) -> None:
    assert answer.status_code == 200
    assert answer["Content-Type"] == kind
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"].split("; ")
    assert policy == ["sandbox", "default-src 'none'", "frame-ancestors 'none'"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_client_adds_a_letter_and_the_therapist_keeps_it(scene: Therapy) -> None:
    path = f"/clients/{scene.client.pk}/letters/"
    answer = as_(scene.client).post(path, letter(scene))
    assert (answer.status_code, answer["Location"]) == (303, path)
    row = Letter.objects.get()
    text = get(as_(scene.pt), path)
    assert "Dr. Imani Vale" in text
    assert "Clearance to train" in text
    assert "Added by the client" in text
    assert "ana-duarte" not in text  # what it was called went with the original
    assert "Remove for good" not in text
    answer = as_(scene.pt).get(f"/letters/{row.pk}/file/")
    is_inert(answer, "application/pdf", "letter.pdf")
    assert SECRET.encode() not in answer.content
    assert AccessEntry.objects.order_by("-number")[0].purpose == "letter"
    text = get(as_(scene.client), "/access/")
    assert "Downloaded" in text
    assert "A letter" in text


def test_what_was_typed_stays_when_the_file_is_refused(scene: Therapy) -> None:
    wrong = letter(scene, author="Dr. Orla Finch", file=file(locked_paper()))
    answer = as_(scene.client).post(f"/clients/{scene.client.pk}/letters/", wrong)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'value="Dr. Orla Finch"' in text
    assert 'value="2027-01-04"' in text
    assert '<option value="clearance" selected>' in text
    assert 'id="id_file_error"' in text
    assert "locked with a password" in text
    assert not StoredFile.objects.exists()


def test_a_file_that_was_fine_has_to_be_chosen_again_and_that_is_said(scene: Therapy) -> None:
    wrong = letter(scene, dated_on="2028-01-01")
    answer = as_(scene.client).post(f"/clients/{scene.client.pk}/letters/", wrong)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Choose the file once more" not in text or "Enter a day in the past" in text
    assert "Enter a day in the past" in text
    assert "Choose the file once more. A browser does not keep it." in text
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"file": ""}, {"author": ""}, {"kind": "x"}, {"pt": "x"}, {"dated_on": "0001-01-01"}],
)
def test_what_is_missing_is_said(scene: Therapy, changes: dict[str, Any]) -> None:
    path = f"/clients/{scene.client.pk}/letters/"
    answer = as_(scene.client).post(path, letter(scene, **changes))
    assert answer.status_code == 422
    assert next(iter(answer.context["form"].errors)) == next(iter(changes))


def test_a_letter_is_removed_by_whoever_added_it(scene: Therapy) -> None:
    as_(scene.client).post(f"/clients/{scene.client.pk}/letters/", letter(scene))
    row = Letter.objects.get()
    assert as_(scene.pt).post(f"/letters/{row.pk}/remove/").status_code == 403
    assert as_(scene.other_pt).post(f"/letters/{row.pk}/remove/").status_code == 404
    assert as_(scene.client).post(f"/letters/{row.pk}/remove/").status_code == 303
    get(as_(scene.client), f"/letters/{row.pk}/file/", status=404)


def test_others_find_no_letters_and_the_try_is_entered(scene: Therapy) -> None:
    as_(scene.client).post(f"/clients/{scene.client.pk}/letters/", letter(scene))
    row = Letter.objects.get()
    scene.signed()
    scene.share()
    for who in (scene.other_pt, scene.trainer, UserFactory.create(is_staff=True)):
        before = AccessEntry.objects.count()
        get(as_(who), f"/clients/{scene.client.pk}/letters/", status=404)
        get(as_(who), f"/letters/{row.pk}/file/", status=404)
        assert AccessEntry.objects.filter(action="refused").count() >= 2
        assert AccessEntry.objects.count() == before + 2
    path = f"/clients/{scene.client.pk}/letters/"
    assert as_(scene.trainer).post(path, letter(scene)).status_code == 404
    assert Letter.objects.count() == 1


# --- papers -------------------------------------------------------------------------------------


def a_paper(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "pt_licence",
        "issuer": "State board",
        "number": "L-77",
        "state": "NY",
        "issued_on": "2026-01-01",
        "expires_on": "2028-12-31",
        "file": file(photo(), "C:\\scans\\licence.JPG", "image/jpeg"),
        **changes,
    }


def test_a_paper_is_handed_in_seen_by_the_admin_and_verified(scene: Therapy) -> None:
    answer = as_(scene.pt).post("/profile/papers/new/", a_paper())
    assert answer.status_code == 303
    held = Credential.objects.get(number="L-77")
    assert (held.user, held.verified_at, held.state) == (scene.pt.user, None, "NY")
    assert answer["Location"] == f"/profile/papers/{held.pk}/"
    row = Evidence.objects.get()
    is_inert(as_(scene.pt).get(f"/profile/scans/{row.pk}/"), "image/jpeg", "scan.jpg")
    admin = as_(UserFactory.create(is_staff=True, is_superuser=True))
    text = get(admin, f"/admin/clients/credential/{held.pk}/change/")
    address = f"/admin/clients/credential/{held.pk}/scan/{row.pk}/"
    assert address in text
    seen = admin.get(address)
    is_inert(seen, "image/jpeg", "scan.jpg")
    assert SECRET.encode() not in seen.content
    entry = AuditEntry.objects.order_by("-number")[0]
    assert (entry.verb, entry.object_id) == ("credential.scan_seen", str(held.pk))
    other = Credential.objects.exclude(pk=held.pk)[0]
    get(admin, f"/admin/clients/credential/{other.pk}/scan/{row.pk}/", status=404)


def test_a_second_page_is_added_until_it_is_checked(scene: Therapy) -> None:
    pt = as_(scene.pt)
    pt.post("/profile/papers/new/", a_paper())
    held = Credential.objects.get(number="L-77")
    path = f"/profile/papers/{held.pk}/"
    assert pt.post(path, {"file": file()}).status_code == 303
    assert Evidence.objects.count() == 2
    assert pt.post(path, {"file": file(b"%PDF-")}).status_code == 422
    verified = f"/profile/papers/{scene.licence.pk}/"
    assert "Add another" not in get(pt, verified)
    assert pt.post(verified, {"file": file()}).status_code == 409
    assert "Add another" in get(pt, path)


def test_a_scan_is_its_owners_and_can_be_erased(scene: Therapy) -> None:
    as_(scene.pt).post("/profile/papers/new/", a_paper())
    row = Evidence.objects.select_related("credential").get()
    path = f"/profile/papers/{row.credential_id}/"
    for who in (scene.other_pt, scene.trainer):
        get(as_(who), path, status=404)
        get(as_(who), f"/profile/scans/{row.pk}/", status=404)
        assert as_(who).post(f"/profile/scans/{row.pk}/remove/").status_code == 404
        assert as_(who).post(path, {"file": file()}).status_code == 404
    get(as_(scene.client), "/profile/papers/new/", status=404)
    assert as_(scene.pt).post(f"/profile/scans/{row.pk}/remove/").status_code == 303
    row.refresh_from_db()
    assert row.key is None
    assert StoredFile.objects.get(pk=row.file_id).content is None
    assert as_(scene.pt).post(f"/profile/scans/{row.pk}/remove/").status_code == 409
    get(as_(scene.pt), f"/profile/scans/{row.pk}/", status=404)
    admin = as_(UserFactory.create(is_staff=True, is_superuser=True))
    get(admin, f"/admin/clients/credential/{row.credential_id}/scan/{row.pk}/", status=404)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": ""}, "number"),
        ({"state": ""}, "state"),
        ({"issuer": " "}, "issuer"),
        ({"kind": ""}, "kind"),
        ({"issued_on": "2027-06-01"}, "issued_on"),
        ({"expires_on": "2026-12-31"}, "expires_on"),
        ({"kind": "cpr_aed", "issued_on": "2027-01-10", "expires_on": "2026-01-01"}, "expires_on"),
        ({"file": ""}, "file"),
        ({"file": file(b"<svg/>", "a.svg", "image/svg+xml")}, "file"),
    ],
)
def test_what_is_wrong_with_a_paper_is_said_where_it_is(
    scene: Therapy, changes: dict[str, Any], field: str
) -> None:
    answer = as_(scene.pt).post("/profile/papers/new/", a_paper(**changes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    if field != "issuer":
        assert 'value="State board"' in answer.content.decode()
    assert not Evidence.objects.exists()


def test_everybody_is_sent_to_sign_in_first(scene: Therapy) -> None:
    browser = Browser()
    for path in (f"/clients/{scene.client.pk}/letters/", "/profile/papers/new/"):
        assert browser.get(path).status_code == 302
        assert browser.post(path, {"file": file()}).status_code == 302
    assert not StoredFile.objects.exists()


# --- how much -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/profile/", 413),
        ("/accounts/login/", 413),
        ("/admin/login/", 413),
        ("/profile/papers/new/", 422),
    ],
)
def test_a_body_is_as_large_as_the_page_takes(scene: Therapy, path: str, status: int) -> None:
    data = {"file": file(b"%PDF-" + b"x" * 1_100_000)}
    answer = as_(scene.pt).post(path, data)
    assert answer.status_code == status
    if status == 413:
        assert "Too large" in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]


def test_a_form_with_a_file_has_an_end_too(scene: Therapy) -> None:
    answer = as_(scene.pt).post(
        "/profile/papers/new/", {"file": file(b"%PDF-" + b"x" * 11_000_000)}
    )
    assert answer.status_code == 413
    assert "10 MB" in answer.content.decode()


def test_an_uploaded_file_never_lies_on_a_disk(scene: Therapy) -> None:
    with override_settings(FILE_UPLOAD_TEMP_DIR="/nowhere/at/all"):
        large = file(b"%PDF-" + b"x" * 9_000_000)
        answer = as_(scene.pt).post("/profile/papers/new/", a_paper(file=large))
    assert answer.status_code == 422
