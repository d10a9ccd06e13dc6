"""The token endpoint (RFC 6749 section 3.2)."""

from django.http import HttpRequest, HttpResponse

from core.http import json_response
from oidc import client_authentication, parameters
from oidc.errors import InvalidRequestError, UnsupportedGrantTypeError
from oidc.grants import GRANTS, TokenRequest
from oidc.views.backend import backend_endpoint


@backend_endpoint(cors=True)
def token(request: HttpRequest) -> HttpResponse:
    form = parameters.form_of(request)
    grant_type = form.get("grant_type", "")
    if not grant_type:
        raise InvalidRequestError(description="grant_type is missing.")
    if grant_type not in GRANTS:
        raise UnsupportedGrantTypeError(description="This grant_type is not supported here.")
    credentials = client_authentication.read(form, request.META.get("HTTP_AUTHORIZATION", ""))
    return json_response(GRANTS[grant_type].answer(TokenRequest(form, credentials)))
