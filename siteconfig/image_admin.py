"""The installation's own pictures in the console: seen, replaced and reset by the verbs that REST calls too."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.console import ReadOnly, in_words
from core.errors import AppError, FileTooLarge
from siteconfig import images
from siteconfig.images import Name
from siteconfig.models import Image

WHERE = {
    Name.LOGO: gettext_lazy("On every page, instead of the mark, and in apps that ask for it."),
    Name.LOGO_DARK: gettext_lazy("The same on dark pages. Without one, the logo is taken."),
    Name.BACKGROUND: gettext_lazy("Beside the form of the sign-in pages, instead of the engraved lines."),
    Name.FAVICON: gettext_lazy("In the tabs and bookmarks of browsers."),
    Name.EMAIL: gettext_lazy("On top of every e-mail."),
    Name.DEFAULT_PROFILE_PICTURE: gettext_lazy("For people without a picture of their own, instead of their initials."),
}


@dataclass(frozen=True)
class Shown:
    """One picture as the page shows it; ``url`` is empty when there is nothing to show."""

    name: str
    title: str
    where: str | Promise
    kinds: str  # for the file chooser
    url: str
    is_own: bool
    problem: str = ""


@admin.register(Image)
class ImageAdmin(ReadOnly):
    """A page of all pictures instead of a list of those that were uploaded."""

    fields = ("name", "content_type", "updated_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401 - Django's own
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<slug:name>/replace/", wrap(self.replace), name="siteconfig_image_replace"),
            path("<slug:name>/reset/", wrap(self.reset), name="siteconfig_image_reset"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request)

    def replace(self, request: HttpRequest, name: str) -> HttpResponse:
        picture = self._picture(request, name)
        if request.method != "POST":
            return redirect("admin:siteconfig_image_changelist")
        file = request.FILES.get("file")
        if file is None:
            return self._page(request, picture, _("Choose a file first."))
        try:
            if (file.size or 0) > images.MAX_BYTES:
                raise FileTooLarge(images.MAX_BYTES)
            images.keep(picture, file.name or "", file.read(), request=request)
        except AppError as refused:
            return self._page(request, picture, in_words(refused))
        messages.success(request, _("From now on this picture is shown: %(picture)s") % {"picture": picture.label})
        return redirect("admin:siteconfig_image_changelist")

    def reset(self, request: HttpRequest, name: str) -> HttpResponse:
        """Back to what comes with the program; nothing to do when it is shown already."""
        picture = self._picture(request, name)
        if request.method == "POST" and picture.replace("-", "_") in images.own():
            images.remove(picture, request=request)
            words = _("Back to what comes with the program: %(picture)s")
            messages.success(request, words % {"picture": picture.label})
        return redirect("admin:siteconfig_image_changelist")

    def _picture(self, request: HttpRequest, name: str) -> Name:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if name not in Name.values:
            raise Http404
        return Name(name)

    def _page(self, request: HttpRequest, wrong: Name | None = None, problem: str = "") -> HttpResponse:
        own = images.own()
        pictures = [
            _shown(name, own.get(name.replace("-", "_"), ""), problem if name == wrong else "") for name in WHERE
        ]
        context = self.admin_site.each_context(request) | {
            "title": _("Images"),
            "opts": self.opts,
            "pictures": pictures,
        }
        return TemplateResponse(request, "admin/siteconfig/image/pictures.html", context)


def _shown(name: Name, own: str, problem: str) -> Shown:
    extensions = images.ONLY[name][0] if name in images.ONLY else images.TYPES
    kinds = ",".join(f".{extension}" for extension in sorted(extensions))
    has_default = name not in (Name.BACKGROUND, Name.DEFAULT_PROFILE_PICTURE)
    url = own or (images.address(name, 0) if has_default else "")
    return Shown(str(name), str(name.label), WHERE[name], kinds, url, bool(own), problem)
