"""Pictures of clients: uploaded by administrators, shown to everybody (contract section 4.1)."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Event
from core.errors import ImageNotFound
from core.rest import IsAdministrator, path_id
from core.rest_fields import uploaded_file
from core.rest_output import Output
from core.rest_view import Resource
from oidc import administration, clients, logo_presets, logos

CACHED = "public, max-age=900, stale-while-revalidate=43200"
# A picture that somebody opens by itself must not become a page that can act here.
CONTAINED = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class ClientLogos(Resource):
    permission_classes = [IsAdministrator]
    parser_classes = [MultiPartParser]
    scope = "clients"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """For the picture itself nobody is asked who they are."""
        return [] if self._is_public() else super().get_authenticators()

    def get_permissions(self) -> Sequence[Any]:
        return [] if self._is_public() else super().get_permissions()

    def _is_public(self) -> bool:
        return self.request is not None and self.request.method in SAFE_METHODS

    def get(self, request: Request, client_id: str) -> HttpResponseBase:
        client, is_dark = clients.find(path_id(client_id)), _is_dark(request)
        version = (client.dark_logo_hash if is_dark else "") or client.logo_hash
        if not version:
            raise ImageNotFound
        etag = f'"{version}"'
        answer: HttpResponseBase | None = get_conditional_response(request._request, etag=etag)
        if answer is None:
            found = logos.find(client, is_dark=is_dark)
            answer = HttpResponse(found.content, content_type=found.content_type)
            answer["ETag"] = etag
        answer["Content-Security-Policy"] = CONTAINED
        if "skipCache" not in request.query_params:
            answer["Cache-Control"] = CACHED
        return answer

    def post(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        file = uploaded_file(request, limit=logos.MAX_BYTES)
        logos.put(client, logos.read(file.name or "", file.read()), is_dark=_is_dark(request))
        administration.note(Event.CLIENT_CHANGED, client, request=request._request, what="logo")
        return Response(status=status.HTTP_204_NO_CONTENT)

    def delete(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        logos.remove(client, is_dark=_is_dark(request))
        administration.note(Event.CLIENT_CHANGED, client, request=request._request, what="logo")
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoPresetSerializer(Output, serializers.Serializer[Any]):
    name = serializers.CharField()
    reference = serializers.CharField()
    logoUrl = serializers.CharField(source="logo_url")
    darkLogoUrl = serializers.CharField(source="dark_logo_url", allow_null=True)


class LogoPresets(Resource):
    """Pocket ID offers logos from a library on the internet; this server has its own, and asks nobody."""

    permission_classes = [IsAdministrator]
    scope = "clients"

    def get(self, request: Request) -> Response:
        found = logo_presets.search(request.query_params.get("search", ""))
        return Response(LogoPresetSerializer(found, many=True).data)


def _is_dark(request: Request) -> bool:
    return request.query_params.get("light", "true").lower() in ("false", "0", "f")
