"""The installation's own pictures over REST (contract section 7.4)."""

from typing import Any

from django.http import HttpResponse
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import EndpointNotFound
from core.http import no_content
from core.rest import IsAdministrator
from core.rest_fields import uploaded_file
from core.rest_view import Resource
from siteconfig import images
from siteconfig.images import Name

CACHED = "public, max-age=900, stale-while-revalidate=86400"
# A picture can be a page of its own: an SVG that somebody opens must neither run scripts nor load anything.
HARMLESS = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
ALWAYS_THERE = (Name.EMAIL, Name.FAVICON)


class ApplicationImage(Resource):
    """``logo`` has two forms, ``light=false`` is the one for dark pages."""

    scope = "application-images"
    parser_classes = [MultiPartParser]
    permission_classes = [IsAdministrator]
    name: Name = Name.LOGO  # set where the address is

    @property
    def is_public(self) -> bool:
        return self.request.method in ("GET", "HEAD") and self.name != Name.DEFAULT_PROFILE_PICTURE

    @property
    def allowed_methods(self) -> list[str]:
        return [method for method in super().allowed_methods if method != "DELETE" or self.name not in ALWAYS_THERE]

    def get_authenticators(self) -> list[Any]:
        return [] if self.is_public else super().get_authenticators()

    def get_permissions(self) -> Any:  # noqa: ANN401 - the stub's own type is private
        return [] if self.is_public else super().get_permissions()

    def get(self, request: Request) -> HttpResponse:
        return served(
            request, images.find(self._form(request), bundled=request.query_params.get("default") != "false"), CACHED
        )

    def put(self, request: Request) -> HttpResponse:
        file = uploaded_file(request, limit=images.MAX_BYTES)
        images.keep(self._form(request), file.name or "", file.read(), request=request._request)
        return no_content()

    def delete(self, request: Request) -> Response:
        if self.name in ALWAYS_THERE:
            raise EndpointNotFound
        images.remove(self._form(request), request=request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _form(self, request: Request) -> Name:
        is_dark = self.name == Name.LOGO and request.query_params.get("light") == "false"
        return Name.LOGO_DARK if is_dark else self.name


def served(request: Request, picture: images.Picture, cache_control: str) -> HttpResponse:
    """A picture with its type; ``skipCache`` asks for one that is kept nowhere."""
    response = HttpResponse(picture.content, content_type=picture.content_type)
    if "skipCache" not in request.query_params:
        response["Cache-Control"] = cache_control
    response["Content-Security-Policy"] = HARMLESS
    return response
