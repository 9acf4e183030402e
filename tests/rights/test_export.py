"""Everything about oneself as a file: who gets it, what stands in it, how often."""

import io
import json
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from clients.models import AccessEntry, Client, Guardianship, User
from clients.scopes import Scope
from handoff.core.actors import ANONYMOUS
from handoff.core.audit import AuditEntry
from handoff.core.errors import NotAllowed, NotVisible
from referrals import discharge, disclosure, screenings
from referrals.models import DischargeNote, ReferralMessage, RestrictionVersion
from referrals.permits import Permit
from referrals.rights import export, reading
from referrals.states import State
from tests.factories import (
    NOON,
    EpisodeFactory,
    GuardianshipFactory,
    ReferralFactory,
    UserFactory,
    acting,
)
from tests.referrals.scenes import NO_PRESSING, Therapy
from tests.rights.accounts import account_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    note = scene.signed()
    discharge.add_addendum(actor=scene.as_pt, note_id=note.pk, text="One thing more.", at=NOON)
    scene.share(Scope.RESTRICTIONS, Scope.CLEARANCE, state=State.IN_PROGRESS)
    return scene


def sections(held: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {each["section"]: each["rows"] for each in held["sections"]}


def taken(scene: Therapy) -> dict[str, Any]:
    return export.as_data(
        export.of_record(actor=scene.as_client, client_id=scene.client.pk, at=NOON)
    )


def test_it_holds_the_whole_record_in_the_stored_words(scene: Therapy) -> None:
    held = taken(scene)
    json.dumps(held)
    found = sections(held)
    note = DischargeNote.objects.get(episode=scene.episode)
    assert [row["diagnosis"] for row in found["notes"]] == [note.diagnosis]
    assert found["notes"][0]["content_hash"] == note.content_hash
    assert [row["text"] for row in found["goals"]] == ["Swim 500 m", "Throw"]
    assert [row["text"] for row in found["addenda"]] == ["One thing more."]
    assert {row["wording"] for row in found["limit_versions"]} >= {NO_PRESSING["wording"]}
    assert {row["rationale"] for row in found["limit_versions"]} >= {NO_PRESSING["rationale"]}
    assert [row["value"] for row in found["measurements"]] == [30.0, 62.0]
    assert [row["condition"] for row in found["episodes"]] == [scene.episode.condition]
    assert [row["kind"] for row in found["consent_events"]] == ["requested", "granted"]
    assert [row["state"] for row in found["handoffs"]] == ["in_progress"]
    assert found["person"][0]["birth_date"] == scene.client.birth_date.isoformat()
    assert found["account"][0]["email"] == account_of(scene.client).email
    assert found["episodes"][0]["pt"] == {
        "id": str(scene.pt.pk),
        "name": scene.pt.name,
        "role": "pt",
        "practice": scene.pt.practice.name,
    }


def test_what_is_not_signed_or_not_for_clients_stays_out(scene: Therapy) -> None:
    ReferralMessage.objects.create(
        referral=scene.referral, author=scene.pt, text="Between the two of us", sent_at=NOON
    )
    wrong = EpisodeFactory.create(
        client=scene.client, pt=scene.pt, status="entered_in_error", condition="Somebody else's"
    )
    draft = EpisodeFactory.create(client=scene.client, pt=scene.pt)
    other = discharge.start_note(actor=scene.as_pt, episode_id=draft.pk, at=NOON)
    DischargeNote.objects.filter(pk=other.pk).update(diagnosis="Not signed yet")
    ReferralFactory.create(
        client=scene.client, sender=scene.pt, recipient=scene.trainer, goal="Not sent yet",
        kind="return_to_training",
    )  # fmt: skip
    text = json.dumps(taken(scene))
    for words in ("Between the two", "Somebody else's", "Not signed yet", "Not sent yet"):
        assert words not in text
    assert str(wrong.pk) not in text
    assert RestrictionVersion.objects.filter(signed_at__isnull=True).count() == 0


def test_it_is_entered_as_downloaded_and_shown_in_the_list_of_looks(scene: Therapy) -> None:
    taken(scene)
    entry = AccessEntry.objects.latest("number")
    assert (entry.action, entry.purpose, set(entry.shown)) == ("exported", "export", set(Scope))
    looks = sections(taken(scene))["looks"]
    assert [row["action"] for row in looks][-1] == "exported"
    assert looks[-1]["number"] == entry.number


def test_five_within_a_day_and_no_more(scene: Therapy) -> None:
    for _ in range(export.A_DAY):
        taken(scene)
    with pytest.raises(NotAllowed):
        taken(scene)
    assert AccessEntry.objects.filter(action="exported").count() == export.A_DAY
    later = NOON + timedelta(days=1)
    assert export.of_record(actor=scene.as_client, client_id=scene.client.pk, at=later)


def test_one_person_s_downloads_do_not_use_up_another_s(scene: Therapy) -> None:
    guardian = _with_guardian(scene)
    for _ in range(export.A_DAY):
        export.of_record(actor=acting(guardian), client_id=scene.client.pk, at=NOON)
    assert taken(scene)


@pytest.mark.parametrize("who", ["pt", "trainer", "other_pt", "pta"])
def test_nobody_else_gets_it_and_the_try_is_entered(scene: Therapy, who: str) -> None:
    """A therapist reads the record on pages; taking it all away is the client's."""
    with pytest.raises(NotVisible):
        export.of_record(actor=acting(getattr(scene, who)), client_id=scene.client.pk, at=NOON)
    entry = AccessEntry.objects.latest("number")
    assert (entry.action, entry.purpose, entry.shown) == ("refused", "export", [])


def test_nothing_is_there_for_an_unknown_client_or_nobody(scene: Therapy) -> None:
    before = AccessEntry.objects.count()
    with pytest.raises(NotVisible):
        export.of_record(actor=scene.as_client, client_id=scene.episode.pk, at=NOON)
    with pytest.raises(NotVisible):
        export.of_record(actor=ANONYMOUS, client_id=scene.client.pk, at=NOON)
    assert AccessEntry.objects.count() == before


def _with_guardian(scene: Therapy) -> User:
    scene.client.birth_date = date(2011, 6, 1)
    scene.client.save()
    GuardianshipFactory.create(client=scene.client)
    return GuardianshipFactory.create(client=scene.client).user


def test_a_guardian_gets_the_record_without_the_minor_s_account(scene: Therapy) -> None:
    guardian = _with_guardian(scene)
    held = export.as_data(
        export.of_record(actor=acting(guardian), client_id=scene.client.pk, at=NOON)
    )
    found = sections(held)
    assert found["notes"]
    assert not {"account", "reminders", "tokens", "credentials"} & set(found)
    assert [row["user"]["id"] for row in found["guardians"]] == [str(guardian.pk)]
    own = sections(taken(scene))
    assert len(own["guardians"]) == Guardianship.objects.filter(client=scene.client).count() == 2


def test_a_guardian_whose_authority_ended_gets_nothing(scene: Therapy) -> None:
    guardian = _with_guardian(scene)
    Guardianship.objects.filter(user=guardian).update(ended_at=NOON)
    with pytest.raises(NotVisible):
        export.of_record(actor=acting(guardian), client_id=scene.client.pk, at=NOON)


def test_authority_that_ends_meanwhile_ends_it(scene: Therapy) -> None:
    """Between gathering and entering: what was gathered is not handed out."""
    guardian = _with_guardian(scene)

    def gather(client: Client, allowed: Permit, at: datetime) -> str:
        Guardianship.objects.filter(user=guardian).update(ended_at=NOON)
        return "all of it"

    with pytest.raises(NotVisible):
        disclosure.disclose_whole(
            actor=acting(guardian),
            client_id=scene.client.pk,
            most_a_day=1,
            read=gather,
            at=NOON,
        )
    assert AccessEntry.objects.latest("number").action == "refused"


def test_a_ground_that_changes_meanwhile_gathers_anew(scene: Therapy) -> None:
    guardian = _with_guardian(scene)
    seen: list[str] = []

    def gather(client: Client, allowed: Permit, at: datetime) -> str:
        seen.append(allowed.standpoint)
        Client.objects.filter(pk=client.pk).update(user=guardian)
        client.user = guardian
        return allowed.standpoint

    taken_as = disclosure.disclose_whole(
        actor=acting(guardian), client_id=scene.client.pk, most_a_day=1, read=gather, at=NOON
    )
    assert (taken_as, seen) == ("client", ["guardian", "client"])


def test_the_paper_says_the_same(scene: Therapy) -> None:
    whole = export.of_record(actor=scene.as_client, client_id=scene.client.pk, at=NOON)
    pages = PdfReader(io.BytesIO(export.as_pdf(whole))).pages
    paper = re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))
    for part in whole.parts:
        assert re.sub(r"\s+", "", part.title) in paper
        for row in part.rows:
            for cell in row:
                assert re.sub(r"\s+", "", cell.shown) in paper, (part.key, cell)


def test_a_long_list_is_cut_and_says_so(scene: Therapy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 1)
    monkeypatch.setattr(export, "PAPER_ROWS", 1)
    held = taken(scene)
    goals = next(each for each in held["sections"] if each["section"] == "goals")
    assert [row["text"] for row in goals["rows"]] == ["Throw"]
    assert goals["older_left_out"] == 1
    whole = export.of_record(actor=scene.as_client, client_id=scene.client.pk, at=NOON)
    pages = PdfReader(io.BytesIO(export.as_pdf(whole))).pages
    assert "1 older ones" in "".join(page.extract_text() for page in pages)


def test_the_number_of_queries_does_not_grow_with_the_record(
    scene: Therapy,
) -> None:
    taken(scene)
    with CaptureQueriesContext(connection) as few:
        taken(scene)
    for _ in range(3):
        EpisodeFactory.create(client=scene.client, pt=scene.other_pt)
        GuardianshipFactory.create(client=scene.client)
    with CaptureQueriesContext(connection) as more:
        taken(scene)
    assert len(more) == len(few)


# --- one's own account ------------------------------------------------------------------------


def test_a_professional_takes_their_own_papers(scene: Therapy) -> None:
    held = export.as_data(export.of_account(actor=scene.as_pt, at=NOON))
    found = sections(held)
    assert [row["number"] for row in found["credentials"]] == [scene.licence.number]
    assert [row["practice"]["name"] for row in found["work"]] == [scene.pt.practice.name]
    assert found["account"][0]["email"] == scene.pt.user.email
    assert "password" not in json.dumps(held)
    assert str(scene.client.pk) not in json.dumps(held)
    assert AuditEntry.objects.latest("number").verb == export.VERB


def test_an_account_too_only_five_times_a_day() -> None:
    user = UserFactory.create()
    for _ in range(export.A_DAY):
        export.of_account(actor=acting(user), at=NOON)
    with pytest.raises(NotAllowed):
        export.of_account(actor=acting(user), at=NOON)
    assert export.of_account(actor=acting(user), at=NOON + timedelta(days=1))
    with pytest.raises(NotVisible):
        export.of_account(actor=ANONYMOUS, at=NOON)


def test_kept_results_of_who_comes_first_are_in_it(scene: Therapy) -> None:
    screenings.save(
        actor=scene.as_client, client_id=scene.client.pk, answers={"pain": "yes"}, at=NOON
    )
    (row,) = sections(taken(scene))["screenings"]
    assert (row["level"], row["taken_on"]) == ("medical", "2027-01-13")
    assert "pain" in row["reasons"]
