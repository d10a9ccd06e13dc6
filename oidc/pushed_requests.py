"""Authorization requests pushed beforehand (RFC 9126): kept for a minute and a half, answered once."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from core.secrets import hash_token, new_token
from oidc import authorization_request
from oidc.errors import InvalidAuthorizationRequest
from oidc.models import PushedRequest

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = timedelta(seconds=90)


def push(client_id: int, parameters: Mapping[str, str]) -> str:
    """Keep a request that has been checked; its ``request_uri``.

    Only what means something is kept: anybody can push in the name of a public client, whatever they like.
    """
    request_uri, now = new_token(PREFIX), timezone.now()
    kept = {name: value for name, value in parameters.items() if name in authorization_request.PARAMETERS}
    PushedRequest.objects.filter(expires_at__lte=now).delete()
    PushedRequest.objects.create(
        key_hash=hash_token(request_uri), client_id=client_id, parameters=kept, expires_at=now + LIFETIME
    )
    return request_uri


def find(request_uri: str, client_id: str) -> tuple[str, Mapping[str, str]]:
    """Its key, and what was pushed by this very client; raise ``InvalidAuthorizationRequest``.

    What else stands in the address counts for nothing (RFC 9126 section 4, attacks.md A17).
    """
    found = PushedRequest.objects.filter(
        key_hash=hash_token(request_uri), client__client_id=client_id, expires_at__gt=timezone.now()
    ).first()
    if found is None:
        raise InvalidAuthorizationRequest(
            causes=[("request_uri", "unknown, expired, already used, or pushed by another client")]
        )
    return found.key_hash, found.parameters


def take(key: str) -> None:
    """Use it up, when the person has decided: until then the same page may be opened again."""
    if not PushedRequest.objects.filter(pk=key).delete()[0]:
        raise InvalidAuthorizationRequest(causes=[("request_uri", "already used")])
