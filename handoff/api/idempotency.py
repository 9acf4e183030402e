"""A repeated `Idempotency-Key` does the thing once and answers as the first time.

The claim on the key, the act and the note of what it made are one transaction: a crash leaves
none of them, and of two requests at once the second waits and then repeats the answer of the
first. No answer is kept: it is built anew, under the consents of the moment.
"""

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from handoff.core.errors import Invalid
from handoff.core.idempotency import IdempotentRequest

from .problems import Conflict

HEADER: Final = "Idempotency-Key"
KEPT: Final = timedelta(hours=24)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
# Below the statement timeout of the web process.
WAIT_MILLISECONDS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Outcome:
    object_id: str
    replayed: bool


def checked_key(key: str) -> str:
    """A key as sent; raises Invalid for one that is none."""
    if not _KEY.fullmatch(key):
        raise Invalid(f"{HEADER} takes 1 to 200 letters, digits and signs, without spaces.")
    return key


def fingerprint(method: str, path: str, body: Any) -> str:
    """What a request stands for. Keyed: a body holds health data and few of them are long."""
    text = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"), default=str)
    return salted_hmac("handoff.api.idempotency", text, algorithm="sha256").hexdigest()


def once(
    *, user_id: UUID, key: str, print_: str, status: int, act: Callable[[], UUID | str | None]
) -> Outcome:
    """Do `act` unless it was done under this key before; answers the id it gave then or now.

    Raises Conflict when the key stood for another request, or when that one takes too long.
    What `act` raises passes, and frees the key.
    """
    with transaction.atomic():
        mine = IdempotentRequest.objects.filter(user_id=user_id)
        mine.filter(created_at__lt=timezone.now() - KEPT).delete()
        claim = IdempotentRequest(user_id=user_id, key=key, fingerprint=print_)
        _insert(claim)
        held = mine.get(key=key)
        if held.pk != claim.pk:
            if not hmac.compare_digest(held.fingerprint, print_):
                raise Conflict(f"This {HEADER} stood for another request.")
            return Outcome(held.object_id, replayed=True)
        made = act()
        held.object_id, held.status = "" if made is None else str(made), status
        held.save(update_fields=["object_id", "status"])
    return Outcome(held.object_id, replayed=False)


def _insert(claim: IdempotentRequest) -> None:
    """Insert unless the key is taken; waits for a request that is at it right now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_MILLISECONDS}ms"])
        try:
            with transaction.atomic():
                IdempotentRequest.objects.bulk_create([claim], ignore_conflicts=True)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
                raise
            raise Conflict(f"The first request under this {HEADER} is still at work.") from None
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
