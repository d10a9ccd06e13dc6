from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from siteconfig import configure
from siteconfig.models import SiteConfiguration


class ConfigurationForm(forms.ModelForm):
    """Passwords are not shown: what is left empty stays as it is."""

    smtp_password = forms.CharField(
        label=_("SMTP password"),
        required=False,
        strip=False,
        help_text=_("Empty: as it is."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = SiteConfiguration
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets name them
        widgets: ClassVar[dict[str, Any]] = {
            name: forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})
            for name in ("signup_default_user_group_ids", "signup_default_custom_claims")
        }


@admin.register(SiteConfiguration)
class SiteConfigurationAdmin(admin.ModelAdmin):
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
        (_("Apps"), {"fields": ("auto_create_oidc_client_secret", "signing_key_days")}),
        (
            _("E-mail"),
            {
                "fields": (
                    ("smtp_host", "smtp_port"),
                    "smtp_from",
                    ("smtp_user", "smtp_password"),
                    ("smtp_tls", "smtp_skip_cert_verify"),
                    "email_login_notification_enabled",
                    "email_one_time_access_as_unauthenticated_enabled",
                    "email_one_time_access_as_admin_enabled",
                    "email_verification_enabled",
                    "email_api_key_expiration_enabled",
                )
            },
        ),
    ]

    def save_model(
        self, request: HttpRequest, obj: SiteConfiguration, form: "forms.ModelForm[SiteConfiguration]", change: bool
    ) -> None:
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        if not changed.get("smtp_password"):
            changed.pop("smtp_password", None)
        configure.change(changed, request=request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SiteConfiguration | None = None) -> bool:
        return False
