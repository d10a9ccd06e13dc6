from oidc.models.api_resource import ApiAccess, ApiPermission, ApiResource
from oidc.models.authorization import Grant, PendingAuthorization
from oidc.models.client import Client
from oidc.models.client_logo import ClientLogo
from oidc.models.client_secret import ClientSecret
from oidc.models.consent import Consent
from oidc.models.device import DeviceGrant
from oidc.models.former_server import FormerServer
from oidc.models.logout_delivery import LogoutDelivery
from oidc.models.pushed_request import PushedRequest
from oidc.models.scim_provider import ScimProvider
from oidc.models.signing_key import SigningKey
from oidc.models.tokens import AccessToken, IDToken, RefreshToken
from oidc.models.used_assertion import UsedAssertion

__all__ = (
    "AccessToken",
    "ApiAccess",
    "ApiPermission",
    "ApiResource",
    "Client",
    "ClientLogo",
    "ClientSecret",
    "Consent",
    "DeviceGrant",
    "FormerServer",
    "Grant",
    "IDToken",
    "LogoutDelivery",
    "PendingAuthorization",
    "PushedRequest",
    "RefreshToken",
    "ScimProvider",
    "SigningKey",
    "UsedAssertion",
)
