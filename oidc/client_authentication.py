"""Which client is speaking, and can it prove it (RFC 6749 section 2.3, OIDC Core section 9)."""

import base64
import binascii
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from core.secrets import new_token
from oidc import client_assertions, client_secrets, store
from oidc.client_assertions import AssertionRefused
from oidc.errors import InvalidClientError
from oidc.store import ClientRow, Presented, SecretRow

logger = logging.getLogger("pocketid.oidc")

# Compared against when there is nothing to compare with: an unknown client costs what a wrong secret costs (attacks.md C17).
_DECOY = client_secrets.hash_secret(new_token())


@dataclass(frozen=True)
class Credentials:
    """Who a request says it is from. ``secret`` is ``None`` when none was sent, and may be empty."""

    client_id: str
    secret: str | None
    method: str  # client_secret_basic, client_secret_post, private_key_jwt or none
    assertion: str = ""


def read(form: Mapping[str, str], authorization: str) -> Credentials:
    """The credentials of a request; raise ``InvalidClientError`` when they contradict each other or cannot be read."""
    scheme, _, encoded = authorization.partition(" ")
    if "client_assertion" in form or "client_assertion_type" in form:
        if scheme.lower() == "basic" or form.get("client_secret"):
            raise InvalidClientError(
                description="The client authenticated in two ways at once: with client_assertion and with a secret. Use one."
            )
        if form.get("client_assertion_type") != client_assertions.TYPE:
            raise InvalidClientError(description=f"client_assertion_type must be {client_assertions.TYPE}.")
        return with_assertion(form.get("client_assertion", ""), form.get("client_id", ""))
    if scheme.lower() != "basic":
        if not form.get("client_id"):
            raise InvalidClientError(
                description="The request does not say which client it is from: client_id is missing."
            )
        secret = form.get("client_secret")
        return Credentials(form["client_id"], secret, "none" if secret is None else "client_secret_post")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        # Both parts are form-encoded before base64 (RFC 6749 section 2.3.1); libraries do so.
        credentials = Credentials(
            unquote_plus(user, errors="strict"), unquote_plus(password, errors="strict"), "client_secret_basic"
        )
    except (binascii.Error, ValueError):
        raise InvalidClientError(description="The Authorization header does not hold Basic credentials.") from None
    # A line end around the secret is a blank too many, of which ``check`` tells.
    text = f"{credentials.client_id}{(credentials.secret or '').strip()}"
    if any(c < " " or c == "\ufffd" for c in text):
        raise InvalidClientError(description="The Authorization header holds control characters.")
    if not colon or not credentials.client_id:
        raise InvalidClientError(description="The Authorization header names no client.")
    if form.get("client_secret"):
        raise InvalidClientError(
            description="The client authenticated in two ways at once: in the Authorization header and with client_secret. Use one."
        )
    if form.get("client_id", credentials.client_id) != credentials.client_id:
        raise InvalidClientError(description="client_id and the Authorization header name two different clients.")
    return credentials


def with_assertion(assertion: str, client_id: str) -> Credentials:
    """A signed proof (RFC 7523 section 2.2); without a ``client_id`` its subject says which client it is."""
    if not client_id:
        try:
            client_id = client_assertions.subject_of(assertion)
        except AssertionRefused as refused:
            raise InvalidClientError(description=str(refused)) from None
        if not client_id.isprintable():
            raise InvalidClientError(description="The subject (sub) of the client assertion holds control characters.")
    return Credentials(client_id, None, "private_key_jwt", assertion)


def check(credentials: Credentials, found: Presented | None) -> Presented:
    """What was found, once the client has proved to be itself; raise ``InvalidClientError`` that says what is wrong.

    Nothing that was presented, such as a code, is used up by a refusal (relying-parties.md rule 3).
    """
    if found is None:
        client_secrets.matches(credentials.secret or "-", _DECOY)
        client_secrets.same_beginning((credentials.secret or "-").strip())
        raise _refused(credentials, "The client is unknown: no client has this client_id.")
    if credentials.method == "private_key_jwt":
        return _check_assertion(credentials, found)
    if found.client.is_public:
        if credentials.secret:
            raise _refused(credentials, "This client is public and has no secret, but one was sent.")
        return found
    secret = credentials.secret
    if secret is None:
        raise _refused(credentials, "The client secret is missing: none was sent.")
    if not secret.strip():
        raise _refused(
            credentials,
            "The client secret is empty: the app sent the field with nothing in it. Paste the secret into the app's settings again.",
        )
    if (used := _one_of(secret, found.secrets)) is not None:
        store.touch_secret(found.client, used)
        client_secrets.note_right_secret(secret, [row.hash for row in found.secrets])
        return found
    client_secrets.matches(secret, _DECOY)  # whatever it answers: a client without secrets has none that is right
    if secret != secret.strip() and _one_of(secret.strip(), found.secrets) is not None:
        raise _refused(credentials, "The client secret has a blank before or after it. Paste it again without.")
    raise _refused(credentials, _why_wrong(secret, found.client))


def _check_assertion(credentials: Credentials, found: Presented) -> Presented:
    if found.client.is_public:
        raise _refused(credentials, "This client is public and proves nothing, but a client assertion was sent.")
    try:
        client_assertions.check(credentials.assertion, found.client)
    except AssertionRefused as refused:
        raise _refused(credentials, str(refused)) from None
    return found


def _one_of(secret: str, known: list[SecretRow]) -> SecretRow | None:
    """All are compared, so that the time does not tell which one it was."""
    matching = [row for row in known if client_secrets.matches(secret, row.hash)]
    return matching[0] if matching else None


def _why_wrong(secret: str, client: ClientRow) -> str:
    """What a secret is that this client cannot use: whoever holds one learns no more than where it does not belong."""
    rows = client_secrets.same_beginning(secret.strip())
    for row in rows:
        if not client_secrets.matches(secret.strip(), row.secret_hash):
            continue
        if row.client_id == client.id:
            return "The client secret has expired. Make a new one and paste it into the app's settings."
        logger.warning("the client secret that was sent is one of the client %.64r", row.client.client_id)
        return "The client secret is that of another client. Compare client ID and secret in the app's settings."
    return "The client secret is wrong."


def _refused(credentials: Credentials, description: str) -> InvalidClientError:
    logger.warning(
        "client authentication refused: %s (%s) client %.64r", description, credentials.method, credentials.client_id
    )
    return InvalidClientError(description=description)
