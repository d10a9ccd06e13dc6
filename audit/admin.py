from django.contrib import admin
from django.http import HttpRequest

from audit.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """The log can be read and searched, by nobody changed."""

    list_display = ("created_at", "event", "username", "ip_address", "data")
    list_filter = ("event",)
    search_fields = ("username", "ip_address")
    readonly_fields = ("created_at", "event", "user", "username", "actor_username", "ip_address", "user_agent", "data")
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False
