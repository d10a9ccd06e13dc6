"""Settings as they travel: every value is a text (contract section 7.3)."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from core.rest_fields import Text
from siteconfig.json_text import CLAIMS_RULE, TEXTS_RULE, check_claims, check_texts


class TrueOrFalse(Text):
    """A boolean that travels as text."""

    def __init__(self, *, negated: bool = False, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(**kwargs)
        self.negated = negated

    def to_internal_value(self, data: Any) -> bool:  # type: ignore[override] # noqa: ANN401 - text in, boolean inside
        text = super().to_internal_value(data)
        if text not in ("true", "false"):
            raise serializers.ValidationError("must be either true or false", code="invalid")
        return (text == "true") != self.negated

    def to_representation(self, value: Any) -> str:  # noqa: ANN401 - the stub knows text only
        return "true" if value != self.negated else "false"


class Number(Text):
    """An integer that travels as text; ``None`` is empty."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def to_internal_value(self, data: Any) -> int | None:  # type: ignore[override] # noqa: ANN401 - text in, number inside
        text = super().to_internal_value(data)
        if not text:
            return None
        if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 9:
            raise serializers.ValidationError("must be an integer", code="invalid")
        if not self.low <= int(text) <= self.high:
            raise serializers.ValidationError(f"must be between {self.low} and {self.high}", code="invalid_value")
        return int(text)

    def to_representation(self, value: Any) -> str:  # noqa: ANN401 - the stub knows text only
        return "" if value is None else str(value)


class OneOf(Text):
    def __init__(self, *, words: list[str], **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(**kwargs)
        self.words = words

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        if text not in self.words:
            raise serializers.ValidationError("is invalid", code="oneof")
        return text


class JsonTexts(Text):
    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        try:
            check_texts(text or "[]")
        except ValidationError:
            raise serializers.ValidationError(TEXTS_RULE, code="invalid") from None
        return text


_CLAIM_RULES = {
    "reserved": "has the claim {key}, which is reserved",
    "duplicate": "lists the claim {key} more than once",
}


class JsonClaims(Text):
    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        try:
            check_claims(text or "[]")
        except ValidationError as wrong:
            if wrong.code in _CLAIM_RULES:
                rule = _CLAIM_RULES[wrong.code].format(**(wrong.params or {}))
                raise serializers.ValidationError(rule, code=wrong.code) from None
            raise serializers.ValidationError(CLAIMS_RULE, code="invalid") from None
        return text


class Address(Text):
    """A path on this server or a web address, where a browser is sent to."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        if text.startswith(("//", "/\\")) or not text.startswith(("/", "https://", "http://")):
            raise serializers.ValidationError("must be a valid URL", code="invalid")
        return text
