"""A person's own passkeys over REST (contract section 6.1)."""

from typing import ClassVar

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from webauthn.helpers import base64url_to_bytes

from accounts import passkeys
from accounts.models import Passkey, Session, User
from audit import log
from audit.models import Event


class PasskeySerializer(serializers.ModelSerializer[Passkey]):
    name = serializers.CharField(max_length=50)
    credentialID = serializers.SerializerMethodField()
    attestationType = serializers.ReadOnlyField(source="attestation_type")
    transport = serializers.ReadOnlyField(source="transports")
    backupEligible = serializers.ReadOnlyField(source="backup_eligible")
    backupState = serializers.ReadOnlyField(source="backup_state")
    createdAt = serializers.ReadOnlyField(source="created_at")

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
        )

    def get_credentialID(self, passkey: Passkey) -> str:  # noqa: N802 - the contract's spelling
        """Pocket ID's own odd form: the raw bytes read as text, however that turns out."""
        return base64url_to_bytes(passkey.credential_id).decode("utf-8", "replace")


class PasskeyList(APIView):
    def get(self, request: Request) -> Response:
        return Response(PasskeySerializer(_person(request).passkeys.all(), many=True).data)


class PasskeyDetail(APIView):
    def patch(self, request: Request, passkey_id: str) -> Response:
        serializer = PasskeySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        passkey = passkeys.rename(passkeys.owned(_person(request), passkey_id), serializer.validated_data["name"])
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
