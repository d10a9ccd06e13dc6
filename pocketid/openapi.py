"""The OpenAPI document of the REST API at ``/api/schema``, and a page to read and try it at ``/api/docs``.

What is imported here is imported when somebody asks: until then the document costs neither memory nor time.
"""

import hashlib
import json
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import override

from core.errors import EndpointNotFound
from core.http import endpoint

# Addresses under /api that are not in the document: specifications describe them, or they belong to this server's own
# pages. tests/api/test_openapi.py demands that every other one is.
NOT_DESCRIBED = {
    "/api/oidc/token": "RFC 6749",
    "/api/oidc/userinfo": "OpenID Connect Core 1.0 section 5.3",
    "/api/oidc/introspect": "RFC 7662",
    "/api/oidc/revoke": "RFC 7009",
    "/api/oidc/par": "RFC 9126",
    "/api/oidc/device/authorize": "RFC 8628",
    "/api/oidc/end-session": "OpenID Connect RP-Initiated Logout 1.0",
    "/api/oidc/device/info": "the page /device",
    "/api/oidc/device/verify": "the page /device",
    "/api/oidc/interactions/{interaction_id}": "the page /interaction",
    "/api/oidc/interactions/{interaction_id}/complete": "the page /interaction",
    "/api/webauthn/register/start": "WebAuthn Level 3",
    "/api/webauthn/register/finish": "WebAuthn Level 3",
    "/api/webauthn/login/start": "WebAuthn Level 3",
    "/api/webauthn/login/finish": "WebAuthn Level 3",
    "/api/webauthn/reauthenticate": "WebAuthn Level 3",
    "/api/webauthn/logout": "the pages of this server",
    "/api/schema": "this document",
    "/api/docs": "the page that shows it",
}
ABOUT = """The management API has Pocket ID's addresses, so that programs made for it work here unchanged.

A program sends its API key as `X-API-Key`. A person's session counts too: as its cookie, or as `Authorization: Bearer`.
Who may ask is checked for every call: a key may do what its owner may, or less if it has scopes.

Bodies are JSON. What a field does not know is ignored; `null` is the same as leaving a field out. Text is taken without
NUL and half surrogate pairs, and kept in Unicode's form NFC. Times are RFC 3339 in UTC.

A refusal is JSON with a sentence in `error`, a word in `code` and the facts in `details`. `request_id` is the id under which
the log tells of it. An address that does not exist, or not with this method, answers 404 with `error` alone."""


# Open to strangers by decision (docs/decisions/0006): both tell what the source tells, and nothing of this installation
# but its own address. API_DOCS_DISABLED closes them.


@endpoint("GET")
def document(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1, the same for everybody; ``format=yaml`` for those who read it themselves."""
    if settings.ENVIRONMENT.api_docs_disabled:
        raise EndpointNotFound
    text, kind = (_as_yaml(), "yaml") if request.GET.get("format") == "yaml" else (_as_json(), "json")
    etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(text, content_type=f"application/{kind}; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=300"
    assert isinstance(response, HttpResponse)  # noqa: S101 - the stub knows its base only
    return response


@endpoint("GET")
def page(request: HttpRequest) -> HttpResponse:
    """Swagger UI, from our own static files."""
    if settings.ENVIRONMENT.api_docs_disabled:
        raise Http404
    return render(request, "api_docs.html", {"title": _("API")})


@cache
def _as_json() -> bytes:
    return json.dumps(_built(), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _as_yaml() -> bytes:
    import yaml

    text: str = yaml.safe_dump(json.loads(_as_json()), allow_unicode=True, sort_keys=False, width=120)
    return text.encode()


# Which modules describe the resources; each puts its operations to its views when it is imported.
_DESCRIBED = (
    "accounts.api.openapi",
    "accounts.api.openapi_signing_in",
    "apikeys.api.openapi",
    "audit.api.openapi",
    "oidc.api.openapi",
    "oidc.api.openapi_apis",
    "oidc.api.openapi_consents",
    "oidc.api.openapi_logos",
    "siteconfig.api.openapi",
)


def _built() -> dict[str, Any]:
    from drf_spectacular.settings import spectacular_settings

    from core import openapi, openapi_refusals
    from siteconfig.api.version import POCKET_ID

    schemas = {
        "Error": openapi_refusals.ERROR,
        "FieldProblem": openapi_refusals.FIELD_PROBLEM,
        "Pagination": openapi.PAGINATION,
    }
    stand_ins: dict[str, Any] = {}
    for module in map(import_module, _DESCRIBED):
        schemas |= getattr(module, "SCHEMAS", {})
        stand_ins |= getattr(module, "STAND_INS", {})
    spectacular_settings.apply_patches(
        {
            "OAS_VERSION": "3.1.0",
            "TITLE": "Pocket ID management API",
            "DESCRIPTION": ABOUT,
            # That of the surface: strangers need not know which release this is.
            "VERSION": POCKET_ID,
            "SERVERS": [{"url": settings.APP_URL}],
            "SCHEMA_COERCE_PATH_PK_SUFFIX": False,
            "COMPONENT_SPLIT_REQUEST": False,
            "POSTPROCESSING_HOOKS": [],
            "SORT_OPERATIONS": False,
            "SORT_OPERATION_PARAMETERS": False,
            "DISABLE_ERRORS_AND_WARNINGS": False,
            "GET_MOCK_REQUEST": _asked,
            "APPEND_COMPONENTS": {"schemas": schemas, "securitySchemes": _security()},
        }
    )
    with override("en"):
        built: dict[str, Any] = _generator(stand_ins)().get_schema(public=True)
    openapi_refusals.share(built)
    return built


def _generator(stand_ins: dict[str, Any]) -> Any:  # noqa: ANN401 - a class that is only known here
    """A generator that also describes ``stand_ins``, by path: views that have no class of REST framework's."""
    from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

    class Endpoints(EndpointEnumerator):
        def get_api_endpoints(self, patterns: Any = None, prefix: str = "") -> list[Any]:  # noqa: ANN401 - DRF's own
            found: list[Any] = super().get_api_endpoints(patterns, prefix)
            if patterns is None and not prefix:
                for path, view in stand_ins.items():
                    found += [
                        (path, path, method, view.as_view())
                        for method in ("GET", "POST")
                        if hasattr(view, method.lower())
                    ]
            return found

    class Generator(SchemaGenerator):
        endpoint_inspector_cls = Endpoints

    return Generator


def _asked(method: str, path: str, view: object, original: HttpRequest | None) -> HttpRequest:
    """As much of a request as views look at to say who may ask."""
    request = HttpRequest()
    request.method, request.path = method, path
    return request


def _security() -> dict[str, Any]:
    return {
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "Made in the account page or the console.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A person's session in their browser.",
        },
        "bearerSession": {"type": "http", "scheme": "bearer", "description": "The same session as a bearer token."},
    }
