"""Everybody's passkeys in the console: read and deleted; only a browser with its authenticator can make one."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.owned import remove_passkey
from accounts.models import Passkey
from core.console import ByVerb, ReadOnly


@admin.register(Passkey)
class PasskeyAdmin(ReadOnly, ByVerb):
    list_display = ("name", "user", "backup_state", "created_at", "last_used_at")
    search_fields = ("name", "user__username")
    fields = (
        "user",
        "name",
        "credential_id",
        "aaguid",
        "transports",
        "sign_count",
        "backup_eligible",
        "backup_state",
        "created_at",
        "last_used_at",
    )
    list_select_related = ("user",)

    def delete_model(self, request: HttpRequest, obj: Passkey) -> None:
        """The confirmation also asks whether to end the sessions that it began."""
        remove_passkey(obj, request, sign_out="end_sessions" in request.POST)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Passkey]) -> None:
        for passkey in queryset.select_related("user"):
            self.delete_model(request, passkey)
