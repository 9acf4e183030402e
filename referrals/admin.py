"""The admin's queues and reference data. States, ages and ids; no clinical text anywhere."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from clients.admin import KeptAdmin, ReadOnlyAdmin, each
from clients.models import Credential, Guardianship
from handoff.core import subjects
from referrals import lifecycle, reminders, whose
from referrals.models import (
    Holiday,
    ImportantChange,
    Measure,
    Referral,
    Reminder,
    ReminderRule,
)
from referrals.reasons import ErrorReason
from referrals.states import TERMINAL, WAITING_ON, State

if TYPE_CHECKING:
    ChangeInline = admin.TabularInline[ImportantChange, Measure]
else:  # generic in the stubs only
    ChangeInline = admin.TabularInline

STUCK_AFTER = timedelta(days=7)


def _rendered(answer: HttpResponse) -> HttpResponse:
    """Rendered now, while what was declared still holds."""
    return answer.render() if isinstance(answer, TemplateResponse) else answer


class Queue(admin.SimpleListFilter):
    """Which referrals need a look."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("stuck", "Waiting more than a week"), ("ended", "Ended")]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Referral]"
    ) -> "QuerySet[Referral]":
        ended = list(TERMINAL)
        match self.value():
            case "open":
                return queryset.exclude(state__in=ended)
            case "stuck":
                since = timezone.now() - STUCK_AFTER
                return queryset.exclude(state__in=ended).filter(state_at__lt=since)
            case "ended":
                return queryset.filter(state__in=ended)
            case _:
                return queryset


@dataclass(frozen=True, slots=True)
class Waiting:
    """One queue on the first page of the administration; `path` lists exactly what is counted."""

    label: str
    count: int
    path: str


def waiting(request: HttpRequest) -> list[Waiting]:
    """What waits for an administrator, as far as this one may see it."""
    queues = (
        (Credential, "to be checked", "standing=unverified"),
        (Credential, "that end within 60 days", "standing=ending"),
        (Guardianship, "to be verified", "verified_at__isempty=1"),
        (Referral, "waiting more than a week", "queue=stuck"),
        (Reminder, "that could not be sent", f"state__exact={Reminder.State.DEAD}"),
    )
    found = []
    for model, words, query in queues:
        kind = admin.site.get_model_admin(model)
        if not kind.has_view_permission(request):
            continue
        asked = copy(request)
        asked.GET = QueryDict(query)
        count = kind.get_changelist_instance(asked).get_queryset(asked).count()
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        label = f"{model._meta.verbose_name_plural} {words}"
        found.append(Waiting(label, count, f"{path}?{query}"))
    return found


_plain_index = admin.site.index


def _index(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
    return _plain_index(request, {"queues": waiting(request), **(extra_context or {})})


admin.site.index = _index  # type: ignore[method-assign]


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    """Stages and waiting times. The client is an id here; the goal is not shown at all."""

    list_display = (
        *("id", "kind", "state", "waits_for", "waiting_since", "priority"),
        *("sender", "recipient"),
    )
    list_filter = (Queue, "state", "kind", "priority")
    list_select_related = ("sender__user", "recipient__user")
    search_fields = ("=id", "=client__id")
    search_help_text = "The id of a referral or of a client."
    ordering = ("state_at", "id")
    show_full_result_count = False
    fields = (
        *("id", "kind", "state", "priority", "client_id", "sender", "recipient", "created_at"),
        *("state_at", "sent_at", "answered_at", "closed_at"),
    )
    actions = ("enter_in_error",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Referral]":
        return super().get_queryset(request).defer("goal")

    # Row-level security shows an administrator no rows; these pages are about everybody's.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with subjects.among(whose.all_clients()):
            return _rendered(super().changelist_view(request, extra_context))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        with subjects.among(whose.all_clients()):
            return _rendered(super().change_view(request, object_id, form_url, extra_context))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with subjects.among(whose.all_clients()):
            return _rendered(super().history_view(request, object_id, extra_context))

    @admin.display(description="waits for")
    def waits_for(self, referral: Referral) -> str:
        return WAITING_ON[State(referral.state)] or "nobody"

    @admin.display(description="since", ordering="state_at")
    def waiting_since(self, referral: Referral) -> datetime:
        return referral.state_at

    @admin.action(description="Entered in error: the other sides no longer see it")
    def enter_in_error(self, request: HttpRequest, queryset: "QuerySet[Referral]") -> None:
        each(
            request,
            self,
            queryset,
            lambda actor, pk: lifecycle.enter_in_error(
                actor=actor, referral_id=pk, reason_code=ErrorReason.OTHER
            ),
            "marked as entered in error",
        )


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    """The outbox: what is planned, late, sent, dead. Whom it concerns is an id."""

    list_display = (
        *("due_at", "rule", "recipient", "state", "attempts", "last_error_code"),
        *("cancel_reason", "accepted_at"),
    )
    list_filter = ("state", "rule", "last_error_code")
    list_select_related = ("rule", "recipient")
    search_fields = ("=id", "=recipient__email", "=referral__id")
    search_help_text = "The id of a reminder or referral, or a whole address."
    ordering = ("-due_at", "-id")
    show_full_result_count = False
    actions = ("send_again",)

    @admin.action(description="Send again: the same letter, once, if its reason still holds")
    def send_again(self, request: HttpRequest, queryset: "QuerySet[Reminder]") -> None:
        each(
            request,
            self,
            queryset,
            lambda actor, pk: reminders.requeue(actor=actor, reminder_id=pk),
            "queued again",
        )


@admin.register(ReminderRule)
class ReminderRuleAdmin(KeptAdmin):
    """When each rule reminds. Who, and when the reason is gone, is code."""

    list_display = ("number", "title", "routine_offsets", "escalate_after", "by_mail", "in_use")
    readonly_fields = ("number", "key", "title")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: ReminderRule,
        form: "ModelForm[ReminderRule]",
        change: bool,
    ) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            reminders.rule_changed(obj.number, at=timezone.now())


class ImportantChangeInline(ChangeInline):
    model = ImportantChange
    extra = 0


@admin.register(Measure)
class MeasureAdmin(KeptAdmin):
    list_display = ("name", "code", "low", "high", "unit", "higher_is_better", "in_use")
    list_filter = ("in_use", "higher_is_better")
    search_fields = ("name", "code")
    inlines = (ImportantChangeInline,)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Measure | None = None
    ) -> tuple[str, ...]:
        """Scores are stored against the code: it stays."""
        return ("code",) if obj else ()


@admin.register(Holiday)
class HolidayAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("day", "name", "state")
    list_filter = ("state",)
    date_hierarchy = "day"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django takes a year apart only while it writes the page, and fails on one too large."""
        for part in ("year", "month", "day"):
            asked = request.GET.get(f"day__{part}", "1")
            if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:6]) <= 9998):
                raise BadRequest("There is no such day.")
        return super().changelist_view(request, extra_context)
