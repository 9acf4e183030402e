"""Settings, all from the environment; what is missing or weak stops the start and is named.

Nothing set means production. `DEMO=1` (under `make run`) and `DEBUG=1` are for one machine:
they allow plain http, a generated key and the embedded servers.
"""

import ipaddress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from handoff import env as environment
from handoff import logs

BASE_DIR = Path(__file__).resolve().parent.parent
environment.read_file(BASE_DIR / ".env")
env = environment.Env()

DEBUG = env.flag("DEBUG")
DEMO = env.flag("DEMO")
PRODUCTION = not (DEBUG or DEMO)
# Who asks: web (threads, impatient), worker (forks), command (migrations take their time), test.
PROCESS = env.text("HANDOFF_PROCESS", "command")
if PROCESS not in ("web", "worker", "command", "test"):
    raise ImproperlyConfigured("HANDOFF_PROCESS must be web, worker, command or test")

# --- address and keys --------------------------------------------------------------------------

SITE_URL = env.text(
    "SITE_URL",
    None if PRODUCTION else f"http://localhost:{env.number('PORT', 8000, least=1, most=65535)}",
).rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in ("http", "https") or not _site.hostname or _site.path or _site.query:
    raise ImproperlyConfigured("SITE_URL must look like https://name, without a path")
if PRODUCTION and _site.scheme != "https":
    raise ImproperlyConfigured("SITE_URL must begin with https:// in production")


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback


if not PRODUCTION and not _is_local(_site.hostname):
    # Known passwords, one of them a superuser's, or tracebacks: never on a public name.
    raise ImproperlyConfigured(
        f"{'DEMO' if DEMO else 'DEBUG'} is for localhost or a private address, not for SITE_URL's"
    )


def _strong(name: str, key: str) -> str:
    weak = len(key) < 50 or len(set(key)) < 12 or "insecure" in key or "change" in key.lower()
    if weak:
        raise ImproperlyConfigured(f"{name} is too weak: at least 50 random characters")
    return key


SECRET_KEY = _strong("SECRET_KEY", env.secret("SECRET_KEY"))
SECRET_KEY_FALLBACKS = [
    _strong("SECRET_KEY_FALLBACKS", key) for key in env.listing("SECRET_KEY_FALLBACKS", [])
]
# Keys the hashes of the ledgers. Not the database's to know, and never rotated with SECRET_KEY:
# old entries verify under the key they were written with.
LEDGER_KEY = _strong(
    "LEDGER_KEY", env.secret("LEDGER_KEY", None if PRODUCTION else f"ledger-of-{SECRET_KEY}")
)
if LEDGER_KEY == SECRET_KEY:
    raise ImproperlyConfigured("LEDGER_KEY must not be the SECRET_KEY")
# Encrypts secrets at rest (`handoff/core/ciphers.py`). Without one of its own it follows
# SECRET_KEY, and changes with it.
FIELD_KEY = _strong("FIELD_KEY", env.secret("FIELD_KEY", SECRET_KEY))
FIELD_KEY_FALLBACKS = [
    _strong("FIELD_KEY_FALLBACKS", key) for key in env.listing("FIELD_KEY_FALLBACKS", [])
] + [key for key in (SECRET_KEY, *SECRET_KEY_FALLBACKS) if key != FIELD_KEY]

# What the database must not be the only one to know: its ledgers' heads, and what was withdrawn. On
# another disk than the database's, and no part of its backups.
_witness = None if PRODUCTION else str(BASE_DIR / "var" / "witness")
ANCHOR_FILE = env.text("ANCHOR_FILE", _witness and f"{_witness}/anchors")
REVOCATION_JOURNAL = env.text("REVOCATION_JOURNAL", _witness and f"{_witness}/journal")
if ANCHOR_FILE == REVOCATION_JOURNAL:
    raise ImproperlyConfigured("ANCHOR_FILE and REVOCATION_JOURNAL must be two files")
# Seals what is handed in as a file. Rotated by putting the old one into the fallbacks.
FILES_KEY = _strong(
    "FILES_KEY", env.secret("FILES_KEY", None if PRODUCTION else f"files-of-{SECRET_KEY}")
)
FILES_KEY_FALLBACKS = [
    _strong("FILES_KEY_FALLBACKS", key) for key in env.listing("FILES_KEY_FALLBACKS", [])
]
if FILES_KEY in (SECRET_KEY, LEDGER_KEY):
    raise ImproperlyConfigured("FILES_KEY must not be the SECRET_KEY or the LEDGER_KEY")

_local_hosts = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", [_site.hostname])
if not PRODUCTION:
    ALLOWED_HOSTS = [*dict.fromkeys([*ALLOWED_HOSTS, *_local_hosts])]
if PRODUCTION and any(host.startswith(("*", ".")) for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name hosts, without a wildcard")
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, least=0, most=5)

# --- the house ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "handoff",
    "handoff.core",
    "clients",
    "referrals",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
]
MIDDLEWARE = [
    "handoff.web.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "handoff.web.middleware.PrivateAnswerMiddleware",
    "handoff.bodies.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "handoff.standstill.HoldMiddleware",
    "clients.middleware.ActorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "clients.middleware.SignInMiddleware",
]
ROOT_URLCONF = "handoff.urls"
WSGI_APPLICATION = "handoff.wsgi.application"
ASGI_APPLICATION = "handoff.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "handoff.web.context.navigation",
            ],
            "libraries": {"ui": "handoff.web.templatetags.ui"},
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["handoff.formats"]  # "12 Jan 2027" everywhere

# --- PostgreSQL --------------------------------------------------------------------------------


def _database() -> dict[str, Any]:
    database = environment.database(env.secret("DATABASE_URL"))
    options = database["OPTIONS"]
    options.setdefault("application_name", f"handoff-{PROCESS}")
    options["connect_timeout"] = 3
    # Web: a page that needs longer is broken, and must not pile up. Worker: below its lease.
    timeout = {"web": 5_000, "worker": 30_000}.get(PROCESS)
    if timeout is not None:
        given = options.get("options", "")
        options["options"] = (
            f"{given} -c statement_timeout={timeout}"
            f" -c idle_in_transaction_session_timeout={timeout * 2}"
        ).strip()
    if PROCESS == "web":
        # Only the web process pools: it has threads. A pool must not cross a fork (Celery's
        # prefork, xdist), and commands use one connection anyway.
        size = env.number("DATABASE_POOL_SIZE", 8, least=1, most=100)
        options["pool"] = {"min_size": 1, "max_size": size, "timeout": 5}
    else:
        database["CONN_MAX_AGE"] = 60
        database["CONN_HEALTH_CHECKS"] = True
    # Verbs open their own transactions, and never hold one while talking to anybody else.
    database["ATOMIC_REQUESTS"] = False
    return database


DATABASES = {"default": _database()}
# The cache holds counters only (allauth's rate limits), never content or permissions. It lies in
# PostgreSQL (handoff/migrations/0001_initial.py), so that a Redis outage cannot break the login.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "handoff_cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},  # the default of 300 would forget counters
    }
}

# --- Redis and Celery: a doorbell, never the only place something stands ------------------------

CELERY_BROKER_URL = environment.broker(env.secret("REDIS_URL"))
REDIS_URL = environment.redis_client(CELERY_BROKER_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 0.5,
    "visibility_timeout": 300,  # longer than CELERY_TASK_TIME_LIMIT, or tasks run twice
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Mail timeout 10 s < soft limit 30 s < hard limit 45 s < a reminder's lease.
CELERY_TASK_SOFT_TIME_LIMIT = 30
CELERY_TASK_TIME_LIMIT = 45
CELERY_TASK_ACKS_LATE = True  # a lost message is a lost doorbell: the next tick finds the row
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"referrals.tasks.deliver*": {"queue": "mail"}}
# Interval ticks keep no state, so beat needs no schedule file, and a second beat does no harm.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "referrals.tasks.tick", "schedule": 15.0, "options": {"expires": 15}},
    "tidy": {"task": "referrals.tasks.tidy", "schedule": 600.0, "options": {"expires": 600}},
    "heartbeat": {"task": "handoff.heartbeat", "schedule": 30.0, "options": {"expires": 30}},
    "tidy_core": {"task": "handoff.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
}

# --- people and their sessions -----------------------------------------------------------------

AUTH_USER_MODEL = "clients.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 60 * 60
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/home/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "clients.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "clients.forms.SignupForm",
    "change_password": "clients.forms.ChangePasswordForm",
    "reset_password": "clients.forms.ResetPasswordForm",
    "reset_password_from_key": "clients.forms.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme
ACCOUNT_SESSION_REMEMBER = False
# Of professionals and administrators, in each session and token (`clients/assurance.py`).
SECOND_FACTOR_DEMANDED = not DEMO
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip,5/5m/key"}  # the others keep allauth's figures
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_ADAPTER = "clients.adapters.MfaAdapter"
MFA_FORMS = {
    "authenticate": "clients.proofs.CodeForm",
    "reauthenticate": "clients.proofs.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Handoff"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
USERSESSIONS_TRACK_ACTIVITY = True

SESSION_ENGINE = "django.contrib.sessions.backends.db"  # so that ending a session works at once
# Longer than the longest of `clients/session_limits.py`, which end sessions and say so.
SESSION_COOKIE_AGE = 31 * 24 * 60 * 60
SESSION_COOKIE_NAME = "__Host-session" if PRODUCTION else "handoff_session"
BROWSER_COOKIE_NAME = "__Host-browser" if PRODUCTION else "handoff_browser"
CSRF_COOKIE_NAME = "__Host-csrf" if PRODUCTION else "handoff_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- the edge ----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# What a form may hold; a body as a whole is bounded in `handoff.bodies`. An uploaded file stays in
# memory until it is sealed: nothing of it lies on a disk in between.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 11_000_000

# --- static files ------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / "var" / "static")) if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
# Look files up when asked for; scanning them all for each test client would take longer.
WHITENOISE_AUTOREFRESH = DEBUG or PROCESS == "test"

# --- mail --------------------------------------------------------------------------------------

EMAIL_URL = env.secret("EMAIL_URL", None if PRODUCTION else f"file://{BASE_DIR}/var/mail")
_mail = environment.email(EMAIL_URL)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_FILE_PATH: str | None = _mail.get("EMAIL_FILE_PATH")
EMAIL_HOST = _mail.get("EMAIL_HOST", "")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text(
    "MAIL_FROM", None if PRODUCTION else "Handoff <no-reply@handoff.example>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- API ---------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["handoff.api.parsers.JsonBodyParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "handoff.api.auth.BearerTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["handoff.api.permissions.DeclaredPolicy"],
    "DEFAULT_SCHEMA_CLASS": "handoff.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "handoff.api.problems.answer_to",
    "NUM_PROXIES": TRUSTED_PROXIES,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Handoff",
    "DESCRIPTION": "From physical therapy to training and back, with the client's consent.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Scope": "clients.scopes.Scope",
        "PracticeKind": "clients.models.Practice.Kind",
        "ProfessionalRole": "clients.models.Professional.Role",
        "AdviceLevel": "referrals.api.triage.LEVELS",
        "TriageYesOrNo": "referrals.api.triage.YES_OR_NO",
        "TriageInjury": "referrals.api.triage.INJURIES",
        "TriageGoal": "referrals.api.triage.GOALS",
        "TriageEffort": "referrals.api.triage.EFFORTS",
        "DirectoryRole": "clients.api.directory.ROLES",
        "ActorRole": "clients.api.people.ROLES",
        "CredentialKind": "clients.models.Credential.Kind",
        "InvitationKind": "clients.models.Invitation.Kind",
        "Relationship": "clients.models.Guardianship.Relationship",
        "ConsentSide": "referrals.api.consents.SIDES",
        "ConsentState": "referrals.api.consents.STATES",
        "ConsentEventKind": "clients.models.ConsentEvent.Kind",
        "ConsentAuthority": "clients.models.ConsentEvent.Authority",
        "EpisodeStatus": "referrals.models.Episode.Status",
        "NoteStatus": "referrals.api.notes.STATUSES",
        "FeedbackKind": "referrals.api.record.FEEDBACK",
        "RedSign": "referrals.models.RedSign",
        "LetterKind": "referrals.models.Letter.Kind",
        "LetterAddedAs": "referrals.api.letters.ADDED_AS",
        "FileMediaType": "referrals.api.letters.MEDIA_TYPES",
        "Moment": "referrals.models.Measurement.Moment",
        "ReferralKind": "referrals.states.Kind",
        "ReferralState": "referrals.states.State",
        "SharingState": "referrals.api.referral_answers.SHARING_STATES",
        "RestrictionKind": "referrals.vocabulary.RestrictionKind",
        "RestrictionStatus": "referrals.api.restriction_answers.STATUSES",
        "RestrictionAuthority": "referrals.vocabulary.Authority",
        "CriterionKind": "referrals.vocabulary.CriterionKind",
        "BodyRegion": "referrals.vocabulary.BodyRegion",
        "RecurrenceKind": "referrals.vocabulary.RecurrenceKind",
        "Laterality": "referrals.vocabulary.Laterality",
        "Comparator": "referrals.vocabulary.Comparator",
        "Unit": "referrals.vocabulary.Unit",
        "ClearanceLevel": "referrals.vocabulary.ClearanceLevel",
        "ErasureFate": "referrals.api.rights.FATES",
        "Party": "referrals.api.referral_answers.PARTIES",
        "ReferralVerb": "referrals.api.referral_answers.VERBS",
    },
}

# --- logs: ids and verbs -----------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    raise ImproperlyConfigured("LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
LOGGING_CONFIG = None
logs.configure(level=LOG_LEVEL, readable=DEBUG)
