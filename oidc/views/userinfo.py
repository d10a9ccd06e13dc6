"""The userinfo endpoint (OIDC Core section 5.3)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.http import endpoint, json_response
from oidc import parameters, store
from oidc.claims import claims_for
from oidc.claims_request import ClaimsRequest


@endpoint("GET", "POST", cors=True)
def userinfo(request: HttpRequest) -> HttpResponse:
    token = _bearer(request)
    if token is None:
        return _refuse(401, None, "Send the access token as: Authorization: Bearer ...")
    live = store.live_access_token(token)
    if live is None:
        return _refuse(401, "invalid_token", "The access token is unknown, expired or revoked.")
    if live.person is None or settings.APP_URL not in live.audience or "openid" not in live.scope.split():
        return _refuse(403, "insufficient_scope", "The access token was issued without the openid scope.")
    if live.person.disabled:
        return _refuse(401, "invalid_token", "The user account is disabled.")
    return json_response(claims_for(live.person, live.scope.split(), ClaimsRequest.stored(live.claims).userinfo))


def _bearer(request: HttpRequest) -> str | None:
    """The token in the header, its scheme in any case, or in a form body; never in the address (RFC 9700 section 4.3.2)."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme:
        return token.strip() or None if scheme.lower() == "bearer" else None
    if request.method == "POST" and parameters.is_form(request):
        found: str | None = request.POST.get("access_token")
        return found
    return None


def _refuse(status: int, error: str | None, description: str) -> HttpResponse:
    """RFC 6750 section 3: the reason in the header; in the body too, because that is what apps show."""
    response = json_response({"error": error or "invalid_request", "error_description": description}, status=status)
    challenge = f'Bearer error="{error}", error_description="{description}"' if error else "Bearer"
    response["WWW-Authenticate"] = challenge
    return response
