"""Sessions as rows: how long they last is counted here, on the server, and not in a cookie."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils import timezone

from clients import session_limits
from clients.access import actor_for
from clients.models import KnownBrowser, User
from clients.session_limits import OWN_RECORD, Ended
from handoff.core import tokens
from handoff.core.actors import Role

# Use is noted to this precision: a page with ten parts writes once. It only ever ends a session
# earlier, by as much.
_PRECISION: Final = timedelta(seconds=15)

REMEMBERED: Final = timedelta(days=365)
_BROWSERS_KEPT: Final = 20
_MARK_LENGTH: Final = 43  # of `secrets.token_urlsafe(32)`


def look(
    *, key: str | None, user_id: UUID, roles: Collection[Role], is_use: bool, at: datetime
) -> Ended | None:
    """Why the session under `key` is over, or None; a use of one that lasts is noted.

    A session without its row was ended, whatever the session itself still says.
    """
    row = UserSession.objects.filter(session_key=key, user_id=user_id).first()
    if row is None:
        return Ended.GONE
    limits = session_limits.limits_for(roles)
    why = session_limits.ended(limits, began=row.created_at, used=row.last_seen_at, at=at)
    if why is None and is_use and at - row.last_seen_at >= _PRECISION:
        # Never backwards, and never a row that was ended in the meantime.
        UserSession.objects.filter(pk=row.pk, last_seen_at__lt=at).update(last_seen_at=at)
    return why


def keep_newest(user: User) -> int:
    """End the oldest sessions of somebody who may have only so many; how many ended."""
    limits = session_limits.limits_for(actor_for(user).roles)
    if limits.at_once is None:
        return 0
    with transaction.atomic():
        # Two sign-ins at once: the second counts when the first is done.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        rows = UserSession.objects.filter(user=user).order_by("-created_at", "-pk")
        surplus = list(rows[limits.at_once :])
        for row in surplus:
            row.end()
    return len(surplus)


def end(user: User, *, session_id: int) -> bool:
    """End one of somebody's own sessions at once; False when it is not theirs or over."""
    row = UserSession.objects.filter(pk=session_id, user=user).first()
    if row is None:
        return False
    row.end()
    return True


def end_all(user: User, *, but: str | None = None) -> None:
    """End somebody's sessions and tokens everywhere, but for the session under the key `but`."""
    for row in UserSession.objects.filter(user=user).exclude(session_key=but or ""):
        row.end()
    tokens.revoke_all(user_id=user.pk)


def recognise(user: User, mark: str | None) -> tuple[str, bool]:
    """The mark this browser keeps from now on, and whether the person should be told of it.

    Nobody is told of their very first browser.
    """
    now = timezone.now()
    known = KnownBrowser.objects.filter(user=user)
    if mark and known.filter(mark_hash=_hash(mark)).update(used_at=now):
        return mark, False
    is_new = known.exists()
    # Another person's mark, in a browser they share, is taken over: it says who was here before
    # to nobody, since it is looked up together with the account.
    mark = mark if mark and len(mark) == _MARK_LENGTH else secrets.token_urlsafe(32)
    KnownBrowser.objects.get_or_create(user=user, mark_hash=_hash(mark))
    surplus = known.order_by("-used_at", "-pk").values("pk")[_BROWSERS_KEPT:]
    KnownBrowser.objects.filter(pk__in=list(surplus.values_list("pk", flat=True))).delete()
    return mark, is_new


def _hash(mark: str) -> str:
    return hashlib.sha256(mark.encode()).hexdigest()


def forget(at: datetime) -> int:
    """Remove rows of sessions that are over for everybody; how many."""
    over = UserSession.objects.filter(last_seen_at__lt=at - OWN_RECORD.idle)
    rows = list(over[:1000])
    for row in rows:
        row.end()
    return len(rows)
