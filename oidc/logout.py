"""Signing out on an app's behalf (OIDC RP-Initiated Logout 1.0)."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Session
from oidc import access, redirect_uris, signing_keys
from oidc.models import Client, DeviceGrant, Grant

CLOCK_SKEW = 60  # seconds


class Problem(StrEnum):
    """What is wrong with an app's request to sign somebody out, as the address of the page says it."""

    REPEATED = "repeated"
    NO_HINT = "no-hint"
    HINT = "hint"
    CLIENT = "client"
    PERSON = "person"
    EXPIRED = "expired"
    ADDRESS = "address"


EXPLANATIONS: dict[str, str | Promise] = {
    Problem.REPEATED: _("The app that sent you named something twice, so nothing of it counts."),
    Problem.NO_HINT: _(
        "The app that sent you did not say whom it signed in (id_token_hint), so you are not sent back to it."
    ),
    Problem.HINT: _("What the app that sent you showed for a sign-in (id_token_hint) is no ID token of this server."),
    Problem.CLIENT: _("What the app that sent you showed for a sign-in (id_token_hint) was given to another app."),
    Problem.PERSON: _("The app that sent you signed in somebody else than who is signed in here."),
    Problem.EXPIRED: _("What the app that sent you showed for a sign-in (id_token_hint) has expired."),
    Problem.ADDRESS: _(
        "The address that the app wants you to be sent to (post_logout_redirect_uri) is none of its registered sign-out addresses."
    ),
}


class LogoutRefused(Exception):
    """The person is asked, and sent nowhere afterwards. ``problem`` is ``None`` when the app merely asked for it."""

    def __init__(self, problem: Problem | None) -> None:
        self.problem = problem
        super().__init__(problem or "asked")


@dataclass(frozen=True)
class Logout:
    """A sign-out that may happen at once, because the app proved whom it signed in."""

    client: Client
    user_id: uuid.UUID
    sid: uuid.UUID | None
    redirect_uri: str | None


def accepted(parameters: Mapping[str, str], session: Session | None) -> Logout:
    """The sign-out that ``parameters`` allow; raise ``LogoutRefused``.

    The hint must be an ID token of ours, for this client and for whoever is signed in here (attacks.md F5).
    """
    hint, redirect_uri = parameters.get("id_token_hint", ""), parameters.get("post_logout_redirect_uri")
    if not hint:
        raise LogoutRefused(Problem.NO_HINT if redirect_uri is not None else None)
    try:
        header, claims = signing_keys.verify(hint)
        user_id, sid = uuid.UUID(claims["sub"]), claims.get("sid")
        audience, issued_at = claims["aud"], float(claims["iat"])
    except (signing_keys.UnverifiableToken, ValueError, KeyError, TypeError):
        raise LogoutRefused(Problem.HINT) from None
    # typ keeps access tokens, which strangers' servers see, from signing people out (attacks.md C10).
    if header.get("typ") != "JWT" or claims.get("iss") != settings.APP_URL or issued_at > time.time() + CLOCK_SKEW:
        raise LogoutRefused(Problem.HINT)
    client_id = audience[0] if isinstance(audience, list) and audience else audience
    client = Client.objects.filter(client_id=client_id).first() if isinstance(client_id, str) else None
    if client is None or parameters.get("client_id", client_id) != client_id:
        raise LogoutRefused(Problem.CLIENT)
    if session is not None and session.user.pk != user_id:
        raise LogoutRefused(Problem.PERSON)
    # ID tokens are no secrets and live on in logs. An expired one only speaks for the very session it came from.
    if claims.get("exp", 0) < time.time() and (session is None or sid != str(session.pk)):
        raise LogoutRefused(Problem.EXPIRED)
    if redirect_uri is not None and not redirect_uris.is_allowed(
        redirect_uri, client.post_logout_redirect_uris.split()
    ):
        raise LogoutRefused(Problem.ADDRESS)
    return Logout(client, user_id, uuid.UUID(sid) if sid else None, redirect_uri)


def revoke_tokens(logout: Logout) -> int:
    """End what the app got from this sign-in, also for devices that wait; how many grants that were."""
    if not logout.sid:
        return 0
    theirs = {"sid": logout.sid, "application": logout.client, "user_id": logout.user_id}
    access.end_devices(DeviceGrant.objects.filter(**theirs))
    ended: int = Grant.objects.filter(revoked_at__isnull=True, **theirs).update(revoked_at=timezone.now())
    return ended
