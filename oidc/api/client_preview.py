"""A look at the claims of a client's tokens (contract section 4.1)."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import UserNotFound
from accounts.models import User
from core.errors import ValidationFailed
from core.rest import IsAdministrator, path_id
from core.rest_fields import uuid_or_none
from core.rest_view import Resource
from oidc import clients
from oidc.claims import SCOPES
from oidc.client_preview import preview


class ClientPreview(Resource):
    permission_classes = [IsAdministrator]
    scope = "clients"

    def get(self, request: Request, client_id: str, user_id: str) -> Response:
        asked = request.query_params.get("scopes", "").split()
        if not asked:
            raise ValidationFailed([("scopes", "required", "is required")])
        client, user_pk = clients.find(path_id(client_id)), uuid_or_none(user_id)
        user = User.objects.filter(pk=user_pk).first() if user_pk else None
        if user is None:
            raise UserNotFound
        found = preview(client, user, [scope for scope in dict.fromkeys(asked) if scope in SCOPES])
        return Response(
            {
                "idToken": _readable(found.id_token),
                "accessToken": _readable(found.access_token),
                "userInfo": found.userinfo,
            }
        )


def _readable(claims: dict[str, Any]) -> dict[str, Any]:
    """``iat`` and ``exp`` as times, the others as they are in the token."""
    zone = timezone.get_current_timezone()
    times = {name: claims[name].astimezone(zone).strftime("%Y-%m-%dT%H:%M:%SZ") for name in ("iat", "exp")}
    return claims | times
