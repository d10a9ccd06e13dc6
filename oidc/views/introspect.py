"""The introspection endpoint (RFC 7662): what is this token good for, told to whom it concerns."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.http import json_response
from oidc import api_access, client_authentication, parameters, store
from oidc.client_authentication import Credentials
from oidc.errors import InvalidClientError, InvalidRequestError
from oidc.store import StoredToken
from oidc.tokens import unverified_claims
from oidc.views.backend import backend_endpoint

INACTIVE = {"active": False}


@backend_endpoint(cors=True)
def introspect(request: HttpRequest) -> HttpResponse:
    form = parameters.form_of(request)
    token = form.get("token", "")
    if not token:
        raise InvalidRequestError(description="token is missing.")
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, bearer = authorization.partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    if bearer and ("client_id" not in form or store.live_access_token(bearer) is not None):
        client_id, stored = _asked_with_token(bearer, token)
    else:
        credentials = _credentials(form, authorization, bearer)
        found = store.find_token(credentials.client_id, token)
        presented = client_authentication.check(credentials, found[0] if found else None)
        if presented.client.is_public:
            # Whoever finds a public client's id could ask about any token that was stolen from it.
            raise InvalidClientError(description="A public client cannot introspect with its client_id alone.")
        client_id, stored = presented.client.client_id, found[1] if found else None
        if stored is not None and stored.client != presented.client.id:
            if stored.is_refresh or not api_access.introspected_by(presented.client.id, stored.audience):
                stored = None  # of another client: as good as unknown (RFC 7662 section 4)
            else:
                client_id = unverified_claims(token)["client_id"]
    return json_response(_describe(stored, token, client_id))


def _credentials(form: Mapping[str, str], authorization: str, bearer: str) -> Credentials:
    """Also a client assertion where an access token could stand (contract section 3.5)."""
    if bearer and "client_assertion" not in form and "client_secret" not in form:
        return client_authentication.with_assertion(bearer, form["client_id"])
    return client_authentication.read(form, authorization)


def _asked_with_token(bearer: str, token: str) -> tuple[str, StoredToken | None]:
    """A client may authorize itself with another access token of its own (RFC 7662 section 2.1)."""
    live = store.live_access_token(bearer) if bearer != token else None
    if live is None:
        raise InvalidClientError(description="The access token in the Authorization header is not valid here.")
    found = store.find_token(live.client_id, token)
    stored = found[1] if found is not None and found[1] is not None and found[1].client == found[0].client.id else None
    return live.client_id, stored


def _describe(stored: StoredToken | None, token: str, client_id: str) -> dict[str, Any]:
    if stored is None or not stored.alive or stored.expires <= timezone.now():
        return INACTIVE
    subject = str(stored.user_id) if stored.user_id else f"client-{client_id}"
    body: dict[str, Any] = {
        "active": True,
        "client_id": client_id,
        "sub": subject,
        "username": subject,
        "iss": settings.APP_URL,
        "aud": stored.audience or [client_id],
        "iat": int(stored.created.timestamp()),
        "nbf": int(stored.created.timestamp()),
        "exp": int(stored.expires.timestamp()),
    }
    if stored.scope:
        body["scope"] = stored.scope
    if not stored.is_refresh:
        body |= {"token_type": "Bearer", "jti": unverified_claims(token)["jti"]}
    return body
