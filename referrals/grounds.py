"""What connects a person with a client, in one statement; for the disclosure door.

The door asks twice: before it gathers, and once more while it holds the head of the access
ledger, where every statement keeps others waiting. `referrals.access.grounds_for` says the same in
plain queries and is the specification; tests hold the two equal.

The statement only fetches. What the rows mean is worked out by the rules everybody uses
(`clients.consent`, `clients.guardians`) on the same models, filled in part: a rule that comes to
need one more column asks the database for it, and does not go without.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model
from django.utils import timezone

from clients import consent as consents
from clients import guardians
from clients.models import Client, Consent, ConsentEvent, Guardianship, Professional, User
from clients.scopes import Scope
from handoff.core.actors import Actor, Role
from referrals.permits import Grant, Grounds
from referrals.states import RECIPIENT_MAY_READ

Row = TypeVar("Row", bound=Model)
Values = Mapping[str, Any]
_NOTHING: Final = Grounds()


@dataclass(frozen=True, slots=True)
class Reading:
    """All that decides what one person may see of one client, as the database has it `at`."""

    at: datetime
    """The moment dates are held against: ours, as for every verb, or the one that was given."""
    entered_at: datetime
    """What the ledger notes: the database's clock, which all workers share, or the same."""
    grounds: Grounds = _NOTHING
    is_own: bool = False
    """It is the person's own record, or that of a minor they act for."""
    treating: frozenset[UUID] = frozenset()
    """The therapists on whose side the person stands, whoever the client is."""
    states: Mapping[UUID, str] = field(default_factory=dict)
    """The states of the client's referrals in which the person, or their side, takes part."""

    def granted(self, discloser_id: UUID, recipient_id: UUID) -> frozenset[Scope]:
        """The classes shared now between two professionals, one of whom is on this side."""
        pair = (discloser_id, recipient_id)
        return frozenset().union(
            *(
                each.classes
                for each in self.grounds.grants
                if (each.discloser_id, each.recipient_id) == pair
            )
        )


def read(actor: Actor, client_id: UUID, at: datetime | None = None) -> Reading:
    """Read anew what connects `actor` with a client. One statement, nothing kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STATEMENT,
            {
                "client": client_id,
                "user": actor.user_id,
                "own": list(actor.professional_ids),
                "pt": [pk for role, pk in actor.professionals if role == Role.PT],
                "pta": [pk for role, pk in actor.professionals if role == Role.PTA],
                "giving": list(consents.GIVING),
            },
        )
        clock, record, treating, treats_as, referrals, authorities, events = cursor.fetchone()
    moment = at or timezone.now()  # after the statement, which may have waited
    entered_at = at or clock.astimezone(UTC)
    if record is None:
        return Reading(moment, entered_at)
    client = _client(record)
    if client.erased_at is not None:
        # The record is kept for those who treated the client, as the law asks, and nobody else.
        return Reading(
            at=moment,
            entered_at=entered_at,
            grounds=Grounds(treats_as=frozenset(treats_as)),
            treating=frozenset(treating),
            states={UUID(pk): state for pk, state, a, _ in referrals if UUID(a) in treating},
        )
    is_self = actor.user_id is not None and client.user_id == actor.user_id
    is_standing = client.merged_into_id is None
    is_guardian = not is_self and is_standing and _acts(authorities, client, moment)
    paths = [(UUID(pk), state, UUID(a), UUID(b)) for pk, state, a, b in referrals]
    return Reading(
        at=moment,
        entered_at=entered_at,
        grounds=Grounds(
            is_self=is_self,
            is_guardian=is_guardian,
            own_ids=frozenset(actor.professional_ids),
            treats_as=frozenset(treats_as),
            accepted_from=frozenset(
                (sender, recipient)
                for _, state, sender, recipient in paths
                if state in RECIPIENT_MAY_READ
            ),
            grants=_grants(events, client, moment),
        ),
        is_own=is_guardian or (is_self and is_standing),
        treating=frozenset(treating),
        states={pk: state for pk, state, *_ in paths},
    )


def _client(record: Values) -> Client:
    client = _filled(Client, record)
    if client.user_id is not None:
        client.user = _filled(User, {"id": client.user_id, "is_active": record["account_active"]})
    return client


def _acts(authorities: Iterable[Values], client: Client, at: datetime) -> bool:
    """Whether the person is a guardian whose authority stands."""
    return any(guardians.authority_stands(_guardianship(each), client, at) for each in authorities)


def _guardianship(row: Values) -> Guardianship:
    guardianship = _filled(Guardianship, row)
    guardianship.user = _filled(User, {"id": row["user_id"], "is_active": row["account_active"]})
    return guardianship


def _grants(events: Iterable[Values], client: Client, at: datetime) -> tuple[Grant, ...]:
    """The consents that are active, oldest first, from the newest event of each."""
    found = (consents.standing_by(_event(row, client), at) for row in events)
    return tuple(
        Grant(
            each.consent_id,
            each.discloser_id,
            each.recipient_id,
            each.classes,
            reported_by_discloser=each.by_trainer,
        )
        for each in sorted(found, key=lambda each: each.event_number)
        if each.is_active
    )


def _event(row: Values, client: Client) -> ConsentEvent:
    event = _filled(ConsentEvent, row)
    consent = _filled(Consent, row["consent"])
    consent.client = client
    consent.discloser = _side(row["discloser"])
    consent.recipient = _side(row["recipient"])
    event.consent = consent
    if row["guardianship"] is not None:
        event.guardianship = _guardianship(row["guardianship"])
    return event


def _side(row: Values) -> Professional:
    side = _filled(Professional, row)
    side.user = _filled(User, {"id": row["user_id"], "is_active": row["account_active"]})
    return side


def _filled(model: type[Row], values: Values) -> Row:
    """A row of `model` with what was fetched of it. What was not is read when somebody asks."""
    fields = [each for each in model._meta.concrete_fields if each.attname in values]
    return model.from_db(
        DEFAULT_DB_ALIAS,
        [each.attname for each in fields],
        [each.to_python(values[each.attname]) for each in fields],
    )


_STATEMENT: Final = """
WITH treating AS (
    SELECT unnest(%(pt)s::uuid[]) AS id
    UNION
    SELECT mate.id
    FROM clients_professional AS mine
    JOIN clients_professional AS mate ON mate.practice_id = mine.practice_id
    WHERE mine.id = ANY (%(pta)s::uuid[]) AND mate.role = 'pt' AND mate.left_at IS NULL
),
treats_as AS (
    SELECT pt_id AS id
    FROM referrals_episode
    WHERE client_id = %(client)s AND pt_id IN (SELECT id FROM treating)
    UNION
    SELECT created_by_id
    FROM clients_client
    WHERE (id = %(client)s OR merged_into_id = %(client)s)
        AND created_by_id IN (SELECT id FROM treating)
        AND erased_at IS NULL
),
sides AS (
    SELECT unnest(%(own)s::uuid[]) AS id UNION SELECT id FROM treats_as
)
SELECT
    clock_timestamp(),
    (
        SELECT json_build_object(
            'id', client.id, 'user_id', client.user_id, 'birth_date', client.birth_date,
            'state', client.state, 'time_zone', client.time_zone,
            'merged_into_id', client.merged_into_id, 'erased_at', client.erased_at,
            'account_active', account.is_active
        )
        FROM clients_client AS client
        LEFT JOIN clients_user AS account ON account.id = client.user_id
        WHERE client.id = %(client)s
    ),
    ARRAY(SELECT id FROM treating),
    ARRAY(SELECT id FROM treats_as),
    (
        SELECT coalesce(json_agg(json_build_array(id, state, sender_id, recipient_id)), '[]')
        FROM referrals_referral
        WHERE client_id = %(client)s
            AND (sender_id IN (SELECT id FROM sides) OR recipient_id IN (SELECT id FROM sides))
    ),
    (
        SELECT coalesce(json_agg(json_build_object(
            'id', guardianship.id, 'user_id', guardianship.user_id,
            'verified_at', guardianship.verified_at, 'ended_at', guardianship.ended_at,
            'account_active', account.is_active
        )), '[]')
        FROM clients_guardianship AS guardianship
        JOIN clients_user AS account ON account.id = guardianship.user_id
        WHERE guardianship.client_id = %(client)s AND guardianship.user_id = %(user)s
    ),
    (
        SELECT coalesce(json_agg(json_build_object(
            'number', event.number, 'at', event.at, 'consent_id', event.consent_id,
            'kind', event.kind, 'classes', event.classes, 'valid_from', event.valid_from,
            'expires_at', event.expires_at, 'by_id', event.by_id, 'authority', event.authority,
            'guardianship_id', event.guardianship_id,
            'until_training_ends', event.until_training_ends,
            'consent', json_build_object(
                'id', consent.id, 'client_id', consent.client_id,
                'discloser_id', consent.discloser_id, 'recipient_id', consent.recipient_id
            ),
            'discloser', json_build_object(
                'id', discloser.id, 'user_id', discloser.user_id, 'left_at', discloser.left_at,
                'role', discloser.role,
                'account_active', disclosing.is_active
            ),
            'recipient', json_build_object(
                'id', recipient.id, 'user_id', recipient.user_id, 'left_at', recipient.left_at,
                'account_active', receiving.is_active
            ),
            'guardianship', CASE WHEN guardianship.id IS NOT NULL THEN json_build_object(
                'id', guardianship.id, 'user_id', guardianship.user_id,
                'verified_at', guardianship.verified_at, 'ended_at', guardianship.ended_at,
                'account_active', guarding.is_active
            ) END
        )), '[]')
        FROM clients_consent AS consent
        CROSS JOIN LATERAL (
            SELECT *
            FROM clients_consentevent
            WHERE consent_id = consent.id
            ORDER BY number DESC
            LIMIT 1
        ) AS event
        JOIN clients_professional AS discloser ON discloser.id = consent.discloser_id
        JOIN clients_user AS disclosing ON disclosing.id = discloser.user_id
        JOIN clients_professional AS recipient ON recipient.id = consent.recipient_id
        JOIN clients_user AS receiving ON receiving.id = recipient.user_id
        LEFT JOIN clients_guardianship AS guardianship ON guardianship.id = event.guardianship_id
        LEFT JOIN clients_user AS guarding ON guarding.id = guardianship.user_id
        WHERE consent.client_id = %(client)s
            AND event.kind = ANY (%(giving)s)
            AND (
                consent.discloser_id IN (SELECT id FROM sides)
                OR consent.recipient_id IN (SELECT id FROM sides)
            )
    )
"""
"""Always one row. `sides`: the person's own professional rows and those they treat the client
for; consents and referrals of others are none of theirs."""
