"""The audit log over REST (contract section 7.2)."""

import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit import devices, places
from audit.models import Entry
from core.rest import IsAdministrator, ListRules, page_of
from core.rest_view import Resource

SORT = {
    "createdAt": "created_at",
    "event": "event",
    "ipAddress": "ip_address",
    "country": "country",
    "city": "city",
    "userAgent": "user_agent",
}
NEWEST_FIRST = ("-created_at", "-id")
COUNT_IS_GOOD_FOR = 30  # seconds
OWN = ListRules(sort=SORT, filters={"event": "event"}, default=NEWEST_FIRST, count_is_good_for=COUNT_IS_GOOD_FOR)
ALL = ListRules(
    sort=SORT,
    filters={"event": "event", "userID": "user", "clientName": "client_name"},
    default=NEWEST_FIRST,
    count_is_good_for=COUNT_IS_GOOD_FOR,
)


class EntrySerializer(serializers.Serializer[Entry]):
    """``username`` is for those who see everybody's entries."""

    id = serializers.SerializerMethodField()
    createdAt = serializers.DateTimeField(source="created_at")
    event = serializers.CharField()
    ipAddress = serializers.CharField(source="ip_address")
    country = serializers.CharField()
    city = serializers.CharField()
    device = serializers.SerializerMethodField()
    userID = serializers.UUIDField(source="user_id")
    username = serializers.SerializerMethodField()
    actorUsername = serializers.CharField(source="actor_username")
    data = serializers.DictField()  # type: ignore[assignment] # the contract's name, which the stub has too

    def get_id(self, entry: Entry) -> str:
        """Clients expect a UUID; ours count, so that the log needs no second index."""
        return str(uuid.UUID(int=entry.pk))

    def get_device(self, entry: Entry) -> str:
        return devices.describe(entry.user_agent) if entry.user_agent else ""

    def get_username(self, entry: Entry) -> str:
        return entry.username if self.context.get("everybody") else ""

    def to_representation(self, instance: Entry) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown | {"ipAddress": shown["ipAddress"] or "", "userID": shown["userID"] or ""}


class OwnEntries(Resource):
    scope = "audit-logs"

    def get(self, request: Request) -> Response:
        return page_of(request, Entry.objects.filter(user=request.user.pk), OWN, EntrySerializer)


class AllEntries(Resource):
    scope = "audit-logs"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        return page_of(request, _in_places(request, Entry.objects.all()), ALL, EntrySerializer, everybody=True)


class ClientNames(Resource):
    """The apps that occur in the log, for a filter."""

    scope = "audit-logs"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        return Response(Entry.objects.client_names())


class Usernames(Resource):
    """The people who occur in the log and still have an account: names by id."""

    scope = "audit-logs"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> Response:
        people = get_user_model()._default_manager.filter(Exists(Entry.objects.filter(user=OuterRef("pk"))))
        return Response({str(pk): username for pk, username in people.values_list("pk", "username")})


def _in_places(request: Request, rows: QuerySet[Entry]) -> QuerySet[Entry]:
    match request.query_params.get("filters[location]"):
        case "internal":
            return rows.filter(country=places.INTERNAL)
        case "external":
            return rows.exclude(country=places.INTERNAL)
    return rows
