"""What a key may be limited to: each resource of the REST API, to be read or to be written."""

from collections.abc import Iterable

RESOURCES = (
    "api-keys",
    "apis",
    "application-configuration",
    "application-images",
    "audit-logs",
    "clients",
    "custom-claims",
    "me",
    "passkeys",
    "scim",
    "signup-tokens",
    "user-groups",
    "users",
    "version",
)
ALL = tuple(f"{resource}:{right}" for resource in RESOURCES for right in ("read", "write"))


def unknown(scopes: Iterable[str]) -> list[str]:
    """Those of ``scopes`` that no resource knows."""
    return sorted(set(scopes) - set(ALL))
