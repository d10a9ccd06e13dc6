"""Resource indicators (RFC 8707): for which API a token is meant, and which of its scopes the client may have.

One API for each grant, as Pocket ID has it: a token that several APIs take can be used by each of them at the others
(RFC 8707 section 3). Who may have what is registered beforehand (``oidc.api_access``).
"""

from collections.abc import Iterable, Mapping, Sequence

from oidc import api_access
from oidc.claims import SCOPES
from oidc.errors import AccessDeniedError, InvalidScopeError, InvalidTargetError
from oidc.models import ApiAccess
from oidc.store import ClientRow, GrantRow

SEPARATOR = "\x1f"  # between an API and a scope of it where consents are kept (contract section 8.10)


def resource_of(parameters: Mapping[str, str]) -> str:
    """The API that a request names, empty for none; raise ``InvalidTargetError`` for what can be none (section 2)."""
    if "resource" not in parameters:
        return ""
    given = parameters["resource"]
    if len(given.split()) > 1:
        raise InvalidTargetError(description="Name one API only: resource was sent more than once.")
    try:
        return api_access.audience(given)
    except api_access.UnusableAudience:
        raise InvalidTargetError(
            description="resource must be the absolute address of an API, without a fragment."
        ) from None


def scopes_for_person(client: ClientRow, resource: str, asked: Sequence[str]) -> tuple[str, ...]:
    """What of the scopes can be granted by a person. Those that this server does not know mean nothing.

    Anybody can ask in the name of a client, so nothing is told about APIs that it cannot use.
    """
    others = [scope for scope in asked if scope not in SCOPES]
    if not resource:
        if misplaced := api_access.of_some_api(others):
            raise InvalidScopeError(
                description=f"The scope {misplaced[0][:100]} belongs to an API: name the API with resource."
            )
        return tuple(scope for scope in asked if scope in SCOPES)
    allowed = api_access.permitted(client.id, resource, ApiAccess.Subject.USER)
    if allowed is None or not allowed.issuperset(others):
        raise InvalidTargetError(
            description="resource names no API that this client may use for people, or scope asks for more than it may do there."
        )
    return tuple(asked)


def scopes_for_client(client: ClientRow, resource: str, asked: Sequence[str]) -> tuple[str, ...]:
    """What a client gets for itself: all that it may do at the API, unless it asks for something."""
    wanted = [scope for scope in asked if scope not in SCOPES]  # there is no person to tell anything about
    allowed = frozenset[str]()
    if resource:
        found = api_access.permitted(client.id, resource, ApiAccess.Subject.CLIENT)
        if found is None:
            if api_access.exists(resource):
                raise _denied("This client may not use the API for itself.")
            raise InvalidTargetError(description="resource names no API that is registered here.")
        allowed = found
    if unknown := [scope for scope in wanted if scope not in allowed]:
        raise InvalidScopeError(description=f"This client was not granted the scope {unknown[0][:100]}.")
    return tuple(wanted) if asked else tuple(sorted(allowed))


def check_again(client: ClientRow, grant: GrantRow, parameters: Mapping[str, str]) -> None:
    """Raise when the token request names another API than the person allowed (section 2.2), or when the client
    may not use it any more."""
    given = resource_of(parameters)
    if given and given != grant.resource:
        raise InvalidTargetError(description="resource is not the one of the authorization request.")
    if not grant.resource:
        return
    allowed = api_access.permitted(client.id, grant.resource, ApiAccess.Subject.USER)
    if allowed is None:
        raise InvalidTargetError(description="This client may not use the API any more.")
    if gone := [scope for scope in grant.scope.split() if scope not in SCOPES and scope not in allowed]:
        raise InvalidScopeError(description=f"This client may not ask for the scope {gone[0][:100]} any more.")


def as_consented(resource: str, scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes as a consent keeps them: those of an API with its address, and the API itself."""
    if not resource:
        return tuple(scopes)
    named = (scope if scope in SCOPES else f"{resource}{SEPARATOR}{scope}" for scope in scopes)
    return (*named, f"{resource}{SEPARATOR}")


def _denied(description: str) -> AccessDeniedError:
    return AccessDeniedError(description=description, status_code=403)
