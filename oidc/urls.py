"""Addresses of the provider that browsers and administrators use; those of apps are in ``pocketid.protocol_urls``.

``oauth2_provider.urls`` is never included.
"""

from django.urls import include, path

from oidc.views import apps, authorize, device, end_session, interaction, interaction_api

urlpatterns = [
    path("authorize", authorize.authorize),
    path("interaction", interaction.interaction),
    path("api/oidc/interactions/<str:interaction_id>", interaction_api.interaction),
    path("api/oidc/interactions/<str:interaction_id>/complete", interaction_api.complete),
    path("api/oidc/device/info", device.info),
    path("api/oidc/device/verify", device.verify),
    path("settings/apps", apps.page),
    path("settings/apps/<str:client_id>/withdraw", apps.withdraw),
    path("device", device.page),
    path("device/done", device.done),
    path("api/oidc/end-session", end_session.end_session),
    path("logout", end_session.page),
    path("api/", include("oidc.api.urls")),
]
