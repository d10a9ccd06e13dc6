"""Fields that several bodies of this app share."""

from typing import Any

from rest_framework import serializers

from core.errors import InvalidRequestBody
from core.rest_fields import Text
from oidc import redirect_uris, web_addresses


class Items(serializers.ListField):
    """A list of whatever ``child`` reads; anything but a list makes the body unreadable."""

    def to_internal_value(self, data: Any) -> list[Any]:  # noqa: ANN401 - whatever the client sent
        if not isinstance(data, list):
            raise InvalidRequestBody
        return list(super().to_internal_value(data))


class Pattern(Text):
    """A callback address, perhaps with wildcards (contract section 8.6)."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        try:
            redirect_uris.check_pattern(text)
        except redirect_uris.UnusablePattern as wrong:
            raise serializers.ValidationError(str(wrong).rstrip("."), code="callback_url_pattern") from None
        # Addresses are kept with white space between them, and there is more of that than a blank.
        if text.split() != [text]:
            raise serializers.ValidationError("is invalid", code="callback_url_pattern")
        return text


class WebAddress(Text):
    """Where people go, or this server if it ``is_called``: an absolute http or https address."""

    def __init__(self, *, is_called: bool = False, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(**kwargs)
        self._check = web_addresses.check_called if is_called else web_addresses.check

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        try:
            self._check(text)
        except web_addresses.UnusableAddress as wrong:
            raise serializers.ValidationError(str(wrong), code="invalid") from None
        return text


class OrNull(serializers.Field[Any, Any, Any, Any]):
    """Out only: the text of a column in which nothing is the empty text, ``null`` for it."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: str) -> str | None:
        return value or None


class Lines(serializers.Field[Any, Any, Any, Any]):
    """Out only: the addresses of a column that has white space between them."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: str) -> list[str]:
        return value.split()
