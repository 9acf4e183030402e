"""One's own details, kept by oneself."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from clients import details
from clients.consequences import zone_changed
from clients.guardians import is_minor
from clients.models import Client, User
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotVisible

OWN_FIELDS = frozenset({"first_name", "last_name", "time_zone", "phone"})


def change(*, actor: Actor, changes: Mapping[str, str], at: datetime | None = None) -> User:
    """Change one's name, time zone or phone, on the account and on one's own client record.

    The phone is kept on the client record only; a minor's time zone changes on the account only.
    Address and date of birth are proved elsewhere and cannot be changed here. Raises Invalid by
    field, naming unknown ones too.
    """
    at = at or timezone.now()
    unknown = sorted(set(changes) - OWN_FIELDS)
    if unknown:
        raise Invalid({field: ["There is no such entry."] for field in unknown})
    tidy = details.tidied(changes)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(pk=_own_id(actor)).first()
        if user is None:
            raise NotVisible
        client = (
            Client.objects.select_for_update(no_key=True)
            .filter(user=user, merged_into__isnull=True)
            .first()
        )
        if client is None and "phone" in tidy:
            raise Invalid({"phone": ["Your phone number is kept with your practice."]})
        moved = tidy.get("time_zone", user.time_zone) != user.time_zone
        own = {field: value for field, value in tidy.items() if field != "phone"}
        _write(user, own)
        if client is not None:
            # The hour at which a guardian's authority ends is not the minor's to move.
            kept = {"time_zone"} if is_minor(client, at) else set()
            _write(client, {field: tidy[field] for field in tidy if field not in kept})
        if moved:
            zone_changed(user, at=at)
        audit.record(actor, "profile.changed", user, at=at)
    return user


def _write(row: User | Client, values: Mapping[str, str]) -> None:
    for field, value in values.items():
        setattr(row, field, value)
    row.save(update_fields=list(values))


def _own_id(actor: Actor) -> str:
    if actor.user_id is None:
        raise NotVisible
    return str(actor.user_id)
