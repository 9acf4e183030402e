"""The directory in a real browser: searched while typing, and a wish from it to the therapist."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Open, SignIn, Walk
from tests.factories import (
    ClientFactory,
    EpisodeFactory,
    UserFactory,
    certified_trainer,
    licensed_pt,
    signed_note,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_visitor_searches_and_a_clients_wish_reaches_the_therapist(
    page_at: Open, sign_in: SignIn, walk: Walk
) -> None:
    pt = licensed_pt(user=UserFactory.create(email="pt@example.org"))
    tom = UserFactory.create(email="trainer@example.org", first_name="Tom", last_name="Okafor")
    trainer = certified_trainer(
        user=tom,
        specialties=["running"],
        languages=["en", "es"],
        introduction="I help people back to running.",
    )
    full = certified_trainer(open_places=0)
    client = ClientFactory.create(user__email="client@example.org", first_name="Ana")
    episode = EpisodeFactory.create(client=client, pt=pt)
    signed_note(episode=episode)
    entry = f"/directory/{trainer.pk}/"

    visitor = page_at(DESK)
    walk(visitor, ["/directory/", entry, f"/directory/{full.pk}/", "/directory/?role=pt&q=nobody"])
    visitor.goto("/directory/")
    visitor.get_by_label("Name, practice or city").fill("okafor")
    expect(visitor.locator("[data-professional]")).to_have_count(1)
    visitor.get_by_label("Works on").select_option("knee")
    expect(visitor.get_by_text("Nobody like this is listed")).to_be_visible()

    ana = page_at(PHONE, "dark")
    sign_in(ana, "client@example.org")
    walk(ana, ["/directory/", entry])
    ana.goto(entry)
    ana.get_by_role("button", name="I would like Tom Okafor").click()
    expect(ana.get_by_text("You would like Tom Okafor")).to_be_visible()

    therapist = page_at(DESK)
    sign_in(therapist, "pt@example.org")
    choice = reverse("discharge_handoff", args=[episode.pk])
    walk(therapist, [choice, f"/clients/{client.pk}/"])
    therapist.goto(choice)
    expect(therapist.get_by_text("Ana would like Tom Okafor")).to_be_visible()
    expect(therapist.get_by_role("radio").first).to_have_value(str(trainer.pk))

    wished_for = page_at(PHONE)
    sign_in(wished_for, "trainer@example.org")
    walk(wished_for, ["/home/", "/profile/", f"/profile/directory/{trainer.pk}/"])
