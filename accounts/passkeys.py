"""WebAuthn ceremonies: begin and finish, registration and authentication; no HTTP.

py_webauthn checks signatures, challenge, origin, RP ID and flags. What it leaves to us is here: single-use
challenges, user handle and ownership, cross-origin, backup flags, the counter, sizes and its stray exceptions.
"""

import logging
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_attestation_object,
    parse_authenticator_data,
    parse_client_data_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorAttachment,
    AuthenticatorDataFlags,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts import public_keys, sessions, setup
from accounts.errors import (
    CeremonyExpired,
    LastPasskey,
    MissingSessionId,
    PasskeyAlreadyRegistered,
    PasskeyRejected,
    ReauthenticationRequired,
    SyncedPasskeyNotAllowed,
    UnreadableAnswer,
    UserVerificationRequired,
)
from accounts.models import Ceremony, Passkey, Session, User
from accounts.models.ceremony import CEREMONY_LIFETIME
from core.errors import NotFound, UserDisabled
from core.secrets import hash_token, new_token
from siteconfig.models import current

logger = logging.getLogger("pocketid.passkeys")

TIMEOUT_MS = 60_000
MAX_CREDENTIAL_ID = 1023  # bytes, WebAuthn L3 section 4
# A passkey may be added or removed this long after signing in; later the person proves again who they are.
FRESH_ENOUGH = timedelta(minutes=10)

# In order of preference. RSA with 1024-bit keys or SHA-1 is not among them.
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.ECDSA_SHA_512,
    COSEAlgorithmIdentifier.RSASSA_PSS_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PSS_SHA_384,
    COSEAlgorithmIdentifier.RSASSA_PSS_SHA_512,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_384,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_512,
]

# py_webauthn lets these escape for malformed input (library-notes.md section 3, item 9).
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError)


@dataclass(frozen=True)
class Started:
    """``options`` go to the browser as they are; ``key`` is the secret that ties its answer to the challenge."""

    options: dict[str, Any]
    key: str


def rp_id() -> str:
    """The host that passkeys are bound to."""
    return urlsplit(settings.APP_URL).hostname or "localhost"


# Registration (WebAuthn L3 section 7.1)


def begin_registration(user: User, *, session: Session, rp_name: str) -> Started:
    """Creation options for a new passkey of ``user``, to be finished in the same session."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_registration_options(
        rp_id=rp_id(),
        rp_name=rp_name,
        user_id=user.user_handle,
        user_name=user.username,
        user_display_name=user.display_name or user.name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            authenticator_attachment=_attachment(),
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(known))
            for known in user.passkeys.values_list("credential_id", flat=True)
        ],
        supported_pub_key_algs=ALGORITHMS,
    )
    plain = options_to_json_dict(options) | {"extensions": {"credProps": True}}
    plain.pop("attestation", None)
    if not plain.get("excludeCredentials"):
        plain.pop("excludeCredentials", None)
    return Started(plain, _remember(Ceremony.Kind.REGISTRATION, challenge, session))


def _attachment() -> AuthenticatorAttachment | None:
    """Which kind of authenticator the settings ask for; browsers alone know which one was used."""
    wanted = current().webauthn_authenticator_attachment
    return None if wanted == "any" else AuthenticatorAttachment(wanted)


def finish_registration(user: User, answer: dict[str, Any], *, key: str, session: Session) -> Passkey:
    """Verify the answer of an authenticator and keep its passkey for ``user``.

    Raise ``MissingSessionId``, ``CeremonyExpired``, ``UnreadableAnswer``, ``UserVerificationRequired``,
    ``PasskeyRejected`` or ``PasskeyAlreadyRegistered``.
    """
    challenge = _take(key, Ceremony.Kind.REGISTRATION, session)
    _refuse_cross_origin(answer)
    if not _flags_of_registration(answer).uv:
        raise UserVerificationRequired
    try:
        verified = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id(),
            expected_origin=settings.APP_URL,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except _MALFORMED as problem:
        raise _rejected(problem) from None
    try:
        public_keys.check(verified.credential_public_key)
    except public_keys.WeakKey as weak:
        raise _rejected(weak) from None
    if _client_says_not_discoverable(answer):
        raise _rejected("not discoverable: it could never sign in")
    if not verified.credential_id or len(verified.credential_id) > MAX_CREDENTIAL_ID:
        raise UnreadableAnswer
    flags = _flags_of_registration(answer)
    _refuse_impossible_backup(eligible=flags.be, state=flags.bs)
    if flags.be and not current().webauthn_allow_synced_passkeys:
        raise SyncedPasskeyNotAllowed
    passkey = Passkey(
        user=user,
        name=_("New Passkey"),
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=uuid.UUID(verified.aaguid),
        transports=_transports(answer),
        backup_eligible=flags.be,
        backup_state=flags.bs,
    )
    try:
        with transaction.atomic():
            if setup.finish(user, session=session):
                sessions.end_others(session)
            passkey.save(force_insert=True)
    except IntegrityError:
        # Somebody's already, perhaps another person's: nothing is overwritten (attacks.md E10).
        raise PasskeyAlreadyRegistered from None
    return passkey


# Authentication (WebAuthn L3 section 7.2)


def begin_authentication() -> Started:
    """Request options for whoever holds a passkey of this server: nobody has to be named first."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_authentication_options(
        rp_id=rp_id(), challenge=challenge, timeout=TIMEOUT_MS, user_verification=UserVerificationRequirement.REQUIRED
    )
    plain = options_to_json_dict(options)
    plain.pop("allowCredentials", None)
    return Started(plain, _remember(Ceremony.Kind.AUTHENTICATION, challenge, None))


def finish_authentication(answer: dict[str, Any], *, key: str) -> Passkey:
    """Verify an assertion and return the passkey that made it, with its owner.

    Raise ``MissingSessionId``, ``CeremonyExpired``, ``UnreadableAnswer``, ``UserVerificationRequired``,
    ``PasskeyRejected`` or ``UserDisabled``.
    """
    challenge = _take(key, Ceremony.Kind.AUTHENTICATION, None)
    _refuse_cross_origin(answer)
    flags = _flags_of_assertion(answer)
    if not flags.uv:
        raise UserVerificationRequired
    passkey = Passkey.objects.select_related("user").filter(credential_id=_canonical_id(answer)).first()
    if passkey is None:
        raise _rejected("unknown credential")
    try:
        # The counter is ours to judge: py_webauthn cannot tell a clone from a forgery, so it is given 0.
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id(),
            expected_origin=settings.APP_URL,
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _MALFORMED as problem:
        raise _rejected(problem) from None
    # The user handle is the account the authenticator believes it signs for. Discoverable credentials always send it.
    if _user_handle(answer) != passkey.user.user_handle:
        raise _rejected("user handle of another account")
    if flags.be != passkey.backup_eligible:
        raise _rejected("backup eligibility changed")
    _refuse_impossible_backup(eligible=flags.be, state=flags.bs)
    if (verified.new_sign_count or passkey.sign_count) and verified.new_sign_count <= passkey.sign_count:
        raise _rejected(
            f"signature counter went from {passkey.sign_count} to {verified.new_sign_count}: the authenticator may have been cloned"
        )
    if not passkey.user.is_active:
        raise UserDisabled
    passkey.sign_count, passkey.backup_state, passkey.last_used_at = verified.new_sign_count, flags.bs, timezone.now()
    # The counter in the condition decides: of answers that race with the same counter one is accepted. Synced
    # passkeys do not count; their answers are told apart by the challenge alone.
    unused = {"sign_count__lt": passkey.sign_count} if passkey.sign_count else {"sign_count": 0}
    updated = Passkey.objects.filter(pk=passkey.pk, **unused).update(
        sign_count=passkey.sign_count, backup_state=passkey.backup_state, last_used_at=passkey.last_used_at
    )
    if not updated:
        raise _rejected("deleted or used meanwhile")
    return passkey


# Managing


def owned(user: User, passkey_id: str) -> Passkey:
    """The passkey of this id if it is ``user``'s; raise ``NotFound`` also for other people's (attacks.md G2)."""
    try:
        found = user.passkeys.filter(pk=uuid.UUID(passkey_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("Passkey")
    return found


def rename(passkey: Passkey, name: str) -> Passkey:
    passkey.name = name
    passkey.save(update_fields=["name"])
    return passkey


def remove(
    passkey: Passkey, *, even_the_last: bool = False, sign_out: bool = False, but: Session | None = None
) -> Passkey:
    """Delete a passkey; raise ``NotFound`` when it is gone, and ``LastPasskey`` unless ``even_the_last``.

    An administrator may take the last one too: then a login code lets the person add another. ``sign_out`` ends the
    sessions in which the person last proved themselves with it, and the apps hear of it; not the session ``but``.
    """
    with transaction.atomic():
        # Locks the owner's rows where the database can, so that two removals cannot both see the other's passkey.
        known = list(Passkey.objects.select_for_update().filter(user=passkey.user).values_list("pk", flat=True))
        if known == [passkey.pk] and not even_the_last:
            raise LastPasskey
        over = [each for each in passkey.sessions.all() if each != but] if sign_out else []
        if not Passkey.objects.filter(pk=passkey.pk).delete()[0]:
            raise NotFound("Passkey")
        for session in over:
            sessions.end(session)
    return passkey


def require_fresh(session: Session) -> None:
    """Raise ``ReauthenticationRequired`` for an old session, if the person has a passkey to prove themselves with."""
    if not is_fresh(session) and session.user.passkeys.exists():
        raise ReauthenticationRequired


def is_fresh(session: Session) -> bool:
    """Whether the person signed in so lately that they may change their passkeys."""
    return sessions.is_fresh(session, max_age=FRESH_ENOUGH)


# What both ceremonies need


def _remember(kind: Ceremony.Kind, challenge: bytes, session: Session | None) -> str:
    key, now = new_token(), timezone.now()
    with transaction.atomic():
        # Here, so that starts without an end cannot fill the table; a session has one registration at a time.
        Ceremony.objects.filter(expires_at__lte=now).delete()
        if session is not None:
            Ceremony.objects.filter(session_id=session.pk).delete()
        Ceremony.objects.create(
            key_hash=hash_token(key),
            kind=kind,
            challenge=challenge,
            session_id=session.pk if session else None,
            expires_at=now + CEREMONY_LIFETIME,
        )
    return key


def _take(key: str, kind: Ceremony.Kind, session: Session | None) -> bytes:
    """The challenge, which is gone from now on whatever the answer is worth."""
    if not key:
        raise MissingSessionId
    found = Ceremony.objects.filter(key_hash=hash_token(key)).first()
    # The delete decides: of two simultaneous answers only one removes the row.
    if found is None or not Ceremony.objects.filter(pk=found.pk).delete()[0] or found.is_expired:
        raise CeremonyExpired
    if found.kind != kind or found.session_id != (session.pk if session else None):
        raise CeremonyExpired
    return bytes(found.challenge)


def _flags_of_registration(answer: dict[str, Any]) -> AuthenticatorDataFlags:
    """The flags before anything is verified: good for refusing early with the right words."""
    try:
        raw = base64url_to_bytes(answer["response"]["attestationObject"])
        return parse_attestation_object(raw).auth_data.flags
    except _MALFORMED:
        raise UnreadableAnswer from None


def _flags_of_assertion(answer: dict[str, Any]) -> AuthenticatorDataFlags:
    """The flags of the very bytes that are signed, whatever else the answer holds."""
    try:
        return parse_authenticator_data(base64url_to_bytes(answer["response"]["authenticatorData"])).flags
    except _MALFORMED:
        raise UnreadableAnswer from None


def _client_says_not_discoverable(answer: dict[str, Any]) -> bool:
    """``credProps`` (WebAuthn L3 section 10.1.3): a key that names nobody cannot be used here, where nobody is named first."""
    results = answer.get("clientExtensionResults")
    properties = results.get("credProps") if isinstance(results, dict) else None
    return isinstance(properties, dict) and properties.get("rk") is False


def _refuse_cross_origin(answer: dict[str, Any]) -> None:
    """Our pages are never in a frame, so an answer made in one was made for somebody else (WebAuthn L3 7.2 step 13)."""
    try:
        raw = base64url_to_bytes(answer["response"]["clientDataJSON"])
        client_data = parse_client_data_json(raw)
    except _MALFORMED:
        raise UnreadableAnswer from None
    if client_data.cross_origin or b'"topOrigin"' in raw:
        raise _rejected("made in a cross-origin frame")


def _refuse_impossible_backup(*, eligible: bool, state: bool) -> None:
    if state and not eligible:
        raise _rejected("backed up without being eligible")


def _canonical_id(answer: dict[str, Any]) -> str:
    try:
        raw = base64url_to_bytes(answer["rawId"])
    except _MALFORMED:
        raise UnreadableAnswer from None
    if not raw or len(raw) > MAX_CREDENTIAL_ID:
        raise UnreadableAnswer
    return bytes_to_base64url(raw)


def _user_handle(answer: dict[str, Any]) -> bytes:
    try:
        return base64url_to_bytes(answer["response"].get("userHandle") or "")
    except _MALFORMED:
        raise UnreadableAnswer from None


def _transports(answer: dict[str, Any]) -> list[str]:
    """At most a handful of short words; anything else the browser sent is not worth keeping."""
    given = answer["response"].get("transports")
    return [word for word in given if isinstance(word, str) and len(word) <= 16][:8] if isinstance(given, list) else []


def _rejected(reason: object) -> PasskeyRejected:
    logger.warning("passkey refused: %s", reason)
    return PasskeyRejected()
