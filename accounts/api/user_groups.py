"""Groups over REST (contract section 5.2)."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import groups, lifecycle
from accounts.api.users import CustomClaimSerializer, GroupMinimalSerializer, PersonSerializer, person_of
from accounts.models import Group, User
from accounts.signals import group_shown
from audit import log
from audit.models import Event
from core.http import no_content
from core.rest import IsAdministrator, ListRules, page_of, path_id
from core.rest_fields import IdList, Input, Text, read
from core.rest_output import Output
from core.rest_view import Resource

RULES = ListRules(
    search=("name",),
    sort={"friendlyName": "friendly_name", "name": "name", "createdAt": "created_at", "userCount": "user_count"},
    derived={"user_count": groups.user_count()},
)


class MemberSerializer(PersonSerializer):
    """A person inside a group: with no claims and groups listed, which Pocket ID leaves empty here too."""

    customClaims = serializers.SerializerMethodField()
    userGroups = serializers.SerializerMethodField()

    def get_customClaims(self, user: User) -> list[Any]:  # noqa: N802 - the contract's spelling
        return []

    def get_userGroups(self, user: User) -> list[Any]:  # noqa: N802 - the contract's spelling
        return []


class GroupSerializer(Output, serializers.ModelSerializer[Group]):
    friendlyName = serializers.CharField(source="friendly_name")
    customClaims = CustomClaimSerializer(source="custom_claims", many=True)
    ldapId = serializers.ReadOnlyField(default=None)
    createdAt = serializers.DateTimeField(source="created_at")
    users = MemberSerializer(source="members", many=True)
    allowedOidcClients = serializers.SerializerMethodField()

    class Meta:
        model = Group
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "friendlyName",
            "name",
            "customClaims",
            "ldapId",
            "createdAt",
            "users",
            "allowedOidcClients",
        )

    def get_allowedOidcClients(self, group: Group) -> list[Any]:  # noqa: N802 - the contract's spelling
        """Clients are oidc's, which answers when it is asked."""
        answers: list[tuple[Any, Any]] = group_shown.send(sender=Group, group=group)
        return [client for _receiver, clients in answers for client in clients]


class GroupInput(Input):
    friendlyName = Text(source="friendly_name", min_length=2, max_length=50)
    name = Text(min_length=2, max_length=255)


class UserIdsInput(Input):
    userIds = IdList()


def shown(group: Group, *, status: int = 200) -> Response:
    found = _loaded(Group.objects.filter(pk=group.pk)).get()
    return Response(GroupSerializer(found).data, status=status)


def _loaded(rows: QuerySet[Group]) -> QuerySet[Group]:
    return rows.prefetch_related("custom_claims", Prefetch("members", User.objects.order_by("created_at", "pk")))


class GroupList(Resource):
    scope = "user-groups"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        return page_of(request, Group.objects.all(), RULES, GroupMinimalSerializer, load=groups.with_claims)

    def post(self, request: Request) -> Response:
        group = groups.create(**read(request, GroupInput))
        _record(Event.GROUP_CREATED, request, group)
        return shown(group, status=status.HTTP_201_CREATED)


class GroupDetail(Resource):
    scope = "user-groups"
    permission_classes = [IsAdministrator]

    def get(self, request: Request, group_id: str) -> Response:
        return shown(groups.find(path_id(group_id)))

    def put(self, request: Request, group_id: str) -> Response:
        fields = read(request, GroupInput)
        group = groups.update(groups.find(path_id(group_id)), fields)
        _record(Event.GROUP_CHANGED, request, group)
        return shown(group)

    def delete(self, request: Request, group_id: str) -> HttpResponse:
        group = groups.find(path_id(group_id))
        groups.delete(group)
        _record(Event.GROUP_DELETED, request, group)
        return no_content()


class GroupMembers(Resource):
    scope = "user-groups"
    permission_classes = [IsAdministrator]

    def put(self, request: Request, group_id: str) -> Response:
        user_ids = read(request, UserIdsInput)["userIds"]
        group = groups.set_members(groups.find(path_id(group_id)), user_ids)
        _record(Event.GROUP_CHANGED, request, group)
        return shown(group)


class GroupsOfUser(Resource):
    """An array of whole groups, without their people, who may be many."""

    scope = "users"
    permission_classes = [IsAdministrator]

    def get(self, request: Request, user_id: str) -> Response:
        found = lifecycle.find(path_id(user_id)).groups.order_by("created_at", "pk")
        rows = found.prefetch_related("custom_claims", Prefetch("members", User.objects.none()))
        return Response(GroupSerializer(rows, many=True).data)


def _record(event: Event, request: Request, group: Group) -> None:
    log.record(event, user=person_of(request), request=request._request, groupName=group.name)
