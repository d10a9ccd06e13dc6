"""The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""

import logging

from django.utils import timezone

from core.secrets import equal
from oidc import pkce, store, tokens
from oidc.errors import InvalidGrantError
from oidc.grants.base import PersonGrant, TokenRequest, required
from oidc.store import GrantRow, Presented
from oidc.tokens import Issued

logger = logging.getLogger("pocketid.oidc")


class AuthorizationCodeGrant(PersonGrant):
    grant_type = "authorization_code"

    def look_up(self, request: TokenRequest) -> Presented | None:
        return store.find_code(request.credentials.client_id, request.form.get("code", ""))

    def check(self, request: TokenRequest, found: Presented) -> GrantRow:
        required(request.form, "code")
        grant = found.grant
        if grant is None:
            raise InvalidGrantError(description="The authorization code is unknown.")
        if grant.client != found.client.id:
            # A client that holds another's code has stolen it: it is burnt for both (attacks.md B1).
            store.revoke(grant.id)
            raise InvalidGrantError(description="The authorization code was issued to another client.")
        if grant.used:
            self._replayed(grant)
        if grant.revoked or grant.expires <= timezone.now():
            raise InvalidGrantError(description="The authorization code has expired.")
        self._check_redirect_uri(request, grant)
        pkce.check_verifier(request.form.get("code_verifier", ""), grant.code_challenge)
        return grant

    def _replayed(self, grant: GrantRow) -> None:
        """RFC 6749 section 4.1.2: what the first use gave is revoked, since nobody knows which of the two was the app."""
        if store.revoke(grant.id):
            logger.warning("authorization code used twice: tokens of grant %s revoked", grant.id)
        raise InvalidGrantError(description="The authorization code was already used.")

    def _check_redirect_uri(self, request: TokenRequest, grant: GrantRow) -> None:
        given = request.form.get("redirect_uri")
        if given is None and not grant.redirect_uri_given:
            return
        if given is None:
            raise InvalidGrantError(
                description="redirect_uri is missing; it must be the one of the authorization request."
            )
        if not equal(given, grant.redirect_uri):
            raise InvalidGrantError(description="redirect_uri is not the one of the authorization request.")

    def issue(self, request: TokenRequest, found: Presented, grant: GrantRow) -> Issued:
        assert found.person is not None  # noqa: S101 - checked by the base
        refresh_token = tokens.new_refresh_token() if tokens.gets_refresh_token(found.client, grant.scope) else None
        return tokens.issue(found.client, grant, found.person, refresh_token=refresh_token, nonce=grant.nonce)

    def keep(self, request: TokenRequest, found: Presented, grant: GrantRow, issued: Issued) -> None:
        try:
            store.redeem_code(grant, issued.stored)
        except store.LostRace:
            raise InvalidGrantError(description="The authorization code was already used.") from None
