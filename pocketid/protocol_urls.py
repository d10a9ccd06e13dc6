"""The addresses that programs call with their own credentials, never with a browser's session.

Such a request passes the middleware without session, CSRF token, language and nonce, and is looked up in this list alone.
The first are asked for most often.
"""

from django.urls import path

from oidc.views import device, discovery, introspect, par, revoke, token, userinfo
from pocketid import views

urlpatterns = [
    path("api/oidc/userinfo", userinfo.userinfo),
    path("api/oidc/token", token.token),
    path("api/oidc/introspect", introspect.introspect),
    path(".well-known/jwks.json", discovery.jwks),
    path(".well-known/openid-configuration", discovery.metadata),
    path(".well-known/oauth-authorization-server", discovery.metadata),
    path("api/oidc/revoke", revoke.revoke),
    path("api/oidc/par", par.par),
    path("api/oidc/device/authorize", device.authorize),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
]

handler400 = "pocketid.views.bad_request"
handler403 = "pocketid.views.forbidden"
handler404 = "pocketid.views.not_found"
handler500 = "pocketid.views.server_error"
