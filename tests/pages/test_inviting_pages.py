"""Inviting a client, a record without an account, and a guardian."""

from datetime import date
from typing import Any

import pytest
from django.core import mail

from clients.models import Client, Guardianship, Invitation, Professional
from tests.factories import (
    NOON,
    ClientFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    UserFactory,
    licensed_pt,
)
from tests.pages.reading import as_, get, kept, leads, post
from tests.referrals.scenes import Therapy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
ANA = {
    "first_name": "Ana",
    "last_name": "Duarte",
    "birth_date": "1991-04-02",
    "email": "ana@example.org",
    "phone": "555-0199",
    "state": "NY",
    "time_zone": "America/New_York",
}


@pytest.fixture
def scene() -> Therapy:
    return Therapy()


class TestANewClient:
    @pytest.mark.parametrize("htmx", [False, True])
    def test_a_record_is_made_a_link_is_mailed_and_the_episode_is_next(
        self, scene: Therapy, htmx: bool, django_capture_on_commit_callbacks: Any
    ) -> None:
        browser = as_(scene.pt)
        with django_capture_on_commit_callbacks(execute=True):
            address = leads(browser, "/clients/new/", ANA, htmx=htmx)
        made = Client.objects.get(email="ana@example.org")
        assert (made.name, made.birth_date, made.created_by) == (
            "Ana Duarte",
            date(1991, 4, 2),
            scene.pt,
        )
        assert address == f"/clients/{made.pk}/episodes/new/"
        assert mail.outbox[-1].to == ["ana@example.org"]
        for private in ("Ana", "Duarte", "1991", "ana@example.org"):
            assert private not in kept(browser)
        assert "The invitation is on its way." in get(browser, address)

    def test_it_starts_with_what_the_practice_knows(self, scene: Therapy) -> None:
        text = get(as_(scene.pt), "/clients/new/")
        assert '<option value="NY" selected>' in text
        assert "Treated by" not in text

    def test_everything_that_is_wrong_is_named_and_what_was_typed_stays(
        self, scene: Therapy
    ) -> None:
        typed = {**ANA, "birth_date": "soon", "last_name": "O'Neil <b>"}
        text = post(as_(scene.pt), "/clients/new/", typed, 422)
        assert 'id="error-summary"' in text
        assert 'href="#id_birth_date"' in text
        assert 'value="soon"' in text
        assert "O&#x27;Neil &lt;b&gt;" in text
        assert 'value="ana@example.org"' in text
        assert not Client.objects.filter(email="ana@example.org").exists()

    @pytest.mark.parametrize("name", ["first_name", "email", "birth_date", "state", "time_zone"])
    def test_nothing_that_is_needed_may_be_missing(self, scene: Therapy, name: str) -> None:
        text = post(as_(scene.pt), "/clients/new/", {**ANA, name: ""}, 422)
        assert f'href="#id_{name}"' in text
        assert not Invitation.objects.exists()

    def test_the_answer_is_the_same_for_an_address_that_has_an_account(
        self, scene: Therapy
    ) -> None:
        ClientFactory.create(user__email="ana@example.org", email="ana@example.org")
        browser = as_(scene.pt)
        known = get(browser, leads(browser, "/clients/new/", ANA))
        other = get(
            browser, leads(browser, "/clients/new/", {**ANA, "email": "nobody@example.org"})
        )
        for text in (known, other):
            assert "The invitation is on its way." in text

    def test_ones_own_client_twice_is_said(self, scene: Therapy) -> None:
        leads(as_(scene.pt), "/clients/new/", ANA)
        text = post(as_(scene.pt), "/clients/new/", ANA, 422)
        assert "You have a client with this address" in text
        assert Client.objects.filter(email="ana@example.org").count() == 1

    def test_a_mail_that_was_not_taken_is_said(
        self, scene: Therapy, settings: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        with django_capture_on_commit_callbacks(execute=True):
            leads(as_(scene.pt), "/clients/new/", ANA)
        assert Invitation.objects.get().cancelled_at is not None

    def test_an_assistant_says_who_treats_them(self, scene: Therapy) -> None:
        colleague = licensed_pt(practice=scene.pt.practice)
        browser = as_(scene.pta)
        text = get(browser, "/clients/new/")
        assert scene.pt.name in text
        assert colleague.name in text
        assert scene.other_pt.name not in text
        text = post(browser, "/clients/new/", ANA, 422)
        assert "Choose the therapist who treats them." in text
        wanted = {**ANA, "therapist_id": str(colleague.pk)}
        assert leads(browser, "/clients/new/", wanted) == "/clients/"
        assert Client.objects.get(email="ana@example.org").created_by == colleague

    @pytest.mark.parametrize("therapist", ["nonsense", "other"])
    def test_but_nobody_of_another_practice(self, scene: Therapy, therapist: str) -> None:
        wanted = str(scene.other_pt.pk) if therapist == "other" else therapist
        answer = as_(scene.pta).post("/clients/new/", {**ANA, "therapist_id": wanted})
        assert answer.status_code in (404, 422)
        assert not Client.objects.filter(email="ana@example.org").exists()


class TestARecordThatIsHere:
    @pytest.fixture
    def record(self, scene: Therapy) -> Client:
        return ClientFactory.create(user=None, created_by=scene.pt, email="old@example.org")

    @pytest.mark.parametrize("htmx", [False, True])
    def test_a_link_goes_out_and_an_older_one_ends(
        self, scene: Therapy, record: Client, htmx: bool
    ) -> None:
        browser, path = as_(scene.pt), f"/clients/{record.pk}/invite/"
        assert 'value="old@example.org"' in get(browser, path)
        for _ in range(2):
            address = leads(browser, path, {"email": "new@example.org"}, htmx=htmx)
            assert address == f"/clients/{record.pk}/"
        older, newest = Invitation.objects.order_by("cancelled_at")  # nulls come last
        assert (older.cancelled_at, newest.cancelled_at) == (NOON, None)
        assert "new@example.org" not in kept(browser)
        assert "A link is on its way" in get(browser, path)

    def test_no_address_is_said_and_what_was_typed_stays(
        self, scene: Therapy, record: Client
    ) -> None:
        text = post(as_(scene.pt), f"/clients/{record.pk}/invite/", {"email": "no one"}, 422)
        assert 'value="no one"' in text
        assert not Invitation.objects.exists()

    def test_whoever_has_come_is_not_invited_again(self, scene: Therapy) -> None:
        path = f"/clients/{scene.client.pk}/invite/"
        assert "Nothing to do" in get(as_(scene.pt), path)
        post(as_(scene.pt), path, {"email": "new@example.org"}, 409)


class TestAGuardian:
    @pytest.fixture
    def minor(self, scene: Therapy) -> Client:
        return ClientFactory.create(minor=True, created_by=scene.pt)

    @pytest.mark.parametrize("htmx", [False, True])
    def test_a_link_goes_to_their_own_address(
        self, scene: Therapy, minor: Client, htmx: bool, django_capture_on_commit_callbacks: Any
    ) -> None:
        browser, path = as_(scene.pt), f"/clients/{minor.pk}/guardian/"
        data = {"email": "ines@example.org", "relationship": "parent"}
        with django_capture_on_commit_callbacks(execute=True):
            assert leads(browser, path, data, htmx=htmx) == f"/clients/{minor.pk}/"
        assert mail.outbox[-1].to == ["ines@example.org"]
        assert Invitation.objects.get().kind == Invitation.Kind.GUARDIAN
        assert not Guardianship.objects.exists()
        assert "ines@" not in kept(browser)

    def test_those_who_are_known_are_listed_with_their_standing(
        self, scene: Therapy, minor: Client
    ) -> None:
        GuardianshipFactory.create(client=minor, user__first_name="Ines")
        GuardianshipFactory.create(client=minor, user__first_name="Otto", unverified=True)
        text = get(as_(scene.pt), f"/clients/{minor.pk}/guardian/")
        assert text.index("Ines") < text.index("Verified")
        assert text.index("Otto") < text.index("Not verified")

    @pytest.mark.parametrize(
        ("over", "target"),
        [
            ({"email": "x"}, "id_email"),
            ({"relationship": ""}, "id_relationship"),
            ({"relationship": "nonsense"}, "id_relationship"),
            ({"email": "own"}, "id_email"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(
        self, scene: Therapy, minor: Client, over: dict[str, str], target: str
    ) -> None:
        assert minor.user
        data = {"email": "ines@example.org", "relationship": "parent", **over}
        if data["email"] == "own":
            data["email"] = minor.user.email
        text = post(as_(scene.pt), f"/clients/{minor.pk}/guardian/", data, 422)
        assert f'href="#{target}"' in text
        assert f'value="{data["email"]}"' in text
        assert not Invitation.objects.exists()

    def test_an_adult_needs_none(self, scene: Therapy) -> None:
        path = f"/clients/{scene.client.pk}/guardian/"
        assert "is of age and decides alone" in get(as_(scene.pt), path)
        data = {"email": "ines@example.org", "relationship": "parent"}
        assert "is of age and decides alone" in post(as_(scene.pt), path, data, 422)
        assert not Invitation.objects.exists()


def test_nobody_else_invites(scene: Therapy) -> None:
    minor = ClientFactory.create(minor=True, created_by=scene.pt)
    record = ClientFactory.create(user=None, created_by=scene.pt)
    paths = (f"/clients/{record.pk}/invite/", f"/clients/{minor.pk}/guardian/")
    data = {"email": "ines@example.org", "relationship": "parent"}
    strangers = (
        scene.other_pt,
        licensed_pt(practice=scene.pt.practice),
        ProfessionalFactory.create(role=Professional.Role.PTA),
        scene.trainer,
        scene.client,
        UserFactory.create(is_staff=True),
    )
    for path in paths:
        for somebody in strangers:
            get(as_(somebody), path, 404)
            post(as_(somebody), path, data, 404)
        assert as_(None).get(path).status_code == 302
        get(as_(scene.pta), path)
    for somebody in (scene.trainer, scene.client, UserFactory.create(is_staff=True)):
        get(as_(somebody), "/clients/new/", 404)
        post(as_(somebody), "/clients/new/", ANA, 404)
    assert as_(None).get("/clients/new/").status_code == 302
    assert not Invitation.objects.exists()
