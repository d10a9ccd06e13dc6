"""The base of every REST resource."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from core import ratelimit
from core.errors import EndpointNotFound
from core.http import client_ip


class Resource(APIView):
    """Answers the methods it has; any other is no endpoint at all, whoever asks (contract section 1.1).

    ``scope`` is the resource an API key with scopes must be allowed; ``limit`` counts the writes of one address.
    """

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    scope: ClassVar[str] = ""
    limit: ClassVar[ratelimit.Limit | None] = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever the path holds
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise EndpointNotFound
        super().initial(request, *args, **kwargs)
        if self.limit is not None and method not in ("get", "head"):
            ratelimit.take(self.limit, client_ip(request._request))


class PublicResource(Resource):
    """For everybody; a session or a key that comes along is not even looked at."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
