"""Where people are signed in, in the console; ending a session signs that browser out, and apps hear of it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import devices
from accounts.admin.owned import end_session
from accounts.models import Session
from core.console import ByVerb, ReadOnly

METHODS = {"phr": _("Passkey"), "otp": _("Login code")}


@admin.register(Session)
class SessionAdmin(ReadOnly, ByVerb):
    list_display = ("user", "device", "ip_address", "auth_time", "expires_at")
    search_fields = ("user__username", "ip_address")
    fields = ("user", "device", "user_agent", "ip_address", "how", "passkey", "proved_at", "auth_time", "expires_at")
    list_select_related = ("user",)
    actions = ("end_sessions",)

    def get_queryset(self, request: HttpRequest) -> Any:  # noqa: ANN401 - a queryset of sessions
        """Those that are over are nobody's business until the job deletes them."""
        return super().get_queryset(request).live()  # type: ignore[attr-defined] # our queryset's

    def get_actions(self, request: HttpRequest) -> Any:  # noqa: ANN401 - Django's own type is private
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @admin.display(description=_("device"))
    def device(self, session: Session) -> str:
        return devices.describe(session.user_agent)

    @admin.display(description=_("signed in with"))
    def how(self, session: Session) -> str:
        return ", ".join(str(METHODS.get(word, word)) for word in session.methods) or "-"

    @admin.action(description=_("End the chosen sessions"), permissions=["delete"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        found = list(queryset.select_related("user"))
        for session in found:
            end_session(session, request)
        text = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", len(found))
        messages.success(request, text % {"count": len(found)})

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        end_session(obj, request)
