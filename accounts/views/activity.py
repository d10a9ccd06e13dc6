"""What happened to a person's account, for that person: the audit log, as far as it is about them."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import devices
from accounts.models import Session
from accounts.views.account import for_people
from audit.models import Entry, Event

PER_PAGE = 30
BAD = {Event.PASSKEY_REJECTED, Event.LOGIN_CODE_REJECTED, Event.DEVICE_LOGIN_DENIED}


@require_safe
@for_people
def page(request: HttpRequest, session: Session) -> HttpResponse:
    """The newest first; ``event`` shows one kind, ``before`` is the id of the entry to go on from."""
    event, before = request.GET.get("event", ""), request.GET.get("before", "")
    rows = Entry.objects.filter(user=session.user)
    if event in Event.values:
        rows = rows.filter(event=event)
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-id")[: PER_PAGE + 1])
    shown, more = found[:PER_PAGE], len(found) > PER_PAGE
    older = urlencode(({"event": event} if event else {}) | {"before": shown[-1].pk}) if more else ""
    return render(
        request,
        "accounts/activity.html",
        {
            "entries": [_in_words(entry) for entry in shown],
            "events": Event.choices,
            "event": event,
            "older": older,
            "is_first": not before,
        },
    )


def _in_words(entry: Entry) -> dict[str, object]:
    about = entry.client_name or entry.data.get("passkeyName") or entry.data.get("keyName") or ""
    place = ", ".join(_(word) if word == "Internal Network" else word for word in (entry.city, entry.country) if word)
    return {
        "time": entry.created_at,
        "event": entry.get_event_display(),
        "is_bad": entry.event in BAD,
        "about": about,
        "actor": entry.actor_username if entry.actor_username != entry.username else "",
        "device": devices.describe(entry.user_agent) if entry.user_agent else "",
        "ip_address": entry.ip_address,
        "place": place,
    }
