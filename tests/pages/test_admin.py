"""The admin: verification, queues, reference data; and nothing clinical on any of its pages."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from clients import licensing
from clients.models import Credential, Guardianship
from handoff.core.audit import AuditEntry
from handoff.core.errors import NotAllowed
from referrals.models import DischargeNote, Episode, Referral, Reminder, ReminderRule
from referrals.states import State
from tests.factories import (
    CredentialFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
OURS = ("clients", "referrals", "core", "handoff")


@pytest.fixture
def as_admin() -> Browser:
    browser = Browser()
    browser.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return browser


def registered() -> list[tuple[str, str]]:
    return sorted(
        (model._meta.app_label, model._meta.model_name or "")
        for model in admin.site._registry
        if model._meta.app_label in OURS
    )


def clinical_words() -> set[str]:
    """Every clinical text the demo holds, to look for where it must not be."""
    words: set[str] = set()
    for episode in Episode.objects.all():
        words |= {episode.condition, episode.mechanism, episode.surgery}
    for note in DischargeNote.objects.all():
        words |= {note.diagnosis, note.course, note.flare_up_plan, note.functional_level}
    words |= set(Referral.objects.values_list("goal", flat=True))
    return {word for word in words if word}


@pytest.mark.parametrize(("app", "model"), registered())
def test_every_list_loads_and_shows_nothing_clinical(
    as_admin: Browser, app: str, model: str
) -> None:
    call_command("demo")
    words = clinical_words()
    assert len(words) > 10
    pages = [as_admin.get(reverse(f"admin:{app}_{model}_changelist"))]
    kind = next(
        each
        for each in admin.site._registry
        if (each._meta.app_label, each._meta.model_name) == (app, model)
    )
    pages += [
        as_admin.get(reverse(f"admin:{app}_{model}_change", args=[row.pk]))
        for row in kind._default_manager.all()[:3]
    ]
    for page in pages:
        assert page.status_code == 200
        text = page.content.decode()
        assert not [word for word in words if word in text]


def test_clinical_tables_are_not_in_the_admin_at_all() -> None:
    names = {model for _, model in registered()}
    for hidden in (
        *("episode", "dischargenote", "goal", "addendum", "restriction", "measurement"),
        *("restrictionversion", "referralmessage", "loopreport", "consentevent"),
    ):
        assert hidden not in names


def test_of_the_accounts_tables_only_what_was_made_harmless_is_in_the_admin() -> None:
    """See `test_an_administrator_cannot_take_anybodys_place` for these three."""
    foreign = {model._meta.label for model in admin.site._registry} - {
        model._meta.label for model in admin.site._registry if model._meta.app_label in OURS
    }
    assert foreign == {
        "account.EmailAddress",
        "mfa.Authenticator",
        "usersessions.UserSession",
    }


ORACLES = (
    *("clients/user/?password__startswith=", "clients/client/?birth_date__year__gte=1"),
    *("clients/client/?phone__startswith=", "clients/client/?last_name__istartswith="),
    *("clients/invitation/?token_hash__startswith=", "clients/invitation/?email__startswith="),
    *("referrals/referral/?goal__icontains=", "referrals/referral/?client__last_name__contains="),
    *("referrals/referral/?note__diagnosis__contains=", "core/auditentry/?facts__icontains="),
    *("usersessions/usersession/?session_key__startswith=", "mfa/authenticator/?data__contains="),
)


@pytest.mark.parametrize("question", ORACLES)
def test_a_list_answers_no_questions_about_what_it_does_not_show(
    as_admin: Browser, question: str
) -> None:
    assert as_admin.get(f"/admin/{question}").status_code == 400


FILTERS = (
    *("clients/user/?is_staff__exact=1", "clients/credential/?standing=unverified&kind__exact=x"),
    *("clients/guardianship/?verified_at__isempty=1", "clients/client/?state__exact=NY&q=x&p=1"),
    *("referrals/referral/?queue=stuck&state__exact=sent&o=1", "referrals/reminder/?state=dead"),
    *("referrals/reminder/?rule__number__exact=5", "core/auditentry/?channel__exact=api"),
    *("referrals/holiday/?day__year=2027", "referrals/measure/?in_use__exact=1"),
)


@pytest.mark.parametrize("question", FILTERS)
def test_the_filters_of_a_list_still_work(as_admin: Browser, question: str) -> None:
    answer = as_admin.get(f"/admin/{question}")
    assert answer.status_code == 200, answer


def test_only_staff_come_in() -> None:
    browser = Browser()
    assert browser.get("/admin/").status_code == 302
    browser.force_login(ProfessionalFactory.create().user)
    assert browser.get("/admin/", follow=True).status_code in (403, 404) or (
        "/admin/" not in browser.get("/admin/")["Location"].split("?")[0]
    )


def act(browser: Browser, model: str, action: str, pk: Any) -> Any:
    return browser.post(
        reverse(f"admin:{model}_changelist"),
        {"action": action, "_selected_action": [str(pk)]},
        follow=True,
    )


def test_verifying_a_credential_counts_at_once_and_is_audited(as_admin: Browser) -> None:
    pt = ProfessionalFactory.create()
    held = CredentialFactory.create(user=pt.user, unverified=True)
    with pytest.raises(NotAllowed):
        licensing.require_signer(pt, state="NY", at=timezone.now())
    answer = act(as_admin, "clients_credential", "verify", held.pk)
    assert "1 verified" in answer.content.decode()
    assert licensing.require_signer(pt, state="NY", at=timezone.now()) == held
    assert AuditEntry.objects.filter(verb="credential.verified", object_id=str(held.pk)).exists()
    held.refresh_from_db()
    assert held.verified_by is not None
    answer = act(as_admin, "clients_credential", "withdraw", held.pk)
    with pytest.raises(NotAllowed):
        licensing.require_signer(pt, state="NY", at=timezone.now())


def test_verifying_needs_where_it_was_looked_up(as_admin: Browser) -> None:
    held = CredentialFactory.create(unverified=True, verified_where="")
    answer = act(as_admin, "clients_credential", "verify", held.pk)
    assert "Say which register" in answer.content.decode()
    held.refresh_from_db()
    assert held.verified_at is None


def test_nobody_verifies_their_own() -> None:
    own = UserFactory.create(is_staff=True, is_superuser=True)
    browser = Browser()
    browser.force_login(own)
    held = CredentialFactory.create(user=own, unverified=True)
    assert "their own" in act(browser, "clients_credential", "verify", held.pk).content.decode()
    held.refresh_from_db()
    assert held.verified_at is None


def test_a_verified_credential_can_no_longer_be_edited(as_admin: Browser) -> None:
    held = CredentialFactory.create(number="L-1")
    as_admin.post(reverse("admin:clients_credential_change", args=[held.pk]), {"number": "L-2"})
    held.refresh_from_db()
    assert held.number == "L-1"


def test_a_guardian_is_verified_and_ended(as_admin: Browser) -> None:
    row = GuardianshipFactory.create(unverified=True)
    act(as_admin, "clients_guardianship", "verify", row.pk)
    assert Guardianship.objects.get(pk=row.pk).verified_at is not None
    act(as_admin, "clients_guardianship", "end", row.pk)
    assert Guardianship.objects.get(pk=row.pk).ended_at is not None


def test_a_new_credential_is_reminded_of_before_it_ends(as_admin: Browser) -> None:
    held = CredentialFactory.create(
        unverified=True, expires_on=timezone.localdate() + timedelta(days=90)
    )
    act(as_admin, "clients_credential", "verify", held.pk)
    assert Reminder.objects.filter(credential=held, rule_id=19).exists()


def test_a_dead_reminder_is_sent_again_by_hand(as_admin: Browser) -> None:
    call_command("demo")
    row = Reminder.objects.filter(state="pending").order_by("due_at")[0]
    Reminder.objects.filter(pk=row.pk).update(state="dead", last_error_code="550")
    act(as_admin, "referrals_reminder", "send_again", row.pk)
    row.refresh_from_db()
    assert row.state == Reminder.State.PENDING


def test_a_referral_is_taken_out_of_sight(as_admin: Browser) -> None:
    call_command("demo")
    row = Referral.objects.filter(state=State.IN_PROGRESS)[0]
    act(as_admin, "referrals_referral", "enter_in_error", row.pk)
    row.refresh_from_db()
    assert row.state == State.ENTERED_IN_ERROR


def test_a_rule_with_nonsense_is_refused(as_admin: Browser) -> None:
    rule = ReminderRule.objects.get(number=5)
    before = rule.routine_offsets
    answer = as_admin.post(
        reverse("admin:referrals_reminderrule_change", args=[5]),
        {"routine_offsets": "soon", "useful_for_hours": 72},
    )
    assert answer.status_code == 200
    rule.refresh_from_db()
    assert rule.routine_offsets == before


def test_the_change_history_names_fields_and_never_values(as_admin: Browser) -> None:
    held = CredentialFactory.create(unverified=True, number="SECRET-1", title="DPT")
    form = as_admin.get(reverse("admin:clients_credential_change", args=[held.pk]))
    data = {
        name: value
        for name, value in form.context["adminform"].form.initial.items()
        if value is not None
    }
    data = {name: str(getattr(value, "pk", value)) for name, value in data.items()}
    answer = as_admin.post(
        reverse("admin:clients_credential_change", args=[held.pk]),
        {**data, "number": "SECRET-2"},
    )
    assert answer.status_code == 302
    assert Credential.objects.get(pk=held.pk).number == "SECRET-2"
    (entry,) = LogEntry.objects.all()
    assert "SECRET" not in entry.change_message + entry.object_repr


def test_the_first_page_counts_what_waits_and_leads_to_it(as_admin: Browser) -> None:
    CredentialFactory.create(unverified=True)
    page = as_admin.get("/admin/")
    queues = page.context["queues"]
    for queue in queues:
        listed = as_admin.get(queue.path)
        assert listed.status_code == 200
        assert listed.context["cl"].result_count == queue.count
    assert [queue.label for queue in queues if queue.count] == ["credentials to be checked"]


def test_an_administrator_cannot_take_anybodys_place(as_admin: Browser) -> None:
    """Neither through the secret of a second factor, nor a session, nor a moved address."""
    user = UserFactory.create()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    factor = Authenticator.objects.get(user=user)
    session = UserSession.objects.create(
        user=user, ip="127.0.0.1", session_key="k" * 32, user_agent="Firefox"
    )
    address = EmailAddress.objects.get(user=user)
    secrets = (decrypt(factor.data["secret"]), factor.data["secret"], session.session_key)
    for row in (factor, session, address):
        path = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        shown = as_admin.get(path)
        assert shown.status_code == 200
        assert not [each for each in secrets if each in shown.content.decode()]
        moved = {"user": str(user.pk), "email": "somebody.else@example.org"}
        assert as_admin.post(path, moved).status_code == 403
        add = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_add")
        assert as_admin.get(add).status_code == 403


@pytest.mark.parametrize(
    "model", ["account_emailaddress", "mfa_authenticator", "usersessions_usersession"]
)
def test_lists_of_accounts_can_be_searched(as_admin: Browser, model: str) -> None:
    found = as_admin.get(reverse(f"admin:{model}_changelist"), {"q": "somebody@example.org"})
    assert found.status_code == 200


def test_the_password_is_changed_on_our_own_page(as_admin: Browser) -> None:
    """There it is asked for anew, under limits, and the tokens end with the old one."""
    answer = as_admin.get("/admin/password_change/")
    assert answer["Location"] == reverse("account_change_password")
