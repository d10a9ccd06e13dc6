"""The audit log over REST (contract section 7.2)."""

import json
import time
import uuid
from collections.abc import Callable, Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit import devices, places
from audit.models import Entry
from core.rest import IsAdministrator, ListQuery, ListRules, page_of
from core.rest_output import Output
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


class EntrySerializer(Output, serializers.Serializer[Entry]):
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
        rows = _of_apps(request, _in_places(request, Entry.objects.all()))
        return page_of(request, rows, ALL, EntrySerializer, everybody=True)


class ClientNames(Resource):
    """The apps that occur in the log, for a filter."""

    scope = "audit-logs"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> HttpResponse:
        return _names("apps", Entry.objects.client_names)


class Usernames(Resource):
    """The people who occur in the log and still have an account: names by id."""

    scope = "audit-logs"
    permission_classes = [IsAdministrator]

    def get(self, request: Request) -> HttpResponse:
        return _names("people", _people)


def _people() -> dict[str, str]:
    people = get_user_model()._default_manager.filter(Exists(Entry.objects.filter(user=OuterRef("pk"))))
    return {str(pk): username for pk, username in people.values_list("pk", "username")}


# A filter for thousands may be half a minute old, as the length of the list itself: finding them takes longer than
# everything else together.
_MANY = 200
_answers: dict[str, tuple[float, bytes]] = {}  # until when, JSON


def _names(what: str, find: Callable[[], Collection[str]]) -> HttpResponse:
    until, answer = _answers.get(what, (0.0, b""))
    now = time.monotonic()
    if now >= until:
        found = find()
        answer = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
        if len(found) >= _MANY:
            _answers[what] = (now + COUNT_IS_GOOD_FOR, answer)
    return HttpResponse(answer, content_type="application/json; charset=utf-8")


def _of_apps(request: Request, rows: QuerySet[Entry]) -> QuerySet[Entry]:
    """The index is of entries with an app alone, and SQLite does not see that a name is no empty text."""
    names = ListQuery.of(request).filters.get("clientName")
    return rows.exclude(client_name="") if names and "" not in names else rows


def _in_places(request: Request, rows: QuerySet[Entry]) -> QuerySet[Entry]:
    match request.query_params.get("filters[location]"):
        case "internal":
            return rows.filter(country=places.INTERNAL)
        case "external":
            return rows.exclude(country=places.INTERNAL)
    return rows
