"""Clients as the REST API shows them, and the routes that change them (contract sections 4.1 to 4.3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Case, Count, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import groups
from accounts.api.users import GroupMinimalSerializer
from accounts.models import Group
from audit.models import Event
from core.errors import NotFound
from core.related_rows import belonging, relate
from core.rest import IsAdministrator, ListRules, page_of, path_id
from core.rest_fields import IdList, Input, read
from core.rest_output import Output, related
from core.rest_view import PublicResource, Resource
from oidc import administration, clients, logo_presets, logos
from oidc.api.client_input import ClientInput, NewClientInput, settings_of
from oidc.api.client_secrets import SecretSerializer
from oidc.api.fields import Lines, OrNull
from oidc.clients import ClientRefused
from oidc.logos import Picture
from oidc.models import Client, ClientSecret
from siteconfig.models import current

STANDARD, METADATA_DOCUMENT = "standard", "cimd"


class ClientMetaSerializer(Output, serializers.Serializer[Client]):
    """What anybody may know about a client, such as somebody who is about to sign in to it."""

    id = serializers.ReadOnlyField(source="client_id")
    name = serializers.ReadOnlyField()
    description = serializers.ReadOnlyField()
    hasLogo = serializers.ReadOnlyField(source="has_logo")
    hasDarkLogo = serializers.ReadOnlyField(source="has_dark_logo")
    launchURL = OrNull(source="launch_url")
    requiresReauthentication = serializers.ReadOnlyField(source="reauthentication_required")
    clientType = serializers.SerializerMethodField()

    def get_clientType(self, client: Client) -> str:  # noqa: N802 - the contract's spelling
        return client_type(client)


# Made once: making a serializer costs more than what it writes.
_SECRET, _GROUP = SecretSerializer(), GroupMinimalSerializer()


class ClientSerializer(ClientMetaSerializer):
    """Everything an administrator may know; ``pkceSupported`` and ``federatedIdentities`` only when there is something."""

    callbackURLs = Lines(source="redirect_uris")
    logoutCallbackURLs = Lines(source="post_logout_redirect_uris")
    backchannelLogoutURL = serializers.ReadOnlyField(source="backchannel_logout_url")
    isPublic = serializers.ReadOnlyField(source="is_public")
    pkceEnabled = serializers.ReadOnlyField(source="pkce_required")
    pkceSupported = serializers.ReadOnlyField(source="pkce_supported")
    requiresPushedAuthorizationRequests = serializers.ReadOnlyField(source="par_required")
    skipConsent = serializers.ReadOnlyField(source="skip_authorization")
    isGroupRestricted = serializers.ReadOnlyField(source="is_group_restricted")
    accessTokenDurationMinutes = serializers.ReadOnlyField(source="access_token_minutes")
    refreshTokenDurationMinutes = serializers.ReadOnlyField(source="refresh_token_minutes")
    backchannelLogoutOnSessionExpiry = serializers.ReadOnlyField(source="backchannel_logout_on_session_expiry")
    claimsInIdToken = serializers.ReadOnlyField(source="claims_in_id_token")
    refreshTokens = serializers.ReadOnlyField(source="refresh_tokens")
    signingAlgorithm = serializers.ReadOnlyField(source="algorithm")
    idTokenDurationMinutes = serializers.ReadOnlyField(source="id_token_minutes")
    refreshTokenAbsoluteDurationMinutes = serializers.ReadOnlyField(source="refresh_token_absolute_minutes")
    credentials = serializers.SerializerMethodField()

    def get_credentials(self, client: Client) -> dict[str, Any]:
        identities = {"federatedIdentities": client.federated_identities} if client.federated_identities else {}
        identities |= {"jwks": {"keys": client.jwks}} if client.jwks else {}
        identities |= {"jwksUri": client.jwks_uri} if client.jwks_uri else {}
        return identities | {"secrets": [_SECRET.to_representation(secret) for secret in related(client, "secrets")]}

    def to_representation(self, instance: Client) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if not shown["pkceSupported"]:
            del shown["pkceSupported"]
        return shown


class ClientWithGroupsSerializer(ClientSerializer):
    """For clients that went through ``with_groups``."""

    allowedUserGroups = serializers.SerializerMethodField()

    def get_allowedUserGroups(self, client: Client) -> list[Any]:  # noqa: N802 - the contract's spelling
        return list(client.shown_groups)


class ClientPageSerializer(serializers.ListSerializer[Client]):
    def to_representation(self, data: Any) -> list[Any]:  # noqa: ANN401 - the stub's own type
        return super().to_representation(with_groups(data))


class ClientInListSerializer(ClientWithGroupsSerializer):
    """Pocket ID up to 2.14 counted the groups in lists, later ones name them."""

    allowedUserGroupsCount = serializers.SerializerMethodField()

    class Meta:
        list_serializer_class = ClientPageSerializer

    def get_allowedUserGroupsCount(self, client: Client) -> int:  # noqa: N802 - the contract's spelling
        return len(client.shown_groups)


class AllowedGroupsInput(Input):
    userGroupIds = IdList()


def client_type(client: Client) -> str:
    return METADATA_DOCUMENT if client.registration_source == METADATA_DOCUMENT else STANDARD


# Names that lists of clients can be sorted and filtered by, to columns. Two of them are derived.
FLAGS: dict[str, str] = {
    "pkceEnabled": "pkce_required",
    "requiresReauthentication": "reauthentication_required",
    "requiresPushedAuthorizationRequests": "par_required",
    "skipConsent": "skip_authorization",
    "isGroupRestricted": "is_group_restricted",
    "pkceSupported": "pkce_supported",
    "clientType": "kind",
}
SORT: dict[str, str] = FLAGS | {
    "name": "name",
    "createdAt": "created",
    "allowedUserGroupsCount": "group_count",
    "allowedUserGroups": "group_count",
}


_groups = Client.allowed_groups.through._default_manager.filter(client=OuterRef("pk")).order_by().values("client")
DERIVED: dict[str, Any] = {
    "kind": Case(When(registration_source=METADATA_DOCUMENT, then=Value(METADATA_DOCUMENT)), default=Value(STANDARD)),
    "group_count": Coalesce(Subquery(_groups.annotate(number=Count("pk")).values("number")), Value(0)),
}


def with_groups(rows: Iterable[Client]) -> list[Client]:
    """Each client with its secrets and ``shown_groups``, in the order in which they were allowed."""
    found = list(rows)
    keys = [client.pk for client in found]
    relate(found, "secrets", belonging(ClientSecret, "client_id", keys, order="r.created_at, r.id"))
    allowed: dict[int, list[Group]] = defaultdict(list)
    for key, group in groups.of_each(Client.allowed_groups.through, "client_id", keys, order="+t.id"):
        allowed[key].append(group)
    once: dict[int, dict[str, Any]] = {}
    for client in found:
        client.shown_groups = [
            once.get(id(group)) or once.setdefault(id(group), _GROUP.to_representation(group))
            for group in allowed[client.pk]
        ]
    return found


def shown(client: Client) -> dict[str, Any]:
    """The client as it is now in the database, with its groups."""
    found = with_groups(Client.objects.filter(pk=client.pk))
    if not found:  # somebody deleted it in this very moment
        raise NotFound("OIDC client")
    return dict(ClientWithGroupsSerializer(found[0]).data)


class ClientList(Resource):
    permission_classes = [IsAdministrator]
    scope = "clients"
    rules: ClassVar[ListRules] = ListRules(
        search=("name",), sort=SORT, filters=FLAGS, default=("created",), derived=DERIVED
    )

    def get(self, request: Request) -> Response:
        return page_of(request, Client.objects.all(), self.rules, ClientInListSerializer)

    def post(self, request: Request) -> Response:
        data = read(request, NewClientInput)
        client, secret = clients.create(
            settings_of(data, _pictures(data)),
            client_id=data.get("id", ""),
            with_secret=current().auto_create_oidc_client_secret,
        )
        administration.note(Event.CLIENT_CREATED, client, request=request._request)
        answer = shown(client)
        if secret is not None:
            answer["createdSecret"] = _SECRET.to_representation(secret.row) | {"secret": secret.text}
        return Response(answer, status=status.HTTP_201_CREATED)


class ClientDetail(Resource):
    permission_classes = [IsAdministrator]
    scope = "clients"

    def get(self, request: Request, client_id: str) -> Response:
        return Response(shown(clients.find(path_id(client_id))))

    def put(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        data = read(request, ClientInput)
        changed = clients.update(client.client_id, settings_of(data, _pictures(data)))
        administration.note(Event.CLIENT_CHANGED, changed, request=request._request)
        return Response(shown(changed))

    def delete(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        clients.delete(client.client_id)
        administration.note(Event.CLIENT_DELETED, client, request=request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ClientMeta(PublicResource):
    def get(self, request: Request, client_id: str) -> Response:
        return Response(ClientMetaSerializer(clients.find(path_id(client_id))).data)


class ClientRefresh(Resource):
    """Reads a client's metadata document again; there are no such clients yet."""

    permission_classes = [IsAdministrator]
    scope = "clients"

    def post(self, request: Request, client_id: str) -> Response:
        clients.find(path_id(client_id))
        raise ClientRefused("Client is not a client ID metadata document client")


class AllowedGroups(Resource):
    permission_classes = [IsAdministrator]
    scope = "clients"

    def put(self, request: Request, client_id: str) -> Response:
        client = clients.find(path_id(client_id))
        wanted = read(request, AllowedGroupsInput)["userGroupIds"]
        changed = clients.set_allowed_groups(client.client_id, wanted)
        administration.note(Event.CLIENT_CHANGED, changed, request=request._request, what="groups")
        return Response(ClientSerializer(changed).data)


def _pictures(data: Mapping[str, Any]) -> dict[bool, Picture]:
    """Fetched before anything is written: a logo that cannot be had leaves everything as it was."""
    allowed = settings.OUTBOUND_ALLOWED_HOSTS_CLIENT_LOGO
    addresses = {False: data.get("logoUrl"), True: data.get("darkLogoUrl")}
    return {
        is_dark: logo_presets.picture_at(url) or logos.download(url, allowed=allowed)
        for is_dark, url in addresses.items()
        if url
    }
