"""The probe, with two things changed without which many of its questions could not be asked, or not be compared.

Clients are made as those that are brought along from Pocket ID are, with a refresh token for every sign-in: a new one of ours
gets none without ``offline_access`` (OIDC Core section 11). And a callback address that is refused with a page at once counts
like one that is refused by way of an error page.
"""

import os
import sys

sys.path.insert(0, os.environ["CONTRACT_PROBE"])

import cases_accounts  # noqa: F401 - they register themselves, in this order
import cases_admin  # noqa: F401
import cases_oidc  # noqa: F401
import probe
from cases import CASES
from world import World

_send = World.send


def send(world, who, request, **options):
    if request == "POST /api/oidc/clients" and isinstance(options.get("json"), dict):
        options["json"] = {"refreshTokens": "always"} | options["json"]
    return _send(world, who, request, **options)


World.send = send

_matches = CASES["oidc.redirect_uri.matches"]
CASES["oidc.redirect_uri.matches"] = lambda world: {pair: found or "no" for pair, found in _matches(world).items()}

if __name__ == "__main__":
    sys.exit(probe.main())
