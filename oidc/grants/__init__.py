"""The grants of the token endpoint, one file each."""

from oidc.grants.authorization_code import AuthorizationCodeGrant
from oidc.grants.base import TokenGrant, TokenRequest
from oidc.grants.client_credentials import ClientCredentialsGrant
from oidc.grants.device_code import DeviceCodeGrant
from oidc.grants.refresh_token import RefreshTokenGrant

GRANTS: dict[str, TokenGrant] = {
    grant.grant_type: grant
    for grant in (AuthorizationCodeGrant(), RefreshTokenGrant(), ClientCredentialsGrant(), DeviceCodeGrant())
}

__all__ = ("GRANTS", "TokenGrant", "TokenRequest")
