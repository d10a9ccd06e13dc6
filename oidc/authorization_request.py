"""An authorization request, checked and frozen (OIDC Core section 3.1.2.1)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from django.conf import settings
from django.utils.translation import gettext as _

from oidc import pkce, redirect_uris, resource_indicators
from oidc.claims_request import ClaimsRequest
from oidc.errors import (
    InvalidRequestError,
    RedirectUriNotRegistered,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestURINotSupported,
    UnsupportedResponseTypeError,
)
from oidc.models import Client
from oidc.parameters import scopes_of
from oidc.store import AuthorizingClient, ClientRow

RESPONSE_MODES = ("query", "fragment", "form_post")
PROMPTS = ("none", "login", "consent", "select_account")
LONGEST = 16_384  # characters of a whole request; the longest of real apps carry an ID token and a state of 4 kB each
# Everything that a request can say here; whatever else it holds means nothing (OIDC Core section 3.1.2.1).
PARAMETERS = frozenset(
    (
        "acr_values",
        "claims",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    )
)


@dataclass(frozen=True)
class ReplyTo:
    """Where the answer goes, known good; everything after this point can be told to the app."""

    redirect_uri: str
    redirect_uri_given: bool
    response_mode: str
    state: str | None


@dataclass(frozen=True)
class AuthorizationRequest:
    """What an app asks for. ``scopes`` are those of this server, in the order asked for, each once."""

    reply_to: ReplyTo
    scopes: tuple[str, ...]
    nonce: str
    prompts: frozenset[str]
    max_age: int | None
    code_challenge: str
    login_hint: str
    id_token_hint: str
    claims: ClaimsRequest
    resource: str = ""  # the API that the access token is for (RFC 8707)
    ui_locales: str = ""  # language tags in the order in which the app wants its person to be spoken to

    @property
    def scope(self) -> str:
        return " ".join(self.scopes)

    @property
    def shared(self) -> tuple[str, ...]:
        """The scopes that the person has to agree to: those asked for, and those of claims asked for by name."""
        scopes = dict.fromkeys((*self.scopes, *self.claims.scopes))
        return resource_indicators.as_consented(self.resource, scopes)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"prompts": sorted(self.prompts), "scopes": list(self.scopes)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **stored,
                "reply_to": ReplyTo(**stored["reply_to"]),
                "prompts": frozenset(stored["prompts"]),
                "scopes": tuple(stored["scopes"]),
                "claims": ClaimsRequest.from_json(stored["claims"]),
            }
        )


def reply_to(parameters: Mapping[str, str], client: ClientRow) -> ReplyTo:
    """Where to answer; raise ``RedirectUriNotRegistered``, which is shown and never redirected (RFC 6749 section 4.1.2.1)."""
    registered = client.redirect_uris.split()
    given = parameters.get("redirect_uri")
    if given is None:
        # OpenID Connect demands it; plain OAuth may leave out the only one there is, if it is an address and no pattern.
        if "openid" in scopes_of(parameters) or len(registered) != 1 or "*" in registered[0]:
            raise _unregistered(client, _("nothing: redirect_uri is missing"))
        uri = registered[0]
    else:
        uri = given
    check_redirect_uri(uri, client)
    mode = parameters.get("response_mode", "")
    return ReplyTo(uri, given is not None, mode if mode in RESPONSE_MODES else "query", parameters.get("state"))


def check_redirect_uri(uri: str, client: ClientRow | Client) -> None:
    """Raise ``RedirectUriNotRegistered`` unless the client may be answered there now."""
    if not redirect_uris.is_allowed(uri, client.redirect_uris.split()):
        raise _unregistered(client, uri)
    if not settings.ALLOW_INSECURE_CALLBACK_URLS and redirect_uris.is_insecure(uri):
        raise _unregistered(client, uri, (_("Refused because"), "ALLOW_INSECURE_CALLBACK_URLS=false"))


def check_pushed(client: AuthorizingClient, pushed: str) -> None:
    """Raise ``InvalidRequestError`` when the client must push its requests and did not (RFC 9126 section 6)."""
    if client.par_required and not pushed:
        raise InvalidRequestError(description="This client must push its authorization requests (PAR) and did not.")


def _unregistered(client: ClientRow | Client, asked: str, *more: tuple[str, str]) -> RedirectUriNotRegistered:
    registered = client.redirect_uris.split() or [_("none")]
    return RedirectUriNotRegistered(
        _("%(app)s sent you with a wrong callback address") % {"app": client.name},
        causes=[(_("The app asked for"), asked), *((_("Registered"), each) for each in registered), *more],
        mend=(_("Open the app's settings"), f"/admin/oidc/client/{client.id}/change/"),
        app=client,
    )


def check(parameters: Mapping[str, str], client: ClientRow, answer: ReplyTo) -> AuthorizationRequest:
    """The request, if it can be granted at all; raise an ``OAuth2Error`` for the app. Unknown parameters mean nothing."""
    # It is kept while its person signs in, and anybody can send one (attacks.md A18).
    if sum(len(value) for name, value in parameters.items() if name in PARAMETERS) > LONGEST:
        raise InvalidRequestError(description=f"The request is longer than {LONGEST} characters.")
    if parameters.get("response_mode", answer.response_mode) != answer.response_mode:
        raise InvalidRequestError(description="response_mode must be query, fragment or form_post.")
    if "request" in parameters:
        raise RequestNotSupported
    if "request_uri" in parameters:
        raise RequestURINotSupported
    if "registration" in parameters:
        raise RegistrationNotSupported
    if parameters.get("response_type") != "code":
        raise UnsupportedResponseTypeError(description="response_type must be code.")
    pkce.check_challenge(
        parameters.get("code_challenge", ""),
        parameters.get("code_challenge_method", ""),
        required=client.pkce_required or client.is_public,
    )
    resource = resource_indicators.resource_of(parameters)
    return AuthorizationRequest(
        reply_to=answer,
        scopes=resource_indicators.scopes_for_person(client, resource, scopes_of(parameters)),
        nonce=parameters.get("nonce", ""),
        prompts=_prompts(parameters.get("prompt", "")),
        max_age=_max_age(parameters.get("max_age", "")),
        code_challenge=parameters.get("code_challenge", ""),
        login_hint=parameters.get("login_hint", ""),
        id_token_hint=parameters.get("id_token_hint", ""),
        claims=_claims(parameters),
        resource=resource,
        ui_locales=parameters.get("ui_locales", "")[:200],
    )


def _claims(parameters: Mapping[str, str]) -> ClaimsRequest:
    """``acr_values`` asks for the claim ``acr``, as a wish (OIDC Core section 5.5.1.1)."""
    asked = ClaimsRequest.parse(parameters.get("claims", ""))
    return replace(asked, id_token=(*asked.id_token, "acr")) if parameters.get("acr_values") else asked


def _prompts(text: str) -> frozenset[str]:
    prompts = frozenset(text.split())
    if unknown := sorted(prompts.difference(PROMPTS)):
        raise InvalidRequestError(description=f"prompt has an unknown value: {unknown[0][:40]}.")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequestError(description="prompt=none cannot go with other values.")
    return prompts


def _max_age(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise InvalidRequestError(description="max_age must be a whole number of seconds.")
    return int(text)
