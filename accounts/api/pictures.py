"""People's pictures over REST (contract section 5.1)."""

from typing import Any

from django.http import HttpResponse
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from accounts import lifecycle, pictures
from accounts.api.users import person_of, require_uuid, writable
from core.http import no_content
from core.rest import IsAdministrator, path_id
from core.rest_fields import uploaded_file
from core.rest_view import PublicResource, Resource

CACHED = "public, max-age=900, stale-while-revalidate=3600"


class ProfilePictureFile(PublicResource):
    """For everybody who knows the id: apps show it beside the name."""

    def get(self, request: Request, user_id: str) -> HttpResponse:
        png = pictures.of(lifecycle.find(require_uuid(path_id(user_id))))
        response = HttpResponse(png, content_type="image/png")
        if "skipCache" not in request.query_params:
            response["Cache-Control"] = CACHED
        return response


class ProfilePicture(Resource):
    scope = "users"
    permission_classes = [IsAdministrator]
    parser_classes = [MultiPartParser]

    def put(self, request: Request, user_id: str) -> HttpResponse:
        return _keep(request, writable(request, lifecycle.find(path_id(user_id))))

    def delete(self, request: Request, user_id: str) -> HttpResponse:
        pictures.remove(writable(request, lifecycle.find(path_id(user_id))))
        return no_content()


class OwnProfilePicture(Resource):
    scope = "users"
    parser_classes = [MultiPartParser]

    def put(self, request: Request) -> HttpResponse:
        return _keep(request, writable(request, person_of(request)))

    def delete(self, request: Request) -> HttpResponse:
        pictures.remove(writable(request, person_of(request)))
        return no_content()


def _keep(request: Request, user: Any) -> HttpResponse:  # noqa: ANN401 - a User
    pictures.keep(user, uploaded_file(request, limit=pictures.MAX_BYTES).read())
    return no_content()
