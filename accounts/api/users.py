"""A person as the REST API shows them (contract section 5.1)."""

from typing import ClassVar

from rest_framework import serializers

from accounts.models import CustomClaim, Group, User


class CustomClaimSerializer(serializers.ModelSerializer[CustomClaim]):
    class Meta:
        model = CustomClaim
        fields: ClassVar[tuple[str, ...]] = ("key", "value")


class GroupMinimalSerializer(serializers.ModelSerializer[Group]):
    friendlyName = serializers.CharField(source="friendly_name")
    customClaims = CustomClaimSerializer(source="custom_claims", many=True)
    userCount = serializers.IntegerField(source="members.count")
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


class UserSerializer(serializers.ModelSerializer[User]):
    emailVerified = serializers.BooleanField(source="email_verified")
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    displayName = serializers.CharField(source="display_name")
    isAdmin = serializers.BooleanField(source="is_admin")
    customClaims = CustomClaimSerializer(source="custom_claims", many=True)
    userGroups = GroupMinimalSerializer(source="groups", many=True)
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
