"""Which apps a person has let know about them, and which they may use (contract section 4.1)."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django.db.models import OuterRef, Q, QuerySet, Subquery
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import UserNotFound
from accounts.models import User
from audit import log
from audit.models import Event
from core.related_rows import belonging
from core.rest import IsAdministrator, ListQuery, ListRules, page_of, path_id
from core.rest_fields import uuid_or_none
from core.rest_output import Output
from core.rest_view import Resource
from oidc import authorized_clients
from oidc.api.clients import DERIVED, FLAGS, SORT, ClientMetaSerializer
from oidc.models import Client, Consent


class AuthorizedClientSerializer(Output, serializers.Serializer[Consent]):
    """``scope`` is a JSON list inside a text; clients read it so."""

    scope = serializers.SerializerMethodField()
    client = ClientMetaSerializer(read_only=True)
    lastUsedAt = serializers.SerializerMethodField()

    def get_scope(self, consent: Consent) -> str:
        # Split at blanks alone: a scope of an API holds U+001F, which Python takes for white space.
        scopes = [scope for scope in consent.scope.split(" ") if scope]
        return json.dumps(scopes, separators=(",", ":"))

    def get_lastUsedAt(self, consent: Consent) -> Any:  # noqa: ANN401, N802 - as the field writes it; the contract's spelling
        return serializers.DateTimeField().to_representation(consent.last_used_at or consent.created_at)


class AccessibleClientSerializer(ClientMetaSerializer):
    lastUsedAt = serializers.DateTimeField(source="last_used_at", read_only=True, allow_null=True)


AUTHORIZED = ListRules(sort={"lastUsedAt": "last_used_at"}, default=("-last_used_at",))


class MyAuthorizedClients(Resource):
    scope = "me"

    def get(self, request: Request) -> Response:
        return _authorized(request, person(request))


class AuthorizedClientsOfUser(Resource):
    permission_classes = [IsAdministrator]
    scope = "users"

    def get(self, request: Request, user_id: str) -> Response:
        pk = uuid_or_none(user_id)
        user = User.objects.filter(pk=pk).first() if pk else None
        if user is None:
            raise UserNotFound
        return _authorized(request, user)


class MyAuthorizedClient(Resource):
    scope = "me"

    def delete(self, request: Request, client_id: str) -> Response:
        user = person(request)
        client = authorized_clients.withdraw(user, path_id(client_id))
        log.record(Event.TOKENS_REVOKED, user=user, request=request._request, clientName=client.name)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MyClients(Resource):
    """What a person may use, used or not."""

    scope = "me"
    rules: ClassVar[ListRules] = ListRules(
        search=("name",),
        sort=SORT | {"lastUsedAt": "last_used_at"},
        filters=FLAGS,
        default=("created",),
        derived=DERIVED,
    )

    def get(self, request: Request) -> Response:
        user = person(request)
        mine = Client.objects.filter(allowed_groups__members=user).values("pk")
        rows = Client.objects.filter(Q(is_group_restricted=False) | Q(pk__in=mine))
        used = Consent.objects.filter(user=user, client=OuterRef("pk")).values("last_used_at")[:1]
        rows = _launchable(request, rows.annotate(last_used_at=Subquery(used)), "launch_url")
        return page_of(request, rows, self.rules, AccessibleClientSerializer)


def _authorized(request: Request, user: User) -> Response:
    rows = _launchable(request, Consent.objects.filter(user=user), "client__launch_url")
    return page_of(request, rows, AUTHORIZED, AuthorizedClientSerializer, load=_with_clients)


def _with_clients(rows: Iterable[Consent]) -> list[Consent]:
    """After the page is known: databases sort whole rows, and these would be long."""
    found = list(rows)
    clients = dict(belonging(Client, "id", {consent.client_id for consent in found}))
    for consent in found:
        if consent.client_id in clients:
            consent.client = clients[consent.client_id]
    return [consent for consent in found if consent.client_id in clients]  # what is deleted meanwhile goes with its app


def _launchable(request: Request, rows: "QuerySet[Any]", column: str) -> "QuerySet[Any]":
    """``filters[hasLaunchURL]`` is about a column that has a text or has none."""
    wanted = set(ListQuery.of(request).filters.get("hasLaunchURL", ()))
    if wanted == {"true"}:
        return rows.exclude(**{column: ""})
    return rows.filter(**{column: ""}) if wanted == {"false"} else rows


def person(request: Request) -> User:
    """Whoever the request is from; the permission class lets nobody else in."""
    return cast("User", request.user)
