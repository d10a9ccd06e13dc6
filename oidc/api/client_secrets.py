"""A client's secrets: what is shown of them, and their text once (contract section 4.3)."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Event
from core.rest import IsAdministrator, path_id
from core.rest_fields import Input, Moment, Text, read
from core.rest_output import Output
from core.rest_view import Resource
from oidc import administration, clients
from oidc.models import ClientSecret


class SecretSerializer(Output, serializers.Serializer[ClientSecret]):
    id = serializers.UUIDField(read_only=True)
    prefix = serializers.ReadOnlyField()
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    expiresAt = serializers.DateTimeField(source="expires_at", read_only=True, allow_null=True)
    lastUsedAt = serializers.DateTimeField(source="last_used_at", read_only=True, allow_null=True)
    isActive = serializers.SerializerMethodField()

    def get_isActive(self, secret: ClientSecret) -> bool:  # noqa: N802 - the contract's spelling
        return secret.expires_at is None or secret.expires_at > timezone.now()


class OwnSecretInput(Input):
    secret = Text(required=False, allow_blank=True, min_length=16, max_length=255)

    def validate_secret(self, text: str) -> str:
        if not all(" " <= c <= "~" for c in text):
            raise serializers.ValidationError("must only contain printable ASCII characters", code="printascii")
        return text


class SecretInput(OwnSecretInput):
    expiresAt = Moment(required=False)


class Secrets(Resource):
    permission_classes = [IsAdministrator]
    scope = "clients"

    def get(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        return Response(SecretSerializer(client.secrets.order_by("created_at", "pk"), many=True).data)

    def post(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        data: dict[str, Any] = read(request, SecretInput, optional=True)
        made = clients.add_secret(client, text=data.get("secret", ""), expires_at=data.get("expiresAt"))
        administration.note(Event.CLIENT_SECRET_CREATED, client, request=request._request, prefix=made.row.prefix)
        return Response(SecretSerializer(made.row).data | {"secret": made.text}, status=status.HTTP_201_CREATED)


class SecretDetail(Resource):
    permission_classes = [IsAdministrator]
    scope = "clients"

    def delete(self, request: Request, client_id: str, secret_id: str) -> Response:
        client = clients.find(path_id(client_id))
        clients.remove_secret(client, secret_id)
        administration.note(Event.CLIENT_SECRET_DELETED, client, request=request._request, secretID=secret_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class OnlySecret(Resource):
    """Up to 2.13 a client had one secret, and this made it anew; Terraform and Ansible call it still."""

    permission_classes = [IsAdministrator]
    scope = "clients"

    def post(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        data = read(request, OwnSecretInput, optional=True, any_type=True)
        secret = clients.replace_secrets(client, text=data.get("secret", ""))
        administration.note(Event.CLIENT_SECRET_CREATED, client, request=request._request, replaced="all others")
        return Response({"secret": secret})
