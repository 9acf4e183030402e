"""Every list takes as many queries for 25 rows as for one; a new list without an entry fails.

Lists of the API are found by their operation and counted in `tests/api/test_lists.py`; here it is
held to all of them. Pages do not say whether they are lists: each is counted here, or says why it
cannot grow. The administration's lists are found by their names.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from clients.models import Client, Evidence, Professional, User
from clients.scopes import Scope
from handoff.core import audit, tokens
from handoff.core.actors import SYSTEM
from referrals import lifecycle
from referrals.models import Holiday
from referrals.states import State
from tests.api import test_lists as api
from tests.api.conftest import World
from tests.api.test_lists import MANY
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    EpisodeFactory,
    GuardianshipFactory,
    PracticeFactory,
    ReferralFactory,
    UserFactory,
    certified_trainer,
    licensed_pt,
    signed_note,
)
from tests.guards.test_routes import Route, routes
from tests.pages.reading import as_
from tests.referrals.scenes import NO_PRESSING

pytestmark = pytest.mark.django_db

Maker = Callable[[World], object]


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """The scene, with everything shared, at a clock that stands."""
    with time_machine.travel(NOON, tick=False):
        world = World()
        world.signed()
        world.share(*Scope, state=State.IN_PROGRESS)
        yield world


# --- what grows ---------------------------------------------------------------------------------


def a_client_in_training(world: World) -> None:
    """With this trainer, from this therapist, after an episode of their own."""
    episode = EpisodeFactory.create(
        pt=world.pt,
        client=ClientFactory.create(created_by=world.pt),
        status="finished",
        ended_on=NOON.date(),
    )
    signed_note(episode=episode)
    ReferralFactory.create(
        client=episode.client,
        episode=episode,
        sender=world.pt,
        recipient=world.trainer,
        state=State.IN_PROGRESS,
        sent_at=NOON,
        answered_at=NOON,
    )


def one_that_ended(world: World) -> None:
    ReferralFactory.create(
        client=ClientFactory.create(created_by=world.pt),
        sender=world.pt,
        recipient=world.trainer,
        state=State.DECLINED,
        sent_at=NOON,
        closed_at=NOON,
    )


def another_handoff(world: World) -> None:
    """Of the same client between the same two, over by now."""
    ReferralFactory.create(
        client=world.client,
        episode=world.episode,
        sender=world.pt,
        recipient=world.trainer,
        consent=world.consent,
        state=State.COMPLETED,
        sent_at=NOON,
        answered_at=NOON,
        closed_at=NOON,
    )


def another_episode(world: World) -> None:
    episode = EpisodeFactory.create(
        client=world.client, pt=world.pt, status="finished", ended_on=NOON.date()
    )
    signed_note(episode=episode)


def a_therapist(world: World) -> None:
    licensed_pt(in_directory=True)


def another_trainer_of_the_client(world: World) -> None:
    ReferralFactory.create(
        client=world.client,
        episode=world.episode,
        sender=world.pt,
        recipient=certified_trainer(),
        state=State.COMPLETED,
        sent_at=NOON,
        answered_at=NOON,
        closed_at=NOON,
    )


def a_report(world: World) -> None:
    lifecycle.report(
        actor=world.as_trainer, referral_id=world.referral.pk, observations="Well.", at=NOON
    )


def a_drafted_limit(world: World) -> None:
    known = getattr(world, "drafted", 0) + 1
    world.drafted = known  # type: ignore[attr-defined]  # of this test alone
    world.list_restrictions(*[NO_PRESSING] * known)


def a_token(world: World) -> None:
    tokens.issue(user_id=world.pt.user_id, name="program")


def a_session(world: World) -> None:
    as_(world.client)


def a_minor(world: World) -> None:
    """One more child of the same guardian."""
    child = ClientFactory.create(minor=True, created_by=world.pt)
    GuardianshipFactory.create(client=child, user=world.stranger.user)
    EpisodeFactory.create(client=child, pt=world.pt)


def a_scan(world: World) -> None:
    Evidence.objects.create(credential=world.licence, file=api.a_file(world.pt.user), key=b"abc")


# --- pages --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """A page that lists: who looks, at which address, and what makes it longer."""

    who: str
    address: str
    more: Maker
    before: Maker | None = None
    always_longer: bool = True
    """False for a first page that shows only the beginning of a list."""


def _unsigned(world: World) -> None:
    """The note of an episode that still runs, with a first limit."""
    world.episode = EpisodeFactory.create(client=world.client, pt=world.pt)
    world.ready()


def _declined(world: World) -> None:
    world.referral.state = State.DECLINED
    world.referral.closed_at = NOON
    world.referral.save()


LISTS: dict[str, list[Listed]] = {
    "access": [Listed("client", "/access/?own=1", api.a_look)],
    "devices": [
        Listed("pt", "/accounts/sessions/", a_token),
        Listed("client", "/accounts/sessions/", a_session),
    ],
    "access_file": [Listed("client", "/access/list.csv", api.a_look)],
    "home": [
        Listed("client", "/home/", api.a_question_more, always_longer=False),
        Listed("client", "/home/", api.a_restriction),
        Listed("client", "/home/", another_episode, always_longer=False),
    ],
    "home_area": [
        Listed("pt", "/home/pt/", api.a_client, always_longer=False),
        Listed("pt", "/home/pt/", api.a_referral, always_longer=False),
        Listed("trainer", "/home/trainer/", api.a_reminder),
        Listed("trainer", "/home/trainer/", a_client_in_training),
    ],
    "consents": [Listed("client", "/consents/", api.a_question_more)],
    "consent": [
        Listed("client", "/consents/{world.consent.pk}/", api.a_restriction),
        Listed("client", "/consents/{world.consent.pk}/", another_episode),
    ],
    "consent_view_as": [
        Listed("client", "/consents/{world.consent.pk}/view-as/", api.a_restriction)
    ],
    "reminders": [Listed("trainer", "/reminders/", api.a_reminder)],
    "caseload": [
        Listed("pt", "/clients/", api.an_episode, always_longer=False),
        Listed("pt", "/clients/?tab=all", api.an_episode),
        Listed("pt", "/clients/?phase=training", a_client_in_training),
        Listed("pta", "/clients/?tab=all", api.an_episode),
        Listed("trainer", "/clients/", a_client_in_training),
    ],
    "episode": [
        Listed("pt", "/episodes/{world.episode.pk}/", api.a_restriction),
        Listed("pt", "/episodes/{world.episode.pk}/", a_drafted_limit, before=_unsigned),
    ],
    "measurements": [
        Listed("pt", "/episodes/{world.episode.pk}/measurements/", api.a_score, before=_unsigned)
    ],
    "gates": [
        Listed("pt", "/episodes/{world.episode.pk}/gates/", api.a_gate, before=_unsigned),
    ],
    "discharge": [
        Listed("pt", "/discharge/{world.episode.pk}/", api.a_gate, before=_unsigned),
        Listed("pt", "/discharge/{world.episode.pk}/", a_drafted_limit, before=_unsigned),
        Listed("pt", "/discharge/{world.episode.pk}/", api.a_score, _unsigned, always_longer=False),
    ],
    "discharge_sign": [
        Listed("pt", "/discharge/{world.episode.pk}/sign/", a_drafted_limit, before=_unsigned)
    ],
    "discharge_handoff": [
        Listed("pt", "/discharge/{world.episode.pk}/handoff/", api.a_professional)
    ],
    "refer_out": [Listed("trainer", "/clients/{world.client.pk}/refer-out/", a_therapist)],
    "return_to_training": [
        Listed("pt", "/episodes/{world.episode.pk}/return/", another_trainer_of_the_client)
    ],
    "limit_history": [
        Listed("pt", "/limits/{world.limit.pk}/", api.a_version),
    ],
    "referrals": [
        Listed("trainer", "/referrals/?box=waiting", api.a_reminder),
        Listed("trainer", "/referrals/?box=open", api.a_referral),
        Listed("trainer", "/referrals/?box=closed", one_that_ended),
        Listed("pt", "/referrals/?box=open", api.a_referral),
    ],
    "referral": [
        Listed("trainer", "/referrals/{world.referral.pk}/", api.a_message),
        Listed("trainer", "/referrals/{world.referral.pk}/", a_report),
        Listed("pt", "/referrals/{world.referral.pk}/", api.a_message),
        Listed("client", "/referrals/{world.referral.pk}/", a_report),
        Listed("pt", "/referrals/{world.referral.pk}/", api.a_professional, before=_declined),
    ],
    "client": [
        Listed(who, "/clients/{world.client.pk}/", more, always_longer=longer)
        for who in ("trainer", "pt", "client")
        for more, longer in (
            (api.a_restriction, True),
            (another_episode, True),
            (a_report, True),
            (another_handoff, who != "trainer"),
        )
    ],
    "letters": [
        Listed("pt", "/clients/{world.client.pk}/letters/", api.a_letter),
        Listed("client", "/clients/{world.client.pk}/letters/", api.a_letter),
    ],
    "costs": [
        Listed("client", "/clients/{world.client.pk}/costs/", api.a_package),
        Listed("client", "/clients/{world.client.pk}/costs/", api.a_coverage),
    ],
    "directory": [
        Listed("client", "/directory/", api.a_professional),
        Listed("trainer", "/directory/?role=trainer", api.a_professional),
    ],
    "screenings": [Listed("client", "/clients/{world.client.pk}/screenings/", api.a_screening)],
    "paper": [Listed("pt", "/profile/papers/{world.licence.pk}/", a_scan)],
    "client_timeline": [
        Listed(who, "/clients/{world.client.pk}/timeline/", more)
        for who in ("trainer", "pt", "client")
        for more in (api.a_restriction, another_episode)
    ],
    "client_card": [Listed("trainer", "/clients/{world.client.pk}/card/", api.a_restriction)],
}

# The other pages, and why there is nothing in them that could grow.
NO_LISTS: Mapping[str, str] = {
    **dict.fromkeys(
        ("healthz", "readyz", "landing", "design", "api-docs"), "Shows no rows of anybody."
    ),
    **dict.fromkeys(
        (
            *("consent_grant", "consent_decline", "consent_narrow", "consent_again"),
            "consent_what_if",
            *("reminder_done", "reminder_snooze", "measurement_remove", "limit_remove"),
            *("package_used", "package_remove"),
            "gate_remove",
            *("discharge_save", "addendum", "acknowledge", "letter_remove", "scan_remove"),
            *("session_end", "token_end", "wish_make", "wish_take_back"),
            *("triage_save", "screening_void", "screening_remove"),
        ),
        "Takes a form and leads on, or shows the page it came from.",
    ),
    **dict.fromkeys(
        (
            *("client_new", "client_invite", "guardian_invite", "episode_new", "episode_edit"),
            *("limit_new", "limit_template", "limit_change", "limit_revise", "limit_lift"),
            *("limit_ask", "recurrence"),
            *("profile", "invitation", "invitation_open", "consent_revoke", "paper_new"),
            "refer_out_facts",
            *("consent_renew", "consent_object", "client_ask", "listing", "triage"),
        ),
        "A form about one thing.",
    ),
    "directory_entry": "One professional; a wish for each person of the reader's own.",
    "letter_file": "One file.",
    "coverage": "One episode.",
    "scan": "One file.",
    "consent_receipt": "One receipt.",
    "my_data": "A section for each record; queries as tests/rights/test_pages.py counts them.",
    "my_data_erase": "One line for each kind of thing, however many there are.",
    **dict.fromkeys(
        ("my_data_file", "my_data_account", "my_data_keep"),
        "Takes a form; how files grow is counted in tests/rights/test_export.py.",
    ),
    "consent_receipt_file": "One receipt.",
    "limits": "Leads to the part of the note that holds the limits.",
    "referral_step": "The page of the referral, with one step open.",
}

# The administration: what makes a list longer, by the name of its model.
ADMIN: dict[str, Maker] = {
    "clients_user": lambda world: UserFactory.create(),
    "clients_practice": lambda world: PracticeFactory.create(),
    "clients_professional": api.a_professional,
    "clients_credential": lambda world: CredentialFactory.create(unverified=True),
    "clients_client": api.a_client,
    "clients_guardianship": lambda world: GuardianshipFactory.create(unverified=True),
    "clients_invitation": api.an_invitation,
    "core_auditentry": lambda world: audit.record(
        SYSTEM, "referral.viewed", world.referral, at=NOON
    ),
    "referrals_referral": api.a_referral,
    "referrals_reminder": api.a_reminder,
    "referrals_measure": api.a_measure,
    "referrals_holiday": lambda world: Holiday.objects.create(
        day=date(2028, 1, 1) + timedelta(days=Holiday.objects.count()), name="Closed", state="NY"
    ),
    "account_emailaddress": lambda world: UserFactory.create(),
}
NO_ADMIN_LISTS: Mapping[str, str] = {
    "referrals_reminderrule": "As many rows as there are rules in the code.",
    "mfa_authenticator": "allauth's own list.",
    "usersessions_usersession": "allauth's own list.",
}


def pages() -> list[Route]:
    """The pages of our own: not the API's, not a library's."""
    return [
        route
        for route in routes()
        if getattr(route.view, "cls", None) is None and route.exception is None
    ]


def admin_lists() -> list[str]:
    prefix, suffix = "admin:", "_changelist"
    names = [route.name for route in routes()]
    return [
        name.removeprefix(prefix).removesuffix(suffix)
        for name in names
        if name.startswith(prefix) and name.endswith(suffix)
    ]


def endpoints(found: list[Route]) -> list[Route]:
    """Where the API answers with many."""
    many = []
    for route in found:
        operation = getattr(getattr(getattr(route.view, "cls", None), "get", None), "operation", 0)
        if getattr(operation, "many", False):
            many.append(route)
    return many


def _cost(browser: Browser, address: str) -> tuple[int, int]:
    """How many queries a page takes, and how long it is."""
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return len(queries), len(answer.content)


def _grows(browser: Browser, address: str, more: Callable[[], object]) -> tuple[int, int, int, int]:
    more()
    _cost(browser, address)  # what is cached per process is cached now
    few, short = _cost(browser, address)
    for _ in range(MANY - 1):
        more()
    many, long = _cost(browser, address)
    return few, many, short, long


NO_API_LISTS: Mapping[str, str] = {
    "/api/v1/restriction-templates/": "As many rows as there are templates in the code.",
}


# --- the guard ----------------------------------------------------------------------------------


def test_every_page_is_counted_or_says_why_not() -> None:
    known = {*LISTS, *NO_LISTS}
    names = {route.name for route in pages()}
    assert names - known == set(), "count these pages in LISTS, or say in NO_LISTS why not"
    assert known - names == set(), "these pages are gone"
    assert not set(LISTS) & set(NO_LISTS)


def test_every_list_of_the_administration_is_counted_or_says_why_not() -> None:
    assert set(admin_lists()) == {*ADMIN, *NO_ADMIN_LISTS}
    assert not set(ADMIN) & set(NO_ADMIN_LISTS)


def test_every_list_of_the_api_is_counted() -> None:
    nil = "00000000-0000-4000-8000-000000000000"
    counted = set()
    for _, address, _ in api.LISTS.values():
        path = address.partition("?")[0]
        while "{" in path:
            path = path[: path.index("{")] + nil + path[path.index("}") + 1 :]
        counted.add(resolve(f"/api/v1/{path}").func.cls)  # type: ignore[attr-defined]  # a class
    missing = {
        route.address for route in endpoints(list(routes())) if route.view.cls not in counted
    }
    assert missing == set(NO_API_LISTS), "count these lists in tests/api/test_lists.py"


def test_the_guard_can_fail(world: World) -> None:
    """It finds lists, and a page that asks once for every row."""
    assert len(endpoints(list(routes()))) > 10

    class Greedy:
        def get(self, address: str) -> Any:
            for each in Client.objects.all():
                Professional.objects.filter(user=each.user_id or each.pk).exists()
            return Browser().get("/healthz")

    few, many, *_ = _grows(
        Greedy(),  # type: ignore[arg-type]  # looks like a browser
        "/",
        lambda: api.a_client(world),
    )
    assert many > few


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for name, each in LISTS.items() for place in range(len(each))],
)
def test_a_page_takes_as_many_queries_for_many_as_for_one(
    world: World, name: str, place: int
) -> None:
    listed = LISTS[name][place]
    if listed.before is not None:
        listed.before(world)
    person: User | Client | Professional = getattr(world, listed.who)
    few, many, short, long = _grows(
        as_(person), listed.address.format(world=world), lambda: listed.more(world)
    )
    assert many == few
    assert long > short or not listed.always_longer, "nothing was added to the page"


def test_a_guardians_first_page_costs_the_same_for_each_child(world: World) -> None:
    """It discloses each child's record, which takes an entry in the access ledger each: the one
    page that has to grow. Each child costs what the one before did."""
    guardian = as_(world.stranger)
    costs = []
    for _ in range(4):
        a_minor(world)
        costs.append(_cost(guardian, "/home/")[0])
    steps = [after - before for before, after in itertools.pairwise(costs)]
    assert len(set(steps[1:])) == 1
    assert steps[-1] < 35


@pytest.mark.parametrize("name", ADMIN)
def test_a_list_of_the_administration_takes_as_many_queries_for_many_as_for_one(
    world: World, name: str
) -> None:
    staff = UserFactory.create(is_staff=True, is_superuser=True)
    app, _, model = name.partition("_")
    few, many, *_ = _grows(as_(staff), f"/admin/{app}/{model}/", lambda: ADMIN[name](world))
    assert many == few
