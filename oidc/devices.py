"""Devices without a browser (RFC 8628): a code to type, what it asks for, yes or no."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.errors import ReauthenticationRequired
from accounts.models import Session
from core.secrets import hash_token, new_token
from oidc import consent, resource_indicators, store
from oidc.errors import AppDeniesAccess, DeviceCodeExpired, DeviceCodeInvalid
from oidc.models import DeviceGrant
from oidc.store import ClientRow

DEVICE_PREFIX = "pocket_id_dc_"
LIFETIME = timedelta(minutes=15)
INTERVAL = 5  # seconds between two questions of the device

# Without the letters that people take for digits. E says what the code is for; P is for signing in with another device.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ0123456789"
_MEANT = str.maketrans("ILO", "110")
_KIND = "E"


def begin(
    client: ClientRow, *, scopes: tuple[str, ...], resource: str = "", nonce: str, ip_address: str, user_agent: str
) -> tuple[str, str]:
    """A new device code and its user code. Both are kept as hashes."""
    device_code = new_token(DEVICE_PREFIX)
    user_code = _KIND + "".join(secrets.choice(_ALPHABET) for _ in range(7))
    DeviceGrant.objects.create(
        device_code=hash_token(device_code),
        user_code=hash_token(user_code),
        application_id=client.id,
        scope=" ".join(scopes),
        resource=[resource] if resource else [],
        nonce=nonce,
        interval=INTERVAL,
        expires=timezone.now() + LIFETIME,
        ip_address=ip_address or None,
        user_agent=user_agent,
    )
    return device_code, user_code


def find(user_code: str) -> DeviceGrant:
    """The device that waits with this code, as people type it; raise ``DeviceCodeInvalid`` or ``DeviceCodeExpired``."""
    code = user_code.strip().upper().replace("-", "").replace(" ", "").translate(_MEANT)
    found: DeviceGrant | None = (
        DeviceGrant.objects.select_related("application")
        .filter(user_code=hash_token(code), status=DeviceGrant.AUTHORIZATION_PENDING)
        .first()
    )
    if found is None:
        raise DeviceCodeInvalid
    if found.expires <= timezone.now():
        raise DeviceCodeExpired
    return found


def shared(device: DeviceGrant) -> tuple[str, ...]:
    """What the person agrees to, as consents keep it."""
    return resource_indicators.as_consented("".join(device.resource[:1]), device.scope.split())


def approve(device: DeviceGrant, session: Session) -> bool:
    """Let the device act for whoever is signed in; whether it is the first time for this app.

    Raise ``AppDeniesAccess``, ``ReauthenticationRequired``, or ``DeviceCodeInvalid`` if somebody has decided meanwhile.
    """
    client = store.find_for_authorization(device.application.client_id, session.user.pk)
    if client is None or client.denied:
        raise AppDeniesAccess(app=device.application)
    if client.reauthentication_required and session.auth_time < device.created:
        raise ReauthenticationRequired
    with transaction.atomic():
        _decide(device, DeviceGrant.AUTHORIZED, session)
        store.touch_consent(consent.remember(session.user, client.row.id, shared(device)).pk)
    return client.is_new


def deny(device: DeviceGrant, session: Session) -> None:
    """Turn the device away; raise ``DeviceCodeInvalid`` if somebody has decided meanwhile."""
    _decide(device, DeviceGrant.DENIED, session)


def _decide(device: DeviceGrant, status: str, session: Session) -> None:
    # The update decides: of a simultaneous yes and no one is done (attacks.md I5).
    changed = DeviceGrant.objects.filter(pk=device.pk, status=DeviceGrant.AUTHORIZATION_PENDING).update(
        status=status, user=session.user, sid=session.pk, auth_time=session.auth_time, amr=session.amr
    )
    if not changed:
        raise DeviceCodeInvalid
