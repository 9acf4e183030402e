"""Importing a Bundle: all rows or none, once per therapist, and nothing said that should not be."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, IntegrityError, connection
from django.utils import timezone

from clients.models import Client, ClientIdentifier, Professional
from handoff.core.actors import SYSTEM, Channel
from handoff.core.audit import AuditEntry
from handoff.core.errors import Invalid, NotAllowed
from referrals.access import clients_of, episodes_visible_to
from referrals.fhir_bundle import BundleReading, read_bundle
from referrals.fhir_import import ImportResult, import_bundle
from referrals.models import Episode
from referrals.vocabulary import BodyRegion, Laterality
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    EpisodeFactory,
    ProfessionalFactory,
    acting,
    certified_trainer,
    licensed_pt,
)

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
SHARED = Path(os.environ.get("HANDOFF_SHARED_DATA") or ROOT.parent / "shared" / "data")
KNEE, SHOULDER = DATA / "fhir_knee.json", DATA / "fhir_shoulder.json"
OPERATOR = SYSTEM.through(Channel.COMMAND)
NAMES = ("Nell", "Fictional", "Robin")
CLINICAL = ("knee", "ligament", "shoulder", "rotator", "S83", "444470001", "2025", "1994")


def reading(path: Path = KNEE, **kwargs: Any) -> BundleReading:
    return read_bundle(path.read_bytes(), **kwargs)


def run(pt: Professional, read: BundleReading | None = None, at: datetime = NOON) -> ImportResult:
    return import_bundle(actor=OPERATOR, reading=read or reading(), pt_email=pt.user.email, at=at)


def episode_of(result: ImportResult) -> Episode:
    assert result.episode_id is not None
    return Episode.objects.get(pk=result.episode_id)


def rows() -> tuple[int, ...]:
    models = (Client, ClientIdentifier, Episode, AuditEntry)
    return tuple(model._default_manager.count() for model in models)


def test_a_draft_for_the_therapist() -> None:
    pt = licensed_pt()
    CredentialFactory.create(user=pt.user, state="OR")
    result = run(pt)
    assert result.created
    assert result.remarks == ()
    client = Client.objects.get(pk=result.client_id)
    assert (client.name, client.birth_date) == ("Nell Demo Fictional", date(1994, 2, 11))
    assert (client.state, client.language) == ("OR", "en-US")
    assert (client.email, client.phone) == ("nell.fictional@example.com", "+1 555-0100")
    assert client.user is None
    assert client.created_by == pt
    assert list(client.identifiers.values_list("owner", "system", "value")) == [
        (pt.pk, "urn:example:fictional-clinic", "K-1001")
    ]
    episode = episode_of(result)
    assert (episode.client, episode.pt, episode.status, episode.source) == (
        client,
        pt,
        Episode.Status.REVIEW,
        "fhir",
    )
    assert episode.condition == "Torn anterior cruciate ligament of right knee"
    assert (episode.icd10_code, episode.body_region, episode.laterality) == (
        "S83.511A",
        BodyRegion.KNEE,
        Laterality.RIGHT,
    )
    assert episode.surgery == "Reconstruction of anterior cruciate ligament of right knee"
    assert (episode.onset_on, episode.surgery_on) == (date(2025, 1, 18), date(2025, 2, 10))
    assert (episode.started_on, episode.last_visit_on) == (date(2025, 2, 17), date(2025, 8, 29))
    assert episode.planned_discharge_on is None
    episode.full_clean()


def test_only_that_therapist_sees_the_draft() -> None:
    pt, other = licensed_pt(), licensed_pt()
    result = run(pt)
    assert [one.pk for one in clients_of(acting(pt))] == [result.client_id]
    assert [one.pk for one in episodes_visible_to(acting(pt))] == [result.episode_id]
    assert not clients_of(acting(other)).exists()
    assert not episodes_visible_to(acting(other)).exists()


def test_what_the_file_does_not_say_is_left_open_and_said() -> None:
    pt = licensed_pt()
    result = run(pt, reading(SHOULDER))
    client = Client.objects.get(pk=result.client_id)
    episode = episode_of(result)
    assert client.state == pt.practice.state == "NY"
    assert episode.onset_on is None
    assert episode.last_visit_on is None
    assert len(result.remarks) == 3


def test_an_unknown_side_stays_empty_for_the_therapist_to_choose() -> None:
    read = reading()
    assert read.episode is not None
    open_side = replace(read.episode.condition, laterality=None)
    result = run(licensed_pt(), replace(read, episode=replace(read.episode, condition=open_side)))
    assert episode_of(result).laterality == ""


def test_without_a_plan_the_day_of_import_stands_in_for_the_first_visit() -> None:
    read = reading()
    assert read.episode is not None
    result = run(licensed_pt(), replace(read, episode=replace(read.episode, care_plan=None)))
    assert episode_of(result).started_on == NOON.date()


def test_a_running_plan_plans_a_discharge_instead_of_a_last_visit() -> None:
    read = reading()
    assert read.episode is not None
    assert read.episode.care_plan is not None
    plan = replace(read.episode.care_plan, status="active", end=date(2027, 6, 1))
    result = run(licensed_pt(), replace(read, episode=replace(read.episode, care_plan=plan)))
    episode = episode_of(result)
    assert (episode.last_visit_on, episode.planned_discharge_on) == (None, date(2027, 6, 1))


def test_the_same_file_twice_writes_nothing_the_second_time() -> None:
    pt = licensed_pt()
    first = run(pt)
    before = rows()
    again = run(pt, reading(shift_to=date(2026, 12, 1)))
    assert (again.client_id, again.episode_id) == (first.client_id, first.episode_id)
    assert not again.created
    assert rows() == before


def test_a_file_without_record_numbers_is_recognised_by_its_content() -> None:
    pt = licensed_pt()
    assert run(pt, reading(SHOULDER)).created
    assert not run(pt, reading(SHOULDER)).created
    assert Client.objects.count() == 1


def test_a_client_that_was_merged_is_followed() -> None:
    pt = licensed_pt()
    first = run(pt)
    kept = ClientFactory.create()
    Client.objects.filter(pk=first.client_id).update(merged_into=kept)
    again = run(pt)
    assert (again.client_id, again.created) == (kept.pk, False)


def test_record_numbers_of_two_clients_are_refused() -> None:
    pt = licensed_pt()
    run(pt)
    ClientIdentifier.objects.create(client=ClientFactory.create(), owner=pt, system="a", value="b")
    read = reading()
    both = (*read.patient.identifiers, replace(read.patient.identifiers[0], system="a", value="b"))
    before = rows()
    with pytest.raises(Invalid, match="two different clients"):
        run(pt, replace(read, patient=replace(read.patient, identifiers=both)))
    assert rows() == before


def test_another_therapist_does_not_learn_that_the_patient_is_known_here() -> None:
    pt, other = licensed_pt(), licensed_pt()
    mine, theirs = run(pt), run(other)
    assert mine.client_id != theirs.client_id
    # The second import says exactly what a first one says.
    assert replace(mine, client_id=theirs.client_id, episode_id=theirs.episode_id) == theirs


def test_an_account_under_the_patients_address_is_neither_used_nor_revealed() -> None:
    known = EpisodeFactory.create(client__user__email="nell.fictional@example.com")
    result = run(licensed_pt())
    assert result.client_id != known.client_id
    assert Client.objects.get(pk=result.client_id).user is None


# --- who may ------------------------------------------------------------------------------------


def _unknown() -> str:
    return "nobody@example.org"


def _trainer() -> str:
    return certified_trainer().user.email


def _left() -> str:
    pt = licensed_pt(left_at=NOON)
    return pt.user.email


def _switched_off() -> str:
    return licensed_pt(user__is_active=False).user.email


def _no_text() -> str:
    return "\udcff@example.org"  # bytes on a command line that are no UTF-8


@pytest.mark.parametrize("who", [_unknown, _trainer, _left, _switched_off, _no_text])
def test_an_address_that_is_no_therapists(who: Callable[[], str]) -> None:
    email = who()
    before = rows()
    with pytest.raises(Invalid, match="No physical therapist is known under that address"):
        import_bundle(actor=OPERATOR, reading=reading(), pt_email=email, at=NOON)
    assert rows() == before


def test_a_therapist_without_a_licence_valid_now() -> None:
    pt = licensed_pt()
    with pytest.raises(NotAllowed, match="licence"):
        run(pt, at=NOON + timedelta(days=365 * 20))
    with pytest.raises(NotAllowed, match="licence"):
        run(ProfessionalFactory.create())
    assert not Client.objects.filter(created_by__isnull=False).exists()


def test_a_licence_of_another_state_is_pointed_out() -> None:
    result = run(licensed_pt())  # New York; the patient lives in Oregon
    assert result.remarks == ("The therapist holds no licence valid today in the client's state.",)


def test_a_therapist_may_import_for_themselves_only() -> None:
    pt, other = licensed_pt(), licensed_pt()
    email = pt.user.email.upper()
    with pytest.raises(NotAllowed):
        import_bundle(actor=acting(other), reading=reading(), pt_email=email, at=NOON)
    assert import_bundle(actor=acting(pt), reading=reading(), pt_email=email, at=NOON).created


def test_the_audit_entry_holds_ids_only() -> None:
    pt = licensed_pt()
    result = run(pt)
    entry = AuditEntry.objects.get(verb="client.imported")
    assert (entry.object_id, entry.channel) == (str(result.client_id), "command")
    assert entry.facts == {
        "client": str(result.client_id),
        "episode": str(result.episode_id),
        "for": str(pt.pk),
    }


# --- all or nothing -----------------------------------------------------------------------------


def test_no_condition_no_rows() -> None:
    pt = licensed_pt()
    before = rows()
    with pytest.raises(Invalid, match="no musculoskeletal condition"):
        run(pt, replace(reading(), episode=None))
    assert rows() == before


def test_dates_of_the_future_are_refused() -> None:
    pt = licensed_pt()
    before = rows()
    with pytest.raises(Invalid, match="future"):
        run(pt, reading(shift_to=date(2029, 1, 1)))
    assert rows() == before


@pytest.fixture
def refused_episodes() -> None:
    """A constraint that lets no imported episode pass; gone with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE referrals_episode ADD CONSTRAINT no_import CHECK (source <> 'fhir')"
        )


@pytest.mark.usefixtures("refused_episodes")
def test_an_episode_the_database_refuses_takes_client_and_numbers_with_it() -> None:
    pt = licensed_pt()
    before = rows()
    with pytest.raises(IntegrityError, match="no_import"):
        run(pt)
    assert rows() == before


def test_a_value_the_database_cannot_hold_takes_all_rows_with_it() -> None:
    pt = licensed_pt()
    read = reading()
    assert read.episode is not None
    too_long = replace(read.episode.condition, words="x" * 301)
    before = rows()
    with pytest.raises(DataError):
        run(pt, replace(read, episode=replace(read.episode, condition=too_long)))
    assert rows() == before
    assert run(pt).created


def test_a_constraint_that_breaks_takes_all_rows_with_it() -> None:
    pt = licensed_pt()
    read = reading()
    twice = read.patient.identifiers * 2  # unique for one therapist
    before = rows()
    with pytest.raises(IntegrityError):
        run(pt, replace(read, patient=replace(read.patient, identifiers=twice)))
    assert rows() == before


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_one_client() -> None:
    pt, read = licensed_pt(), reading()
    together = Barrier(4)

    def one() -> ImportResult:
        try:
            together.wait(timeout=10)
            return run(pt, read)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        results = [each.result() for each in [pool.submit(one) for _ in range(4)]]
    assert sorted(result.created for result in results) == [False, False, False, True]
    assert len({(result.client_id, result.episode_id) for result in results}) == 1
    assert Client.objects.count() == Episode.objects.count() == 1


# --- the command --------------------------------------------------------------------------------


def command(path: Path | str, email: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    call_command("import_fhir", str(path), "--for", email, *more)
    return capsys.readouterr().out


def test_the_command_reports_every_entry_and_the_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pt = licensed_pt()
    out = command(KNEE, pt.user.email, capsys)
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:10]] == [f"entry[{n}]" for n in range(10)]
    assert "4 taken, 5 ignored, 1 refused" in lines
    client = Client.objects.get(created_by=pt)
    assert f"/clients/{client.pk}/" in lines[-1]
    assert not [word for word in (*NAMES, *CLINICAL) if word.lower() in out.lower()]


def test_the_command_says_when_the_patient_was_imported_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pt = licensed_pt()
    command(KNEE, pt.user.email, capsys)
    before = rows()
    out = command(KNEE, pt.user.email, capsys)
    assert "imported for this therapist before" in out
    assert "taken" not in out
    assert rows() == before


def test_the_command_shows_why_there_is_nothing_to_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = json.loads(KNEE.read_text())
    bundle["entry"] = bundle["entry"][:3]  # the clinic, the patient, hay fever
    path = _file(tmp_path, json.dumps(bundle).encode())
    with pytest.raises(CommandError, match="no musculoskeletal condition"):
        command(path, licensed_pt().user.email, capsys)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("not a musculoskeletal condition")
    assert not ClientIdentifier.objects.exists()


def test_the_command_writes_one_line_about_a_wrong_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CommandError, match="No physical therapist is known"):
        command(KNEE, "nobody@example.org", capsys)
    assert capsys.readouterr().out == ""


def test_the_command_shifts(capsys: pytest.CaptureFixture[str]) -> None:
    pt = licensed_pt()
    yesterday = timezone.now().date() - timedelta(days=1)
    out = command(KNEE, pt.user.email, capsys, "--shift-to", yesterday.isoformat())
    assert "All dates were moved by" in out
    assert Episode.objects.get(pt=pt).last_visit_on == yesterday


@pytest.mark.parametrize("start", ["Abdul_Koepp", "Trent_Jaskolski"])
def test_the_command_imports_bundles_made_by_synthea(
    start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = sorted((SHARED / "synthea").glob(f"{start}_*.json"))
    if not found:
        pytest.skip("no Synthea bundles here; HANDOFF_SHARED_DATA names their folder")
    pt = licensed_pt()
    yesterday = timezone.now().date() - timedelta(days=1)
    out = command(found[0], pt.user.email, capsys, "--shift-to", yesterday.isoformat())
    assert " 0 refused" in out
    assert "To check: The side is not in the file: choose it." in out
    episode = Episode.objects.get(pt=pt)
    assert (episode.status, episode.last_visit_on) == (Episode.Status.REVIEW, yesterday)
    assert episode.client.name == start.replace("_", " ")
    assert not [word for word in start.split("_") if word in out]


def _file(tmp_path: Path, raw: bytes) -> Path:
    path = tmp_path / "bundle.json"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"[" * 100_000,
        b'{"resourceType": "Bundle"}',
        KNEE.read_bytes().replace(b"Sports", b"\\ud800"),
        KNEE.read_bytes().replace(b"1994-02-11", b"0001-01-01"),
        KNEE.read_bytes().replace(b"1994-02-11", b"2026-02-31"),
        json.dumps({"resourceType": "Patient", "id": "1"}).encode(),
    ],
)
def test_the_command_answers_a_broken_file_in_one_line(
    raw: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pt = licensed_pt()
    before = rows()
    with pytest.raises(CommandError) as refused:
        command(_file(tmp_path, raw), pt.user.email, capsys)
    assert str(refused.value).startswith("Nothing was imported. ")
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 1
    assert capsys.readouterr().out == ""
    assert rows() == before


def test_the_command_reads_regular_files_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pt = licensed_pt()
    for path in (tmp_path, tmp_path / "missing.json", "/dev/zero", "a\x00b"):
        with pytest.raises(CommandError, match=r"^Nothing was imported\."):
            command(path, pt.user.email, capsys)
    for day in ("yesterday", "", "\udcff"):
        with pytest.raises(CommandError, match="date"):
            command(KNEE, pt.user.email, capsys, "--shift-to", day)
    assert not ClientIdentifier.objects.exists()


@pytest.mark.usefixtures("refused_episodes")
def test_the_command_keeps_the_databases_words_to_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """PostgreSQL quotes the row it refuses."""
    pt = licensed_pt()
    before = rows()
    with pytest.raises(CommandError) as refused:
        command(KNEE, pt.user.email, capsys)
    assert str(refused.value) == "Nothing was imported. The database refused the rows."
    assert refused.value.__suppress_context__
    assert rows() == before
