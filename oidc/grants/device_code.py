"""The device code grant (RFC 8628 section 3.4): the device asks until the person has decided."""

from django.utils import timezone

from oidc import store, tokens
from oidc.errors import (
    AccessDeniedError,
    AuthorizationPendingError,
    ExpiredTokenError,
    InvalidGrantError,
    SlowDownError,
)
from oidc.grants.base import PersonGrant, TokenRequest, required
from oidc.models import DeviceGrant
from oidc.store import GrantRow, Presented
from oidc.tokens import Issued


class DeviceCodeGrant(PersonGrant):
    grant_type = "urn:ietf:params:oauth:grant-type:device_code"

    def look_up(self, request: TokenRequest) -> Presented | None:
        return store.find_device(request.credentials.client_id, request.form.get("device_code", ""))

    def check(self, request: TokenRequest, found: Presented) -> GrantRow:
        required(request.form, "device_code")
        device = found.device
        if device is None or found.grant is None or found.grant.client != found.client.id:
            # Also for another client's code: it learns nothing, not even that the code exists (attacks.md I2).
            raise InvalidGrantError(description="The device code is unknown or was already used.")
        if found.grant.expires <= timezone.now():
            raise ExpiredTokenError(description="The device code has expired; start again.")
        if device.status == DeviceGrant.DENIED:
            raise AccessDeniedError(description="The person declined.")
        if device.status != DeviceGrant.AUTHORIZED:
            if store.device_polls_too_fast(device):
                raise SlowDownError(description="The device asks too often; wait five seconds longer each time.")
            raise AuthorizationPendingError(description="The person has not decided yet.")
        return found.grant

    def issue(self, request: TokenRequest, found: Presented, grant: GrantRow) -> Issued:
        assert found.person is not None  # noqa: S101 - checked by the base
        refresh_token = tokens.new_refresh_token() if tokens.gets_refresh_token(found.client, grant.scope) else None
        return tokens.issue(found.client, grant, found.person, refresh_token=refresh_token, nonce=grant.nonce)

    def keep(self, request: TokenRequest, found: Presented, grant: GrantRow, issued: Issued) -> None:
        assert found.device is not None and found.person is not None  # noqa: S101, PT018 - checked above
        try:
            store.redeem_device(found.device, grant, found.person, issued.stored)
        except store.LostRace:
            raise InvalidGrantError(description="The device code is unknown or was already used.") from None
