"""Every address that has nothing to do with one client: for whom it opens.

No word of Ana's record may stand in any of these answers, whoever asks, administrators included.
They do not depend on consent, so they are asked in one state of it.
"""

from tests.matrix.oracle.answers import (
    ABSENT,
    ELSEWHERE,
    LOGIN,
    NOTHING_OF_HERS,
    Answer,
    Cell,
    Expected,
    Route,
    Rule,
    always,
    api,
    page,
)
from tests.matrix.oracle.people import Trade, Who
from tests.matrix.oracle.words import NAME

V1 = "/api/v1/"
SHUT = Expected(Answer.SHUT)
INSIDE = Expected(Answer.INSIDE)


def get(address: str, rule: Rule, takes: str = "", shape: str = "") -> Route:
    return Route("GET", address, rule, takes, shape)


EVERYBODY = always(NOTHING_OF_HERS)
NOBODY = always(ABSENT)


def own_name(cell: Cell) -> Expected:
    return Expected(Answer.SHOWN, frozenset({NAME}) if cell.person.is_ana else frozenset())


OPEN: tuple[Route, ...] = (
    *(
        get(address, EVERYBODY)
        for address in ("/healthz", "/readyz", "/", "/design/", "/invitations/open/")
    ),
    get(f"{V1}schema/", EVERYBODY),
    get(f"{V1}docs/", EVERYBODY),
    get("/invitations/<str:token>/", always(ELSEWHERE)),
    get(V1, NOBODY),
    get(V1 + r"^[\s\S]+$", NOBODY),
)
SIGNED_IN: tuple[Route, ...] = (
    get("/profile/", page(EVERYBODY)),
    get(f"{V1}me/", api(own_name), shape="ME"),
    get(f"{V1}professionals/", api(EVERYBODY), shape="PROFESSIONALS"),
    get(f"{V1}measures/", api(EVERYBODY), shape="MEASURES"),
    get(f"{V1}tokens/", api(EVERYBODY), shape="TOKENS"),
    get(f"{V1}tokens/<uuid:id>/", api(EVERYBODY), "own token", "TOKEN"),
    get(f"{V1}tokens/<uuid:id>/", api(NOBODY), "somebody's token"),
    Route("DELETE", f"{V1}tokens/<uuid:id>/", api(NOBODY), "somebody's token"),
    Route("POST", f"{V1}tokens/<uuid:id>/revoke/", api(NOBODY), "somebody's token"),
)


# --- accounts: a library's, each guards itself --------------------------------------------------

LOGGED_IN_ONLY = tuple(
    f"/accounts/{address}"
    for address in (
        *("reauthenticate/", "email/", "password/change/", "password/set/", "sessions/"),
        *("2fa/", "2fa/reauthenticate/", "2fa/totp/activate/", "2fa/totp/deactivate/"),
        *("2fa/recovery-codes/", "2fa/recovery-codes/generate/", "2fa/recovery-codes/download/"),
        *("2fa/webauthn/", "2fa/webauthn/add/", "2fa/webauthn/reauthenticate/"),
        *("2fa/webauthn/keys/<int:pk>/remove/", "2fa/webauthn/keys/<int:pk>/edit/"),
    )
)
FOR_VISITORS = tuple(
    f"/accounts/{address}"
    for address in (
        *("login/", "logout/", "inactive/", "signup/", "confirm-email/", "login/code/confirm/"),
        *("password/reset/", "password/reset/done/", "password/reset/key/done/"),
        *("2fa/authenticate/", "2fa/webauthn/login/"),
        r"^confirm-email/(?P<key>[-:\w]+)/$",
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
    )
)


def needs_account(cell: Cell) -> Expected:
    return LOGIN if cell.who is Who.ANONYMOUS else INSIDE


ACCOUNTS: tuple[Route, ...] = (
    *(get(address, needs_account) for address in LOGGED_IN_ONLY),
    *(get(address, always(INSIDE)) for address in FOR_VISITORS),
)


# --- the administration -------------------------------------------------------------------------


def administrators(cell: Cell) -> Expected:
    """For administrators. What one may do inside is told by permissions; content, never."""
    return INSIDE if Trade.ADMIN in cell.person.trades else SHUT


def with_permissions(cell: Cell) -> Expected:
    """Its tables: for an administrator to whom they were given."""
    return INSIDE if cell.who is Who.STAFF else SHUT


TABLES = (
    *("account/emailaddress", "mfa/authenticator", "usersessions/usersession"),
    *("clients/user", "clients/practice", "clients/professional", "clients/credential"),
    *("clients/client", "clients/guardianship", "clients/invitation", "core/auditentry"),
    *("referrals/referral", "referrals/reminder", "referrals/reminderrule"),
    *("referrals/measure", "referrals/holiday"),
)
ADMIN: tuple[Route, ...] = (
    *(
        get(f"/admin/{address}", administrators)
        for address in ("", "password_change/", "password_change/done/")
    ),
    *(get(f"/admin/{address}", always(INSIDE)) for address in ("login/", "logout/", "jsi18n/")),
    *(
        get(f"/admin/{address}", with_permissions)
        for address in (
            "autocomplete/",
            "r/<path:content_type_id>/<path:object_id>/",
            "^(?P<app_label>account|mfa|usersessions|clients|core|referrals)/$",
            "(?P<url>.*)$",
        )
    ),
    *(
        get(f"/admin/{table}/{address}", administrators if leads else with_permissions, table)
        for table in TABLES
        # Two of them lead any administrator back to the index when there is no such object.
        for address, leads in (
            *(("", False), ("add/", False), ("<path:object_id>/history/", True)),
            *(("<path:object_id>/delete/", False), ("<path:object_id>/change/", False)),
            ("<path:object_id>/", True),
        )
    ),
)
ALL: tuple[Route, ...] = (*OPEN, *SIGNED_IN, *ACCOUNTS, *ADMIN)

WITHOUT_HER: tuple[tuple[str, str], ...] = (
    ("POST", f"{V1}tokens/"),
    ("PATCH", f"{V1}me/"),
    ("POST", "/profile/"),
    ("POST", "/invitations/open/"),
)
"""Changes of one's own account, and signing in: nobody else's thing is named in them."""
