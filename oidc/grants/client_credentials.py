"""The client credentials grant (RFC 6749 section 4.4): an app acts for itself, for nobody else."""

from typing import Any

from oidc import client_authentication, store, tokens
from oidc.claims import SCOPES
from oidc.errors import InvalidScopeError, UnauthorizedClientError
from oidc.grants.base import TokenGrant, TokenRequest


class ClientCredentialsGrant(TokenGrant):
    grant_type = "client_credentials"

    def answer(self, request: TokenRequest) -> dict[str, Any]:
        """One read, one signature, one write. There is no person, so scopes about one give nothing."""
        found = client_authentication.check(request.credentials, store.find_client(request.credentials.client_id))
        if found.client.is_public:
            raise UnauthorizedClientError(
                description="A public client cannot prove who it is, so it cannot act for itself."
            )
        if unknown := [scope for scope in request.form.get("scope", "").split() if scope not in SCOPES]:
            raise InvalidScopeError(description=f"This client was not granted the scope {unknown[0][:100]}.")
        issued = tokens.issue_to_client(found.client)
        store.insert_client_token(found.client, issued.stored)
        return issued.body
