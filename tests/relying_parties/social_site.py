"""A Django site with social-auth-app-django as its documentation says: the issuer is all it is told."""

import os

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

from tests.relying_parties.django_sites import configure, serve


def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not user.is_authenticated:
        return JsonResponse({"person": None})
    person = {"username": user.username, "email": user.email, "name": user.get_full_name()}
    return JsonResponse({"person": person, "uid": user.social_auth.get().uid})


def sign_in(request: HttpRequest) -> HttpResponse:
    """The library begins at a form, so that no link of a stranger can."""
    return HttpResponse('<form method="post" action="/login/oidc/"><button id="sign-in">Sign in</button></form>')


def refresh(request: HttpRequest) -> HttpResponse:
    """Fresh tokens for whoever is signed in."""
    from social_django.utils import load_strategy

    social = request.user.social_auth.get()
    before = dict(social.extra_data)
    social.refresh_token(load_strategy(request))
    changed = [name for name in ("access_token", "refresh_token") if social.extra_data[name] != before[name]]
    return JsonResponse({"changed": changed})


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("/")


configure(
    INSTALLED_APPS=["social_django"],
    AUTHENTICATION_BACKENDS=["social_core.backends.open_id_connect.OpenIdConnectAuth"],
    SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=os.environ["ISSUER"],
    SOCIAL_AUTH_OIDC_KEY=os.environ["CLIENT_ID"],
    SOCIAL_AUTH_OIDC_SECRET=os.environ["CLIENT_SECRET"],
    SOCIAL_AUTH_OIDC_USE_PKCE=True,
    SOCIAL_AUTH_OIDC_SCOPE=["offline_access"],
)

urlpatterns = [
    path("", home),
    path("refresh", refresh),
    path("sign-in", sign_in),
    path("sign-out", sign_out),
    path("", include("social_django.urls", namespace="social")),
]

if __name__ == "__main__":
    serve()
