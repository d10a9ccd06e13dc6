"""Sign-outs on their way to apps, in the console: which arrived, which did not and why, and sending one again."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import time_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from core.console import ReadOnly
from core.rest_fields import uuid_or_none
from oidc import deliveries
from oidc.models import LogoutDelivery

STATES = {
    "waiting": gettext_lazy("On its way"),
    "delivered": gettext_lazy("Delivered"),
    "failed": gettext_lazy("Given up"),
}
TONES = {"waiting": "warn", "delivered": "ok", "failed": "bad"}


def state_of(delivery: LogoutDelivery) -> str:
    if delivery.delivered_at is not None:
        return "delivered"
    return "waiting" if delivery.next_attempt_at is not None else "failed"


class StateFilter(SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ANN401 - Django's own types
        return STATES.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogoutDelivery]) -> QuerySet[LogoutDelivery]:
        match self.value():
            case "delivered":
                return queryset.filter(delivered_at__isnull=False)
            case "waiting":
                return queryset.filter(delivered_at__isnull=True, next_attempt_at__isnull=False)
            case "failed":
                return queryset.filter(delivered_at__isnull=True, next_attempt_at__isnull=True)
        return queryset


@admin.register(LogoutDelivery)
class LogoutDeliveryAdmin(ReadOnly):
    list_display = ("client_name", "state", "person", "created_at", "attempts", "last_error")
    list_filter = (StateFilter, "client_name")
    search_fields = ("client_name", "client_id", "subject", "url")
    fields: ClassVar[Any] = (
        "client_name",
        "client_id",
        "url",
        "state",
        "person",
        "sid",
        "created_at",
        "attempts",
        "next_attempt_at",
        "delivered_at",
        "last_error",
    )
    actions = ("try_again",)
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER

    def has_delete_permission(self, request: HttpRequest, obj: LogoutDelivery | None = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("state"))
    def state(self, delivery: LogoutDelivery) -> SafeString:
        found = state_of(delivery)
        tag = format_html('<span class="tag {}">{}</span>', TONES[found], STATES[found])
        if delivery.next_attempt_at is None or delivery.delivered_at is not None:
            return tag
        again = time_format(localtime(delivery.next_attempt_at), "TIME_FORMAT")
        return format_html('{} <span class="soft">{}</span>', tag, _("next try %(time)s") % {"time": again})

    @admin.display(description=gettext_lazy("person"))
    def person(self, delivery: LogoutDelivery) -> str:
        """The name, as long as there is an account."""
        wanted = uuid_or_none(delivery.subject)
        found = User.objects.filter(pk=wanted).values_list("username", flat=True).first() if wanted else None
        return found or delivery.subject

    @admin.action(description=gettext_lazy("Try again now"), permissions=["view"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[LogoutDelivery]) -> None:
        count = deliveries.try_again(queryset)
        if not count:
            messages.info(request, _("What you chose was delivered already."))
            return
        text = ngettext(
            "%(count)d sign-out is sent again. Load the list again in a moment.",
            "%(count)d sign-outs are sent again. Load the list again in a moment.",
            count,
        )
        messages.success(request, text % {"count": count})
