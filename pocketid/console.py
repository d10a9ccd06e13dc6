"""The administrators' console: Django's own admin, reached by passkey."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _

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

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Whoever is nobody signs in with a passkey; whoever is somebody without rights is told so, not sent round in circles."""
        if self.has_permission(request):
            return redirect("/admin/")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect("/login?" + urlencode({"redirect": request.GET.get("next") or "/admin/"}))

    def logout(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # type: ignore[override] # ours is a page
        return redirect("/logout")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without the pages about passwords, which nobody has."""
        return [
            url
            for url in super().get_urls()
            if getattr(url, "name", None) not in ("password_change", "password_change_done")
        ]
