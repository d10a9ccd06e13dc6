"""What administrators do to apps and APIs, for the audit log: the same words for REST, the console and declared files."""

from django.http import HttpRequest

from accounts.models import Group, User
from audit import log
from audit.models import Event
from oidc.models import ApiResource, Client


def note(event: Event, client: Client, *, request: HttpRequest | None, **data: str) -> None:
    """``data`` are facts besides which app it was; never secrets, of which the first characters are told.

    Not ``clientName``: lists are filtered by it, for the apps that people signed in to (contract section 7.2).
    """
    facts = {"app": client.name, "clientID": client.client_id} | data
    log.record(event, user=_administrator(request), request=request, actor=None, **facts)


def note_api(event: Event, api: ApiResource, *, request: HttpRequest | None, **data: str) -> None:
    facts = {"apiName": api.name, "resource": api.audience} | data
    log.record(event, user=_administrator(request), request=request, actor=None, **facts)


def note_group(group: Group, *, request: HttpRequest) -> None:
    """Which apps the group may use."""
    log.record(Event.GROUP_CHANGED, user=_administrator(request), request=request, groupName=group.name, what="apps")


def _administrator(request: HttpRequest | None) -> User | None:
    return request.user if request is not None and isinstance(request.user, User) else None
