"""The interaction as programs see it (contract section 3.1): Pocket ID's own page was one, and tests are."""

from django.http import HttpRequest, HttpResponse

from accounts.authentication import require_session, session_of
from accounts.errors import ReauthenticationRequired
from accounts.models import Session
from core.http import endpoint, json_body, json_response
from oidc import consent, pending
from oidc.api.clients import ClientMetaSerializer
from oidc.authorization_request import AuthorizationRequest
from oidc.errors import UnexpectedStep
from oidc.models import PendingAuthorization
from oidc.prompts import Step


@endpoint("GET")
def interaction(request: HttpRequest, interaction_id: str) -> HttpResponse:
    """What is asked and what is left to do. The id is the secret: nobody has to be signed in."""
    waiting = pending.find(interaction_id)
    return json_response(_as_json(waiting, pending.steps_left(waiting, session_of(request))))


@endpoint("POST")
def complete(request: HttpRequest, interaction_id: str) -> HttpResponse:
    """Take the step that is next; the answer says where to go, or what is next now."""
    session = require_session(request)
    waiting = pending.find(interaction_id)
    step = json_body(request).get("step", "")
    left = pending.steps_left(waiting, session)
    if left and step != left[0] and not _was_taken(step, waiting, session):
        raise UnexpectedStep(left[0], step)
    match step:
        case Step.REAUTHENTICATE if left and left[0] is Step.REAUTHENTICATE:
            raise ReauthenticationRequired
        case Step.CONSENT:
            pending.agree(waiting, session)
        case Step.SELECT_ACCOUNT:
            pending.choose_account(waiting, session)
        case Step.AUTHENTICATE:
            pending.take_over(waiting, session)
    left = pending.steps_left(waiting, session)
    if left:
        return json_response({"interaction": _as_json(waiting, left)})
    return json_response({"redirectUrl": f"/authorize?interaction={waiting.pk}"})


def _was_taken(step: object, waiting: PendingAuthorization, session: Session) -> bool:
    """Signing in shows itself in the session; a program tells of it all the same."""
    if step == Step.AUTHENTICATE:
        return waiting.session_id is None
    return step == Step.REAUTHENTICATE and session.auth_time >= waiting.created_at


def _as_json(waiting: PendingAuthorization, left: list[Step]) -> dict[str, object]:
    asked = AuthorizationRequest.from_json(waiting.parameters)
    body: dict[str, object] = {
        "id": str(waiting.pk),
        "scopes": list(asked.scopes),
        "scopeInfo": consent.scope_info(asked.shared),
        "client": ClientMetaSerializer(waiting.client).data,
        "requiredSteps": left,
    }
    return body | ({"currentStep": left[0]} if left else {})
