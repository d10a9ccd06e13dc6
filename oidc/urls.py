"""Addresses of the provider; ``pocketid.urls`` includes them. ``oauth2_provider.urls`` is never included."""

from django.urls import include, path

from oidc.views import (
    authorize,
    device,
    discovery,
    end_session,
    interaction,
    interaction_api,
    introspect,
    par,
    revoke,
    token,
    userinfo,
)

urlpatterns = [
    path("authorize", authorize.authorize),
    path("interaction", interaction.interaction),
    path("api/oidc/interactions/<str:interaction_id>", interaction_api.interaction),
    path("api/oidc/interactions/<str:interaction_id>/complete", interaction_api.complete),
    path("api/oidc/token", token.token),
    path("api/oidc/device/authorize", device.authorize),
    path("api/oidc/device/info", device.info),
    path("api/oidc/device/verify", device.verify),
    path("device", device.page),
    path("device/done", device.done),
    path("api/oidc/par", par.par),
    path("api/oidc/introspect", introspect.introspect),
    path("api/oidc/revoke", revoke.revoke),
    path("api/oidc/userinfo", userinfo.userinfo),
    path("api/oidc/end-session", end_session.end_session),
    path("logout", end_session.page),
    path(".well-known/openid-configuration", discovery.metadata),
    path(".well-known/oauth-authorization-server", discovery.metadata),
    path(".well-known/jwks.json", discovery.jwks),
    # Last: what programs ask for with every request is found first.
    path("api/", include("oidc.api.urls")),
]
