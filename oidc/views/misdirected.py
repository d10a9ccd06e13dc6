"""Apps whose settings hold a wrong address of ours: what they meant, and where that is.

Whoever typed the address sees the app's words for a 404, and the app shows ours if they are where it looks.
"""

import re

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from oidc import store
from oidc.errors import OAuth2Error, WrongAddress
from oidc.parameters import form_of

_METADATA = re.compile(r"/(openid-configuration|oauth-authorization-server)/?\Z")
_KEYS = re.compile(r"/(jwks|certs|keys)(\.json)?/?\Z", re.IGNORECASE)


def recognised(request: HttpRequest) -> WrongAddress | None:
    """The refusal for a request that was meant for one of the provider's endpoints; ``None`` for any other."""
    public, internal = settings.APP_URL, settings.INTERNAL_APP_URL
    if request.method == "POST" and _is_token_request(request):
        return WrongAddress(request.path, "token endpoint", f"{internal}/api/oidc/token")
    if _has_access_token(request):
        return WrongAddress(request.path, "userinfo endpoint", f"{internal}/api/oidc/userinfo")
    if {"client_id", "response_type"} <= request.GET.keys():
        return WrongAddress(request.path, "authorization endpoint", f"{public}/authorize")
    if _METADATA.search(request.path):
        return WrongAddress(request.path, "issuer", public)
    if _KEYS.search(request.path):
        return WrongAddress(request.path, "key set (JWKS)", f"{internal}/.well-known/jwks.json")
    return None


def _is_token_request(request: HttpRequest) -> bool:
    try:
        return "grant_type" in form_of(request)
    except (OAuth2Error, SuspiciousOperation):
        return False


def _has_access_token(request: HttpRequest) -> bool:
    """Whether it brings an access token that is good at the userinfo endpoint: then it is an app and no script."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower() == "bearer" and store.live_access_token(token.strip()) is not None
