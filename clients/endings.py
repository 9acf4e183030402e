"""People whose say ends: accounts, places in a practice, credentials, guardians.

Whatever rests on them is not shown any more from that moment. It is noted in the revocation journal
by whoever saves the row, page, admin or command, so that no way of ending somebody is forgotten.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import models, transaction
from django.db.models.signals import pre_save

from clients.consequences import credential_changed, deciders_changed
from clients.models import Credential, Guardianship, Professional, User
from handoff.core import journal

ENDS: Final[Mapping[type[models.Model], str]] = {
    User: "is_active",
    Professional: "left_at",
    Guardianship: "ended_at",
    Credential: "withdrawn_at",
}
"""Which column says of a row that it counts no longer."""
BY_KIND: Final = {f"{model._meta.model_name}.ended": model for model in ENDS}


def _ended(row: models.Model) -> bool:
    value = getattr(row, ENDS[type(row)])
    return not value if isinstance(value, bool) else value is not None


def note_ending(
    sender: type[models.Model],
    instance: models.Model,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **_: Any,
) -> None:
    """Before such a row is saved: if it is about to end, the journal hears of it first."""
    column = ENDS[sender]
    if raw or instance._state.adding or (update_fields is not None and column not in update_fields):
        return
    if not _ended(instance):
        return
    before = sender._default_manager.filter(pk=instance.pk).first()
    if before is None or _ended(before):
        return
    with transaction.atomic():
        journal.write(f"{sender._meta.model_name}.ended", {"id": str(instance.pk)})


def end_again(facts: Mapping[str, Any], kind: str, *, at: datetime) -> str:
    """Bring about once more what the journal tells; answers what was done. In a transaction."""
    model = BY_KIND[kind]
    row = model._default_manager.select_for_update(no_key=True).filter(pk=facts["id"]).first()
    if row is None:
        return "unknown here"
    if _ended(row):
        return "ended already"
    values: dict[str, Any] = {ENDS[model]: False if model is User else at}
    if isinstance(row, Credential):
        values["withdrawn_by_id"] = row.verified_by_id or row.user_id
    # Not `save`, which would note it in the journal once more.
    model._default_manager.filter(pk=row.pk).update(**values)
    if isinstance(row, Credential):
        credential_changed(row, at=at)
    if isinstance(row, Guardianship):
        deciders_changed(row.client, at=at)
    return "ended"


def follow() -> None:
    """From start-up on, hear of every row that is saved."""
    for model in ENDS:
        pre_save.connect(note_ending, sender=model, dispatch_uid=f"ending.{model.__name__}")
