"""The WSGI application, for servers that want a module's name."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pocketid.settings")

application = get_wsgi_application()
