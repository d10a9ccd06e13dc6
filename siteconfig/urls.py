"""Addresses of the settings; ``pocketid.urls`` includes them."""

from django.urls import path

from siteconfig.api import configuration, images, version
from siteconfig.images import Name

PICTURES = [(str(name), name) for name in Name if name != Name.LOGO_DARK]
# Up to version 1.11; clients of that time are still about (contract section 13).
OLD_PICTURES = [("logo", Name.LOGO), ("background-image", Name.BACKGROUND), ("favicon", Name.FAVICON)]

urlpatterns = [
    path("api/application-configuration", configuration.PublicConfiguration.as_view()),
    path("api/application-configuration/all", configuration.Configuration.as_view()),
    path("api/application-configuration/test-email", configuration.TestEmail.as_view()),
    path("api/application-configuration/sync-ldap", configuration.SyncLdap.as_view()),
    *[path(f"api/application-images/{word}", images.ApplicationImage.as_view(name=name)) for word, name in PICTURES],
    *[
        path(f"api/application-configuration/{word}", images.ApplicationImage.as_view(name=name))
        for word, name in OLD_PICTURES
    ],
    path("api/version/current", version.CurrentVersion.as_view()),
    path("api/version/latest", version.LatestVersion.as_view()),
    path("api/storage/sqlite-warning", version.SqliteWarning.as_view()),
]
