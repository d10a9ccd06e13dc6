"""The server's own settings, with two constant views to compare everything else with."""

from pocketid.settings import *  # noqa: F403 - these are the settings that are measured
from pocketid.settings import MIDDLEWARE as _MIDDLEWARE

ROOT_URLCONF = "benchmarks.urls"
PROTOCOL_URLCONF = "benchmarks.protocol_urls"
MIDDLEWARE = ["benchmarks.urls.BareMiddleware", *_MIDDLEWARE]
