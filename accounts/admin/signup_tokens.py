"""Sign-up links in the console: made, passed on, taken back."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import signup
from accounts.admin.owned import person_of
from accounts.models import Group, SignupToken
from audit import log
from audit.models import Event
from core.console import ByVerb, adopt

HIGHEST_LIMIT = 100  # people (contract section 6.4)
LIFETIMES = (
    ("1", gettext_lazy("an hour")),
    ("24", gettext_lazy("a day")),
    ("168", gettext_lazy("a week")),
    ("744", gettext_lazy("a month")),
)


class NewLinkForm(forms.ModelForm):
    hours = forms.TypedChoiceField(label=gettext_lazy("Valid for"), choices=LIFETIMES, coerce=int, initial="24")
    usage_limit = forms.IntegerField(
        label=gettext_lazy("For how many people"), min_value=1, max_value=HIGHEST_LIMIT, initial=1
    )
    groups = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Groups"),
        queryset=Group.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("They will be in these groups; in none of them, they join those of new people."),
    )

    class Meta:
        model = SignupToken
        fields = ("usage_limit", "groups")


@admin.register(SignupToken)
class SignupTokenAdmin(ByVerb):
    list_display = ("made", "state", "used", "expires_at", "link")
    ordering = ("-created_at",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's own types
        return super().get_form(request, obj, change, **kwargs if obj else kwargs | {"form": NewLinkForm})

    def get_fields(self, request: HttpRequest, obj: SignupToken | None = None) -> Any:  # noqa: ANN401 - Django's own type
        shown = ("link", "state", "used", "groups", "created_at", "expires_at")
        return shown if obj else ("usage_limit", "hours", "groups")

    def has_change_permission(self, request: HttpRequest, obj: SignupToken | None = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("created"), ordering="created_at")
    def made(self, token: SignupToken) -> Any:  # noqa: ANN401 - a datetime, which Django shows
        return token.created_at

    @admin.display(description=gettext_lazy("state"))
    def state(self, token: SignupToken) -> SafeString:
        if token.expires_at <= timezone.now():
            return format_html('<span class="tag bad">{}</span>', _("Expired"))
        if token.usage_count >= token.usage_limit:
            return format_html('<span class="tag">{}</span>', _("Used up"))
        return format_html('<span class="tag ok">{}</span>', _("Open"))

    @admin.display(description=gettext_lazy("used"), ordering="usage_count")
    def used(self, token: SignupToken) -> str:
        return f"{token.usage_count} / {token.usage_limit}"

    @admin.display(description=gettext_lazy("link"))
    def link(self, token: SignupToken) -> SafeString:
        plain = token.token
        return format_html("<code>{}</code>", _address(plain)) if plain else format_html("{}", _("unreadable"))

    def save_model(
        self, request: HttpRequest, obj: SignupToken, form: "forms.ModelForm[SignupToken]", change: bool
    ) -> None:
        made = signup.create_token(
            usage_limit=form.cleaned_data["usage_limit"],
            ttl=timedelta(hours=form.cleaned_data["hours"]),
            group_ids=[str(group.pk) for group in form.cleaned_data.pop("groups")],
        )
        adopt(obj, made)
        log.record(
            Event.SIGNUP_TOKEN_CREATED,
            user=person_of(request),
            request=request,
            usageLimit=str(made.usage_limit),
        )

    def response_add(
        self, request: HttpRequest, obj: SignupToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": _("Sign-up link"),
            "link": _address(obj.token),
            "token": obj,
            "done_url": reverse("admin:accounts_signuptoken_changelist"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/accounts/signuptoken/link.html", context)

    def delete_model(self, request: HttpRequest, obj: SignupToken) -> None:
        if signup.delete_token(str(obj.pk)):
            log.record(Event.SIGNUP_TOKEN_DELETED, user=person_of(request), request=request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SignupToken]) -> None:
        for token in queryset:
            self.delete_model(request, token)


def _address(token: str) -> str:
    return f"{settings.APP_URL}/st/{token}"
