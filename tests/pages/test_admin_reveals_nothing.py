"""No way leads from the administration to clinical text: every page of it is walked, with a mark
in every clinical field, and every list is asked about the mark."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client as Browser
from django.urls import get_resolver

from clients.models import AccessEntry
from handoff.core.sensitivity import Sensitivity, fields_of
from referrals.models import Letter
from tests.api.conftest import World
from tests.api.test_lists import a_letter
from tests.factories import NOON, UserFactory
from tests.guards.test_canary import TEXT, job

pytestmark = pytest.mark.django_db
MARK = "at the left knee"
assert MARK in TEXT
MOST_PAGES = 140
LINK = re.compile(r'(?:href|action)="([^"#]*)')


@pytest.fixture
def world(time_machine: Any) -> World:
    time_machine.move_to(NOON, tick=False)
    world = World()
    job(world)
    a_letter(world)
    Letter.objects.update(author=TEXT)
    return world


@pytest.fixture
def as_admin() -> Browser:
    browser = Browser()
    browser.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return browser


def links(page: str, base: str) -> Iterator[str]:
    for found in LINK.findall(page):
        address = urlsplit(urljoin(base, unescape(found)))
        if address.path.startswith("/admin/") and address.netloc in ("", "testserver"):
            yield address.path + (f"?{address.query}" if address.query else "")


def walk(browser: Browser, *begin: str) -> dict[str, str]:
    """Every page that links lead to, each shape of a query once for each path."""
    pages: dict[str, str] = {}
    left, seen = list(begin), set(begin)
    while left:
        address = left.pop(0)
        if "/logout/" in address or "/jsi18n/" in address:
            continue
        answer = browser.get(address)
        assert answer.status_code in (200, 302, 403), (address, answer.status_code)
        pages[address] = answer.content.decode() if answer.status_code == 200 else ""
        for found in links(pages[address], address):
            names = re.sub(r"=[^&]*", "=", found) if "/change/" not in found else found
            if names not in seen and len(pages) + len(left) < MOST_PAGES:
                seen.add(names)
                left.append(found)
    return pages


def kinds() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda each: each._meta.label)


def place(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def _searches_find_nothing(as_admin: Browser) -> None:
    for model in kinds():
        answer = as_admin.get(place(model), {"q": MARK})
        if admin.site._registry[model].get_search_fields(answer.wsgi_request):
            assert answer.context["cl"].result_count == 0, model


def _nothing_is_offered_while_typing(as_admin: Browser) -> None:
    asked = 0
    for model, kind in admin.site._registry.items():
        for field in kind.autocomplete_fields:
            for term in ("", MARK):
                answer = as_admin.get(
                    "/admin/autocomplete/",
                    {
                        "app_label": model._meta.app_label,
                        "model_name": str(model._meta.model_name),
                        "field_name": field,
                        "term": term,
                    },
                )
                assert answer.status_code == 200
                assert MARK not in answer.content.decode()
                assert not term or answer.json()["results"] == []
                asked += 1
    assert asked >= 6


def test_every_page_of_the_administration_is_free_of_the_record(
    world: World, as_admin: Browser
) -> None:
    referral = world.client.referrals.earliest("created_at")
    as_admin.post(
        "/admin/referrals/referral/",
        {"action": "enter_in_error", "_selected_action": [str(referral.pk)]},
        follow=True,
    )
    begin = ["/admin/"]
    for model in kinds():
        begin.append(place(model))
        for row in list(model._default_manager.all()[:2]):
            base = f"{place(model)}{row.pk}/"
            begin += [f"{base}change/", f"{base}history/", f"{base}delete/"]
        begin.append(f"{place(model)}add/")
    pages = walk(as_admin, *begin)
    assert len(pages) > 100
    assert [address for address, text in pages.items() if MARK in text] == []
    for kind in ("change/", "history/", "delete/", "add/", "?"):
        assert any(kind in address for address in pages), kind
    _searches_find_nothing(as_admin)
    _nothing_is_offered_while_typing(as_admin)
    assert not [row for row in LogEntry.objects.all() if MARK in f"{row}{row.change_message}"]
    # The walk sees: what may stand there does.
    assert any(world.client.last_name in text for text in pages.values())


def test_no_clinical_field_is_shown_searched_or_filtered_by() -> None:
    for model, kind in admin.site._registry.items():
        clinical = set(fields_of(model, Sensitivity.CLINICAL))
        if not clinical:
            continue
        assert not kind.has_add_permission(_nobody())
        used = {str(each).lstrip("=^@").split("__")[0] for each in _names(kind)}
        assert kind.fields, f"{model} shows all its fields"
        assert not used & clinical, model


def _names(kind: Any) -> list[Any]:
    return [
        *kind.list_display,
        *(kind.fields or ()),
        *kind.search_fields,
        *(each[0] if isinstance(each, tuple) else each for each in kind.list_filter),
    ]


def _nobody() -> Any:
    request = Browser().get("/healthz").wsgi_request
    request.user = UserFactory.build()
    return request


def test_an_administrator_reads_no_record_on_any_page_of_the_product_either(
    world: World, as_admin: Browser
) -> None:
    """Being an administrator is no ground for a look, and every try is entered for the client."""
    before = AccessEntry.objects.filter(action="refused").count()
    client, episode = world.client.pk, world.episode.pk
    paths = (
        *(f"/clients/{client}/", f"/clients/{client}/card/", f"/clients/{client}/letters/"),
        *(f"/letters/{Letter.objects.get().pk}/file/", f"/episodes/{episode}/"),
        *(
            f"/discharge/{episode}/",
            f"/referrals/{world.client.referrals.earliest('created_at').pk}/",
        ),
        *(f"/api/v1/clients/{client}/record/", f"/api/v1/episodes/{episode}/"),
    )
    for path in paths:
        answer = as_admin.get(path)
        assert answer.status_code in (403, 404), path
        assert MARK not in answer.content.decode()
    assert AccessEntry.objects.filter(action="refused").count() >= before + 4


def test_the_administration_has_no_page_beyond_django_s_own_but_the_scans() -> None:
    """Whoever adds one finds it here and says what it shows."""
    own = {"index", "login", "logout", "password_change", "password_change_done", "autocomplete"}
    own |= {"jsi18n", "view_on_site", "app_list"}
    endings = ("_changelist", "_add", "_history", "_delete", "_change")
    found = {
        str(name)
        for pattern in get_resolver().url_patterns
        if getattr(pattern, "namespace", "") == "admin"
        for name in pattern.reverse_dict  # type: ignore[union-attr]  # an include
        if isinstance(name, str) and name not in own and not name.endswith(endings)
    }
    assert found == {"clients_credential_scan"}


UNREADABLE = (
    ("/admin/clients/professional/add/?user=x&practice=z", None, 200),
    ("/admin/clients/professional/add/", {"user": "x", "practice": "y", "role": "pt"}, 200),
    ("/admin/clients/professional/add/", {"user": "a\0b"}, 400),
    ("/admin/clients/credential/add/", {"user": "x"}, 200),
    ("/admin/clients/credential/", {"action": "verify", "_selected_action": ["x"]}, 400),
    ("/admin/clients/guardianship/", {"action": "end", "_selected_action": ["zz"]}, 400),
    ("/admin/clients/credential/?kind__exact=%00", None, 400),
    ("/admin/clients/user/?q=%00", None, 400),
    ("/admin/autocomplete/?app_label=clients&model_name=professional&term=%00", None, 400),
    ("/admin/referrals/holiday/?day__year=999999999999", None, 400),
    ("/admin/referrals/holiday/?day__month=x", None, 400),
    ("/admin/clients/client/x/change/", None, 302),
    ("/admin/core/auditentry/99999999999999999999999/change/", None, 302),
)


@pytest.mark.parametrize(("address", "data", "status"), UNREADABLE)
def test_what_cannot_be_meant_is_no_failure(
    as_admin: Browser, address: str, data: dict[str, Any] | None, status: int
) -> None:
    answer = as_admin.get(address) if data is None else as_admin.post(address, data)
    assert answer.status_code == status
    if status == 200 and data:
        assert 'class="errorlist"' in answer.content.decode()
