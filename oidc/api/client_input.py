"""What a client may be sent as (contract section 4.2); what is left out is reset, except what only this server knows."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from core.http import host_of
from core.rest_fields import Flag, Input, Text, Whole
from oidc import registered_keys, web_addresses
from oidc.api.fields import Items, Pattern, WebAddress
from oidc.clients import (
    DEFAULT_ACCESS_MINUTES,
    DEFAULT_ID_MINUTES,
    DEFAULT_REFRESH_MINUTES,
    ClientRefused,
    ClientSettings,
)
from oidc.logos import Picture
from oidc.models import Client

LONGEST_LIFETIME = 525_600  # minutes
MAX_ADDRESSES = 500


class FederatedIdentityInput(Input):
    issuer = Text(max_length=web_addresses.MAX_LENGTH)
    subject = Text(required=False, allow_blank=True, max_length=web_addresses.MAX_LENGTH)
    audience = Text(required=False, allow_blank=True, max_length=web_addresses.MAX_LENGTH)
    jwks = Text(required=False, allow_blank=True, max_length=web_addresses.MAX_LENGTH)
    publicKeys = Items(child=serializers.JSONField(), required=False)
    replayProtection = Flag(required=False, default=False)

    def validate_jwks(self, text: str) -> str:
        return _address_of_keys(text)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As it is kept and shown: empty members are left out."""
        try:
            keys = registered_keys.public_keys(attrs.pop("publicKeys", []))
        except registered_keys.UnusableKey as wrong:
            raise ClientRefused(str(wrong)) from None
        if not keys and not attrs.get("jwks") and "@" in host_of(attrs["issuer"]):
            raise ClientRefused(
                "The keys of an issuer with a user name or a password in its address cannot be read: register its public keys or their address"
            )
        if keys and attrs.get("jwks"):
            raise ClientRefused("A federated identity can have either public keys or a JWKS address, not both")
        kept = {name: value for name, value in attrs.items() if value or name == "replayProtection"}
        return kept | ({"publicKeys": keys} if keys else {})


class CredentialsInput(Input):
    federatedIdentities = Items(child=FederatedIdentityInput(), required=False, max_length=50)
    # Ours: left out means as it is. Only one of the two can be set.
    jwks = serializers.JSONField(required=False, allow_null=True)
    jwksUri = Text(required=False, allow_blank=True, max_length=web_addresses.MAX_LENGTH)

    def validate_jwks(self, given: Any) -> list[dict[str, str]]:  # noqa: ANN401 - whatever JSON the client sent
        try:
            return registered_keys.key_set(given or [])
        except registered_keys.UnusableKey as wrong:
            raise ClientRefused(str(wrong)) from None

    def validate_jwksUri(self, text: str) -> str:  # noqa: N802 - the contract's spelling
        return _address_of_keys(text)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("jwks") and attrs.get("jwksUri"):
            raise ClientRefused("A client can have either public keys or a JWKS address, not both")
        return attrs


class ClientInput(Input):
    name = Text(max_length=50)
    description = Text(required=False, allow_blank=True, max_length=150)
    callbackURLs = Items(child=Pattern(), required=False, max_length=MAX_ADDRESSES)
    logoutCallbackURLs = Items(child=Pattern(), required=False, max_length=MAX_ADDRESSES)
    isPublic = Flag(required=False)
    pkceEnabled = Flag(required=False)
    requiresReauthentication = Flag(required=False)
    requiresPushedAuthorizationRequests = Flag(required=False)
    skipConsent = Flag(required=False)
    isGroupRestricted = Flag(required=False)
    credentials = CredentialsInput(required=False)
    launchURL = WebAddress(required=False, allow_blank=True)  # an empty one is refused below
    backchannelLogoutURL = Text(required=False, allow_blank=True)
    logoUrl = Text(required=False, allow_blank=True, max_length=web_addresses.MAX_LENGTH)
    darkLogoUrl = Text(required=False, allow_blank=True, max_length=web_addresses.MAX_LENGTH)
    accessTokenDurationMinutes = Whole(required=False)
    refreshTokenDurationMinutes = Whole(required=False)
    # Ours: left out means as it is.
    backchannelLogoutOnSessionExpiry = Flag(required=False)
    claimsInIdToken = Flag(required=False)
    refreshTokens = Text(required=False)
    signingAlgorithm = Text(required=False)
    idTokenDurationMinutes = Whole(required=False)
    refreshTokenAbsoluteDurationMinutes = Whole(required=False)

    def validate_launchURL(self, text: str) -> str:  # noqa: N802 - the contract's spelling
        if text == "":
            raise serializers.ValidationError("must be a valid URL", code="invalid")
        return text

    def validate_accessTokenDurationMinutes(self, minutes: int) -> int:  # noqa: N802 - the contract's spelling
        return _lifetime(minutes, DEFAULT_ACCESS_MINUTES)

    def validate_refreshTokenDurationMinutes(self, minutes: int) -> int:  # noqa: N802 - the contract's spelling
        return _lifetime(minutes, DEFAULT_REFRESH_MINUTES)

    def validate_idTokenDurationMinutes(self, minutes: int) -> int:  # noqa: N802 - the contract's spelling
        return _lifetime(minutes, DEFAULT_ID_MINUTES)

    def validate_refreshTokenAbsoluteDurationMinutes(self, minutes: int) -> int:  # noqa: N802 - the contract's spelling
        return minutes if minutes == 0 else _lifetime(minutes, 0, longest=10 * LONGEST_LIFETIME)

    def validate_refreshTokens(self, word: str) -> str:  # noqa: N802 - the contract's spelling
        return _one_of(word, Client.RefreshTokens.values)

    def validate_signingAlgorithm(self, word: str) -> str:  # noqa: N802 - the contract's spelling
        return _one_of(word, Client.Algorithm.values)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if address := attrs.get("backchannelLogoutURL"):
            try:
                web_addresses.check_listener(address, https_only=attrs.get("isPublic", False))
            except web_addresses.UnusableAddress as wrong:
                problem = serializers.ErrorDetail(str(wrong), code="invalid")
                raise serializers.ValidationError({"backchannelLogoutURL": [problem]}) from None
        return attrs


class NewClientInput(ClientInput):
    id = Text(required=False, allow_blank=True, min_length=2, max_length=128)

    def validate_id(self, text: str) -> str:
        if text and not all(c.isascii() and (c.isalnum() or c in "._-") for c in text):
            raise serializers.ValidationError("is invalid", code="client_id")
        return text


def _address_of_keys(text: str) -> str:
    if text:
        try:
            web_addresses.check_listener(text)
        except web_addresses.UnusableAddress as wrong:
            raise serializers.ValidationError(str(wrong), code="invalid") from None
    return text


def _one_of(word: str, words: Sequence[str]) -> str:
    if word not in words:
        raise serializers.ValidationError(f"must be one of {', '.join(words)}", code="oneof")
    return word


def _lifetime(minutes: int, default: int, *, longest: int = LONGEST_LIFETIME) -> int:
    if minutes == 0:
        return default
    if not 1 <= minutes <= longest:
        raise serializers.ValidationError("is invalid", code="token_duration")
    return minutes


def settings_of(data: Mapping[str, Any], pictures: Mapping[bool, Picture]) -> ClientSettings:
    """A body that was checked, in the words of the verbs."""
    return ClientSettings(
        name=data["name"],
        description=data.get("description", ""),
        callback_urls=tuple(data.get("callbackURLs", ())),
        logout_callback_urls=tuple(data.get("logoutCallbackURLs", ())),
        launch_url=data.get("launchURL", ""),
        backchannel_logout_url=data.get("backchannelLogoutURL", ""),
        is_public=data.get("isPublic", False),
        pkce_required=data.get("pkceEnabled", False),
        par_required=data.get("requiresPushedAuthorizationRequests", False),
        reauthentication_required=data.get("requiresReauthentication", False),
        skip_consent=data.get("skipConsent", False),
        is_group_restricted=data.get("isGroupRestricted", False),
        access_token_minutes=data.get("accessTokenDurationMinutes", DEFAULT_ACCESS_MINUTES),
        refresh_token_minutes=data.get("refreshTokenDurationMinutes", DEFAULT_REFRESH_MINUTES),
        federated_identities=tuple(data.get("credentials", {}).get("federatedIdentities", ())),
        jwks=data.get("credentials", {}).get("jwks"),
        jwks_uri=data.get("credentials", {}).get("jwksUri"),
        backchannel_logout_on_session_expiry=data.get("backchannelLogoutOnSessionExpiry"),
        claims_in_id_token=data.get("claimsInIdToken"),
        refresh_tokens=data.get("refreshTokens"),
        algorithm=data.get("signingAlgorithm"),
        id_token_minutes=data.get("idTokenDurationMinutes"),
        refresh_token_absolute_minutes=data.get("refreshTokenAbsoluteDurationMinutes"),
        logos=pictures,
    )
