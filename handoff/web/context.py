"""What every page's frame needs: the places of this person, the bell, the account, demo mode."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, get_urlconf, resolve

from handoff.core.actors import Actor, Role
from handoff.web import demo
from handoff.web.bell import open_reminders
from handoff.web.requests import actor_of

IN_THE_BAR = 4


@dataclass(frozen=True, slots=True)
class Place:
    """One destination. Known by its path, because the paths are what we promise to keep."""

    path: str
    label: str
    icon: str
    # What aria-current says: "page" on the place itself, "true" further down, "" elsewhere.
    current: str = ""
    count: int = 0


_HOME = Place("/home/", "Today", "home")
_REMINDERS = Place("/reminders/", "Reminders", "bell")
_ACCOUNT = (
    Place("/profile/", "Profile", "person"),
    Place("/accounts/2fa/", "Security", "lock"),
    Place("/accounts/email/", "E-mail", "mail"),
    Place("/accounts/password/change/", "Password", "edit"),
    Place("/accounts/sessions/", "Devices", "eye"),
    Place("/my-data/", "My data", "download"),
)

# First match wins where two roles share a place, so the order of this table is the order of weight.
_PLACES: dict[Role, tuple[Place, ...]] = {
    Role.PT: (
        _HOME,
        Place("/clients/", "Caseload", "people"),
        Place("/referrals/", "Handoffs", "send"),
    ),
    Role.PTA: (_HOME, Place("/clients/", "Caseload", "people")),
    Role.TRAINER: (
        _HOME,
        Place("/clients/", "Clients", "people"),
        Place("/referrals/", "Inbox", "send"),
    ),
    Role.CLIENT: (
        Place("/home/", "My journey", "flag"),
        Place("/consents/", "My sharing", "lock"),
        Place("/access/", "Who looked", "eye"),
    ),
    Role.GUARDIAN: (
        Place("/home/", "Journey", "flag"),
        Place("/consents/", "Sharing", "lock"),
        Place("/access/", "Who looked", "eye"),
    ),
    Role.ADMIN: (Place("/admin/", "Administration", "list"),),  # also what /home/ leads to
}
# Somebody with several roles has a first page for each; `/home/` is that of the weightiest.
_FIRST_PAGES: tuple[tuple[frozenset[Role], Place], ...] = (
    (frozenset({Role.PT, Role.PTA}), Place("/home/pt/", "Treatment", "hands")),
    (frozenset({Role.TRAINER}), Place("/home/trainer/", "Training", "dumbbell")),
    (frozenset({Role.CLIENT, Role.GUARDIAN}), Place("/home/client/", "My own record", "flag")),
)
_DIRECTORY = Place("/directory/", "Directory", "search")
_VISITOR = (Place("/triage/", "Who should I see?", "hands"), _DIRECTORY)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the frame of the page, for whoever asks."""
    actor = actor_of(request)
    waiting = open_reminders(actor)
    places = [_seen_from(request, place) for place in places_of(actor)]
    return {
        "bar": places[:IN_THE_BAR],
        "further": places[IN_THE_BAR:],
        "account_places": [
            _seen_from(request, place)
            for place in _ACCOUNT
            if actor.user_id and _exists(place.path)
        ],
        "bell": _bell(request, waiting) if actor.user_id else None,
        "signed_in": actor.user_id is not None,
        "account_name": actor.name,
        "account_role": leading_role(actor),
        "demo": settings.DEMO,
        "demo_logins": demo.logins(),
        "demo_password": demo.PASSWORD if settings.DEMO else "",
    }


def places_of(actor: Actor) -> list[Place]:
    """The places of all the roles this person holds, each path once, only those that exist."""
    if actor.user_id is None:
        wanted: list[Place] = list(_VISITOR)
    else:
        wanted = [
            place for role, places in _PLACES.items() if role in actor.roles for place in places
        ]
        first_pages = [place for roles, place in _FIRST_PAGES if roles & actor.roles]
        wanted += first_pages[1:]
        wanted += [_REMINDERS, _DIRECTORY]
    by_path: dict[str, Place] = {}
    for place in wanted:
        by_path.setdefault(place.path, place)
    return [place for place in by_path.values() if _exists(place.path)]


def leading_role(actor: Actor) -> str:
    """The role whose colour the person's initials wear in the bar."""
    return next((role.value for role in _PLACES if role in actor.roles), "")


def _bell(request: HttpRequest, waiting: int) -> Place | None:
    if not _exists(_REMINDERS.path):
        return None
    seen = _seen_from(request, _REMINDERS)
    return Place(seen.path, seen.label, seen.icon, current=seen.current, count=waiting)


def _seen_from(request: HttpRequest, place: Place) -> Place:
    if request.path == place.path:
        current = "page"
    elif request.path.startswith(place.path):
        current = "true"
    else:
        return place
    return Place(place.path, place.label, place.icon, current=current, count=place.count)


def _exists(path: str) -> bool:
    return _resolves(path, get_urlconf() or settings.ROOT_URLCONF)


@lru_cache(maxsize=128)
def _resolves(path: str, urlconf: str) -> bool:
    try:
        resolve(path, urlconf)
    except Resolver404:
        return False
    return True
