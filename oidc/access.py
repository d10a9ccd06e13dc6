"""May this person use this app; asked wherever a code or a token is born."""

from oidc.errors import InvalidGrantError


def check(*, disabled: bool, denied: bool) -> None:
    """Raise what the token endpoint answers when the person may no longer be served (attacks.md B10, C5)."""
    if disabled:
        raise InvalidGrantError(description="The user account is disabled.")
    if denied:
        raise InvalidGrantError(description="The user is in none of the groups that may use this client.")
