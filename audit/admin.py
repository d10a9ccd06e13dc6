"""The audit log in the console: read, searched and filtered; by nobody changed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import DateFieldListFilter, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit import devices, places
from audit.models import Entry
from core.console import Listed

# Facts of ``Entry.data`` in the words of the page; the rest is shown under its own name.
WORDS = {
    "clientName": _("app"),
    "passkeyName": _("passkey"),
    "keyName": _("API key"),
    "groupName": _("group"),
    "person": _("person"),
    "username": _("username"),
    "owner": _("of"),
    "fields": _("changed"),
    "keys": _("claims"),
    "settings": _("settings"),
    "image": _("picture"),
    "code": _("reason"),
    "apiName": _("API"),
    "resource": _("address"),
    "clientID": _("client ID"),
    "secretID": _("secret"),
    "prefix": _("begins with"),
    "usageLimit": _("people"),
    "what": _("changed"),
}


class PlaceFilter(SimpleListFilter):
    title = _("where from")
    parameter_name = "from"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ANN401 - Django's own types
        return (("internal", _("Internal networks")), ("external", _("Elsewhere")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        if self.value() == "internal":
            return queryset.filter(country=places.INTERNAL)
        return queryset.exclude(country=places.INTERNAL) if self.value() == "external" else queryset


class AppFilter(SimpleListFilter):
    title = _("app")
    parameter_name = "app"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ANN401 - Django's own types
        return [(name, name) for name in Entry.objects.client_names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        wanted = self.value()
        return queryset.filter(client_name=wanted) if wanted else queryset


@admin.register(Entry)
class EntryAdmin(Listed):
    list_display = ("created_at", "event", "person", "about", "where", "device")
    list_filter = (("created_at", DateFieldListFilter), "event", AppFilter, PlaceFilter)
    search_fields = ("username", "actor_username", "ip_address", "client_name")
    search_help_text = _("A username, an address or an app")
    show_full_result_count = False  # the log is long, and the number of what was found says enough
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    fields: ClassVar[Any] = (
        "created_at",
        "event",
        "username",
        "actor_username",
        "about",
        "ip_address",
        "city",
        "country",
        "device",
        "user_agent",
        "data",
    )
    readonly_fields = fields

    @admin.display(description=_("person"), ordering="username")
    def person(self, entry: Entry) -> str:
        done_by = entry.actor_username
        return f"{entry.username or '-'} ({done_by})" if done_by and done_by != entry.username else entry.username

    @admin.display(description=_("details"))
    def about(self, entry: Entry) -> str:
        return ", ".join(f"{WORDS.get(name, name)}: {value}" for name, value in entry.data.items())

    @admin.display(description=_("where from"), ordering="ip_address")
    def where(self, entry: Entry) -> str:
        is_internal = entry.country == places.INTERNAL
        place = entry.city if is_internal else ", ".join(word for word in (entry.city, entry.country) if word)
        return f"{entry.ip_address or ''} ({place})" if place else entry.ip_address or ""

    @admin.display(description=_("device"))
    def device(self, entry: Entry) -> str:
        return devices.describe(entry.user_agent) if entry.user_agent else ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False
