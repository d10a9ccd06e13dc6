"""Every address of this server."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from accounts.views import sign_in
from pocketid import openapi

urlpatterns = [
    path("", include("oidc.urls")),  # first, because /authorize, its first, is what browsers ask for most
    path("", sign_in.home),
    path("", include("pocketid.protocol_urls")),
    path("i18n/setlang/", set_language),
    path("api/schema", openapi.document),
    path("api/docs", openapi.page),
    path("", include("accounts.urls")),
    path("", include("apikeys.urls")),
    path("", include("audit.urls")),
    path("", include("siteconfig.urls")),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(pattern_name="admin:index", query_string=True)),
]

handler400 = "pocketid.views.bad_request"
handler403 = "pocketid.views.forbidden"
handler404 = "pocketid.views.not_found"
handler500 = "pocketid.views.server_error"
