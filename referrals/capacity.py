"""Pure: as what somebody looked into a record, and as whose professional row.

Goes into the access ledger, where the client reads a name, a trade and a place.
"""

from uuid import UUID

from clients.scopes import Scope
from handoff.core.actors import Actor, Role
from referrals.permits import Permit, Standpoint


def capacity(actor: Actor, allowed: Permit, row: UUID | None = None) -> tuple[str, UUID | None]:
    """Role and professional id for an entry about `actor`, who reads by `allowed`.

    `row` is the professional the thing itself names, such as the recipient of a referral. Without
    any ground it is the actor's trade, if they have one: who holds a licence and tries is named
    by it, and being a client or an administrator as well does not hide it.
    """
    if allowed.everything:
        return allowed.standpoint.value, None
    trades = {pk: role for role, pk in actor.professionals}
    if row not in trades:
        row = _row_behind(actor, allowed)
    if allowed.standpoint is Standpoint.RECIPIENT and row is not None:
        return trades[row].value, row  # a therapist receives too, from a trainer
    if not allowed.is_empty:
        return allowed.standpoint.value, row
    if row is not None:
        return trades[row].value, row
    return min(actor.roles, default=Standpoint.NONE.value), None


def _row_behind(actor: Actor, allowed: Permit) -> UUID | None:
    """The professional row a permit rests on, of all the actor holds."""
    match allowed.standpoint:
        case Standpoint.TREATING:
            treating = allowed.sources.get(Scope.HISTORY, frozenset())
            own = (pk for pk in actor.professional_ids if pk in treating)
            return next(own, None) or actor.professional_id(Role.PTA)
        case Standpoint.RECIPIENT:
            return next((pk for pk in actor.professional_ids if pk in allowed.received_as), None)
        case _:
            order = (Role.PT, Role.PTA, Role.TRAINER)
    return next((pk for pk in map(actor.professional_id, order) if pk is not None), None)
