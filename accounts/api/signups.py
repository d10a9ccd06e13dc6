"""Making one's own account, and the tokens that allow it (contract section 6.4)."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import groups, signup
from accounts.api.signing_in import signed_in
from accounts.api.users import GroupMinimalSerializer, Username, person_of, with_email
from accounts.models import SignupToken
from audit import log
from audit.models import Event
from core import ratelimit
from core.http import no_content
from core.related_rows import relate
from core.rest import IsAdministrator, ListRules, page_of, path_id
from core.rest_fields import Duration, EmailText, IdList, Input, Text, Whole, read
from core.rest_output import Output
from core.rest_view import PublicResource, Resource

RULES = ListRules(
    sort={
        "createdAt": "created_at",
        "expiresAt": "expires_at",
        "usageLimit": "usage_limit",
        "usageCount": "usage_count",
    }
)


class SignupTokenSerializer(Output, serializers.ModelSerializer[SignupToken]):
    token = serializers.CharField()
    expiresAt = serializers.DateTimeField(source="expires_at")
    usageLimit = serializers.IntegerField(source="usage_limit")
    usageCount = serializers.IntegerField(source="usage_count")
    userGroups = GroupMinimalSerializer(source="groups", many=True)
    createdAt = serializers.DateTimeField(source="created_at")

    class Meta:
        model = SignupToken
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "token",
            "expiresAt",
            "usageLimit",
            "usageCount",
            "userGroups",
            "createdAt",
        )


class SignupTokenInput(Input):
    ttl = Duration(required=False, default=signup.TTL)
    usageLimit = Whole(min_value=1, max_value=100)
    userGroupIds = IdList(required=False, default=list)


class SignupInput(Input):
    username = Username(max_length=50)
    email = EmailText(required=False, default="", allow_blank=True, max_length=254)
    firstName = Text(source="first_name", required=False, default="", allow_blank=True, max_length=50)
    lastName = Text(source="last_name", required=False, default="", allow_blank=True, max_length=50)
    token = Text(required=False, default="", allow_blank=True, max_length=128)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_email(attrs)


class Signup(PublicResource):
    limit = ratelimit.SIGNUP

    def post(self, request: Request) -> HttpResponse:
        """Nobody has proved anything yet: the session has no authentication method."""
        fields = read(request, SignupInput)
        token = fields.pop("token")
        user = signup.sign_up(fields, token=token)
        how = {"signupToken": token[:4] + "…"} if token else {"method": "open_signup"}
        return signed_in(request, user, methods=[], event=Event.ACCOUNT_CREATED, status=status.HTTP_201_CREATED, **how)


class SignupTokens(Resource):
    scope = "signup-tokens"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        """Without those that have expired."""
        return page_of(request, SignupToken.objects.live(), RULES, SignupTokenSerializer, load=_with_groups)

    def post(self, request: Request) -> Response:
        fields = read(request, SignupTokenInput)
        token = signup.create_token(
            usage_limit=fields["usageLimit"], ttl=fields["ttl"], group_ids=fields["userGroupIds"]
        )
        log.record(
            Event.SIGNUP_TOKEN_CREATED,
            user=person_of(request),
            request=request._request,
            usageLimit=str(token.usage_limit),
        )
        return Response(SignupTokenSerializer(token).data, status=status.HTTP_201_CREATED)


def _with_groups(rows: Iterable[SignupToken]) -> list[SignupToken]:
    """With the groups that each lets people into."""
    found = list(rows)
    keys = [token.pk for token in found]
    order = "r.friendly_name, r.name"
    relate(found, "groups", groups.of_each(SignupToken.groups.through, "signuptoken_id", keys, order=order))
    return found


class SignupTokenDetail(Resource):
    """Gone is what was asked for, also when it was gone before."""

    scope = "signup-tokens"
    permission_classes = [IsAdministrator]

    def delete(self, request: Request, token_id: str) -> HttpResponse:
        if signup.delete_token(path_id(token_id)):
            log.record(Event.SIGNUP_TOKEN_DELETED, user=person_of(request), request=request._request)
        return no_content()
