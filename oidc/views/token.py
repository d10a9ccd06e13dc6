"""The token endpoint (RFC 6749 section 3.2)."""

from django.http import HttpRequest, HttpResponse

from core.http import endpoint, json_response
from oidc import client_authentication, parameters
from oidc.errors import InvalidRequestError, OAuth2Error, UnsupportedGrantTypeError, oauth_error_response
from oidc.grants import GRANTS, TokenRequest


@endpoint("POST", cors=True)
def token(request: HttpRequest) -> HttpResponse:
    try:
        body = _answer(request)
    except OAuth2Error as refused:
        return oauth_error_response(refused)
    response = json_response(body)
    response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
    return response


def _answer(request: HttpRequest) -> dict[str, object]:
    form = parameters.form_of(request)
    grant_type = form.get("grant_type", "")
    if not grant_type:
        raise InvalidRequestError(description="grant_type is missing.")
    if grant_type not in GRANTS:
        raise UnsupportedGrantTypeError(description="This grant_type is not supported here.")
    credentials = client_authentication.read(form, request.META.get("HTTP_AUTHORIZATION", ""))
    return GRANTS[grant_type].answer(TokenRequest(form, credentials))
