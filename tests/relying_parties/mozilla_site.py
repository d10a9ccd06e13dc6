"""A Django site with mozilla-django-oidc as its documentation says: the endpoints typed by hand, as many people do."""

import os
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from tests.relying_parties.django_sites import configure, serve

ISSUER = os.environ["ISSUER"]


def sign_out_address(request: HttpRequest) -> str:
    """Where the site sends people to be signed out at the provider too."""
    query = {
        "id_token_hint": request.session["oidc_id_token"],
        "post_logout_redirect_uri": request.build_absolute_uri("/goodbye"),
    }
    return f"{ISSUER}/api/oidc/end-session?{urlencode(query)}"


def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    person = {"email": user.email, "name": user.get_full_name()} if user.is_authenticated else None
    return JsonResponse({"person": person, "until": request.session.get("oidc_id_token_expiration")})


def goodbye(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"goodbye": True})


configure(
    INSTALLED_APPS=["mozilla_django_oidc"],
    # Asks again, unseen (prompt=none), when a second has passed.
    MIDDLEWARE=["mozilla_django_oidc.middleware.SessionRefresh"],
    OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS=1,
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SCOPES="openid profile email",
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_USE_PKCE=True,
    OIDC_STORE_ID_TOKEN=True,
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/api/oidc/token",
    OIDC_OP_USER_ENDPOINT=os.environ.get("USERINFO", f"{ISSUER}/api/oidc/userinfo"),
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/.well-known/jwks.json",
    OIDC_OP_LOGOUT_URL_METHOD="__main__.sign_out_address",
    ALLOW_LOGOUT_GET_METHOD=True,
)

urlpatterns = [
    path("", home),
    path("goodbye", goodbye),
    path("oidc/", include("mozilla_django_oidc.urls")),
]

if __name__ == "__main__":
    serve()
