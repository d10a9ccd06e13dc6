"""A person's own keys over REST (contract section 7.1)."""

from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import passkeys, sessions
from accounts.models import Session, User
from apikeys import keys, scopes
from apikeys.models import ApiKey
from audit import log
from audit.models import Event
from core.http import no_content
from core.rest import IsSignedIn, IsSignedInBySession, ListRules, page_of, path_id
from core.rest_fields import Input, Moment, Text, read
from core.rest_output import Output
from core.rest_view import Resource

RULES = ListRules(
    sort={"name": "name", "expiresAt": "expires_at", "lastUsedAt": "last_used_at", "createdAt": "created_at"}
)


class ApiKeySerializer(Output, serializers.ModelSerializer[ApiKey]):
    expiresAt = serializers.DateTimeField(source="expires_at")
    lastUsedAt = serializers.DateTimeField(source="last_used_at", allow_null=True)
    lastUsedFrom = serializers.CharField(source="last_used_ip", allow_null=True)
    createdAt = serializers.DateTimeField(source="created_at")
    expirationEmailSent = serializers.SerializerMethodField()

    class Meta:
        model = ApiKey
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "name",
            "description",
            "expiresAt",
            "lastUsedAt",
            "createdAt",
            "expirationEmailSent",
            "prefix",
            "scopes",
            "lastUsedFrom",
        )

    def get_expirationEmailSent(self, key: ApiKey) -> bool:  # noqa: N802 - the contract's spelling
        return key.expiry_mail_sent_at is not None


class ScopeList(serializers.ListField):
    """Scopes of :mod:`apikeys.scopes`. Without the member a key has every right of its owner, so an empty list is a mistake."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(child=Text(), allow_empty=False, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:  # noqa: ANN401 - whatever the client sent
        if data == []:
            problem = "must name a scope; leave it out for every right of the owner"
            raise serializers.ValidationError(problem, code="invalid_value")
        found: list[str] = super().to_internal_value(data)
        if wrong := scopes.unknown(found):
            raise serializers.ValidationError(f"has unknown scopes: {', '.join(wrong)}", code="invalid_value")
        return found


class NewApiKeyInput(Input):
    name = Text(min_length=3, max_length=50)
    description = Text(required=False, default=None, allow_null=True, allow_blank=True, max_length=1000)
    expiresAt = Moment(source="expires_at")
    scopes = ScopeList(required=False, default=list)


class RenewalInput(Input):
    expiresAt = Moment(source="expires_at")


class _OwnKeys(Resource):
    """Reading and revoking is for keys too; only a person in their browser gets a new secret (attacks.md G5)."""

    scope = "api-keys"

    def get_permissions(self) -> Any:  # noqa: ANN401 - the stub's own type is private
        return [IsSignedInBySession() if self.request.method == "POST" else IsSignedIn()]


class ApiKeyList(_OwnKeys):
    def get(self, request: Request) -> Response:
        return page_of(request, ApiKey.objects.filter(user=request.user.pk), RULES, ApiKeySerializer)

    def post(self, request: Request) -> Response:
        """Scripts that set a server up send JSON without saying so: the body decides, not its type."""
        fields, session = read(request, NewApiKeyInput, any_type=True), _session(request)
        # One step: of two requests with the same session the second finds that it has ended.
        with transaction.atomic():
            key, secret = keys.create(session.user, **fields, session=session)
            log.record(Event.API_KEY_CREATED, user=session.user, request=request._request, keyName=key.name)
            _end_sessions_of_a_script(request, session)
        return _with_secret(key, secret, status.HTTP_201_CREATED)


class ApiKeyRenewal(_OwnKeys):
    def post(self, request: Request, key_id: str) -> Response:
        fields, person = read(request, RenewalInput), _session(request).user
        key, secret = keys.renew(keys.owned(person, path_id(key_id)), **fields)
        log.record(Event.API_KEY_RENEWED, user=person, request=request._request, keyName=key.name)
        return _with_secret(key, secret, status.HTTP_200_OK)


class ApiKeyDetail(_OwnKeys):
    def delete(self, request: Request, key_id: str) -> HttpResponse:
        key = keys.owned(_owner(request), path_id(key_id))
        keys.revoke(key)
        log.record(Event.API_KEY_DELETED, user=key.user, request=request._request, keyName=key.name)
        return no_content()


def _with_secret(key: ApiKey, secret: str, code: int) -> Response:
    return Response({"apiKey": ApiKeySerializer(key).data, "token": secret}, status=code)


def _session(request: Request) -> Session:
    """Who is in front of the browser; an old session proves itself again before it makes a key (attacks.md D4)."""
    assert isinstance(request.auth, Session)  # noqa: S101 - the permission class let nobody else in
    passkeys.require_fresh(request.auth)
    return request.auth


def _owner(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the permission class let them in
    return request.user


def _end_sessions_of_a_script(request: Request, session: Session) -> None:
    """A session that came as a bearer token was there to make this key: nobody needs it any more.

    Where it was got without a passkey anybody else could have got one too.
    """
    if request._request.session.session_key is None:
        if not session.user.passkeys.exists():
            sessions.end_others(session)
        sessions.end(session)
