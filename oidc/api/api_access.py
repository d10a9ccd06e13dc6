"""Which client may have what at which API, asked from both ends (contract section 4.5)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Event
from core.rest import IsAdministrator, ListRules, page_of, path_id
from core.rest_fields import Flag, IdList, Input, read, uuid_or_none
from core.rest_output import Output
from core.rest_view import Resource
from oidc import administration, api_access, clients
from oidc.api.api_resources import RULES, ApiSerializer
from oidc.api.clients import client_type
from oidc.api_access import Access
from oidc.models import ApiAccess, ApiResource, Client

CLIENTS = ListRules(search=("name",), sort={"name": "name", "createdAt": "created"}, default=("created",))
# Rows that give anything: one whose last permission went away gives nothing unless it was said so.
EFFECTIVE = Q(is_explicit=True) | Q(permissions__isnull=False)


class ClientBriefSerializer(Output, serializers.Serializer[Client]):
    id = serializers.ReadOnlyField(source="client_id")
    name = serializers.ReadOnlyField()
    clientType = serializers.SerializerMethodField()
    isPublic = serializers.ReadOnlyField(source="is_public")
    hasLogo = serializers.ReadOnlyField(source="has_logo")
    hasDarkLogo = serializers.ReadOnlyField(source="has_dark_logo")

    def get_clientType(self, client: Client) -> str:  # noqa: N802 - the contract's spelling
        return client_type(client)


class ClientAccessSerializer(Output, serializers.Serializer[Client]):
    """A client and what it may have at one API; its rows for that API are prefetched."""

    def to_representation(self, instance: Client) -> dict[str, Any]:
        return {"client": ClientBriefSerializer(instance).data} | _grant(instance.api_access.all()) | NO_METADATA


class AccessInput(Input):
    userDelegatedAccess = Flag(required=False, default=False)
    clientAccess = Flag(required=False, default=False)
    userDelegatedPermissionIds = IdList(required=False)
    clientPermissionIds = IdList(required=False)


# What a metadata document gives; there are no such clients yet.
NO_METADATA: dict[str, Any] = {"cimdGrantedAccess": False, "cimdGrantedPermissionIds": []}


class ClientsOfApi(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def get(self, request: Request, api_id: str) -> Response:
        api = api_access.find(path_id(api_id))
        with_access = _effective().filter(api=api).values("client")
        rows = Prefetch("api_access", ApiAccess.objects.filter(api=api).prefetch_related("permissions"))
        found = Client.objects.filter(pk__in=with_access).prefetch_related(rows)
        return page_of(request, found, CLIENTS, ClientAccessSerializer)


class AssignableClients(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def get(self, request: Request, api_id: str) -> Response:
        api = api_access.find(path_id(api_id))
        with_access = _effective().filter(api=api).values("client")
        return page_of(request, Client.objects.exclude(pk__in=with_access), CLIENTS, ClientBriefSerializer)


class ClientOfApi(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def put(self, request: Request, api_id: str, client_id: str) -> Response:
        api, client = api_access.find(path_id(api_id)), clients.find(path_id(client_id))
        data = read(request, AccessInput)
        access = Access(
            for_users=data["userDelegatedAccess"],
            for_itself=data["clientAccess"],
            user_permissions=_uuids(data.get("userDelegatedPermissionIds", ())),
            own_permissions=_uuids(data.get("clientPermissionIds", ())),
        )
        api_access.grant(api, client, access)
        administration.note_api(Event.API_CHANGED, api, request=request._request, what="access", app=client.name)
        return Response(_grant(client.api_access.filter(api=api).prefetch_related("permissions")))

    def delete(self, request: Request, api_id: str, client_id: str) -> Response:
        api, client = api_access.find(path_id(api_id)), clients.find(path_id(client_id))
        api_access.revoke(api, client)
        administration.note_api(Event.API_CHANGED, api, request=request._request, what="access", app=client.name)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApisOfClient(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def get(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        rows = ApiAccess.objects.filter(client=client).prefetch_related("permissions")
        found = ApiResource.objects.filter(pk__in=_effective().filter(client=client).values("api"))
        apis = found.order_by("created_at", "pk").prefetch_related("permissions", Prefetch("access", rows))
        return Response([{"api": ApiSerializer(api).data} | _grant(api.access.all()) | NO_METADATA for api in apis])


class AssignableApis(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def get(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        with_access = _effective().filter(client=client).values("api")
        rows = ApiResource.objects.exclude(pk__in=with_access).prefetch_related("permissions")
        return page_of(request, rows, RULES, ApiSerializer)


def _effective() -> "QuerySet[ApiAccess]":
    return ApiAccess.objects.filter(EFFECTIVE)


def _grant(rows: Iterable[ApiAccess]) -> dict[str, Any]:
    """The four fields of a grant from its at most two rows; a permission implies access."""
    by_subject = {row.subject: row for row in rows}
    user, own = (by_subject.get(subject) for subject in (ApiAccess.Subject.USER, ApiAccess.Subject.CLIENT))
    user_ids, own_ids = (sorted(str(each.pk) for each in row.permissions.all()) if row else [] for row in (user, own))
    return {
        "userDelegatedAccess": bool(user_ids) or (user is not None and user.is_explicit),
        "clientAccess": bool(own_ids) or (own is not None and own.is_explicit),
        "userDelegatedPermissionIds": user_ids,
        "clientPermissionIds": own_ids,
    }


def _uuids(texts: Iterable[str]) -> tuple[UUID, ...]:
    """Those that are ids at all; others are ids of nothing."""
    return tuple(found for text in texts if (found := uuid_or_none(text)))
