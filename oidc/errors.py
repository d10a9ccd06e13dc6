"""Refusals of the provider.

Protocol errors are oauthlib's classes, which know their code and status; they are mapped to HTTP here and in
``views/authorize.py`` alone. Before the redirect URI can be trusted a person gets a page instead (``AppError``).
"""

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from oauthlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)
from oauthlib.oauth2.rfc8628.errors import AuthorizationPendingError, ExpiredTokenError, SlowDownError
from oauthlib.openid.connect.core.exceptions import (
    ConsentRequired,
    LoginRequired,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestURINotSupported,
)

from core.errors import AppError, EndpointNotFound, NotFound
from core.http import json_response

__all__ = (
    "AccessDeniedError",
    "AppDeniesAccess",
    "AuthorizationPendingError",
    "ConsentRequired",
    "DeviceCodeExpired",
    "DeviceCodeInvalid",
    "ExpiredTokenError",
    "InteractionExpired",
    "InvalidAuthorizationRequest",
    "InvalidClientError",
    "InvalidGrantError",
    "InvalidRequestError",
    "InvalidScopeError",
    "InvalidTargetError",
    "LoginRequired",
    "OAuth2Error",
    "RedirectUriNotRegistered",
    "RegistrationNotSupported",
    "RequestNotSupported",
    "RequestURINotSupported",
    "SlowDownError",
    "UnauthorizedClientError",
    "UnexpectedStep",
    "UnknownClient",
    "UnmetAuthenticationRequirements",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
    "UnusableLogout",
    "WrongAddress",
    "oauth_error_response",
)


def oauth_error_response(error: OAuth2Error, *, used_basic: bool = False) -> HttpResponse:
    """RFC 6749 section 5.2: JSON with ``error`` and always a description, because apps show it to people.

    Whoever authenticated in the Authorization header is challenged, as it demands, and nobody else: openid-client and
    oauth4webapi read no further than a challenge. So it says what is wrong, too.
    """
    status = 401 if error.error == "invalid_client" else int(error.status_code or 400)
    text = describe(error)
    response = json_response({"error": error.error, "error_description": text}, status=status)
    if error.error == "invalid_client" and used_basic:
        response["WWW-Authenticate"] = (
            f'Basic realm="token", charset="UTF-8", error="invalid_client", error_description="{text}"'
        )
    return response


def describe(error: OAuth2Error) -> str:
    """The description in the characters of RFC 6749 section 5.2 (%x20-21 / %x23-5B / %x5D-7E)."""
    text = str(error.description or error.error)
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "'" if c in '"“”‘’' else "?" for c in text)


class InvalidTargetError(OAuth2Error):  # type: ignore[misc] # oauthlib has no types
    """RFC 8707 section 2: the API is unknown, or this client may not use it, or not so."""

    error = "invalid_target"
    status_code = 400


class UnmetAuthenticationRequirements(OAuth2Error):  # type: ignore[misc] # as above
    """OpenID Connect Core Unmet Authentication Requirements 1.0: no sign-in here is of the class that was demanded."""

    error = "unmet_authentication_requirements"


class InvalidAuthorizationRequest(AppError):
    """The request is malformed in a way that leaves nobody to send an answer to."""

    code = "invalid_request"
    status = 400
    message = _("The app sent a request that cannot be read")
    remedy = _("Nothing about you was shared. Tell the person who runs the app.")
    side = _("the app")


class UnknownClient(AppError):
    code = "invalid_client"
    status = 400
    message = _("This server does not know the app that sent you")
    side = _("the app's settings")
    remedy = _(
        "The client ID in the app's settings is not one of this server. The person who runs it can compare the two."
    )


class UnusableLogout(AppError):
    """An app asked wrongly to sign somebody out, and nobody is signed in here who could be asked instead."""

    code = "invalid_request"
    status = 400
    side = _("the app's settings")
    remedy = _("You are not signed in here.")


class RedirectUriNotRegistered(AppError):
    code = "invalid_request"
    status = 400
    message = _("The app sent you with a wrong callback address")
    side = _("this server's settings, or the app's")
    remedy = _(
        "It asked to bring you back to an address that is not registered for it, so nothing about you was shared. The person who runs this server can mend it."
    )


class AppDeniesAccess(AppError):
    code = "oidc_access_denied"
    status = 403
    message = _("You're not allowed to access this service")
    remedy = _(
        "Only some groups may use this app, and you are in none of them. The person who runs this server can let you in."
    )


class InteractionExpired(AppError):
    code = "not_found"
    status = 404
    message = _("This sign-in has expired or was already used")
    remedy = _("Go back to the app and sign in again.")

    def as_json(self, request_id: str) -> dict[str, object]:
        """As the contract has it: a resource like any other."""
        return NotFound("OIDC interaction").as_json(request_id) | {"error": "OIDC interaction not found or expired"}


class DeviceCodeInvalid(AppError):
    code = "oidc_invalid_device_code"
    status = 400
    message = _("Device code is invalid")


class DeviceCodeExpired(AppError):
    code = "oidc_device_code_expired"
    status = 400
    message = _("Device code has expired")


class UnexpectedStep(AppError):
    code = "validation_failed"
    status = 400

    def __init__(self, expected: str, given: object) -> None:
        super().__init__(
            f"Expected interaction step {expected} but got {given if isinstance(given, str) else ''}"[:200]
        )


class WrongAddress(EndpointNotFound):
    """An app's settings hold ``path``, which leads nowhere, where they should hold ``right``, its ``role`` in plain words."""

    message = _("The app sent you to an address that does not exist here")
    side = _("the app's settings")
    remedy = _("Nothing about you was shared. The person who runs the app can correct the address in its settings.")

    def __init__(self, path: str, role: str, right: str) -> None:
        super().__init__(causes=[(_("The app asked for"), path), (_("Right for it"), f"{role}: {right}")])
        self.description = f"There is nothing at {path}. The {role} is {right}: correct it in the app's settings."

    def as_json(self, request_id: str) -> dict[str, object]:
        """With the member that client libraries show to people (RFC 6749 section 5.2)."""
        return super().as_json(request_id) | {"error_description": self.description}
