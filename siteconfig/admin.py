"""The settings in the console: one row, checked as a whole, and a mail that shows whether they work."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from core.console import ByVerb
from core.errors import AppError
from siteconfig import configure, image_admin  # noqa: F401 - the console finds image_admin through this file
from siteconfig.models import SiteConfiguration, current, is_fixed

# Settings of the model that no form is made from by itself.
PASSKEY_SETTINGS = {
    "synced_passkeys": "webauthn_allow_synced_passkeys",
    "kind_of_passkey": "webauthn_authenticator_attachment",
}
FORGET = "forget_smtp_password"
MAILS = (
    "email_login_notification_enabled",
    "email_one_time_access_as_unauthenticated_enabled",
    "email_one_time_access_as_admin_enabled",
    "email_verification_enabled",
    "email_api_key_expiration_enabled",
)


class ConfigurationForm(forms.ModelForm):
    """Passwords are not shown: what is left empty stays as it is."""

    smtp_password = forms.CharField(
        label=_("SMTP password"),
        required=False,
        strip=False,
        help_text=_("Empty: as it is."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget_smtp_password = forms.BooleanField(label=_("Forget the SMTP password"), required=False)
    synced_passkeys = forms.BooleanField(
        label=_("Synced passkeys"),
        required=False,
        help_text=_("Off: only passkeys that cannot leave their device, such as those on security keys."),
    )
    kind_of_passkey = forms.ChoiceField(
        label=_("Kind of passkey"),
        choices=SiteConfiguration.Attachment,
        help_text=_("What browsers offer when somebody adds one."),
    )

    class Meta:
        model = SiteConfiguration
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets name them
        widgets: ClassVar[dict[str, Any]] = {
            name: forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})
            for name in ("signup_default_user_group_ids", "signup_default_custom_claims")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a form takes
        super().__init__(*args, **kwargs)
        for name, column in PASSKEY_SETTINGS.items():
            self.initial[name] = getattr(self.instance, column)

    def clean(self) -> dict[str, Any]:
        """Mail needs a server: what is switched on without one would fail when somebody waits for it.

        And another server is told no password that was meant for the first, which nobody is shown here.
        """
        found: dict[str, Any] = super().clean() or self.cleaned_data
        wanted = [name for name in MAILS if found.get(name)]
        if wanted:
            for name in ("smtp_host", "smtp_port", "smtp_from"):
                if name not in self.errors and not found.get(name):
                    self.add_error(name, _("The mails that are switched on below need this."))
        if not found.get("smtp_password") and not found.get(FORGET):
            found.pop("smtp_password", None)
            if configure.passwords_told_elsewhere(self.instance, found):
                words = _("Type the password again, or let it be forgotten below: another server would be told it.")
                self.add_error("smtp_password", words)
        return found


@admin.register(SiteConfiguration)
class SiteConfigurationAdmin(ByVerb):
    """One row: it can be changed, not added or removed."""

    form = ConfigurationForm
    fieldsets: ClassVar[Any] = [
        (None, {"fields": ("app_name", "accent_color", "animations", "home_page_url", "session_duration")}),
        (
            _("People"),
            {
                "fields": (
                    "allow_own_account_edit",
                    "require_user_email",
                    "emails_verified",
                    "allow_user_signups",
                    "signup_default_user_group_ids",
                    "signup_default_custom_claims",
                )
            },
        ),
        (_("Passkeys"), {"fields": tuple(PASSKEY_SETTINGS)}),
        (_("Apps"), {"fields": ("auto_create_oidc_client_secret", "signing_key_days")}),
        (
            _("E-mail"),
            {
                "fields": (
                    ("smtp_host", "smtp_port"),
                    "smtp_from",
                    ("smtp_user", "smtp_password"),
                    FORGET,
                    ("smtp_tls", "smtp_skip_cert_verify"),
                    *MAILS,
                )
            },
        ),
    ]

    # What stands in the place of the form's own fields when nothing can be changed; the password is not shown at all.
    COLUMNS: ClassVar[dict[str, str]] = {**PASSKEY_SETTINGS, "smtp_password": "", FORGET: ""}

    change_form_template = "admin/siteconfig/siteconfiguration/change_form.html"

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> SiteConfiguration | None:
        """The settings in force, which variables may have fixed."""
        return current() if super().get_object(request, object_id, from_field) is not None else None

    def get_fieldsets(self, request: HttpRequest, obj: SiteConfiguration | None = None) -> Any:  # noqa: ANN401 - Django's own type
        if not is_fixed():
            hidden = () if obj is not None and obj.smtp_password else (FORGET,)
            return [
                (title, {"fields": tuple(each for each in options["fields"] if each not in hidden)})
                for title, options in self.fieldsets
            ]
        return [(title, {"fields": tuple(self._columns(options["fields"]))}) for title, options in self.fieldsets]

    def _columns(self, names: Iterable[str | tuple[str, ...]]) -> Iterator[str]:
        """One below the other: fields that stand side by side are for filling in."""
        for name in names:
            for each in (name,) if isinstance(name, str) else name:
                if column := self.COLUMNS.get(each, each):
                    yield column

    def has_change_permission(self, request: HttpRequest, obj: SiteConfiguration | None = None) -> bool:
        return not is_fixed() and super().has_change_permission(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = (extra_context or {}) | {"is_fixed": is_fixed()}
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.test_mail)
        return [path("test-mail/", page, name="siteconfig_test_mail"), *super().get_urls()]

    def test_mail(self, request: HttpRequest) -> HttpResponse:
        """By the settings as they are saved, to whoever presses the button."""
        back = reverse("admin:siteconfig_siteconfiguration_change", args=[1])
        if request.method != "POST":
            return redirect(back)
        try:
            configure.send_test_mail(getattr(request.user, "email", None))
        except AppError as refused:
            return self.deny(request, refused, 1)
        address = {"address": getattr(request.user, "email", "")}
        messages.success(request, _("A mail was sent to %(address)s.") % address)
        return redirect(back)

    def save_model(
        self, request: HttpRequest, obj: SiteConfiguration, form: "forms.ModelForm[SiteConfiguration]", change: bool
    ) -> None:
        changed = {PASSKEY_SETTINGS.get(name, name): form.cleaned_data[name] for name in form.changed_data}
        if changed.pop(FORGET, False):
            changed.setdefault("smtp_password", "")
        configure.change(changed, request=request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SiteConfiguration | None = None) -> bool:
        return False
