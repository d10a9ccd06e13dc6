"""People over REST (contract section 5.1)."""

import uuid
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from webauthn.helpers import base64url_to_bytes

from accounts import groups, lifecycle, passkeys
from accounts.api.passkeys import PasskeySerializer
from accounts.errors import AdministratorsAreOffLimits, UserNotFound
from accounts.models import CustomClaim, Group, User
from accounts.models.user import USERNAME, USERNAME_RULE
from audit import log
from audit.models import Event
from core.errors import ValidationFailed
from core.http import no_content
from core.rest import IsAdministrator, ListRules, is_scoped, page_of, path_id
from core.rest_fields import EmailText, Flag, IdList, Input, Text, Uuid, read, uuid_or_none
from core.rest_output import Output
from core.rest_view import Resource
from siteconfig.models import current

RULES = ListRules(
    search=("search_text",),
    sort={
        "username": "username",
        "email": "email",
        "emailVerified": "email_verified",
        "firstName": "first_name",
        "lastName": "last_name",
        "displayName": "display_name",
        "isAdmin": "is_admin",
        "disabled": "disabled",
        "createdAt": "created_at",
    },
    filters={"emailVerified": "email_verified", "isAdmin": "is_admin", "disabled": "disabled"},
)


class CustomClaimSerializer(Output, serializers.ModelSerializer[CustomClaim]):
    class Meta:
        model = CustomClaim
        fields: ClassVar[tuple[str, ...]] = ("key", "value")


class GroupMinimalSerializer(Output, serializers.ModelSerializer[Group]):
    friendlyName = serializers.CharField(source="friendly_name")
    customClaims = CustomClaimSerializer(source="custom_claims", many=True)
    userCount = serializers.SerializerMethodField()
    ldapId = serializers.ReadOnlyField(default=None)
    createdAt = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Group
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "friendlyName",
            "name",
            "customClaims",
            "userCount",
            "ldapId",
            "createdAt",
        )

    def get_userCount(self, group: Group) -> int:  # noqa: N802 - the contract's spelling
        counted: int | None = getattr(group, "user_count", None)
        return group.members.count() if counted is None else counted


class PersonSerializer(Output, serializers.ModelSerializer[User]):
    """What is told of a person everywhere; each heir says how it shows their claims and groups."""

    emailVerified = serializers.BooleanField(source="email_verified")
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    displayName = serializers.CharField(source="display_name")
    isAdmin = serializers.BooleanField(source="is_admin")
    ldapId = serializers.ReadOnlyField(default=None)

    class Meta:
        model = User
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "username",
            "email",
            "emailVerified",
            "firstName",
            "lastName",
            "displayName",
            "isAdmin",
            "locale",
            "customClaims",
            "userGroups",
            "ldapId",
            "disabled",
        )


class UserSerializer(PersonSerializer):
    customClaims = CustomClaimSerializer(source="custom_claims", many=True)
    userGroups = GroupMinimalSerializer(source="groups", many=True)


class Username(Text):
    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        if len(text) <= 50 and not USERNAME.fullmatch(text):
            raise serializers.ValidationError(str(USERNAME_RULE), code="invalid")
        return text


def with_email(attrs: dict[str, Any]) -> dict[str, Any]:
    """Nothing is no address; where everybody must have one, it is asked for when the rest is right."""
    if not attrs["email"] and current().require_user_email:
        raise serializers.ValidationError({"email": serializers.ErrorDetail("is required", code="required")})
    return attrs | {"email": attrs["email"] or None}


class UserInput(Input):
    """What is left out is empty, as Pocket ID has it: a change replaces everything."""

    username = Username(max_length=50)
    email = EmailText(required=False, default="", allow_blank=True, max_length=254)
    emailVerified = Flag(source="email_verified", default=False)
    firstName = Text(source="first_name", default="", allow_blank=True, max_length=50)
    lastName = Text(source="last_name", default="", allow_blank=True, max_length=50)
    displayName = Text(source="display_name", default="", allow_blank=True, max_length=100)
    isAdmin = Flag(source="is_admin", default=False)
    locale = Text(default=None, allow_null=True, allow_blank=True, max_length=35)
    disabled = Flag(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_email(attrs)

    def validate_locale(self, text: str | None) -> str | None:
        return text or None


class NewUserInput(UserInput):
    id = Uuid(required=False)
    userGroupIds = IdList(required=False)


class GroupIdsInput(Input):
    userGroupIds = IdList()


def shown(user: User, *, status: int = 200) -> Response:
    found = groups.with_groups_and_claims(User.objects.filter(pk=user.pk))
    if not found:  # somebody deleted the account in this very moment
        raise UserNotFound
    return Response(UserSerializer(found[0]).data, status=status)


def writable(request: Request, user: User) -> User:
    """``user``, unless the request has no business with administrators."""
    if is_scoped(request) and user.is_admin:
        raise AdministratorsAreOffLimits
    return user


def person_of(request: Request) -> User:
    """Whoever the request is from; REST answers nobody else."""
    person = request.user
    assert isinstance(person, User)  # noqa: S101 - the permission class let them in
    return person


class UserList(Resource):
    scope = "users"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        return page_of(request, User.objects.all(), RULES, UserSerializer, load=groups.with_groups_and_claims)

    def post(self, request: Request) -> Response:
        fields = read(request, NewUserInput)
        own_id, group_ids = fields.pop("id", None), fields.pop("userGroupIds", None)
        writable(request, User(is_admin=fields["is_admin"]))
        user = lifecycle.create(
            fields,
            groups=lifecycle.default_groups(group_ids) if group_ids else None,
            user_id=uuid.UUID(own_id) if own_id else None,
        )
        log.record(Event.ACCOUNT_CREATED, user=user, request=request._request, actor=person_of(request))
        return shown(user, status=status.HTTP_201_CREATED)


class UserDetail(Resource):
    scope = "users"
    permission_classes = [IsAdministrator]

    def get(self, request: Request, user_id: str) -> Response:
        return shown(lifecycle.find(path_id(user_id)))

    def put(self, request: Request, user_id: str) -> Response:
        fields = read(request, UserInput)
        user = writable(request, lifecycle.find(path_id(user_id)))
        writable(request, User(is_admin=fields["is_admin"]))
        changed = lifecycle.update(user, fields)
        log.record(
            Event.ACCOUNT_CHANGED,
            user=changed,
            request=request._request,
            actor=person_of(request),
            fields=", ".join(sorted(name for name in fields if getattr(user, name) != fields[name])),
        )
        return shown(changed)

    def delete(self, request: Request, user_id: str) -> HttpResponse:
        user = writable(request, lifecycle.find(path_id(user_id)))
        lifecycle.delete(user)
        log.record(
            Event.ACCOUNT_DELETED, user=None, request=request._request, actor=person_of(request), username=user.username
        )
        return no_content()


class OwnAccount(Resource):
    scope = "users"

    def get(self, request: Request) -> Response:
        return shown(person_of(request))

    def put(self, request: Request) -> Response:
        fields = read(request, UserInput)
        user = writable(request, person_of(request))
        before = {name: getattr(user, name) for name in fields}
        changed = lifecycle.update_own(user, fields)
        if different := sorted(name for name in fields if getattr(changed, name) != before[name]):
            log.record(Event.ACCOUNT_CHANGED, user=changed, request=request._request, fields=", ".join(different))
        return shown(changed)


class UserGroups(Resource):
    scope = "users"
    permission_classes = [IsAdministrator]

    def put(self, request: Request, user_id: str) -> Response:
        group_ids = read(request, GroupIdsInput)["userGroupIds"]
        changed = groups.set_groups(writable(request, lifecycle.find(path_id(user_id))), group_ids)
        log.record(
            Event.ACCOUNT_CHANGED, user=changed, request=request._request, actor=person_of(request), fields="groups"
        )
        return shown(changed)


class UserPasskeys(Resource):
    scope = "users"
    permission_classes = [IsAdministrator]

    def get(self, request: Request, user_id: str) -> Response:
        return Response(PasskeySerializer(lifecycle.find(path_id(user_id)).passkeys.all(), many=True).data)


class UserPasskey(Resource):
    """An administrator may take away the last one too: then a login code lets the person add another."""

    scope = "users"
    permission_classes = [IsAdministrator]

    def delete(self, request: Request, user_id: str, passkey_id: str) -> HttpResponse:
        owner, actor = writable(request, lifecycle.find(path_id(user_id))), person_of(request)
        passkey = passkeys.owned(owner, path_id(passkey_id))
        passkeys.remove(passkey, even_the_last=True)
        log.record(
            Event.PASSKEY_REMOVED,
            user=owner,
            request=request._request,
            actor=actor,
            passkeyName=passkey.name,
            credentialID=base64url_to_bytes(passkey.credential_id).hex(),
            actorUserID=str(actor.pk),
            actorUsername=actor.username,
        )
        return no_content()


def require_uuid(text: str) -> str:
    """Pictures alone tell an id that is none from one of nobody (contract section 1.9)."""
    if uuid_or_none(text) is None:
        wrong = ValidationFailed([("userId", "invalid_format", "must be a valid UUID")])
        wrong.message = "Request validation failed"
        raise wrong
    return text
