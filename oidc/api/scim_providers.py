"""SCIM service providers: kept and read back (contract section 4.4)."""

from typing import Any

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Event
from core.errors import NotFound
from core.rest import IsAdministrator, has_full_rights, path_id
from core.rest_fields import Input, Text, read
from core.rest_output import Output
from core.rest_view import Resource
from oidc import administration, clients, scim_providers
from oidc.api.clients import ClientMetaSerializer
from oidc.api.fields import WebAddress
from oidc.models import Client, ScimProvider
from siteconfig.api.configuration import MASK


class ScimProviderSerializer(Output, serializers.Serializer[ScimProvider]):
    """The token in clear only for a key with full rights: automation compares it with what it has."""

    id = serializers.UUIDField(read_only=True)
    endpoint = serializers.ReadOnlyField()
    token = serializers.SerializerMethodField()
    lastSyncedAt = serializers.DateTimeField(source="last_synced_at", read_only=True, allow_null=True)
    oidcClient = ClientMetaSerializer(source="client", read_only=True)
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)

    def get_token(self, provider: ScimProvider) -> str:
        if has_full_rights(self.context["request"]):
            return provider.token
        return MASK if provider.encrypted_token else ""


class ScimProviderInput(Input):
    endpoint = WebAddress(is_called=True)
    token = Text(required=False, allow_blank=True, max_length=8192)
    oidcClientId = Text()


class ScimProviders(Resource):
    permission_classes = [IsAdministrator]
    scope = "scim"

    def post(self, request: Request) -> Response:
        data = read(request, ScimProviderInput)
        client = clients.find(data["oidcClientId"])
        token = data.get("token", "")
        provider = scim_providers.create(client, endpoint=data["endpoint"], token="" if token == MASK else token)
        _note(request, client)
        return Response(_shown(request, provider), status=status.HTTP_201_CREATED)


class ScimProviderDetail(Resource):
    permission_classes = [IsAdministrator]
    scope = "scim"

    def put(self, request: Request, provider_id: str) -> Response:
        """A token that is left out is taken away; the mask that stands for one changes nothing."""
        provider = scim_providers.find(path_id(provider_id))
        data = read(request, ScimProviderInput)
        client, token = clients.find(data["oidcClientId"]), data.get("token", "")
        changed = scim_providers.update(
            str(provider.pk),
            client,
            endpoint=data["endpoint"],
            token=None if token == MASK else token,
            is_shown_token=has_full_rights(request),
        )
        _note(request, client)
        return Response(_shown(request, changed))

    def delete(self, request: Request, provider_id: str) -> Response:
        provider = scim_providers.find(path_id(provider_id))
        scim_providers.delete(str(provider.pk))
        _note(request, provider.client)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ScimSync(Resource):
    permission_classes = [IsAdministrator]
    scope = "scim"

    def post(self, request: Request, provider_id: str) -> Response:
        scim_providers.sync(path_id(provider_id))
        return Response(status=status.HTTP_200_OK)


class ScimProviderOfClient(Resource):
    permission_classes = [IsAdministrator]
    scope = "scim"

    def get(self, request: Request, client_id: str) -> Response:
        found = (
            ScimProvider.objects.select_related("client").filter(client__in=clients.of_id(path_id(client_id))).first()
        )
        if found is None:
            raise NotFound("SCIM service provider")
        return Response(_shown(request, found))


def _note(request: Request, client: Client) -> None:
    administration.note(Event.CLIENT_CHANGED, client, request=request._request, what="SCIM")


def _shown(request: Request, provider: ScimProvider) -> dict[str, Any]:
    return dict(ScimProviderSerializer(provider, context={"request": request}).data)
