"""The client credentials grant (RFC 6749 section 4.4): an app acts for itself, for nobody else."""

from typing import Any

from oidc import client_authentication, parameters, resource_indicators, store, tokens
from oidc.errors import UnauthorizedClientError
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
        resource = resource_indicators.resource_of(request.form)
        scopes = resource_indicators.scopes_for_client(found.client, resource, parameters.scopes_of(request.form))
        issued = tokens.issue_to_client(found.client, resource=resource, scopes=scopes)
        store.insert_client_token(found.client, issued.stored)
        return issued.body
