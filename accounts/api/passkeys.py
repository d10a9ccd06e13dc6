"""A person's own passkeys over REST (contract section 6.1)."""

from typing import ClassVar

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from webauthn.helpers import base64url_to_bytes

from accounts import passkeys
from accounts.models import Passkey, Session, User
from audit import log
from audit.models import Event
from core.rest_fields import Input, Text, read
from core.rest_output import Output
from core.rest_view import Resource


class PasskeySerializer(Output, serializers.ModelSerializer[Passkey]):
    credentialID = serializers.SerializerMethodField()
    attestationType = serializers.ReadOnlyField(source="attestation_type")
    transport = serializers.ReadOnlyField(source="transports")
    backupEligible = serializers.ReadOnlyField(source="backup_eligible")
    backupState = serializers.ReadOnlyField(source="backup_state")
    createdAt = serializers.DateTimeField(source="created_at")
    hasIcon = serializers.SerializerMethodField()

    class Meta:
        model = Passkey
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "name",
            "credentialID",
            "attestationType",
            "transport",
            "backupEligible",
            "backupState",
            "createdAt",
            "aaguid",
            "hasIcon",
        )

    def get_credentialID(self, passkey: Passkey) -> str:  # noqa: N802 - the contract's spelling
        """Pocket ID's own odd form: the raw bytes read as text, however that turns out."""
        return base64url_to_bytes(passkey.credential_id).decode("utf-8", "replace")

    def get_hasIcon(self, passkey: Passkey) -> bool:  # noqa: N802 - the contract's spelling
        """No pictures of authenticators come with this program."""
        return False


class NameInput(Input):
    name = Text(max_length=50)


class PasskeyList(Resource):
    scope = "passkeys"

    def get(self, request: Request) -> Response:
        return Response(PasskeySerializer(_person(request).passkeys.all(), many=True).data)


class PasskeyDetail(Resource):
    scope = "passkeys"

    def patch(self, request: Request, passkey_id: str) -> Response:
        name = read(request, NameInput)["name"]
        passkey = passkeys.rename(passkeys.owned(_person(request), passkey_id), name)
        return Response(PasskeySerializer(passkey).data)

    def delete(self, request: Request, passkey_id: str) -> Response:
        if isinstance(request.auth, Session):
            passkeys.require_fresh(request.auth)
        removed = passkeys.remove(passkeys.owned(_person(request), passkey_id))
        log.record(Event.PASSKEY_REMOVED, user=removed.user, request=request._request, passkeyName=removed.name)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _person(request: Request) -> User:
    """Whoever the request is from; REST answers nobody else."""
    person = request.user
    assert isinstance(person, User)  # noqa: S101 - the permission class let them in
    return person
