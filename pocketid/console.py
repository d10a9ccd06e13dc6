"""The administrators' console: Django's own admin, reached by passkey.

Three answers to who may not enter: a stranger signs in, a person without rights is told so, and an administrator who was
signed in by a code is led to their passkey and back.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, URLPattern, URLResolver, resolve, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.common import no_append_slash

from accounts.authentication import has_shown_passkey
from accounts.errors import PasskeyNotShown
from accounts.models import User
from core.http import host_of, safe_path, wants_page

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

INDEX = "/admin/"
ORDER = ("accounts", "oidc", "audit", "siteconfig")


class Console(AdminSite):
    site_title = _("Console")
    site_header = _("Console")
    index_title = _("Console")
    site_url = "/settings/account"
    enable_nav_sidebar = True

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """People first, then their apps: as the nav has them, not by the alphabet of the language."""
        found = super().get_app_list(request, app_label)
        return sorted(found, key=lambda app: ORDER.index(app["app_label"]) if app["app_label"] in ORDER else len(ORDER))

    def has_permission(self, request: HttpRequest) -> bool:
        """An administrator, in a session in which they have shown a passkey."""
        return super().has_permission(request) and has_shown_passkey(request)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Around every view of the console, Django's and ours, whatever the method."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def call(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if self.has_permission(request):
                return guarded(request, *args, **kwargs)
            if request.user.is_authenticated and request.path == reverse("admin:logout"):
                return self.logout(request)
            return _turned_away(request, back=_page_of(request))

        return cast("View", call)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if self.has_permission(request):
            return redirect(INDEX)
        return _turned_away(request, back=safe_path(request.GET.get("next"), INDEX))

    def logout(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # type: ignore[override] # ours is a page
        return redirect("/logout")

    @no_append_slash
    def catch_all_view(self, request: HttpRequest, url: str) -> HttpResponse:
        """Every page of the console has a last slash; whoever leaves it out is led there. Raise ``Http404`` for others."""
        if request.method in ("GET", "HEAD") and not url.endswith("/"):
            try:
                page = resolve(f"{request.path_info}/")
            except Resolver404:
                raise Http404 from None
            if getattr(page.func, "should_append_slash", True):
                return redirect(request.get_full_path(force_append_slash=True))
        raise Http404

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without the pages about passwords, which nobody has."""
        return [
            url
            for url in super().get_urls()
            if getattr(url, "name", None) not in ("password_change", "password_change_done")
        ]


def _turned_away(request: HttpRequest, *, back: str) -> HttpResponse:
    """Lead to what is missing, and then to the page ``back``.

    Whoever has no rights is told so first, and never asked for a passkey in vain. Raise ``PermissionDenied`` for them, and
    ``PasskeyNotShown`` where a redirect would lose what was sent, or where a program waits for something else than a page.
    """
    user = request.user
    if not isinstance(user, User):
        return redirect("/login?" + urlencode({"redirect": back}))
    if not user.is_staff:
        raise PermissionDenied
    then = urlencode({"redirect": back})
    if user.passkeys.exists():
        mend = _("Use your passkey"), f"/login?reauthenticate&{then}"
    else:
        mend = _("Add a passkey"), f"/signup/add-passkey?{then}"
    if request.method in ("GET", "HEAD") and wants_page(request):
        return redirect(mend[1])
    raise PasskeyNotShown(mend=mend)


def _page_of(request: HttpRequest) -> str:
    """The page of the console that can be shown again: this one, or the one that a form was sent from."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if host_of(came_from) != host_of(settings.APP_URL):
        return INDEX
    parts = urlsplit(came_from)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return safe_path(path, INDEX) if path.startswith(INDEX) else INDEX
