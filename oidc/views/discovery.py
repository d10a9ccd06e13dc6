"""Both metadata documents (OIDC Discovery section 3, RFC 8414 section 2) and the keys (RFC 7517 section 5)."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.http import endpoint, json_response
from oidc import client_assertions, signing_keys
from oidc.authorization_request import PROMPTS, RESPONSE_MODES
from oidc.claims import SCOPES
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
    response = HttpResponse(_document(tuple(signing_keys.algorithms())), content_type="application/json; charset=utf-8")
    response["Cache-Control"] = CACHED
    return response


@endpoint("GET", cors=True)
def jwks(request: HttpRequest) -> HttpResponse:
    response = json_response({"keys": signing_keys.published()})
    response["Cache-Control"] = CACHED
    return response


_documents: dict[tuple[str, ...], bytes] = {}


def _document(algorithms: tuple[str, ...]) -> bytes:
    """Made once for each set of algorithms; nothing else in it changes while the process runs."""
    if algorithms not in _documents:
        _documents[algorithms] = json.dumps(_metadata(list(algorithms))).encode()
    return _documents[algorithms]


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
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
