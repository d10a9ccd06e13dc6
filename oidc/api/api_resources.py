"""APIs and their permissions (contract section 4.5)."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Event
from core.errors import ValidationFailed
from core.related_rows import belonging, relate
from core.rest import IsAdministrator, ListRules, page_of, path_id
from core.rest_fields import Flag, IdList, Input, Text, read
from core.rest_output import Output
from core.rest_view import Resource
from oidc import administration, api_access, clients
from oidc.api.fields import Items
from oidc.api_access import Permission
from oidc.models import ApiPermission, ApiResource, Client

MAX_PERMISSIONS = 500


class PermissionSerializer(Output, serializers.Serializer[ApiPermission]):
    """``description`` is left out when there is none."""

    id = serializers.UUIDField(read_only=True)
    key = serializers.ReadOnlyField()
    name = serializers.ReadOnlyField()
    description = serializers.ReadOnlyField()
    allowedForCimdClients = serializers.ReadOnlyField(source="allowed_for_metadata_clients")

    def to_representation(self, instance: ApiPermission) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if not shown["description"]:
            del shown["description"]
        return shown


class ApiSerializer(Output, serializers.Serializer[ApiResource]):
    id = serializers.UUIDField(read_only=True)
    name = serializers.ReadOnlyField()
    resource = serializers.ReadOnlyField(source="audience")
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    permissions = PermissionSerializer(many=True, read_only=True)
    allowCimdClients = serializers.ReadOnlyField(source="allow_metadata_clients")
    introspectionClientId = serializers.ReadOnlyField(source="introspection_client.client_id", default=None)

    def to_representation(self, instance: ApiResource) -> dict[str, Any]:
        """Ours, and left out when there is none: the client that introspects the API's tokens."""
        shown = super().to_representation(instance)
        if shown["introspectionClientId"] is None:
            del shown["introspectionClientId"]
        return shown


class NameInput(Input):
    name = Text(max_length=50)
    introspectionClientId = Text(required=False, allow_null=True, allow_blank=True, max_length=255)


class ApiInput(NameInput):
    resource = Text()

    def validate_resource(self, text: str) -> str:
        try:
            return api_access.audience(text)
        except api_access.UnusableAudience as wrong:
            raise serializers.ValidationError(str(wrong), code="invalid") from None


class PermissionInput(Input):
    key = Text(max_length=128)
    name = Text(max_length=50)
    description = Text(required=False, allow_blank=True, max_length=200)

    def validate_key(self, key: str) -> str:
        if key in api_access.RESERVED_KEYS:
            raise serializers.ValidationError("is reserved by Pocket ID", code="reserved")
        if not api_access.SCOPE_TOKEN.match(key):
            raise serializers.ValidationError(
                "contains characters that are not valid in an OAuth scope", code="invalid_format"
            )
        return key


class PermissionsInput(Input):
    permissions = Items(child=PermissionInput(), max_length=MAX_PERMISSIONS)


class MetadataAccessInput(Input):
    enabled = Flag(required=False, default=False)
    permissionIds = IdList(required=False)


RULES = ListRules(
    search=("name", "audience"),
    sort={"name": "name", "audience": "audience", "resource": "audience", "createdAt": "created_at"},
)


def with_permissions(rows: Iterable[ApiResource]) -> list[ApiResource]:
    found = list(rows)
    relate(found, "permissions", belonging(ApiPermission, "api_id", [api.pk for api in found], order="r.position"))
    return found


class ApiList(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def get(self, request: Request) -> Response:
        rows = ApiResource.objects.select_related("introspection_client")
        return page_of(request, rows, RULES, ApiSerializer, load=with_permissions)

    def post(self, request: Request) -> Response:
        data = read(request, ApiInput)
        introspecting = _introspecting(data)
        api = api_access.create(name=data["name"], audience=data["resource"])
        if introspecting is not None:
            api = api_access.set_introspection_client(str(api.pk), introspecting)
        administration.note_api(Event.API_CREATED, api, request=request._request)
        return Response(ApiSerializer(api).data, status=status.HTTP_201_CREATED)


class ApiDetail(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def get(self, request: Request, api_id: str) -> Response:
        return Response(ApiSerializer(api_access.find(path_id(api_id))).data)

    def put(self, request: Request, api_id: str) -> Response:
        key = str(api_access.find(path_id(api_id)).pk)
        data = read(request, NameInput)
        introspecting = _introspecting(data)
        api = api_access.rename(key, data["name"])
        if "introspectionClientId" in data:
            api = api_access.set_introspection_client(key, introspecting)
        administration.note_api(Event.API_CHANGED, api, request=request._request, what="settings")
        return Response(ApiSerializer(api).data)

    def delete(self, request: Request, api_id: str) -> Response:
        api = api_access.find(path_id(api_id))
        api_access.delete(str(api.pk))
        administration.note_api(Event.API_DELETED, api, request=request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiPermissions(Resource):
    permission_classes = [IsAdministrator]
    scope = "apis"

    def put(self, request: Request, api_id: str) -> Response:
        api = api_access.find(path_id(api_id))
        wanted = [Permission(**each) for each in read(request, PermissionsInput)["permissions"]]
        refuse_twice(wanted)
        changed = api_access.set_permissions(str(api.pk), wanted)
        administration.note_api(Event.API_CHANGED, changed, request=request._request, what="permissions")
        return Response(ApiSerializer(changed).data)


class ApiMetadataAccess(Resource):
    """What clients may have that are known by their metadata document alone."""

    permission_classes = [IsAdministrator]
    scope = "apis"

    def put(self, request: Request, api_id: str) -> Response:
        api = api_access.find(path_id(api_id))
        data = read(request, MetadataAccessInput)
        changed = api_access.open_to_metadata_clients(
            str(api.pk), enabled=data["enabled"], permission_ids=data.get("permissionIds", [])
        )
        administration.note_api(Event.API_CHANGED, changed, request=request._request, what="metadata clients")
        return Response(ApiSerializer(changed).data)


def _introspecting(data: Mapping[str, Any]) -> Client | None:
    """The client that is named; raise ``NotFound`` for one that does not exist."""
    client_id = data.get("introspectionClientId")
    return clients.find(client_id) if client_id else None


def refuse_twice(permissions: list[Permission]) -> None:
    """Raise ``ValidationFailed`` for a key that is listed more than once."""
    keys: set[str] = set()
    for index, each in enumerate(permissions):
        if each.key in keys:
            raise ValidationFailed([(f"permissions[{index}].key", "duplicate", "is listed more than once")])
        keys.add(each.key)
