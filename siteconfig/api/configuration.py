"""The settings over REST (contract section 7.3): an object of texts in, a list of keys with texts out."""

from typing import Any

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import AppError
from core.rest import IsAdministrator, has_full_rights
from core.rest_fields import EmailText, Input, Text, read
from core.rest_view import PublicResource, Resource
from siteconfig import colours, configure
from siteconfig.api.fields import Address, JsonClaims, JsonTexts, Number, OneOf, TrueOrFalse
from siteconfig.models import SiteConfiguration, current, is_fixed

MASK = "XXXXXXXXXX"
SECRETS = ("smtpPassword", "ldapBindPassword")
PUBLIC = (
    "appName",
    "homePageUrl",
    "disableAnimations",
    "allowOwnAccountEdit",
    "allowUserSignups",
    "accentColor",
    "requireUserEmail",
    "emailOneTimeAccessAsUnauthenticatedEnabled",
    "emailOneTimeAccessAsAdminEnabled",
    "emailVerificationEnabled",
    "ldapEnabled",
)


class LdapDisabled(AppError):
    code = "ldap_disabled"
    status = 409
    message = "LDAP is not enabled"


def _optional(source: str, kind: type[Text] = Text, **kwargs: Any) -> Text:  # noqa: ANN401 - whatever a field takes
    """Left out means as it is; empty means the default."""
    if kind is not Number:
        kwargs.setdefault("max_length", 8192)
    return kind(source=source, required=False, allow_blank=True, **kwargs)


class ConfigurationSerializer(Input):
    """Every key, in the order in which Pocket ID names those that are missing."""

    appName = Text(source="app_name", max_length=30)
    sessionDuration = Number(source="session_duration", low=1, high=43200)
    homePageUrl = Address(source="home_page_url", max_length=255)
    emailsVerified = TrueOrFalse(source="emails_verified")
    disableAnimations = TrueOrFalse(source="animations", negated=True)
    allowOwnAccountEdit = TrueOrFalse(source="allow_own_account_edit")
    allowUserSignups = OneOf(source="allow_user_signups", words=SiteConfiguration.Signups.values)
    signupDefaultUserGroupIDs = _optional("signup_default_user_group_ids", JsonTexts)
    signupDefaultCustomClaims = _optional("signup_default_custom_claims", JsonClaims)
    accentColor = _optional("accent_color_text", max_length=64)
    requireUserEmail = TrueOrFalse(source="require_user_email")
    smtpHost = _optional("smtp_host", max_length=255)
    smtpPort = _optional("smtp_port", Number, low=1, high=65535)
    smtpFrom = _optional("smtp_from", EmailText, max_length=254)
    smtpUser = _optional("smtp_user", max_length=255)
    smtpPassword = _optional("smtp_password")
    smtpTls = OneOf(source="smtp_tls", words=SiteConfiguration.Encryption.values)
    smtpSkipCertVerify = TrueOrFalse(source="smtp_skip_cert_verify")
    ldapEnabled = TrueOrFalse(source="ldap_enabled")
    ldapUrl = _optional("ldap_url")
    ldapBindDn = _optional("ldap_bind_dn")
    ldapBindPassword = _optional("ldap_bind_password")
    ldapBase = _optional("ldap_base")
    ldapUserSearchFilter = _optional("ldap_user_search_filter")
    ldapUserGroupSearchFilter = _optional("ldap_user_group_search_filter")
    ldapSkipCertVerify = TrueOrFalse(source="ldap_skip_cert_verify")
    ldapAttributeUserUniqueIdentifier = _optional("ldap_attribute_user_unique_identifier")
    ldapAttributeUserUsername = _optional("ldap_attribute_user_username")
    ldapAttributeUserEmail = _optional("ldap_attribute_user_email")
    ldapAttributeUserFirstName = _optional("ldap_attribute_user_first_name")
    ldapAttributeUserLastName = _optional("ldap_attribute_user_last_name")
    ldapAttributeUserDisplayName = _optional("ldap_attribute_user_display_name")
    ldapAttributeUserProfilePicture = _optional("ldap_attribute_user_profile_picture")
    ldapAttributeGroupMember = _optional("ldap_attribute_group_member")
    ldapAttributeGroupUniqueIdentifier = _optional("ldap_attribute_group_unique_identifier")
    ldapAttributeGroupName = _optional("ldap_attribute_group_name")
    ldapAdminGroupName = _optional("ldap_admin_group_name")
    ldapSoftDeleteUsers = TrueOrFalse(source="ldap_soft_delete_users")
    # Clients that are older than these never send them.
    webauthnUserVerification = OneOf(
        source="webauthn_user_verification", words=SiteConfiguration.UserVerification.values, required=False
    )
    webauthnAllowSyncedPasskeys = TrueOrFalse(source="webauthn_allow_synced_passkeys", required=False)
    webauthnAuthenticatorAttachment = OneOf(
        source="webauthn_authenticator_attachment", words=SiteConfiguration.Attachment.values, required=False
    )
    cimdUrlAllowlist = _optional("cimd_url_allowlist", JsonTexts)
    emailOneTimeAccessAsAdminEnabled = TrueOrFalse(source="email_one_time_access_as_admin_enabled")
    emailOneTimeAccessAsUnauthenticatedEnabled = TrueOrFalse(source="email_one_time_access_as_unauthenticated_enabled")
    emailLoginNotificationEnabled = TrueOrFalse(source="email_login_notification_enabled")
    emailApiKeyExpirationEnabled = TrueOrFalse(source="email_api_key_expiration_enabled")
    emailVerificationEnabled = TrueOrFalse(source="email_verification_enabled")
    autoCreateOidcClientSecret = TrueOrFalse(source="auto_create_oidc_client_secret", required=False)

    def validate_accentColor(self, text: str) -> str:  # noqa: N802 - the contract's spelling
        try:
            colours.as_hex(text)
        except colours.NotAColour:
            raise serializers.ValidationError("must be a valid color", code="invalid") from None
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Columns and their new values: what is empty is the column's default, a mask changes nothing."""
        for name in ("smtp_password", "ldap_bind_password"):
            if attrs.get(name) == MASK:
                del attrs[name]
        for name, value in attrs.items():
            if value == "" and name not in ("smtp_password", "ldap_bind_password", "accent_color_text"):
                attrs[name] = getattr(SiteConfiguration(), name)
        if "accent_color_text" in attrs:
            attrs["accent_color"] = colours.as_hex(attrs["accent_color_text"])
            attrs["accent_color_text"] = attrs["accent_color_text"] if attrs["accent_color"] else ""
        return attrs


class FixedSerializer(ConfigurationSerializer):
    """What variables may fix: also our own setting, which clients of Pocket ID do not know."""

    signingKeyDays = Number(source="signing_key_days", low=0, high=3650, required=False, allow_blank=True)


def values(configuration: SiteConfiguration, *, in_clear: bool) -> dict[str, str]:
    """Every key with its text."""
    shown = {name: text or "" for name, text in ConfigurationSerializer(configuration).data.items()}
    # The console may have changed the colour since a client wrote it in its own way.
    if colours.as_hex(shown["accentColor"]) != configuration.accent_color.lower():
        shown["accentColor"] = configuration.accent_color
    shown["accentColor"] = shown["accentColor"] or "default"
    if not in_clear:
        shown |= {name: MASK for name in SECRETS if shown[name]}
    return shown


class PublicConfiguration(PublicResource):
    """What pages and apps may know. PUT is the administrators'."""

    scope = "application-configuration"

    def get_authenticators(self) -> list[Any]:
        return [each() for each in Resource.authentication_classes] if self.request.method == "PUT" else []

    def get_permissions(self) -> list[Any]:
        return [IsAdministrator()] if self.request.method == "PUT" else []

    def get(self, request: Request) -> Response:
        shown = values(current(), in_clear=False)
        answer = [{"key": name, "type": "", "value": shown[name]} for name in PUBLIC]
        answer.append({"key": "uiConfigDisabled", "type": "boolean", "value": str(is_fixed()).lower()})
        answer.append({"key": "tracingEnabled", "type": "", "value": "false"})
        return Response(answer)

    def put(self, request: Request) -> Response:
        wanted = read(request, ConfigurationSerializer)
        changed = configure.change(wanted, request=request._request, is_shown_passwords=has_full_rights(request))
        return _all(request, changed)


class Configuration(Resource):
    scope = "application-configuration"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        return _all(request, current())


class TestEmail(Resource):
    scope = "application-configuration"
    permission_classes = [IsAdministrator]

    def post(self, request: Request) -> Response:
        configure.send_test_mail(getattr(request.user, "email", None))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SyncLdap(Resource):
    """LDAP comes later: until then every installation has it switched off."""

    scope = "application-configuration"
    permission_classes = [IsAdministrator]

    def post(self, request: Request) -> Response:
        raise LdapDisabled


def _all(request: Request, configuration: SiteConfiguration) -> Response:
    """Passwords in clear for a key with full rights alone: Terraform compares them. Nobody need compare what is fixed."""
    shown = values(configuration, in_clear=has_full_rights(request) and not is_fixed())
    return Response([{"key": name, "type": "", "value": text, "isPublic": False} for name, text in shown.items()])
