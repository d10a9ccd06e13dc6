"""Both metadata documents (OIDC Discovery section 3, RFC 8414 section 2) and the keys (RFC 7517 section 5)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import to_locale

from core.http import endpoint
from oidc import client_assertions, signing_keys
from oidc.authorization_request import PROMPTS, RESPONSE_MODES
from oidc.claims import CUSTOM_STANDARD_CLAIMS, SCOPES
from oidc.grants import GRANTS

CLAIMS = (
    "sub",
    "given_name",
    "family_name",
    "name",
    "display_name",
    "email",
    "email_verified",
    "preferred_username",
    "picture",
    "locale",
    "updated_at",
    *CUSTOM_STANDARD_CLAIMS,
    "groups",
    "auth_time",
    "amr",
    "acr",
    "sid",
)
AUTHENTICATION_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
CACHED = "public, max-age=300"


@endpoint("GET", cors=True)
def metadata(request: HttpRequest) -> HttpResponse:
    return _answer(request, _document(tuple(signing_keys.algorithms())))


@endpoint("GET", cors=True)
def jwks(request: HttpRequest) -> HttpResponse:
    keys = signing_keys.published()
    return _answer(request, _key_set(tuple(key["kid"] for key in keys), keys))


@dataclass(frozen=True)
class _Made:
    """A document as it is sent, and its entity tag (RFC 9110 section 8.8.3)."""

    body: bytes
    etag: str


_documents: dict[tuple[str, ...], _Made] = {}


def _document(algorithms: tuple[str, ...]) -> _Made:
    """Made once for each set of algorithms; nothing else in it changes while the process runs."""
    if algorithms not in _documents:
        _documents[algorithms] = _make(_metadata(list(algorithms)))
    return _documents[algorithms]


_key_sets: dict[tuple[str, ...], _Made] = {}


def _key_set(kids: tuple[str, ...], keys: list[dict[str, Any]]) -> _Made:
    """Made once for each set of keys: a key's id is the hash of what is in it (RFC 7638)."""
    if kids not in _key_sets:
        _key_sets.clear()  # the keys before a rotation do not come back
        _key_sets[kids] = _make({"keys": keys})
    return _key_sets[kids]


def _make(document: dict[str, Any]) -> _Made:
    body = json.dumps(document).encode()
    return _Made(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _answer(request: HttpRequest, made: _Made) -> HttpResponse:
    """The document, or 304 for whoever has it already."""
    response = HttpResponse(made.body, content_type="application/json; charset=utf-8")
    response["Cache-Control"], response["ETag"] = CACHED, made.etag
    if "HTTP_IF_NONE_MATCH" in request.META:
        return cast("HttpResponse", get_conditional_response(request, etag=made.etag, response=response))
    return response


def _metadata(algorithms: list[str]) -> dict[str, Any]:
    public, internal = settings.APP_URL, settings.INTERNAL_APP_URL
    return {
        "issuer": public,
        "authorization_endpoint": f"{public}/authorize",
        "token_endpoint": f"{internal}/api/oidc/token",
        "userinfo_endpoint": f"{internal}/api/oidc/userinfo",
        "device_authorization_endpoint": f"{public}/api/oidc/device/authorize",
        "pushed_authorization_request_endpoint": f"{internal}/api/oidc/par",
        "require_pushed_authorization_requests": False,
        "introspection_endpoint": f"{internal}/api/oidc/introspect",
        "introspection_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "Bearer",
        ],
        "introspection_endpoint_auth_signing_alg_values_supported": list(client_assertions.ALGORITHMS),
        "revocation_endpoint": f"{internal}/api/oidc/revoke",
        "revocation_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(client_assertions.ALGORITHMS),
        "end_session_endpoint": f"{public}/api/oidc/end-session",
        "jwks_uri": f"{internal}/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "claims_supported": list(CLAIMS),
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": list(AUTHENTICATION_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(client_assertions.ALGORITHMS),
        "acr_values_supported": ["phr"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": [to_locale(code).replace("_", "-") for code, _name in settings.LANGUAGES],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
