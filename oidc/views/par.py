"""The pushed authorization request endpoint (RFC 9126 section 2)."""

from django.http import HttpRequest, HttpResponse

from core.http import endpoint, json_response
from oidc import authorization_request, client_authentication, parameters, pushed_requests, store
from oidc.errors import InvalidRequestError, OAuth2Error, RedirectUriNotRegistered, oauth_error_response


@endpoint("POST")
def par(request: HttpRequest) -> HttpResponse:
    try:
        request_uri = _push(request)
    except OAuth2Error as refused:
        return oauth_error_response(refused)
    body = {"request_uri": request_uri, "expires_in": int(pushed_requests.LIFETIME.total_seconds())}
    response = json_response(body, status=201)
    response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
    return response


def _push(request: HttpRequest) -> str:
    """Everything is checked now, so that the app hears of it and not the person."""
    form = parameters.form_of(request)
    credentials = client_authentication.read(form, request.META.get("HTTP_AUTHORIZATION", ""))
    found = client_authentication.check(credentials, store.find_client(credentials.client_id))
    if "request_uri" in form:
        raise InvalidRequestError(description="request_uri cannot be pushed.")
    try:
        answer = authorization_request.reply_to(form, found.client)
    except RedirectUriNotRegistered:
        raise InvalidRequestError(description="redirect_uri is missing or not registered for this client.") from None
    authorization_request.check(form, found.client, answer)
    return pushed_requests.push(found.client.id, {**form, "client_id": found.client.client_id})
