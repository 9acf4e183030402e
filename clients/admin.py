"""The admin's people: accounts, practices, credentials, guardians. No clinical text anywhere.

Whatever has consequences goes through a verb, which records who did it; forms only edit what has
none.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.models import Group
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join

from clients import papers, verification
from clients.access import actor_for
from clients.consequences import credential_changed
from clients.models import (
    Client,
    Credential,
    Evidence,
    Guardianship,
    Invitation,
    Practice,
    Professional,
    User,
)
from handoff.core.actors import Actor, Channel
from handoff.core.audit import AuditEntry
from handoff.core.errors import DomainError, NotVisible
from handoff.web.browsers import browser_name
from handoff.web.uploads import inert_file

if TYPE_CHECKING:
    from django.db.models import ForeignKey, Model

    Admin = admin.ModelAdmin[Any]
else:  # generic in the stubs only
    Admin = admin.ModelAdmin

admin.site.site_header = "Handoff administration"
admin.site.site_title = "Handoff"
admin.site.index_title = "What needs a person"
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one login


def _to_our_password_page(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponseRedirect:
    """Ours asks for the old password under limits, and ends the tokens with it."""
    return redirect("account_change_password")


admin.site.password_change = _to_our_password_page  # type: ignore[assignment,method-assign]

_plain_view = admin.site.admin_view


def _readable_requests_only(
    view: Callable[..., HttpResponseBase], cacheable: bool = False
) -> Callable[..., HttpResponseBase]:
    """Answers 400 where the admin would fail: to text no column holds, to ids that are none."""
    guarded = _plain_view(view, cacheable)

    @wraps(guarded)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        sent = (*request.GET.lists(), *request.POST.lists())
        if any("\0" in each for name, values in sent for each in (name, *values)):
            raise BadRequest("A NUL character stands in no field.")
        try:
            return guarded(request, *args, **kwargs)
        except ValidationError:
            raise BadRequest("One of the ids is none.") from None

    return answer


admin.site.admin_view = _readable_requests_only  # type: ignore[assignment,method-assign]


def admin_actor(request: HttpRequest) -> Actor:
    """The acting admin, for verbs called from the admin."""
    user = request.user if isinstance(request.user, User) else None
    return actor_for(user, channel=Channel.PAGE, request_id=getattr(request, "request_id", ""))


def each(
    request: HttpRequest,
    modeladmin: Admin,
    rows: "QuerySet[Any]",
    verb: Callable[[Actor, Any], object],
    done: str,
) -> None:
    """Run `verb` for each selected row; say how many were done and why others were not."""
    actor = admin_actor(request)
    count = 0
    for row in rows.order_by("pk"):
        try:
            verb(actor, row.pk)
        except DomainError as error:
            modeladmin.message_user(request, f"{row}: {error}", messages.WARNING)
        else:
            count += 1
    if count:
        modeladmin.message_user(request, f"{count} {done}.", messages.SUCCESS)


class ChosenSelect(AutocompleteSelect):
    """Offers again what was chosen, and nothing for a value that cannot be an id."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        kind = self.field.remote_field.model._meta.pk
        return super().optgroups(name, [each for each in value if _could_be(kind, each)], attrs)


def _could_be(kind: Any, value: str) -> bool:
    try:
        kind.to_python(value)
    except ValidationError:
        return not value
    return True


class AskedAdmin(Admin):
    """A list that answers only its own filters.

    Django lets an address ask about every column of a table (`?goal__contains=`), also about one
    that no page shows: letter by letter, that is reading it.
    """

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = ChosenSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        name, _, rest = lookup.partition("__")
        asked = {_asks_about(each) for each in self.get_list_filter(request)}
        return name in asked and (not rest or super().lookup_allowed(lookup, value, request))


def _asks_about(list_filter: Any) -> str:
    """The parameter a filter of a list is chosen by: a field, or a name of the filter's own."""
    if isinstance(list_filter, tuple | list):
        return str(list_filter[0])
    return str(getattr(list_filter, "parameter_name", list_filter))


class ReadOnlyAdmin(AskedAdmin):
    """Rows that the admin may look at and nothing else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: "Model | None" = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: "Model | None" = None) -> bool:
        return False


class KeptAdmin(AskedAdmin):
    """Rows that may be edited but never deleted: others refer to them."""

    def has_delete_permission(self, request: HttpRequest, obj: "Model | None" = None) -> bool:
        return False


# Roles are computed from what somebody holds now, so groups would promise something else. And
# allauth's own tables would let an administrator read the secret behind a second factor, or move an
# address to another account and reset its password: ways to clinical content.
for _app in ("django.contrib.auth", "allauth.account", "allauth.mfa", "allauth.usersessions"):
    import_module(f"{_app}.admin")  # comes after us in the list of apps, and has to be there now
for _model in (Group, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(_model)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    list_select_related = ("user",)
    search_fields = ("=email",)
    search_help_text = "A whole address."


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """That somebody has a second factor. Taking one off is for whoever lost it: it says so."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    search_help_text = "A whole address."
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: "Model | None" = None) -> bool:
        return bool(request.user.has_perm("mfa.delete_authenticator"))


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    """Where somebody is signed in, without the key that would let in whoever knows it."""

    list_display = ("user", "created_at", "last_seen_at", "ip", "browser")
    list_select_related = ("user",)
    search_fields = ("=user__email", "=ip")
    search_help_text = "A whole address, or an IP address."
    fields = ("user", "created_at", "last_seen_at", "ip", "user_agent")

    @admin.display(ordering="user_agent")
    def browser(self, session: UserSession) -> str:
        return browser_name(session.user_agent)


@admin.register(User)
class UserAdmin(KeptAdmin):
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "last_name")
    ordering = ("email",)
    fields = ("email", "first_name", "last_name", "time_zone", "is_active", "is_staff")
    readonly_fields = ("email",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people sign up themselves, or come by invitation


@admin.register(Practice)
class PracticeAdmin(KeptAdmin):
    list_display = ("name", "kind", "city", "state")
    list_filter = ("kind", "state")
    search_fields = ("name", "city")


@admin.register(Professional)
class ProfessionalAdmin(KeptAdmin):
    list_display = ("user", "role", "practice", "in_directory", "accepts_referrals", "left_at")
    list_filter = ("role", "in_directory", "accepts_referrals")
    readonly_fields = ("in_directory",)  # only they themselves want to be found
    list_select_related = ("user", "practice")
    search_fields = ("user__email", "user__last_name", "practice__name")
    autocomplete_fields = ("user", "practice")


class Standing(admin.SimpleListFilter):
    """What a credential needs from the admin."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Admin) -> list[tuple[str, str]]:
        return [
            ("unverified", "To be checked"),
            ("ending", "Ends within 60 days"),
            ("ended", "Ended"),
            ("withdrawn", "Withdrawn"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Credential]"
    ) -> "QuerySet[Credential]":
        today = timezone.localdate()
        match self.value():
            case "unverified":
                return queryset.filter(verified_at__isnull=True, withdrawn_at__isnull=True)
            case "ending":
                return queryset.filter(expires_on__range=(today, today + timedelta(days=60)))
            case "ended":
                return queryset.filter(expires_on__lt=today)
            case "withdrawn":
                return queryset.filter(withdrawn_at__isnull=False)
            case _:
                return queryset


@admin.register(Credential)
class CredentialAdmin(KeptAdmin):
    list_display = ("user", "kind", "state", "number", "expires_on", "verified_at", "withdrawn_at")
    list_filter = (Standing, "kind", "state")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__last_name", "number")
    autocomplete_fields = ("user",)
    fields = (
        *("user", "kind", "title", "issuer", "number", "state", "issued_on", "expires_on"),
        *("scans", "verified_where", "verified_at", "verified_by"),
        *("withdrawn_at", "withdrawn_by"),
    )
    actions = ("verify", "withdraw")
    STAMPS: ClassVar[tuple[str, ...]] = (
        *("scans", "verified_at", "verified_by", "withdrawn_at", "withdrawn_by"),
    )

    def get_urls(self) -> list[URLPattern]:
        seen = self.admin_site.admin_view(self.scan)
        return [
            path("<uuid:pk>/scan/<uuid:scan_id>/", seen, name="clients_credential_scan"),
            *super().get_urls(),
        ]

    def scan(self, request: HttpRequest, pk: UUID, scan_id: UUID) -> HttpResponse:
        """One scan, for whoever verifies; the look is entered in the audit ledger."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not Evidence.objects.filter(pk=scan_id, credential=pk).exists():
            raise Http404
        try:
            found = papers.scan(actor=admin_actor(request), evidence_id=scan_id)
        except NotVisible:
            raise Http404 from None
        return inert_file(found.kind, found.data, "scan")

    @admin.display(description="scans")
    def scans(self, credential: Credential) -> str:
        """What was handed in with it, each to be downloaded. Every look is entered."""
        rows = Evidence.objects.filter(credential=credential.pk, removed_at=None)
        links = [
            (reverse("admin:clients_credential_scan", args=[credential.pk, row.pk]), number)
            for number, row in enumerate(rows.only("pk", "credential"), start=1)
        ]
        return format_html_join(" ", '<a href="{}" download>Scan {}</a>', links) or "none"

    def get_readonly_fields(
        self, request: HttpRequest, obj: Credential | None = None
    ) -> tuple[str, ...]:
        """What was verified is what was seen: a change needs a new credential."""
        if obj is not None and obj.verified_at is not None:
            return tuple(str(name) for name in self.fields)
        return self.STAMPS

    def save_model(
        self, request: HttpRequest, obj: Credential, form: "ModelForm[Credential]", change: bool
    ) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            credential_changed(obj, at=timezone.now())

    @admin.action(description="Verify: I looked it up where “verified where” says")
    def verify(self, request: HttpRequest, queryset: "QuerySet[Credential]") -> None:
        where = dict(queryset.values_list("pk", "verified_where"))
        each(
            request,
            self,
            queryset,
            lambda actor, pk: verification.verify_credential(
                actor=actor, credential_id=pk, where=where[pk]
            ),
            "verified",
        )

    @admin.action(description="Withdraw: it stops counting now")
    def withdraw(self, request: HttpRequest, queryset: "QuerySet[Credential]") -> None:
        each(
            request,
            self,
            queryset,
            lambda actor, pk: verification.withdraw_credential(actor=actor, credential_id=pk),
            "withdrawn",
        )


@admin.register(Client)
class ClientAdmin(ReadOnlyAdmin):
    """Identity only, and found by exact address: no browsing through who is in care."""

    list_display = ("id", "state", "has_account", "created_at")
    list_filter = ("state",)
    search_fields = ("=email", "=id")
    search_help_text = "The whole e-mail address, or the id."
    fields = ("id", "first_name", "last_name", "email", "state", "time_zone", "created_at")
    ordering = ("-created_at",)

    @admin.display(boolean=True, description="account")
    def has_account(self, client: Client) -> bool:
        return client.user_id is not None


@admin.register(Guardianship)
class GuardianshipAdmin(ReadOnlyAdmin):
    list_display = ("user", "relationship", "client_id", "verified_at", "ended_at")
    list_filter = (("verified_at", admin.EmptyFieldListFilter), "relationship")
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    actions = ("verify", "end")

    @admin.action(description="Verify: I checked the document of authority")
    def verify(self, request: HttpRequest, queryset: "QuerySet[Guardianship]") -> None:
        each(
            request,
            self,
            queryset,
            lambda actor, pk: verification.verify_guardianship(actor=actor, guardianship_id=pk),
            "verified",
        )

    @admin.action(description="End: may act no longer, from now on")
    def end(self, request: HttpRequest, queryset: "QuerySet[Guardianship]") -> None:
        each(
            request,
            self,
            queryset,
            lambda actor, pk: verification.end_guardianship(actor=actor, guardianship_id=pk),
            "ended",
        )


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "invited_by", "created_at", "expires_at", "used_at")
    list_filter = ("kind", ("used_at", admin.EmptyFieldListFilter))
    list_select_related = ("invited_by__user",)
    fields = ("id", "kind", "invited_by", "created_at", "expires_at", "used_at", "cancelled_at")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "at", "verb", "object_type", "object_id", "actor_id", "channel")
    list_filter = ("object_type", "channel")
    search_fields = ("=object_id", "=actor_id", "=request_id")
    show_full_result_count = False
    ordering = ("-number",)
