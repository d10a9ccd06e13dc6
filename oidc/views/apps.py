"""A person's apps: what they may open, and what each app was allowed to know."""

from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Session, User
from accounts.views.account import for_people
from audit import log
from audit.models import Event
from core.errors import NotFound
from core.rest import path_id
from core.search_text import containing
from oidc import authorized_clients, clients, consent
from oidc.models import Client, Consent

APPS = "/settings/apps"
SEARCH_FROM = 9  # apps; fewer are seen at a glance


@require_safe
@for_people
def page(request: HttpRequest, session: Session) -> HttpResponse:
    """Apps to open, the last used first, and every app that knows something; ``q`` is a part of the name."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:50]
    launchable = _launchable(session.user)
    known = list(Consent.objects.filter(user=session.user).select_related("client").order_by("client__name", "pk"))
    return render(
        request,
        "oidc/apps.html",
        {
            "launchable": launchable.filter(containing(Client, ("name",), wanted)) if wanted else launchable,
            "has_search": bool(wanted) or launchable.count() >= SEARCH_FROM,
            "wanted": wanted,
            "known": _in_words(session.user, known),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def withdraw(request: HttpRequest, session: Session, client_id: str) -> HttpResponse:
    """Ask, then take back what the app was allowed; the same verb as over REST."""
    client = clients.of_id(path_id(client_id)).first()
    if client is None:
        raise NotFound("Client authorization")
    if request.method != "POST":
        return render(request, "accounts/ask.html", question(client) | {"client": client, "back": APPS})
    try:
        authorized_clients.withdraw(session.user, client.client_id)
    except NotFound:
        messages.info(request, _("%(app)s knew nothing any more.") % {"app": client.name})
        return redirect(APPS)
    log.record(Event.TOKENS_REVOKED, user=session.user, request=request, clientName=client.name)
    messages.success(
        request,
        _("%(app)s may not know anything about you any more. What it has learned already, it may have kept.")
        % {"app": client.name},
    )
    return redirect(APPS)


def question(client: Client) -> dict[str, str]:
    """What is asked before the withdrawal."""
    return {
        "id": f"withdraw-{client.pk}",
        "url": f"{APPS}/{client.client_id}/withdraw",
        "label": _("Withdraw from %(app)s") % {"app": client.name},
        "title": _("Withdraw what %(app)s may know?") % {"app": client.name},
        "text": _("It loses its access to your account at once. When you open it again, it will ask you again."),
        "yes": _("Withdraw"),
        "no": _("Keep it"),
        "action": "app-withdraw",
    }


def _launchable(user: User) -> "QuerySet[Client]":
    """What the person may use and can open, used or not."""
    mine = Client.objects.filter(allowed_groups__members=user).values("pk")
    used = Consent.objects.filter(user=user, client=OuterRef("pk")).values("last_used_at")[:1]
    rows: QuerySet[Client] = (
        Client.objects.filter(Q(is_group_restricted=False) | Q(pk__in=mine))
        .exclude(launch_url="")
        .annotate(last_used_at=Subquery(used))
    )
    return rows.order_by("name", "pk")


def _in_words(user: User, known: list[Consent]) -> list[dict[str, Any]]:
    """Each consent with what the app may know; apps that may know the same are looked up once."""
    words: dict[str, list[consent.Item]] = {}
    for each in known:
        if each.scope not in words:
            words[each.scope] = consent.items(user, tuple(scope for scope in each.scope.split(" ") if scope))
    return [{"consent": each, "items": words[each.scope], "ask": question(each.client)} for each in known]
