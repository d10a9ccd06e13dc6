"""What the operator may change while the server runs: one typed row."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core import secrets
from core.mail import Server
from siteconfig.json_text import check_claims, check_texts


class SiteConfiguration(models.Model):
    """The settings of this installation. There is one row, made by the first migration."""

    class Signups(models.TextChoices):
        DISABLED = "disabled", _("Nobody")
        WITH_TOKEN = "withToken", _("People with a sign-up link")
        OPEN = "open", _("Everybody")

    class Encryption(models.TextChoices):
        NONE = "none", _("None")
        STARTTLS = "starttls", "STARTTLS"
        TLS = "tls", "TLS"

    class UserVerification(models.TextChoices):
        REQUIRED = "required", _("Required")
        PREFERRED = "preferred", _("Preferred")

    class Attachment(models.TextChoices):
        ANY = "any", _("Any")
        PLATFORM = "platform", _("Built into the device")
        CROSS_PLATFORM = "cross-platform", _("Security key or phone")

    app_name = models.CharField(
        _("name"),
        max_length=30,
        default="Pocket ID",
        help_text=_("Shown on every page and by people's passkey managers."),
    )
    accent_color = models.CharField(
        _("accent colour"),
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Six hexadecimal digits after #, such as #3454d1."))],
    )
    # The same colour as a REST client wrote it, which it must be able to read back.
    accent_color_text = models.CharField(max_length=64, blank=True, editable=False)
    animations = models.BooleanField(_("animations"), default=True)
    home_page_url = models.CharField(
        _("home page"), max_length=255, default="/settings/account", help_text=_("Where people go after signing in.")
    )
    session_duration = models.PositiveIntegerField(
        _("session duration"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(43200)],
        help_text=_("Minutes until a person must sign in again."),
    )

    allow_own_account_edit = models.BooleanField(
        _("people may change their account"), default=True, help_text=_("Name, e-mail address and picture.")
    )
    require_user_email = models.BooleanField(_("everybody has an e-mail address"), default=True)
    emails_verified = models.BooleanField(
        _("new e-mail addresses count as verified"), default=False, help_text=_("Apps are told so without a check.")
    )
    allow_user_signups = models.CharField(
        _("who may make an account"), max_length=9, choices=Signups, default=Signups.DISABLED
    )
    # JSON as it was sent: clients compare it letter by letter.
    signup_default_user_group_ids = models.TextField(
        _("groups of new people"), default="[]", validators=[check_texts], help_text=_("A JSON list of group ids.")
    )
    signup_default_custom_claims = models.TextField(
        _("claims of new people"),
        default="[]",
        validators=[check_claims],
        help_text=_('A JSON list such as [{"key": "department", "value": "sales"}].'),
    )

    smtp_host = models.CharField(_("SMTP server"), max_length=255, blank=True)
    smtp_port = models.PositiveIntegerField(
        _("SMTP port"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    smtp_from = models.EmailField(_("sender address"), blank=True)
    smtp_user = models.CharField(_("SMTP user"), max_length=255, blank=True)
    smtp_password_encrypted = models.TextField(blank=True, editable=False)
    smtp_tls = models.CharField(_("SMTP encryption"), max_length=8, choices=Encryption, default=Encryption.NONE)
    smtp_skip_cert_verify = models.BooleanField(
        _("do not check the SMTP server's certificate"), default=False, help_text=_("Only for a server of your own.")
    )
    email_login_notification_enabled = models.BooleanField(_("mail about a sign-in on a new device"), default=False)
    email_one_time_access_as_unauthenticated_enabled = models.BooleanField(
        _("people may ask for a login code by mail"), default=False
    )
    email_one_time_access_as_admin_enabled = models.BooleanField(
        _("administrators may send a login code by mail"), default=False
    )
    email_api_key_expiration_enabled = models.BooleanField(_("mail before an API key expires"), default=False)
    email_verification_enabled = models.BooleanField(_("people may verify their e-mail address"), default=False)

    ldap_enabled = models.BooleanField(default=False, editable=False)
    ldap_url = models.TextField(blank=True, editable=False)
    ldap_bind_dn = models.TextField(blank=True, editable=False)
    ldap_bind_password_encrypted = models.TextField(blank=True, editable=False)
    ldap_base = models.TextField(blank=True, editable=False)
    ldap_user_search_filter = models.TextField(default="(objectClass=person)", editable=False)
    ldap_user_group_search_filter = models.TextField(default="(objectClass=groupOfNames)", editable=False)
    ldap_skip_cert_verify = models.BooleanField(default=False, editable=False)
    ldap_attribute_user_unique_identifier = models.TextField(blank=True, editable=False)
    ldap_attribute_user_username = models.TextField(blank=True, editable=False)
    ldap_attribute_user_email = models.TextField(blank=True, editable=False)
    ldap_attribute_user_first_name = models.TextField(blank=True, editable=False)
    ldap_attribute_user_last_name = models.TextField(blank=True, editable=False)
    ldap_attribute_user_display_name = models.TextField(default="cn", editable=False)
    ldap_attribute_user_profile_picture = models.TextField(blank=True, editable=False)
    ldap_attribute_group_member = models.TextField(default="member", editable=False)
    ldap_attribute_group_unique_identifier = models.TextField(blank=True, editable=False)
    ldap_attribute_group_name = models.TextField(blank=True, editable=False)
    ldap_admin_group_name = models.TextField(blank=True, editable=False)
    ldap_soft_delete_users = models.BooleanField(default=True, editable=False)

    webauthn_user_verification = models.CharField(
        _("PIN or fingerprint for a passkey"),
        max_length=9,
        choices=UserVerification,
        default=UserVerification.REQUIRED,
        editable=False,
    )
    webauthn_allow_synced_passkeys = models.BooleanField(_("synced passkeys"), default=True, editable=False)
    webauthn_authenticator_attachment = models.CharField(
        _("kind of passkey"), max_length=14, choices=Attachment, default=Attachment.ANY, editable=False
    )
    cimd_url_allowlist = models.TextField(default="[]", validators=[check_texts], editable=False)
    auto_create_oidc_client_secret = models.BooleanField(_("a new app gets a secret at once"), default=True)

    signing_key_days = models.PositiveIntegerField(
        _("rotate signing keys after"),
        default=0,
        validators=[MaxValueValidator(3650)],
        help_text=_("Days that a key signs before the next one takes its place. 0: only by hand."),
    )

    # Set by the one transaction that made the first administrator, and never cleared: /setup stays closed
    # even when every administrator is gone (attacks.md D8).
    setup_completed_at = models.DateTimeField(_("set up at"), null=True, editable=False)
    # Set when the first administrator has a passkey or an API key, and never cleared: nobody else needs the way in
    # that asks for neither (accounts/setup.py).
    bootstrap_finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("configuration")
        verbose_name_plural = _("configuration")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="siteconfig_one_row")]

    def __str__(self) -> str:
        return self.app_name

    def clean(self) -> None:
        if not self.home_page_url.startswith(("/", "https://", "http://")) or self.home_page_url.startswith("//"):
            raise ValidationError({"home_page_url": _("A path such as /settings/account, or a web address.")})

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(minutes=self.session_duration)

    @property
    def mail_server(self) -> Server:
        return Server(
            host=self.smtp_host,
            port=self.smtp_port or 0,
            username=self.smtp_user,
            password=self.smtp_password,
            encryption=self.smtp_tls,
            verify=not self.smtp_skip_cert_verify,
            sender=self.smtp_from,
            sender_name=self.app_name,
            logo=f"{settings.APP_URL}/api/application-images/email",
        )

    @property
    def smtp_password(self) -> str:
        return _decrypted(self.smtp_password_encrypted, "smtp_password")

    @smtp_password.setter
    def smtp_password(self, plain: str) -> None:
        if plain != self.smtp_password:
            self.smtp_password_encrypted = _encrypted(plain, "smtp_password")

    @property
    def ldap_bind_password(self) -> str:
        return _decrypted(self.ldap_bind_password_encrypted, "ldap_bind_password")

    @ldap_bind_password.setter
    def ldap_bind_password(self, plain: str) -> None:
        if plain != self.ldap_bind_password:
            self.ldap_bind_password_encrypted = _encrypted(plain, "ldap_bind_password")


def _encrypted(plain: str, column: str) -> str:
    return secrets.encrypt(plain.encode(), place=f"siteconfig.{column}.1") if plain else ""


def _decrypted(text: str, column: str) -> str:
    """Empty also when it was encrypted with another ENCRYPTION_KEY: the settings must still open to be repaired."""
    try:
        return secrets.decrypt(text, place=f"siteconfig.{column}.1").decode() if text else ""
    except secrets.CannotDecrypt:
        return ""


# What variables say the settings are (contract section 9.1), by column; nothing until ``fix_by``.
_fixed: Callable[[], Mapping[str, Any]] = dict


def fix_by(columns: Callable[[], Mapping[str, Any]]) -> None:
    """Let ``columns`` say at any time what is in force whatever the database has."""
    global _fixed  # noqa: PLW0603 - set once, when the app is ready
    _fixed = columns


def is_fixed() -> bool:
    """Whether variables say what the settings are, and nobody changes them here."""
    return settings.FIXED_SETTINGS is not None


def current() -> SiteConfiguration:
    """The settings now in force, to be read and never saved; what they are before the first migration when there is no row."""
    row = stored()
    for name, value in _fixed().items():
        setattr(row, name, value)
    return row


def stored() -> SiteConfiguration:
    """The settings of the database, also while variables are in force in their place."""
    return SiteConfiguration.objects.filter(pk=1).first() or SiteConfiguration(pk=1)
