"""Which apps people have signed in to, and may: these operations in the words of OpenAPI."""

from drf_spectacular.utils import extend_schema_field

from accounts.api.openapi import WHEN
from accounts.errors import UserNotFound
from core.openapi import EXAMPLES, Operation, Page, describe
from oidc.api import authorized_clients
from oidc.api.openapi import META

CONSENTS = "Consents"
EXAMPLES |= {
    authorized_clients.AuthorizedClientSerializer: {
        "scope": '["openid","profile"]',
        "client": META,
        "lastUsedAt": WHEN,
    },
    authorized_clients.AccessibleClientSerializer: META | {"lastUsedAt": None},
}
extend_schema_field({"type": "string", "format": "date-time"})(
    authorized_clients.AuthorizedClientSerializer.get_lastUsedAt
)
_HAS_LAUNCH_URL = ("hasLaunchURL",)
_AUTHORIZED = Page(
    authorized_clients.AuthorizedClientSerializer, authorized_clients.AUTHORIZED, filters=_HAS_LAUNCH_URL
)
describe(
    CONSENTS,
    authorized_clients.MyAuthorizedClients,
    get=Operation("listOwnConsents", "List the apps one has signed in to", {200: _AUTHORIZED}),
)
describe(
    CONSENTS,
    authorized_clients.AuthorizedClientsOfUser,
    get=Operation(
        "listConsentsOfUser", "List the apps a person has signed in to", {200: _AUTHORIZED}, errors=(UserNotFound,)
    ),
)
describe(
    CONSENTS,
    authorized_clients.MyAuthorizedClient,
    delete=Operation(
        "withdrawConsent",
        "Withdraw one's consent",
        {204: None},
        "The app's tokens end with it.",
        missing=("Client authorization",),
    ),
)
describe(
    CONSENTS,
    authorized_clients.MyClients,
    get=Operation(
        "listOwnClients",
        "List the apps one may use",
        {
            200: Page(
                authorized_clients.AccessibleClientSerializer,
                authorized_clients.MyClients.rules,
                filters=_HAS_LAUNCH_URL,
            )
        },
    ),
)
