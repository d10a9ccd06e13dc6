"""The WSGI application, for servers that want a module's name and import it in each of their processes."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pocketid.settings")

application = get_wsgi_application()

from core import jobs  # noqa: E402 - Django has to be set up before
from pocketid.jobs import JOBS  # noqa: E402

jobs.start(JOBS)
