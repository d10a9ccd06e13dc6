"""Custom claims over REST (contract section 5.3)."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import custom_claims, groups, lifecycle
from accounts.api.users import CustomClaimSerializer, person_of, writable
from accounts.models import CustomClaim, Group, User
from audit import log
from audit.models import Event
from core.rest import IsAdministrator, path_id
from core.rest_fields import Input, Text, read
from core.rest_view import Resource


class ClaimInput(Input):
    key = Text(max_length=255)
    value = Text(max_length=65_535)


class Suggestions(Resource):
    scope = "custom-claims"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        return Response(custom_claims.keys_in_use())


class ClaimsOfUser(Resource):
    scope = "custom-claims"
    permission_classes = [IsAdministrator]

    def put(self, request: Request, user_id: str) -> Response:
        given = _pairs(request)
        return _replaced(request, writable(request, lifecycle.find(path_id(user_id))), given)


class ClaimsOfGroup(Resource):
    scope = "custom-claims"
    permission_classes = [IsAdministrator]

    def put(self, request: Request, group_id: str) -> Response:
        given = _pairs(request)
        return _replaced(request, groups.find(path_id(group_id)), given)


def _pairs(request: Request) -> list[custom_claims.Pair]:
    given = [(claim["key"], claim["value"]) for claim in read(request, ClaimInput, many=True)]
    custom_claims.check(given)
    return given


def _replaced(request: Request, owner: User | Group, given: list[custom_claims.Pair]) -> Response:
    claims: list[CustomClaim] = custom_claims.replace(owner, given)
    log.record(
        Event.CLAIMS_CHANGED,
        user=person_of(request),
        request=request._request,
        owner=owner.username if isinstance(owner, User) else owner.name,
        keys=", ".join(claim.key for claim in claims),
    )
    return Response(CustomClaimSerializer(claims, many=True).data)
