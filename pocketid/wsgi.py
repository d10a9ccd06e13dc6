"""The WSGI application, for servers that want a module's name and import it in each of their processes."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pocketid.settings")

django.setup(set_prefix=False)

from pocketid import server  # noqa: E402 - Django has to be set up before
from pocketid.handler import Handler  # noqa: E402

application = Handler()

server.begin()
