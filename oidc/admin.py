"""Apps in the console: clients with their secrets, changed by the verbs that REST calls too."""

from secrets import token_urlsafe
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit import log
from audit.models import Event
from core.console import ByVerb, ReadOnly, adopt
from core.errors import AppError
from oidc import (  # noqa: F401 - the console finds api_admin, delivery_admin and key_admin through this file
    administration,
    api_admin,
    authorized_clients,
    clients,
    delivery_admin,
    key_admin,
    key_rotation,
    logos,
    redirect_uris,
    resource_indicators,
)
from oidc.forms import IdentitiesField, KeySetField, LogoField, PresentLogo, settings_from
from oidc.models import AccessToken, Client, ClientSecret, Consent, Grant, IDToken, RefreshToken

for model in (AccessToken, Client, Grant, IDToken, RefreshToken):
    admin.site.unregister(model)  # DOT's own pages, which know neither our columns nor our verbs


class ClientSecretInline(admin.TabularInline):
    """Secrets can be seen by their first characters and deleted; new ones are shown once on a page of their own."""

    model = ClientSecret
    fields = ("prefix", "created_at", "last_used_at", "expires_at")
    readonly_fields = ("prefix", "created_at", "last_used_at")
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ClientForm(forms.ModelForm):
    launch_url = forms.URLField(
        label=_("Address of the app"),
        required=False,
        assume_scheme="https",
        help_text=_("Where people open it, such as https://app.example.org."),
    )
    jwks = KeySetField("jwks")
    federated_identities = IdentitiesField("federated_identities")
    logo = LogoField(label=_("Logo"), help_text=_("PNG, JPEG, WebP, SVG and more; at most 2 MB."))
    dark_logo = LogoField(label=_("Logo on dark pages"), help_text=_("Empty: the same."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        client, path = self.instance, f"/api/oidc/clients/{self.instance.client_id}/logo"
        for name, is_there, query in (
            ("logo", client.has_logo, "skipCache"),
            ("dark_logo", client.has_dark_logo, "light=false&skipCache"),
        ):
            if is_there:
                self.initial[name] = PresentLogo(f"{path}?{query}")

    class Meta:
        model = Client
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets name them
        widgets: ClassVar[dict[str, Any]] = {
            "redirect_uris": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
            "post_logout_redirect_uris": forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
            "jwks_uri": forms.URLInput(attrs={"class": "vURLField"}),
        }


@admin.register(Client)
class ClientAdmin(ByVerb):
    form = ClientForm
    view_on_site = False
    list_display = ("name", "client_id", "client_type", "at")
    search_fields = ("name", "client_id")
    fieldsets: ClassVar[Any] = [
        (None, {"fields": ("name", "redirect_uris", "launch_url", "description", ("logo", "dark_logo"))}),
        (
            _("Who may use it"),
            {"fields": ("is_group_restricted", "allowed_groups", "skip_authorization", "reauthentication_required")},
        ),
        (
            _("Signing out"),
            {"fields": ("post_logout_redirect_uris", "backchannel_logout_url", "backchannel_logout_on_session_expiry")},
        ),
        (
            _("Protocol"),
            {
                "classes": ("collapse",),
                "fields": (
                    "client_id",
                    "client_type",
                    "pkce_required",
                    "par_required",
                    "refresh_tokens",
                    "algorithm",
                    "claims_in_id_token",
                    "access_token_minutes",
                    "refresh_token_minutes",
                    "refresh_token_absolute_minutes",
                    "id_token_minutes",
                ),
            },
        ),
        (_("Without a secret"), {"classes": ("collapse",), "fields": ("jwks_uri", "jwks", "federated_identities")}),
    ]
    filter_horizontal = ("allowed_groups",)
    inlines = (ClientSecretInline,)
    change_form_template = "admin/oidc/client/change_form.html"

    @admin.display(description=_("host"))
    def at(self, client: Client) -> str:
        return client.host

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> tuple[str, ...]:
        return ("client_id",) if obj else ()  # apps hold it

    def get_inlines(self, request: HttpRequest, obj: Client | None) -> Any:  # noqa: ANN401 - Django's own type is private
        return self.inlines if obj is not None and not obj.is_public else ()

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<path:object_id>/new-secret/",
                self.admin_site.admin_view(self.new_secret),
                name="oidc_client_new_secret",
            ),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Client, form: "forms.ModelForm[Client]", change: bool) -> None:
        wanted = settings_from(form.cleaned_data)
        if change:
            changed = clients.update(obj.client_id, wanted)
            for is_dark, name in ((False, "logo"), (True, "dark_logo")):
                if form.cleaned_data[name] is False:
                    logos.remove(changed, is_dark=is_dark)
            administration.note(Event.CLIENT_CHANGED, changed, request=request)
        else:
            made, _secret = clients.create(wanted, client_id=obj.client_id)
            administration.note(Event.CLIENT_CREATED, made, request=request)
            adopt(obj, made)
        key_rotation.prepare(obj.algorithm)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ANN401 - Django's own
        chosen = form.cleaned_data.pop("allowed_groups")
        if form.cleaned_data["is_group_restricted"] and (not change or "allowed_groups" in form.changed_data):
            clients.set_allowed_groups(form.instance.client_id, [str(group.pk) for group in chosen])
        super().save_related(request, form, formsets, change)
        if form.cleaned_data["is_group_restricted"] and not chosen:
            messages.warning(request, _("Only for some groups, and no group is chosen: nobody can use this app yet."))
        if "*" in form.instance.redirect_uris:
            text = _(
                "A callback address with * is weaker than one without: whoever controls any address that matches gets the codes."
            )
            messages.warning(request, text)
        for address in redirect_uris.without_path(form.instance.redirect_uris.split()):
            text = _(
                "The callback address %(address)s has no path and matches only this very text. Apps mostly come back to a path: copy the whole address from the app's settings."
            )
            messages.warning(request, text % {"address": address})

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: ANN401 - Django's own
        """Secrets: deleted by the verb, or given another end."""
        for changed in formset.save(commit=False):
            changed.save(update_fields=["expires_at"])
        for gone in formset.deleted_objects:
            client, secret_id = formset.instance, str(gone.pk)
            clients.remove_secret(client, secret_id)
            administration.note(Event.CLIENT_SECRET_DELETED, client, request=request, secretID=secret_id)

    def delete_model(self, request: HttpRequest, obj: Client) -> None:
        clients.delete(obj.client_id)
        administration.note(Event.CLIENT_DELETED, obj, request=request)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Client]") -> None:
        for client in queryset:
            self.delete_model(request, client)

    def response_add(self, request: HttpRequest, obj: Client, post_url_continue: str | None = None) -> HttpResponse:
        """What the app's settings ask for, with the secret: the only time it is shown."""
        needs_secret = not obj.is_public and not obj.has_keys
        return self._show(request, obj, _new_secret(request, obj) if needs_secret else "")

    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.get_object(request, object_id)
        if (
            client is None
            or client.is_public
            or request.method != "POST"
            or not self.has_change_permission(request, client)
        ):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return] # Django's own
        try:
            secret = _new_secret(request, client)
        except AppError as refused:
            return self.deny(request, refused, client.pk)
        return self._show(request, client, secret)

    def _show(self, request: HttpRequest, client: Client, secret: str) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": client.name,
            "client": client,
            "secret": secret,
            "endpoints": endpoints(),
            "change_url": reverse("admin:oidc_client_change", args=[client.pk]),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/oidc/client/secret.html", context)


def _new_secret(request: HttpRequest, client: Client) -> str:
    """256 bits, which no app's settings find too long."""
    made = clients.add_secret(client, text=token_urlsafe(32))
    administration.note(Event.CLIENT_SECRET_CREATED, client, request=request, prefix=made.row.prefix)
    return made.text


def endpoints() -> list[tuple[str, str]]:
    """What apps ask for, in the words they use."""
    public, internal = settings.APP_URL, settings.INTERNAL_APP_URL
    return [
        (str(_("Issuer")), public),
        (str(_("Discovery document")), f"{public}/.well-known/openid-configuration"),
        (str(_("Authorization")), f"{public}/authorize"),
        (str(_("Token")), f"{internal}/api/oidc/token"),
        (str(_("Userinfo")), f"{internal}/api/oidc/userinfo"),
        (str(_("Keys (JWKS)")), f"{internal}/.well-known/jwks.json"),
        (str(_("Sign-out")), f"{public}/api/oidc/end-session"),
    ]


@admin.register(Consent)
class ConsentAdmin(ReadOnly, ByVerb):
    """Deleting one does what its person can do too: the app loses its tokens."""

    list_display = ("user", "client", "shared", "created_at", "last_used_at")
    list_select_related = ("user", "client")
    search_fields = ("user__username", "client__name")

    @admin.display(description=_("scope"), ordering="scope")
    def shared(self, consent: Consent) -> str:
        """Scopes of APIs beside their API, in characters that can be seen."""
        return consent.scope.replace(resource_indicators.SEPARATOR, " → ")

    def delete_model(self, request: HttpRequest, obj: Consent) -> None:
        authorized_clients.withdraw(obj.user, obj.client.client_id)
        log.record(
            Event.TOKENS_REVOKED,
            user=obj.user,
            request=request,
            actor=request.user if isinstance(request.user, User) else None,
            clientName=obj.client.name,
        )

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Consent]") -> None:
        for consent in queryset.select_related("user", "client"):
            self.delete_model(request, consent)
