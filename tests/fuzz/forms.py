"""Every form of every page, found by opening the pages: addresses from the resolver, filled with
seeded ids, as everybody whom a page is for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

from django.apps import apps
from django.test import Client as Browser
from django.urls import resolve

from clients import papers
from clients.models import User
from handoff.core.policy import Policy
from referrals import lifecycle
from referrals.rights import erasure
from referrals.states import EDGES, Kind, State, Verb
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ReferralFactory,
    UserFactory,
    acting,
    asked_consent,
)
from tests.fuzz.seeds import LETTER, Seeded
from tests.guards.test_routes import Route, declared, routes

PEOPLE: Final = ("nobody", "client", "child", "guardian", "pt", "pta", "trainer", "admin")
TYPED: Final = frozenset({"text", "email", "search", "tel", "number", "date", "time", "textarea"})


@dataclass
class Form:
    """One form as a page shows it: where it goes, and what stands in it."""

    page: str
    action: str
    values: dict[str, list[str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)

    @property
    def goes_to(self) -> str:
        match = resolve(urlsplit(self.action).path)
        verb = match.kwargs.get("verb")
        return f"{match.view_name}:{verb}" if verb else match.view_name

    @property
    def shape(self) -> tuple[str, tuple[str, ...]]:
        """Two forms of one shape are one form about two things."""
        names = {re.sub(r"\d+", "0", name) for name in self.kinds}
        return self.goes_to, tuple(sorted(names))

    def add(self, name: str, kind: str, value: str, *, sent: bool) -> None:
        self.kinds.setdefault(name, kind)
        if sent:
            self.values.setdefault(name, []).append(value)
        if kind in ("radio", "checkbox", "select", "submit"):
            self.choices.setdefault(name, []).append(value)


class Reader(HTMLParser):
    """The forms of a page; controls may stand outside of theirs and name it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.elsewhere: list[tuple[str, str, str, str, bool]] = []
        self.other_ways: list[tuple[str | None, Form | None, str]] = []
        self.inside: Form | None = None
        self.select: dict[str, str | None] | None = None
        self.area: tuple[dict[str, str | None], list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag == "form" and (held.get("method") or "").lower() == "post":
            action = urljoin(self.page, held.get("action") or self.page)
            self.inside = Form(self.page, action)
            self.forms.append(self.inside)
            if held.get("hx-post"):
                self.other_ways.append((None, self.inside, str(held["hx-post"])))
            if held.get("id"):
                self.by_id[str(held["id"])] = self.inside
        elif tag == "input":
            kind = (held.get("type") or "text").lower()
            sent = "checked" in held if kind in ("radio", "checkbox") else kind != "submit"
            default = "on" if kind in ("radio", "checkbox") else ""
            self._control(held, kind, held.get("value") or default, sent=sent)
        elif tag == "button":
            self._control(held, "submit", held.get("value") or "", sent=False)
            if held.get("formaction"):
                self.other_ways.append((held.get("form"), self.inside, str(held["formaction"])))
        elif tag == "select":
            self.select = held
            self._control(held, "select", "", sent=False)
        elif tag == "option" and self.select is not None:
            self._control(self.select, "select", held.get("value") or "", sent="selected" in held)
        elif tag == "textarea":
            self.area = (held, [])

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea" and self.area is not None:
            # The parser of a browser drops the first line feed after the tag.
            self._control(self.area[0], "textarea", "".join(self.area[1])[1:], sent=True)
            self.area = None

    def _control(self, held: dict[str, str | None], kind: str, value: str, *, sent: bool) -> None:
        name = held.get("name")
        if not name or "disabled" in held:
            return
        if held.get("form"):
            self.elsewhere.append((str(held["form"]), name, kind, value, sent))
        elif self.inside is not None:
            self.inside.add(name, kind, value, sent=sent)

    def all(self) -> list[Form]:
        for owner, name, kind, value, sent in self.elsewhere:
            if owner in self.by_id:
                self.by_id[owner].add(name, kind, value, sent=sent)
        for named, around, action in self.other_ways:
            form = self.by_id.get(named) if named else around
            if form is not None:
                self.forms.append(replace(form, action=urljoin(self.page, action)))
        return self.forms


def forms_of(page: str, text: str) -> list[Form]:
    reader = Reader(page)
    reader.feed(text)
    return reader.all()


class Everybody(Seeded):
    """The seeded rows, and the people whose pages have forms."""

    def __init__(self) -> None:
        super().__init__()
        self.child = ClientFactory.create(minor=True, created_by=self.pt)
        GuardianshipFactory.create(client=self.child, user=UserFactory.create())
        self.guardian = self.child.guardianships.get().user
        EpisodeFactory.create(client=self.child, pt=self.pt)
        asked_consent(client=self.child, discloser=self.pt, recipient=self.trainer)
        self.admin = UserFactory.create(is_staff=True, is_superuser=True)
        CredentialFactory.create(unverified=True)
        self.paper = papers.hand_in(
            actor=self.as_pt,
            values={"kind": "cpr_aed", "issuer": "Red Cross"},
            scan=LETTER,
            at=NOON,
        )
        # Somebody under the same guardian whose record is to go.
        self.leaving = ClientFactory.create(minor=True, created_by=self.pt)
        GuardianshipFactory.create(client=self.leaving, user=self.guardian)
        erasure.ask(actor=acting(self.guardian), client_id=self.leaving.pk, at=NOON)
        # Each step of a handoff, for those who may take it, about the client who has an account.
        self.steps = {}
        for state in State:
            episode = EpisodeFactory.create(
                client=ClientFactory.create(created_by=self.pt),
                pt=self.pt,
                status="finished",
                ended_on=NOON.date(),
            )
            self.steps[state] = ReferralFactory.create(
                kind=Kind.DISCHARGE_HANDOFF,
                client=episode.client,
                episode=episode,
                sender=self.pt,
                recipient=self.trainer,
                state=state,
                sent_at=None if state is State.DRAFT else NOON,
                first_session_at=NOON + timedelta(days=1),
            )

        # The trainer has facts that are not sent yet.
        self.sent_back = lifecycle.draft(
            actor=self.as_trainer,
            client_id=self.client.pk,
            kind=Kind.REFER_OUT,
            facts={"observations": "It hurts.", "body_region": "knee", "laterality": "left"},
            at=NOON,
        )

    def account(self, who: str) -> User | None:
        if who == "nobody":
            return None
        found: Any = getattr(self, who)
        return found if isinstance(found, User) else found.user

    def browser(self, who: str) -> Browser:
        browser = Browser()
        account = self.account(who)
        if account is not None:
            browser.force_login(account)
        return browser


FOR: Final = {
    Policy.PUBLIC: ("nobody", "client", "pt"),
    Policy.SIGNED_IN: ("client", "guardian", "pt", "trainer"),
    Policy.PROFESSIONAL: ("pt", "trainer"),
    Policy.PT: ("pt", "pta"),
    Policy.TRAINER: ("trainer",),
    Policy.CLIENT: ("client", "child", "guardian"),
    Policy.STAFF: ("admin",),
}


def audience(route: Route) -> tuple[str, ...]:
    """Who opens this page; libraries' pages do not say, and are for anybody."""
    if route.name.startswith("admin:"):
        return ("admin",)
    found = declared(route)
    if found:
        return tuple(dict.fromkeys(who for policy in found for who in FOR.get(policy, ())))
    return ("nobody", "client")


def addresses(everybody: Everybody, route: Route, who: str) -> Iterator[str]:
    """The address with every seeded row that it may be about."""
    names = re.findall(r"<(?:(\w+):)?(\w+)>", route.address)
    if not names:
        if re.fullmatch(r"[\w/.@-]+", route.address):
            yield route.address
        return
    if route.name.startswith("admin:"):
        if route.name.endswith("_change"):
            label = route.name.removeprefix("admin:").removesuffix("_change")
            app, model = label.split("_", 1)
            row = apps.get_model(app, model)._default_manager.order_by("pk").first()
            if row is not None:
                yield re.sub(r"<[^>]+>", quote(str(row.pk), safe=""), route.address)
        return
    wanted = {name for _, name in names}
    for choice in _choices(everybody, route, who, wanted):
        address = route.address
        for kind, name in names:
            address = address.replace(f"<{kind}:{name}>", str(choice[name]))
        yield address


def _choices(
    everybody: Everybody, route: Route, who: str, wanted: set[str]
) -> Iterator[dict[str, Any]]:
    area = route.address.strip("/").split("/")[0]
    episodes = (everybody.running, everybody.episode, everybody.fresh)
    rows: dict[str, list[Any]] = {
        "clients": [everybody.client, everybody.newcomer, everybody.child],
        "consents": [
            *(each.pk for each in everybody.client.consents.all()),
            *(each.pk for each in everybody.child.consents.all()),
        ],
        "my-data": [everybody.client, everybody.child, everybody.leaving],
        "profile": [everybody.paper, everybody.pt, everybody.trainer],
        "directory": [everybody.other_trainer, everybody.pt],
        "referrals": [everybody.steps[State.SENT], everybody.referral, everybody.sent_back],
        "limits": [everybody.restriction("avoid"), everybody.drafted],
    }
    if wanted == {"pk"}:
        yield from ({"pk": getattr(row, "pk", row)} for row in rows.get(area, ()))
    elif wanted == {"pk", "verb"}:
        for verb in Verb:
            sources = [edge.source for edge in EDGES if edge.verb is verb]
            yield from (
                {"pk": everybody.steps[each].pk, "verb": verb.value} for each in sources[:1]
            )
    elif wanted == {"episode_id"}:
        yield from ({"episode_id": each.pk} for each in episodes)
    elif wanted == {"restriction_id"}:
        yield from ({"restriction_id": row.pk} for row in rows["limits"])
    elif wanted == {"episode_id", "restriction_id"}:
        yield {"episode_id": everybody.running.pk, "restriction_id": everybody.drafted.pk}
        for row in everybody.running.restrictions.all():
            yield {"episode_id": everybody.running.pk, "restriction_id": row.pk}
    elif wanted == {"area"}:
        yield from ({"area": each} for each in ("pt", "trainer", "client"))


def found(everybody: Everybody, who: str) -> dict[tuple[str, tuple[str, ...]], Form]:
    """Every form that this person is shown on any page, each shape once."""
    forms: dict[tuple[str, tuple[str, ...]], Form] = {}
    opened: dict[str, int] = defaultdict(int)
    everybody.browser(who)  # on another device as well
    browser = everybody.browser(who)
    for route in routes():
        if who not in audience(route) or getattr(route.view, "cls", None) is not None:
            continue
        for address in addresses(everybody, route, who):
            answer = browser.get(address)
            if answer.status_code == 200 and "html" in answer.get("Content-Type", ""):
                opened[route.name] += 1
                for form in forms_of(address, answer.content.decode()):
                    forms.setdefault(form.shape, form)
    return forms
