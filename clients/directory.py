"""Who can be found: therapists and trainers whose papers are checked and valid today."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import DateField, DateTimeField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from clients.licensing import LICENCE_KINDS
from clients.models import Credential, Professional

Kind = Credential.Kind
Role = Professional.Role

_TRADE = {
    Role.PT: frozenset({str(kind) for kind in LICENCE_KINDS}),
    Role.TRAINER: frozenset({str(Kind.TRAINER_CERTIFICATION)}),
}
MOST_WORDS = 6


def listed(
    at: datetime,
    *,
    role: str = "",
    words: str = "",
    specialty: str = "",
    accepting: bool = False,
) -> QuerySet[Professional]:
    """Current professionals with a verified licence or certification valid today at their place.

    `words` must all occur in name, practice or city. With `accepting`, only those who may take a
    new client now (R6) and say that they do.
    """
    today = Func(
        F("practice__time_zone"), Value(at), function="timezone", output_field=DateTimeField()
    )
    rows = (
        Professional.objects.select_related("user", "practice")
        .filter(left_at__isnull=True, user__is_active=True)
        .annotate(local_day=Cast(today, DateField()))
    )
    rows = rows.filter(
        Q(role=Role.PT) & Exists(_valid(_TRADE[Role.PT]))
        | Q(role=Role.TRAINER) & Exists(_valid(_TRADE[Role.TRAINER]))
    )
    if role:
        rows = rows.filter(role=role)
    if specialty:
        rows = rows.filter(specialties__icontains=specialty)
    for word in words.split()[:MOST_WORDS]:
        rows = rows.filter(
            Q(user__first_name__icontains=word)
            | Q(user__last_name__icontains=word)
            | Q(practice__name__icontains=word)
            | Q(practice__city__icontains=word)
        )
    if accepting:
        rows = rows.filter(accepts_referrals=True)
        rows = rows.filter(Q(role=Role.PT) | Exists(_valid([Kind.CPR_AED])))
    return rows


def _valid(kinds: Iterable[str]) -> QuerySet[Credential]:
    """The rule of `CredentialQuerySet.valid_on`, for the day at each professional's place."""
    return Credential.objects.filter(
        Q(issued_on__isnull=True) | Q(issued_on__lte=OuterRef("local_day")),
        Q(expires_on__isnull=True) | Q(expires_on__gte=OuterRef("local_day")),
        user_id=OuterRef("user_id"),
        kind__in=list(kinds),
        verified_at__isnull=False,
        withdrawn_at__isnull=True,
    )
