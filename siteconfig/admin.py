from django.contrib import admin
from django.http import HttpRequest

from siteconfig.models import SiteConfiguration


@admin.register(SiteConfiguration)
class SiteConfigurationAdmin(admin.ModelAdmin):
    """One row: it can be changed, not added or removed."""

    fields = ("app_name", "accent_color", "animations", "session_duration")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SiteConfiguration | None = None) -> bool:
        return False
