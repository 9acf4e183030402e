"""A trainer meets pain and refers out; the client returns with limits to be read anew."""

import re

import pytest
from playwright.sync_api import expect

from referrals.models import Referral, RestrictionVersion
from referrals.states import Kind, State
from tests.browser.conftest import DESK, PHONE, Check, Open, SignIn
from tests.browser.test_trainer_pages import TRAINER, Gym
from tests.factories import PASSWORD, UserFactory, licensed_pt

pytestmark = pytest.mark.django_db(transaction=True)
SAID = "Said it hurts at the front of the knee on the way down, since Monday."


def state_of(kind: Kind) -> str:
    return Referral.objects.get(kind=kind).state


def test_from_pain_in_the_gym_to_limits_that_are_read_again(
    page_at: Open, sign_in: SignIn, axe: Check, fits: Check
) -> None:
    gym = Gym()
    client = gym.running.client
    assert client.user is not None
    pt = UserFactory.create(first_name="Noor", last_name="Haddad", email="noor@example.org")
    other = licensed_pt(user=pt)

    # The trainer, with one hand: what hurts, how much, which movement was stopped.
    phone = page_at(PHONE)
    sign_in(phone, TRAINER, PASSWORD)
    phone.goto(f"/clients/{client.pk}/")
    phone.get_by_role("link", name="Refer back to a physical therapist").click()
    axe(phone)
    fits(phone)
    phone.get_by_label("Where it hurts").select_option("Knee")
    phone.get_by_label("Side").select_option("Left")
    phone.get_by_label("Pain now").select_option("4")
    phone.get_by_label("At its worst").select_option("6")
    phone.get_by_label("New swelling").check()
    phone.get_by_label("What you saw, and what the client said").fill(f"{SAID} Maybe a tear.")
    phone.get_by_label("Which movement did you stop?").fill("Deep squats")
    phone.get_by_label("Physical therapist", exact=True).select_option(str(gym.pt.pk))
    phone.get_by_role("button", name="Send", exact=True).click()
    # Words of a diagnosis are pointed out; the trainer leaves them out.
    expect(phone.get_by_label("These are facts I saw")).to_be_visible()
    axe(phone)
    phone.get_by_label("What you saw, and what the client said").fill(SAID)
    phone.get_by_role("button", name="Send", exact=True).click()
    expect(phone.get_by_role("heading", name="What you saw")).to_be_visible()
    assert state_of(Kind.REFER_OUT) == State.AWAITING_CONSENT
    gym.running.refresh_from_db()
    assert gym.running.state == State.IN_PROGRESS
    fits(phone)

    # The client reads who would tell whom, and agrees.
    own = page_at(PHONE)
    sign_in(own, client.user.email, PASSWORD)
    own.get_by_role("link", name="Read and answer").first.click()
    expect(own.get_by_text("Tom, your trainer, would tell Priya").first).to_be_visible()
    axe(own)
    fits(own)
    own.get_by_role("switch").check()
    own.get_by_label("3 months").check()
    own.get_by_label("I have read what Priya would see and until when").check()
    own.get_by_role("button", name="Yes, share 1 part").click()
    expect(own.get_by_text("1 of 1 part")).to_be_visible()
    axe(own)
    assert state_of(Kind.REFER_OUT) == State.SENT
    gym.running.refresh_from_db()
    assert gym.running.state == State.ON_HOLD

    # The therapist: an envelope, then the facts and what to do. Nobody else finds it.
    desk = page_at(DESK)
    sign_in(desk, gym.pt.user.email, PASSWORD)
    out = Referral.objects.get(kind=Kind.REFER_OUT)
    desk.goto("/referrals/")
    desk.get_by_role("link", name=f"{client.first_name} {client.last_name[0]}.").click()
    expect(desk.get_by_text(SAID)).to_have_count(0)
    axe(desk)
    desk.get_by_role("button", name="Accept", exact=True).click()
    expect(desk.get_by_text(SAID)).to_be_visible()
    axe(desk)
    stranger = page_at(DESK)
    sign_in(stranger, other.user.email, PASSWORD)
    answer = stranger.goto(f"/referrals/{out.pk}/")
    assert answer is not None
    assert answer.status == 404
    desk.get_by_text("The client was seen", exact=True).click()
    desk.get_by_role("button", name="The first visit took place").click()
    expect(desk.get_by_text("The trainer knows that the client was seen.")).to_be_visible()

    # One limit is changed, and the client goes back to the same trainer.
    limit = RestrictionVersion.objects.filter(
        restriction__episode=gym.running.episode_id, kind="limit_rom"
    ).get()
    desk.goto(f"/limits/{limit.restriction_id}/revise/")
    desk.locator("#id_value").fill("60")
    desk.get_by_label("Why it changes").fill("Painful in the depth.")
    desk.get_by_role("button", name="Sign the change").click()
    expect(desk).not_to_have_url(re.compile("/revise/"))
    desk.goto(f"/referrals/{out.pk}/")
    desk.get_by_role("link", name="Send back to training").click()
    axe(desk)
    expect(desk.get_by_label("Trainer")).to_contain_text("Tom Okafor")
    desk.get_by_role("button", name="Send", exact=True).click()
    expect(desk.get_by_text("It is on its way to the trainer.")).to_be_visible()
    assert state_of(Kind.RETURN_TO_TRAINING) == State.SENT

    # The trainer takes them back, and cannot begin before the new limit is read.
    back = Referral.objects.get(kind=Kind.RETURN_TO_TRAINING)
    phone.goto(f"/referrals/{back.pk}/")
    phone.get_by_role("button", name="Accept", exact=True).click()
    expect(phone.get_by_text("Accepted. The sender knows.")).to_be_visible()
    gym.running.refresh_from_db()
    assert gym.running.state == State.CANCELLED
    phone.get_by_text("Training has begun", exact=True).click()
    phone.get_by_role("button", name="The first session took place").click()
    refused = phone.get_by_text("Confirm first that you have read the current limits.")
    expect(refused).to_be_visible()
    phone.goto(f"/clients/{client.pk}/")
    expect(phone.get_by_text("New or changed limits")).to_be_visible()
    phone.get_by_role("button", name="I have read it").click()
    expect(phone.get_by_text("The therapist sees that you have read them.")).to_be_visible()
    phone.goto(f"/referrals/{back.pk}/")
    phone.get_by_text("Training has begun", exact=True).click()
    phone.get_by_role("button", name="The first session took place").click()
    expect(phone.get_by_text("Training has begun.")).to_be_visible()
    assert state_of(Kind.RETURN_TO_TRAINING) == State.IN_PROGRESS
