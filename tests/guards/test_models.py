"""Rules about all tables: instants name their person, nothing clinical dies with its parent."""

import pytest
from django.db import connection, models

from tests.guards.test_sensitivity import own_models

CASCADE_ALLOWED = {
    "clients.clientidentifier.client",
    "clients.invitation.client",
    "clients.knownbrowser.user",
    "core.apitoken.user",
    "core.idempotentrequest.user",
    "referrals.importantchange.measure",
}
KEPT = (
    "clients_accessentry",
    "clients_consent",
    "clients_consentevent",
    "core_auditentry",
    "referrals_acknowledgement",
    "referrals_addendum",
    "referrals_loopreport",
    "referrals_referralevent",
    "referrals_referralmessage",
)
FROZEN = ("referrals_dischargenote", "referrals_restrictionversion")


def test_nothing_is_deleted_along_with_something_else_unless_listed() -> None:
    found = {
        f"{model._meta.label_lower}.{field.name}"
        for model in own_models()
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE
    }
    assert found == CASCADE_ALLOWED


@pytest.mark.django_db
@pytest.mark.parametrize("table", [*KEPT, *FROZEN])
def test_the_triggers_are_there(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [table],
        )
        names = {name for (name,) in cursor.fetchall()}
    assert "no_truncate" in names
    assert names & {"append_only", "frozen_once_signed_at"}
