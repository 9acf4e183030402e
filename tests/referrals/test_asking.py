"""How often and for what a professional may ask."""

from typing import Any

import pytest

from clients.scopes import Scope
from handoff.core.errors import Invalid, NotAllowed
from referrals import asking
from referrals.asking import Asked


def asked(**changes: Any) -> Asked:
    usual: dict[str, Any] = {
        "wanted": {Scope.OUTCOMES},
        "shared": {Scope.CLEARANCE},
        "is_recipient": True,
        "question_is_open": False,
        "of_this_client": 0,
        "of_anybody": 0,
    }
    return Asked(**{**usual, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"is_recipient": False, "question_is_open": True},
        {"of_this_client": asking.MOST_OF_ONE_CLIENT - 1},
        {"of_anybody": asking.MOST_OF_ANYBODY - 1},
        {"wanted": set()},  # the ledger says which field lacks something
        {"wanted": {Scope.OUTCOMES, Scope.CLEARANCE}},
    ],
)
def test_may_ask(changes: dict[str, Any]) -> None:
    asking.require(asked(**changes))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"question_is_open": True}, NotAllowed),
        ({"of_this_client": asking.MOST_OF_ONE_CLIENT}, NotAllowed),
        ({"of_anybody": asking.MOST_OF_ANYBODY}, NotAllowed),
        ({"wanted": {Scope.CLEARANCE}}, Invalid),
    ],
)
def test_may_not_ask(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        asking.require(asked(**changes))
