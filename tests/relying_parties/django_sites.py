"""What the two Django sites have in common: a site in one file, with its database beside it.

By environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT and DATABASE, a file that does not exist yet.
"""

import os
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command


def configure(**own: Any) -> None:
    """Django with sessions and people, and the settings ``own``."""
    values: dict[str, Any] = {
        "DEBUG": True,
        "SECRET_KEY": os.urandom(16).hex(),
        "ALLOWED_HOSTS": ["localhost"],
        "ROOT_URLCONF": "__main__",
        # Cookies do not know ports: another name than that of the next site on localhost.
        "SESSION_COOKIE_NAME": "django_site",
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        "LOGIN_REDIRECT_URL": "/",
        "LOGOUT_REDIRECT_URL": "/",
        "LOGGING": {
            "version": 1,
            "handlers": {"console": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["console"], "level": "INFO"},
        },
    }
    for name in ("INSTALLED_APPS", "MIDDLEWARE"):
        own[name] = values[name] + own.get(name, [])
    settings.configure(**values | own)
    django.setup()


def serve() -> None:
    call_command("migrate", verbosity=0)
    call_command("runserver", f"127.0.0.1:{os.environ['PORT']}", use_reloader=False)
