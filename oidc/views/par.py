"""The pushed authorization request endpoint (RFC 9126 section 2)."""

from django.http import HttpRequest, HttpResponse

from core import ratelimit
from core.http import client_ip, json_response
from oidc import authorization_request, client_authentication, parameters, pushed_requests, store
from oidc.errors import InvalidRequestError, RedirectUriNotRegistered
from oidc.views.backend import backend_endpoint


@backend_endpoint()
def par(request: HttpRequest) -> HttpResponse:
    request_uri = _push(request)
    body = {"request_uri": request_uri, "expires_in": int(pushed_requests.LIFETIME.total_seconds())}
    return json_response(body, status=201)


def _push(request: HttpRequest) -> str:
    """Everything is checked now, so that the app hears of it and not the person."""
    form = parameters.form_of(request)
    credentials = client_authentication.read(form, request.META.get("HTTP_AUTHORIZATION", ""))
    found = client_authentication.check(credentials, store.find_client(credentials.client_id))
    if found.client.is_public:  # then anybody can push in its name
        ratelimit.waiting.check(client_ip(request))
    if "request_uri" in form:
        raise InvalidRequestError(description="request_uri cannot be pushed.")
    try:
        answer = authorization_request.reply_to(form, found.client)
    except RedirectUriNotRegistered:
        raise InvalidRequestError(description="redirect_uri is missing or not registered for this client.") from None
    authorization_request.check(form, found.client, answer)
    return pushed_requests.push(found.client.id, {**form, "client_id": found.client.client_id})
