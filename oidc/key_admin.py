"""Signing keys in the console: what signs, what comes next, and the buttons that change it."""

from datetime import datetime

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.console import Listed
from oidc import key_rotation
from oidc.models import Client, SigningKey

State = SigningKey.State


@admin.register(SigningKey)
class SigningKeyAdmin(Listed):
    """Keys are only read here; they change by rotation."""

    list_display = ("short_kid", "word", "state", "since", "last_token_expires_at")
    ordering = ("algorithm", "-created_at")
    fields = ("kid", "algorithm", "state", "created_at", "activated_at", "retired_at", "last_token_expires_at")
    change_list_template = "admin/oidc/signingkey/change_list.html"
    actions = None

    @admin.display(description=gettext_lazy("key ID"), ordering="kid")
    def short_kid(self, key: SigningKey) -> str:
        return f"{key.kid[:12]}…"

    @admin.display(description=gettext_lazy("algorithm"), ordering="algorithm")
    def word(self, key: SigningKey) -> str:
        return key.algorithm

    @admin.display(description=gettext_lazy("since"))
    def since(self, key: SigningKey) -> datetime | None:
        return {State.NEXT: key.created_at, State.CURRENT: key.activated_at}.get(State(key.state), key.retired_at)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [
            path("rotate/<algorithm>/", self.admin_site.admin_view(self.rotate), name="oidc_signingkey_rotate"),
            path("publish/<algorithm>/", self.admin_site.admin_view(self.publish), name="oidc_signingkey_publish"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        published = set(SigningKey.objects.filter(state=State.NEXT).values_list("algorithm", flat=True))
        algorithms = [str(algorithm) for algorithm in Client.Algorithm.values]
        return super().changelist_view(
            request,
            (extra_context or {})
            | {
                "rotatable": [algorithm for algorithm in algorithms if algorithm in published],
                "unpublished": [algorithm for algorithm in algorithms if algorithm not in published],
            },
        )

    def rotate(self, request: HttpRequest, algorithm: str) -> HttpResponse:
        """Says what will happen, and does it when told to."""
        self._check(request, algorithm)
        if not key_rotation.is_published(algorithm):  # looking publishes nothing; that has a button of its own
            return self._back()
        if request.method == "POST":
            try:
                key = key_rotation.rotate(
                    algorithm,
                    at_once="at_once" in request.POST,
                    instead_of=request.POST.get("instead_of", ""),
                    request=request,
                )
            except key_rotation.AlreadyRotated:
                messages.warning(request, _("The key was rotated meanwhile, so nothing was done."))
                return self._back()
            except key_rotation.TooSoon as early:
                messages.error(
                    request,
                    _("The next key may sign from %(time)s on.") % {"time": time_format(localtime(early.ready))},
                )
            else:
                messages.success(
                    request,
                    _("From now on %(algorithm)s tokens are signed with %(kid)s.")
                    % {"algorithm": algorithm, "kid": key.kid},
                )
                return self._back()
        current, following = (
            SigningKey.objects.get(algorithm=algorithm, state=state) for state in (State.CURRENT, State.NEXT)
        )
        ready = key_rotation.ready(following)
        context = self.admin_site.each_context(request) | {
            "title": _("Rotate the %(algorithm)s key") % {"algorithm": algorithm},
            "opts": self.opts,
            "current": current,
            "following": following,
            "ready": ready if ready > timezone.now() else None,
            "list_url": reverse("admin:oidc_signingkey_changelist"),
        }
        return TemplateResponse(request, "admin/oidc/signingkey/rotate.html", context)

    def publish(self, request: HttpRequest, algorithm: str) -> HttpResponse:
        """Make the keys of an algorithm that no app uses yet, so that apps know them before one does."""
        self._check(request, algorithm)
        if request.method == "POST":
            key_rotation.publish(algorithm, request=request)
            messages.success(request, _("Keys for %(algorithm)s are published from now on.") % {"algorithm": algorithm})
        return self._back()

    def _check(self, request: HttpRequest, algorithm: str) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if algorithm not in Client.Algorithm.values:
            raise Http404

    def _back(self) -> HttpResponse:
        return redirect("admin:oidc_signingkey_changelist")
