"""Django's settings, made from the environment. Nothing else reads variables; apps read these names."""

import os
import sys
from pathlib import Path
from typing import Any

from csp.constants import NONCE
from django.utils.translation import gettext_lazy as _

from pocketid import env, keyfile

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    ENVIRONMENT = env.from_process()
    FIXED_SETTINGS = env.fixed_settings_of_process(ENVIRONMENT)
    ENCRYPTION_KEY = keyfile.encryption_key(ENVIRONMENT)
except (env.InvalidEnvironment, keyfile.UnusableKeyFile) as wrong:
    sys.exit(f"pocketid cannot start: {wrong}")

# Names that apps read. The issuer and every absolute address come from APP_URL, never from the Host header.
APP_URL = ENVIRONMENT.app_url
INTERNAL_APP_URL = ENVIRONMENT.internal_app_url or APP_URL
TRUST_PROXY = ENVIRONMENT.trust_proxy
TRUSTED_PLATFORM = ENVIRONMENT.trusted_platform
SETUP_TOKEN = ENVIRONMENT.setup_token
AUDIT_LOG_RETENTION_DAYS = ENVIRONMENT.audit_log_retention_days
ALLOW_INSECURE_CALLBACK_URLS = ENVIRONMENT.allow_insecure_callback_urls
ALLOW_CALLBACK_WILDCARDS = ENVIRONMENT.allow_callback_wildcards
OUTBOUND_ALLOWED_HOSTS_BACKCHANNEL_LOGOUT = ENVIRONMENT.outbound_allowed_hosts_backchannel_logout
OUTBOUND_ALLOWED_HOSTS_FEDERATED_JWKS = ENVIRONMENT.outbound_allowed_hosts_federated_jwks
OUTBOUND_ALLOWED_HOSTS_CLIENT_LOGO = ENVIRONMENT.outbound_allowed_hosts_client_logo

DEBUG = ENVIRONMENT.app_env == "development"
IS_HTTPS = APP_URL.startswith("https://")
# The address in the Host header is used for nothing: a health check or a wrong proxy shall not be refused for it.
ALLOWED_HOSTS = ["*"]

# The order is the order of imports: an app imports from those above it, never from those below (tests/test_architecture.py).
LAYERS = ["core", "siteconfig", "audit", "accounts", "apikeys", "oidc", "moving"]
INSTALLED_APPS = [
    # Before ours: they put models into the console that ours take out again.
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "oauth2_provider",
    *LAYERS,
    "pocketid.apps.ConsoleConfig",
    "rest_framework",
    "csp",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "core.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.PageCspMiddleware",
    "core.middleware.CrossSiteMiddleware",
    "accounts.middleware.SessionMiddleware",
    "core.middleware.PageLocaleMiddleware",
    "core.middleware.PageCsrfMiddleware",
    "accounts.middleware.AuthenticationMiddleware",
    "core.middleware.PageMessageMiddleware",
]

ROOT_URLCONF = "pocketid.urls"
PROTOCOL_URLCONF = "pocketid.protocol_urls"
WSGI_APPLICATION = "pocketid.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "siteconfig.context_processors.site",
            ]
        },
    }
]

# Database


def _database() -> dict[str, Any]:
    chosen = ENVIRONMENT.database
    if chosen.engine == "postgresql":
        return {
            "ENGINE": "pocketid.postgresql",
            "NAME": chosen.name,
            "USER": chosen.user,
            "PASSWORD": chosen.password,
            "HOST": chosen.host,
            "PORT": chosen.port,
            # Planning the statements of the hot path takes longer than running them: prepared, they are planned once.
            "OPTIONS": {
                "server_side_binding": True,
                "prepare_threshold": 2 if chosen.prepares else None,
                **chosen.options,
            },
            # Kept open: a new connection costs more than four userinfo answers.
            "CONN_MAX_AGE": None,
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": chosen.path,
        "OPTIONS": {
            # A writer that begins as a reader cannot wait for its turn: with Django's default up to half of
            # concurrent token calls fail with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;"
            f"PRAGMA synchronous={ENVIRONMENT.sqlite_synchronous};"
            "PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=27103364",
        },
        "CONN_MAX_AGE": None,
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False  # With IMMEDIATE it would take the write lock for every GET.

# People and sessions

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS: list[str] = []  # Passkeys only: nobody signs in by name and password.
PASSWORD_HASHERS = ["oidc.client_secrets.Sha256SecretHasher"]  # Client secrets; there are no passwords.
LOGIN_URL = "/login"
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_NAME = "__Host-access_token" if IS_HTTPS else "access_token"
SESSION_COOKIE_SECURE = True
CEREMONY_COOKIE_NAME = "__Secure-webauthn_session" if IS_HTTPS else "webauthn_session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "pocketid_csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [APP_URL]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# The provider. DOT gives the tables; its views, its settings and its endpoints are not used.

OAUTH2_PROVIDER_APPLICATION_MODEL = "oidc.Client"
OAUTH2_PROVIDER_GRANT_MODEL = "oidc.Grant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oidc.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oidc.RefreshToken"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oidc.IDToken"
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oidc.DeviceGrant"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.SessionAuthentication",
        "apikeys.authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["core.rest.IsSignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["core.rest_json.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.rest_json.JsonWhateverIsAccepted",
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "core.rest.exception_handler",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "core.openapi.OperationSchema",  # by name: imported when somebody asks for /api/schema
}

# What browsers are told

SECRET_KEY = keyfile.django_secret(ENCRYPTION_KEY)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "unsafe-none"  # Anything else cuts apps off that sign in with a popup (EspoCRM).
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "style-src": ["'self'", NONCE],
        "script-src": ["'self'", NONCE],
    }
}

# Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LANGUAGE_COOKIE_NAME = "pocketid_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Static files: hashed and compressed once collected, straight from their folders before that.

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "pocketid.static_files.SwaggerUiFinder",
]
COLLECTED = BASE_DIR / "staticfiles"
IS_COLLECTED = "collectstatic" in sys.argv or (not DEBUG and (COLLECTED / "staticfiles.json").exists())
STATIC_ROOT = COLLECTED if IS_COLLECTED else None
WHITENOISE_USE_FINDERS = not IS_COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "pocketid.static_files.Storage"
        if IS_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# Logs go to standard error. oauthlib and DOT print codes and tokens below INFO (library-notes.md T31).

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "core.logs.JsonFormatter" if ENVIRONMENT.log_json else "core.logs.LineFormatter"}},
    "filters": {"strangers": {"()": "core.logs.StrangersNoise"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["strangers"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "pocketid": {"level": {"warn": "WARNING"}.get(ENVIRONMENT.log_level, ENVIRONMENT.log_level.upper())},
        "django.request": {"level": "ERROR"},
        "oauthlib": {"level": "WARNING"},
        "oauth2_provider": {"level": "WARNING"},
    },
}

SILENCED_SYSTEM_CHECKS = [
    # DOT's advice about its own endpoints and token storage, none of which are used (docs/decisions/0001).
    *(f"oauth2_provider.W{number:03}" for number in range(1, 11)),
    "security.W002",  # frames: CONTENT_SECURITY_POLICY says frame-ancestors 'none'
    "security.W005",  # HSTS is for this host; what other hosts of the domain do is not for this program to say
    "security.W021",  # and so is the preload list
    "security.W003",  # CSRF: core.middleware.PageCsrfMiddleware
    "security.W008",  # TLS ends in the reverse proxy, which redirects
    "security.W012",  # SESSION_COOKIE_SECURE is set; the check looks for Django's own middleware
    "auth.W004",  # usernames are unique, whatever their case, by a constraint the check does not see
]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pocketid.settings")
