"""The refresh token grant (RFC 6749 section 6), with rotation (RFC 9700 section 4.14.2).

A rotated token may come back for a minute: its client has lost the answer. It gets the same successor again with
another access token, so there is never a second branch. Later, or once the successor was used, it is a theft.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from oidc import former_tokens, parameters, store, tokens
from oidc.claims import SCOPES
from oidc.errors import InvalidGrantError, InvalidScopeError
from oidc.grants.base import PersonGrant, TokenRequest, required
from oidc.store import GrantRow, Presented
from oidc.tokens import Issued

logger = logging.getLogger("pocketid.oidc")

GRACE = timedelta(seconds=60)


class RefreshTokenGrant(PersonGrant):
    grant_type = "refresh_token"

    def look_up(self, request: TokenRequest) -> Presented | None:
        presented = request.form.get("refresh_token", "")
        return store.find_refresh_token(
            request.credentials.client_id,
            former_tokens.stored_as(presented),
            successor=tokens.successor_of(presented),
        )

    def check(self, request: TokenRequest, found: Presented) -> GrantRow:
        required(request.form, "refresh_token")
        grant, refresh = found.grant, found.refresh
        if grant is None or refresh is None:
            raise InvalidGrantError(description="The refresh token is unknown.")
        if grant.client != found.client.id:
            raise InvalidGrantError(description="The refresh token was issued to another client.")
        if grant.revoked:
            raise InvalidGrantError(description="The refresh token was revoked.")
        now = timezone.now()
        if refresh.rotated_at is not None and (refresh.successor_rotated or now - refresh.rotated_at > GRACE):
            if store.revoke(grant.id):
                logger.warning("refresh token used again after it was rotated: tokens of grant %s revoked", grant.id)
            raise InvalidGrantError(
                description="The refresh token was already used; it and all tokens from the same sign-in have been revoked."
            )
        if refresh.expires <= now:
            raise InvalidGrantError(description="The refresh token has expired.")
        if (end := tokens.longest_end(found.client, grant)) is not None and end <= now:
            raise InvalidGrantError(description="The person has to sign in again: the sign-in was too long ago.")
        if not tokens.gets_refresh_token(found.client, grant.scope):
            raise InvalidGrantError(description="This client may no longer use refresh tokens.")
        self._scope(request, grant)
        return grant

    def _scope(self, request: TokenRequest, grant: GrantRow) -> str:
        """What this access token is for: all that was granted, or less if the client asks for less; the next refresh
        gives everything again. Scopes nobody knows mean nothing, as in the authorization request."""
        granted = grant.scope.split()
        asked = [scope for scope in parameters.scopes_of(request.form) if scope in SCOPES or grant.resource]
        if not set(asked) <= set(granted):
            raise InvalidScopeError(description="The refresh token does not cover all of the requested scopes.")
        return " ".join(scope for scope in granted if scope in asked) or grant.scope

    def issue(self, request: TokenRequest, found: Presented, grant: GrantRow) -> Issued:
        assert found.person is not None  # noqa: S101 - checked by the base
        return tokens.issue(
            found.client,
            grant,
            found.person,
            refresh_token=tokens.successor_of(request.form["refresh_token"]),
            scope=self._scope(request, grant),
        )

    def keep(self, request: TokenRequest, found: Presented, grant: GrantRow, issued: Issued) -> None:
        assert found.refresh is not None  # noqa: S101 - checked above
        try:
            if found.refresh.rotated_at is None:
                store.rotate(found.refresh, grant, issued.stored)
                return
        except store.LostRace:
            logger.info("refresh token of grant %s used twice at once: the same successor is given to both", grant.id)
        try:
            store.issue_again(grant, issued.stored)
        except store.LostRace:
            raise InvalidGrantError(description="The refresh token was already used.") from None
