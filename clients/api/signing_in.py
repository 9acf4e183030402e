"""The password and second-factor check behind `tokens/`: allauth's own, with allauth's limits."""

from typing import Final

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from rest_framework import exceptions

from clients import proofs
from clients.models import User

_TOO_MANY: Final = "too_many_login_attempts"
_WRONG: Final = "E-mail address, password or code is wrong."


class SecondFactorNeeded(exceptions.AuthenticationFailed):
    default_code = "second-factor"


def check(request: HttpRequest, *, email: str, password: str, code: str = "") -> tuple[User, bool]:
    """The account that signs in with these, and whether it showed a second factor.

    Raises AuthenticationFailed, the same for an unknown address as for a wrong password, or
    Throttled after too many tries.

    No session is begun. Attempts count against the same limits as those of the login page.
    """
    credentials = {"email": email.strip().lower(), "password": password}
    try:
        user = get_adapter().authenticate(request, **credentials)
    except ValidationError as error:
        raise _refusal(error) from None
    if not isinstance(user, User) or not user.is_active:
        raise exceptions.AuthenticationFailed(_WRONG)
    if not EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists():
        raise exceptions.AuthenticationFailed("Confirm your e-mail address first.")
    return user, _showed_second_factor(user, code)


def check_again(request: HttpRequest, *, user: User, password: str, code: str = "") -> bool:
    """The same person again: their password, and their code where they have a second factor.

    Says whether a second factor was shown. Raises as `check`.
    """
    try:
        right = get_adapter().reauthenticate(user, password)
    except ValidationError as error:
        raise _refusal(error) from None
    if not right:
        raise exceptions.AuthenticationFailed(_WRONG)
    return _showed_second_factor(user, code)


def _showed_second_factor(user: User, code: str) -> bool:
    """False where the account has none. Raises where it has one and the code does not fit."""
    if not proofs.has_factor(user):
        return False
    if not code:
        raise SecondFactorNeeded("Send the code of your authenticator app, or a recovery code.")
    form = proofs.CodeForm(data={"code": code}, user=user)
    if not form.is_valid():
        raise _refusal(form.errors.as_data()["code"][0])
    # Not form.save(): that would sign the browser's session in.
    form.authenticator.record_usage()
    return True


def _refusal(error: ValidationError) -> exceptions.APIException:
    if error.code == _TOO_MANY:
        return exceptions.Throttled()
    return exceptions.AuthenticationFailed(_WRONG)
