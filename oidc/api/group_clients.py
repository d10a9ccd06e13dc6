"""The clients that a group may use, seen from the group (contract section 5.2)."""

from typing import Any

from django.dispatch import receiver
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import groups
from accounts.api import user_groups
from accounts.models import Group
from accounts.signals import group_shown
from core.rest import IsAdministrator, path_id
from core.rest_fields import IdList, Input, read
from core.rest_view import Resource
from oidc import administration, clients
from oidc.api.clients import ClientMetaSerializer
from oidc.models import Client


class ClientIdsInput(Input):
    oidcClientIds = IdList()


class ClientsOfGroup(Resource):
    permission_classes = [IsAdministrator]
    scope = "user-groups"

    def put(self, request: Request, group_id: str) -> Response:
        group = groups.find(path_id(group_id))
        clients.set_clients_of_group(group, read(request, ClientIdsInput)["oidcClientIds"])
        administration.note_group(group, request=request._request)
        return user_groups.shown(group)


@receiver(group_shown)
def clients_of_group(sender: object, group: Group, **kwargs: object) -> list[dict[str, Any]]:
    """Groups know nothing of clients: whoever shows one asks."""
    found = Client.objects.filter(allowed_groups=group).order_by("name", "pk")
    return [dict(shown) for shown in ClientMetaSerializer(found, many=True).data]
