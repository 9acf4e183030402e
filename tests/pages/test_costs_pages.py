"""The pages about costs: what was typed stays, errors stand at their field, others find nothing."""

import pytest

from referrals.models import Coverage, Package
from tests.factories import NOON, licensed_pt
from tests.pages.reading import as_, get, leads, part
from tests.referrals.test_lifecycle import Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def story() -> Story:
    made = Story()
    made.running()
    return made


def test_the_therapist_notes_coverage_and_the_client_reads_it(story: Story) -> None:
    path = f"/episodes/{story.episode.pk}/coverage/"
    therapist = as_(story.pt)
    wrong = therapist.post(path, {"payer": "An insurer", "visits_authorized": "many"})
    seen = wrong.content.decode()
    assert wrong.status_code == 422
    assert 'value="many"' in seen
    assert 'value="An insurer"' in seen
    assert "Enter a whole number" in seen
    right = {"payer": "An insurer", "visits_authorized": "20", "visits_used": "18"}
    assert leads(therapist, path, right) == path
    assert "2 left" in get(therapist, path)
    assert "2 left" in get(as_(story.client), f"/clients/{story.client.pk}/costs/")
    assert Coverage.objects.get().client == story.client


def test_the_client_notes_sessions_and_counts_them_down(story: Story) -> None:
    client, path = as_(story.client), f"/clients/{story.client.pk}/costs/"
    wrong = part(client, path, {"provider": "", "sessions_bought": "10"}, status=422, on=path)
    assert "Say with whom" in wrong
    assert leads(client, path, {"provider": "A gym", "sessions_bought": "10"}) == path
    row = Package.objects.get()
    assert row.bought_on == NOON.date()
    assert leads(client, f"/packages/{row.pk}/used/", {}) == path
    assert "1 of 10 sessions used, 9 left" in get(client, path)
    assert leads(client, f"/packages/{row.pk}/remove/", {}) == path
    assert not Package.objects.exists()


def test_nobody_else_finds_them(story: Story) -> None:
    for other in (story.trainer, licensed_pt()):
        get(as_(other), f"/clients/{story.client.pk}/costs/", 404)
        get(as_(other), f"/episodes/{story.episode.pk}/coverage/", 404)
    get(as_(story.pt), f"/clients/{story.client.pk}/costs/", 404)
    assert "costs/" not in get(as_(story.trainer), f"/clients/{story.client.pk}/")
