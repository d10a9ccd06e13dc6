"""What a person still has to do before an app gets its answer (OIDC Core section 3.1.2.3, contract section 3.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from accounts.models import Session
from oidc import consent, tokens
from oidc.authorization_request import AuthorizationRequest
from oidc.errors import ConsentRequired, LoginRequired
from oidc.store import AuthorizingClient


class Step(StrEnum):
    """In the order in which they are taken."""

    AUTHENTICATE = "authenticate"
    SELECT_ACCOUNT = "select_account"
    REAUTHENTICATE = "reauthenticate"
    CONSENT = "consent"


@dataclass(frozen=True)
class Progress:
    """Which steps were taken, in this session, since the request came."""

    since: datetime
    account_chosen: bool = False
    consented: bool = False


def steps(
    asked: AuthorizationRequest, client: AuthorizingClient, session: Session | None, progress: Progress
) -> list[Step]:
    """The steps that are left. Without a session the first is signing in, and what follows shows itself then."""
    if session is None:
        return [Step.AUTHENTICATE]
    left = []
    if "select_account" in asked.prompts and not progress.account_chosen:
        left.append(Step.SELECT_ACCOUNT)
    if _needs_reauthentication(asked, client, session, progress):
        left.append(Step.REAUTHENTICATE)
    if not progress.consented and consent.is_needed(asked, client):
        left.append(Step.CONSENT)
    return left


def _needs_reauthentication(
    asked: AuthorizationRequest, client: AuthorizingClient, session: Session, progress: Progress
) -> bool:
    if _needs_a_passkey(asked, session):
        return True
    # Only a sign-in after the request came counts: one a moment before it is not what was asked for.
    if session.auth_time >= progress.since:
        return False
    if "login" in asked.prompts or client.reauthentication_required:
        return True
    return asked.max_age is not None and timezone.now() - session.auth_time > timedelta(seconds=asked.max_age)


def _needs_a_passkey(asked: AuthorizationRequest, session: Session) -> bool:
    """Whether the app demands a class of sign-in that this one is not of, and that the person can reach by another
    (OIDC Core section 5.5.1.1, RFC 9470 section 4). Without a page, or a passkey, it stays unmet."""
    demanded = asked.claims.acr
    return (
        tokens.PHISHING_RESISTANT in demanded
        and tokens.acr_of(session.amr) not in demanded
        and "none" not in asked.prompts
        and session.user.passkeys.exists()
    )


def refuse_silently(left: list[Step]) -> None:
    """For ``prompt=none``: raise what the app is told when a page would have to be shown."""
    if Step.CONSENT in left:
        raise ConsentRequired(description="The person has not agreed yet to what is asked for.")
    if left:
        raise LoginRequired(description="The person has to sign in.")
