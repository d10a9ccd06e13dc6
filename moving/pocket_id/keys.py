"""The signing key, which keeps its id so that tokens already given verify, and the keys of scripts."""

from datetime import timedelta

from cryptography.hazmat.primitives import serialization
from django.utils import timezone
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from apikeys.models import ApiKey
from core.secrets import encrypt
from moving.errors import CannotMove
from moving.pocket_id import encryption
from moving.pocket_id.arrival import Arrival
from moving.pocket_id.clients import MAX_MINUTES
from moving.writing import writing
from oidc import signing_keys
from oidc.models import Client, SigningKey

SIGNING_KEY = "jwt_private_key.json"
NO_KEY = (
    "The source is encrypted with the ENCRYPTION_KEY of the old server. Name a file with it: "
    "--encryption-key-file PATH, or set ENCRYPTION_KEY of this server to the same."
)
WRONG_KEY = (
    "The ENCRYPTION_KEY does not fit: the source was encrypted with another one. It is in the environment, "
    "the compose file or the .env file of the old server; name a file with it: --encryption-key-file PATH."
)


def unlock(arrival: Arrival) -> dict[str, object] | None:
    """The old signing key as a JWK, ``None`` if there is none. Finds out which key fits; raise ``CannotMove``."""
    values = arrival.source.key_values()
    sealed = values.get(SIGNING_KEY, "")
    instance = values.get("instance_id") or _instance_of_settings(arrival)
    tokens = [row.text("token") for row in arrival.source.rows("scim_service_providers") if row.text("token")]
    if not sealed and not tokens:
        arrival.encryption_key = arrival.keys[0] if arrival.keys else ""
        return None
    if not arrival.keys:
        raise CannotMove(NO_KEY)
    for key in arrival.keys:
        try:
            jwk = encryption.signing_key(sealed, encryption_key=key, instance_id=instance) if sealed else None
            for token in tokens:
                encryption.scim_token(token, encryption_key=key)
        except encryption.WrongKey:
            continue
        arrival.encryption_key = key
        return jwk
    raise CannotMove(WRONG_KEY)


def _instance_of_settings(arrival: Arrival) -> str:
    """Where the id was until 2.11."""
    rows = arrival.source.rows("app_config_variables")
    return next((row.text("value") for row in rows if row.text("key") == "instanceId"), "")


def bring_signing_key(arrival: Arrival, jwk: dict[str, object]) -> None:
    """Let it sign here, unless this server has a key of the same kind that is in use: then it is only published."""
    report = arrival.report
    try:
        parsed = JWK(**jwk)
        pem = parsed.export_to_pem(private_key=True, password=None)
        key = serialization.load_pem_private_key(pem, None)
    except (JWException, ValueError, TypeError):
        raise CannotMove("The source is damaged: its signing key cannot be read.") from None
    kid, algorithm = str(jwk.get("kid") or parsed.thumbprint()), str(jwk.get("alg") or "")
    if algorithm not in Client.Algorithm.values:
        report.leave_out("signing keys", "algorithm", kid, algorithm)
        return
    arrival.algorithm = algorithm
    if SigningKey.objects.filter(pk=kid).exists():
        report.already_there["signing keys"] += 1
        return
    row = SigningKey(kid=kid, algorithm=algorithm, created_at=timezone.now())
    row.public_jwk = {**parsed.export_public(as_dict=True), "kid": kid, "alg": algorithm, "use": "sig"}
    row.private_key = encrypt(
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        place=row.place,
    )
    if arrival.is_merge:
        row.state, row.retired_at = SigningKey.State.RETIRED, timezone.now()
        row.last_token_expires_at = timezone.now() + _longest(arrival)
        report.change("signing keys", "retired key", kid)
    else:
        # Made at the start of this server, which has given nobody a token yet.
        SigningKey.objects.filter(algorithm=algorithm, state=SigningKey.State.CURRENT).delete()
        row.state, row.activated_at = SigningKey.State.CURRENT, timezone.now()
    row.save(force_insert=True)
    signing_keys.forget_published()
    report.came["signing keys"] += 1


def _longest(arrival: Arrival) -> timedelta:
    """How long a token may live that the old server gave just now."""
    rows = arrival.source.rows("oidc_clients")
    minutes = [min(row.number("access_token_duration_minutes"), MAX_MINUTES) for row in rows]
    return timedelta(minutes=max([*minutes, signing_keys.ID_TOKEN_MINUTES]))


def bring_api_keys(arrival: Arrival) -> None:
    """Both servers keep SHA-256 of the key, so the old text of a key goes on working."""
    report = arrival.report
    here = dict(ApiKey.objects.values_list("pk", "key_hash"))
    hashes = set(here.values())
    with writing(ApiKey) as writer:
        for row in arrival.rows("api_keys", "created_at"):
            pk, name, user = row.uuid("id"), row.text("name"), row.uuid_or_none("user_id")
            if pk in here:
                report.already_there["api keys"] += 1
            elif user not in arrival.people:
                report.leave_out("api keys", "owner missing", name)
            elif row.text("key") in hashes:
                report.clash("api keys", name, "taken")
            else:
                sent = row.flag("expiration_email_sent")
                writer.add(
                    id=pk,
                    user_id=user,
                    name=arrival.fitted(ApiKey, "name", name, what="api keys"),
                    description=row.text_or_none("description"),
                    key_hash=row.text("key"),
                    prefix="",  # never kept there
                    created_at=row.when(),
                    expires_at=row.when("expires_at"),
                    last_used_at=row.moment("last_used_at"),
                    expiry_mail_sent_at=row.when("expires_at") if sent else None,
                )
    report.came["api keys"] += writer.count
