"""Every address that has nothing to do with one client: for whom it opens.

No word of Ana's record may stand in any of these answers, whoever asks, administrators included.
They do not depend on consent, so they are asked in one state of it.
"""

from tests.matrix.oracle.answers import (
    ABSENT,
    ELSEWHERE,
    LOGIN,
    MAY,
    NOTHING_OF_HERS,
    PROFESSIONALS,
    SECOND_FACTOR,
    THERAPY,
    Answer,
    Cell,
    Expected,
    Route,
    Rule,
    always,
    api,
    own,
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


def own_account(cell: Cell) -> Expected:
    """Everything of one's own account: for a therapist also the number at which clients reach them,
    which is what she shares as contact."""
    words = {NAME} if cell.person.is_ana else {"contact"} if cell.who is Who.AUTHOR else set()
    return Expected(Answer.SHOWN, frozenset(words))


OPEN: tuple[Route, ...] = (
    *(
        get(address, EVERYBODY)
        for address in ("/healthz", "/readyz", "/", "/design/", "/triage/", "/invitations/open/")
    ),
    Route("POST", "/triage/", EVERYBODY),
    get(f"{V1}schema/", EVERYBODY),
    get(f"{V1}docs/", EVERYBODY),
    get("/directory/", EVERYBODY),
    get("/directory/<uuid:pk>/", EVERYBODY, "listing"),
    get("/invitations/<str:token>/", always(ELSEWHERE)),
    get(V1, NOBODY),
    get(V1 + r"^[\s\S]+$", NOBODY),
)


def author_alone(expected: Expected) -> Rule:
    return lambda cell: expected if cell.who is Who.AUTHOR else ABSENT


SIGNED_IN: tuple[Route, ...] = (
    get("/profile/", own(EVERYBODY)),
    get(f"{V1}me/", own(own_name), shape="ME"),
    Route("POST", f"{V1}me/export/", api(own_account), "", "EXPORT"),
    Route("POST", "/my-data/account.json", page(own_account)),
    get(f"{V1}professionals/", api(EVERYBODY), shape="PROFESSIONALS"),
    get(f"{V1}professionals/<uuid:id>/", api(EVERYBODY), "listing", "PROFESSIONAL"),
    get(
        f"{V1}professionals/<uuid:id>/listing/",
        api(author_alone(NOTHING_OF_HERS), *PROFESSIONALS),
        "listing",
        "LISTING",
    ),
    Route(
        "PATCH",
        f"{V1}professionals/<uuid:id>/listing/",
        api(author_alone(MAY), *PROFESSIONALS),
        "listing",
    ),
    get("/profile/directory/<uuid:pk>/", page(author_alone(NOTHING_OF_HERS)), "listing"),
    Route("POST", "/profile/directory/<uuid:pk>/", page(author_alone(MAY)), "listing"),
    get(f"{V1}measures/", api(EVERYBODY), shape="MEASURES"),
    get(f"{V1}restriction-templates/", api(EVERYBODY, *THERAPY), shape="TEMPLATES"),
    get(f"{V1}tokens/", own(EVERYBODY), shape="TOKENS"),
    get(f"{V1}tokens/<uuid:id>/", own(EVERYBODY), "own token", "TOKEN"),
    get(f"{V1}tokens/<uuid:id>/", own(NOBODY), "somebody's token"),
    Route("DELETE", f"{V1}tokens/<uuid:id>/", own(NOBODY), "somebody's token"),
    Route("POST", f"{V1}tokens/<uuid:id>/revoke/", own(NOBODY), "somebody's token"),
    Route("POST", "/accounts/tokens/<uuid:pk>/end/", own(NOBODY), "somebody's token"),
    Route("POST", "/accounts/sessions/<int:pk>/end/", own(NOBODY), "somebody's session"),
    # --- one's own licences and their scans
    get("/profile/papers/new/", page(EVERYBODY, *PROFESSIONALS)),
    Route("POST", "/profile/papers/new/", page(always(MAY), *PROFESSIONALS)),
    get("/profile/papers/<uuid:pk>/", page(author_alone(NOTHING_OF_HERS)), "paper"),
    Route("POST", "/profile/papers/<uuid:pk>/", page(author_alone(MAY)), "paper"),
    get("/profile/scans/<uuid:pk>/", page(author_alone(NOTHING_OF_HERS)), "scan"),
    Route("POST", "/profile/scans/<uuid:pk>/remove/", page(author_alone(MAY)), "scan"),
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
    if cell.person.lacks_factor:
        return SECOND_FACTOR
    return INSIDE if Trade.ADMIN in cell.person.trades else SHUT


def with_permissions(cell: Cell) -> Expected:
    """Its tables: for an administrator to whom they were given."""
    if cell.person.lacks_factor:
        return SECOND_FACTOR
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
    get("/admin/clients/credential/<uuid:pk>/scan/<uuid:scan_id>/", with_permissions, "paper"),
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

KINDS = (*(Who.ANONYMOUS, Who.CLIENT, Who.AUTHOR, Who.NO_FACTOR, Who.CLINIC_ADMIN, Who.STAFF),)
"""One of each kind that a library's pages tell apart."""

WITHOUT_HER: tuple[tuple[str, str], ...] = (
    ("POST", f"{V1}tokens/"),
    ("POST", f"{V1}me/confirm/"),
    ("POST", "/accounts/sessions/"),
    ("PATCH", f"{V1}me/"),
    ("POST", "/profile/"),
    ("POST", "/invitations/open/"),
)
"""Changes of one's own account, and signing in: nobody else's thing is named in them."""
