"""Deny by default: a view without a declared policy is open to nobody."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from handoff.core.actors import ANONYMOUS, Actor
from handoff.core.policy import Policy

_NARROW = {
    Policy.PROFESSIONAL: "This is for professionals.",
    Policy.PT: "This is for physical therapists.",
    Policy.TRAINER: "This is for trainers.",
    Policy.CLIENT: "This is for clients and their guardians.",
    Policy.STAFF: "This is for administrators.",
}


class DeclaredPolicy(BasePermission):
    """Admits whom the view's `policy` admits, and then whom the method's own does."""

    message = ""

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = getattr(view, "actor", ANONYMOUS)
        if not isinstance(actor, Actor):
            return False
        for policy in policies_of(view, request.method or ""):
            if policy is None:
                return False
            if not policy.admits(actor):
                self.message = _NARROW.get(policy, "")
                return False
        return True


def policies_of(view: Any, method: str) -> tuple[Policy | None, ...]:
    """The policies that guard `method` of a view (or of its class); None where one is missing."""
    declared = getattr(view, "policy", None)
    found: list[Policy | None] = [declared if isinstance(declared, Policy) else None]
    operation = getattr(getattr(view, method.lower(), None), "operation", None)
    if operation is not None and operation.policy is not None:
        found.append(operation.policy)
    return tuple(found)
