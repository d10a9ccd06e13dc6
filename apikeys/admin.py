"""Keys in the console: everybody's can be seen and revoked; a new one is one's own, and shown once."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import passkeys
from accounts.authentication import session_of
from accounts.models import User
from apikeys import keys, scopes
from apikeys.models import ApiKey
from audit import log
from audit.models import Event
from core.console import ByVerb


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("Limited to"),
        required=False,
        choices=[(scope, scope) for scope in scopes.ALL],
        help_text=_("Choose none for a key that may do everything you may."),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ApiKey
        fields = ("name", "description", "expires_at", "scopes")
        widgets: ClassVar[dict[str, Any]] = {"description": forms.Textarea(attrs={"rows": 2})}

    def clean_expires_at(self) -> Any:  # noqa: ANN401 - a datetime
        expires_at = self.cleaned_data["expires_at"]
        if expires_at <= timezone.now():
            raise forms.ValidationError(_("Choose a time in the future."))
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(ByVerb):
    form = ApiKeyForm
    list_display = ("name", "user", "prefix", "expires_at", "last_used_at", "last_used_ip")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    fields = (
        "name",
        "description",
        "expires_at",
        "scopes",
        "user",
        "prefix",
        "created_at",
        "last_used_at",
        "last_used_ip",
    )

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:  # noqa: ANN401 - Django's own type
        return self.fields if obj else ("name", "description", "expires_at", "scopes")

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "forms.ModelForm[ApiKey]", change: bool) -> None:
        session = session_of(request)
        if session is not None:
            passkeys.require_fresh(session)  # as over REST (attacks.md D4)
        made, secret = keys.create(
            _person(request),
            name=obj.name,
            description=obj.description or None,
            expires_at=obj.expires_at,
            scopes=obj.scopes,
        )
        obj.pk, obj.user, obj.prefix = made.pk, made.user, made.prefix
        obj._state.adding = False
        obj.secret = secret  # type: ignore[attr-defined] # until the next page has shown it
        log.record(Event.API_KEY_CREATED, user=made.user, request=request, keyName=made.name)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The only time the key is shown."""
        context = self.admin_site.each_context(request) | {
            "title": obj.name,
            "key": obj,
            "secret": obj.secret,  # type: ignore[attr-defined] # save_model has just set it
            "done_url": reverse("admin:apikeys_apikey_changelist"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/apikeys/apikey/secret.html", context)

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        keys.revoke(obj)
        log.record(Event.API_KEY_DELETED, user=obj.user, request=request, actor=_person(request), keyName=obj.name)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.select_related("user"):
            self.delete_model(request, key)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the console lets nobody else in
    return request.user
