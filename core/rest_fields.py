"""Bodies of REST requests: JSON as Pocket ID's Go structs read it, and uploads (contract section 1.6).

A value of the wrong JSON type makes the whole body unreadable; a wrong value of the right type names its field.
``null`` is the same as leaving the field out, unless a field says otherwise.
"""

import json
import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import EmailValidator
from rest_framework import serializers
from rest_framework.request import Request

from core.errors import FileTooLarge, InvalidRequestBody, ValidationFailed

Validated = TypeVar("Validated", bound=serializers.BaseSerializer[Any])

# The parts of a multipart body around the file itself.
MULTIPART_OVERHEAD = 16 * 1024


def read(
    request: Request, serializer: type[Validated], *, any_type: bool = False, optional: bool = False, many: bool = False
) -> Any:  # noqa: ANN401 - what the serializer makes of it
    """The validated JSON body.

    ``optional`` takes an empty body for ``{}``; ``any_type`` does not ask for a JSON content type; ``many`` expects a
    list. Raise ``InvalidRequestBody``, or DRF's own exception for wrong fields.
    """
    checked = serializer(data=_json(request, any_type=any_type, optional=optional), many=many)
    if checked.initial_data is None or (many and not isinstance(checked.initial_data, list)):
        raise InvalidRequestBody  # REST framework has no field to name for a body that is null
    checked.is_valid(raise_exception=True)
    return checked.validated_data


def _json(request: Request, *, any_type: bool, optional: bool) -> object:
    try:
        raw = request._request.body
    except RequestDataTooBig:
        raise InvalidRequestBody from None
    if not raw and optional:
        return {}
    kind = (request._request.content_type or "").lower()
    if not any_type and kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise InvalidRequestBody
    if b"\\u0000" in raw:  # NUL is valid JSON and no text: databases refuse it
        raise InvalidRequestBody
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()  # half of a surrogate pair is no text either
    except (ValueError, RecursionError):
        raise InvalidRequestBody from None
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which Python reads and JSON does not have


class Input(serializers.Serializer[Any]):
    """The fields of a body; what is not among them is ignored, as clients send what newer servers know."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever the client sent
        if not isinstance(data, Mapping):
            raise InvalidRequestBody
        known = self.fields
        kept = {name: value for name, value in data.items() if name in known}
        return super().to_internal_value(
            {name: value for name, value in kept.items() if value is not None or known[name].allow_null}
        )


class Text(serializers.CharField):
    """Text in NFC without NUL, trimmed of nothing; lengths count characters (contract section 1.6)."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        if not isinstance(data, str):
            raise InvalidRequestBody
        return str(super().to_internal_value(unicodedata.normalize("NFC", data)))

    def run_validation(self, data: Any = serializers.empty) -> Any:  # noqa: ANN401 - the stub's own type
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            raise InvalidRequestBody
        return super().run_validation(data)


class EmailText(Text):
    """An e-mail address; ``""`` is none."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        try:
            if text:
                EmailValidator()(text)
        except ValidationError:
            raise serializers.ValidationError("must be a valid email address", code="invalid") from None
        return text


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:  # noqa: ANN401 - whatever the client sent
        if not isinstance(data, bool):
            raise InvalidRequestBody
        return data


class Whole(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:  # noqa: ANN401 - whatever the client sent
        if isinstance(data, float) and data.is_integer():  # 41.0 is a whole number in JSON
            data = int(data)
        if not isinstance(data, int) or isinstance(data, bool) or abs(data) >= 2**63:
            raise InvalidRequestBody
        return data


class Moment(serializers.DateTimeField):
    """A time in RFC 3339, with its offset; in UTC and whole seconds from here on."""

    def to_internal_value(self, value: Any) -> datetime:  # noqa: ANN401 - whatever the client sent
        if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d", value):
            raise InvalidRequestBody
        try:
            # Go writes nanoseconds, which Python reads since 3.11 only up to microseconds.
            found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper()))
            if found.tzinfo is None:
                raise InvalidRequestBody
            return found.astimezone(UTC).replace(microsecond=0)
        except (ValueError, OverflowError):
            raise InvalidRequestBody from None


class Uuid(Text):
    """A UUID in its usual form; what is none is "invalid" by Pocket ID's own code."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        text = super().to_internal_value(data)
        if uuid_or_none(text) is None:
            raise serializers.ValidationError("is invalid", code="uuid")
        return text.lower()


def uuid_or_none(text: str) -> uuid.UUID | None:
    """The UUID that ``text`` is, 8-4-4-4-12; ``None`` for anything else."""
    return uuid.UUID(text) if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) else None


class IdList(serializers.ListField):
    """Ids as text, in the order they were sent; ``null`` is none, but leaving the field out is a mistake."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(child=Text(), allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:  # noqa: ANN401 - whatever the client sent
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            raise InvalidRequestBody
        return list(dict.fromkeys(data))

    def run_validation(self, data: Any = serializers.empty) -> Any:  # noqa: ANN401 - the stub's own type
        return [] if data is None else super().run_validation(data)


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
LONGEST_TTL = timedelta(days=31)
LONGEST_TTL_TEXT = 64  # characters


class Duration(serializers.Field[timedelta, Any, Any, Any]):
    """Seconds as a number, or Go's text such as ``1h30m``; more than a second and at most 31 days; 0 is ``default``."""

    def to_internal_value(self, data: Any) -> timedelta:  # noqa: ANN401 - whatever the client sent
        if isinstance(data, bool) or not isinstance(data, int | float | str):
            raise InvalidRequestBody
        seconds = _seconds(data) if isinstance(data, str) else data
        if seconds and not 1 < seconds <= LONGEST_TTL.total_seconds():
            raise serializers.ValidationError("is invalid", code="ttl")
        return timedelta(seconds=seconds)

    def run_validation(self, data: Any = serializers.empty) -> Any:  # noqa: ANN401 - the stub's own type
        return super().run_validation(data) or self.get_default()


def _seconds(text: str) -> float:
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if len(rest) > LONGEST_TTL_TEXT or not re.fullmatch(f"(?:{_PART.pattern})+", rest):
        raise InvalidRequestBody
    return sign * sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(rest))


def uploaded_file(request: Request, *, limit: int) -> UploadedFile:
    """The part ``file`` of a multipart body; ``limit`` in bytes holds for the whole request.

    The view must set ``parser_classes = [MultiPartParser]``. Raise ``FileTooLarge`` or ``ValidationFailed``.
    """
    if int(request._request.META.get("CONTENT_LENGTH") or 0) > limit + MULTIPART_OVERHEAD:
        raise FileTooLarge(limit)
    found = request.FILES.get("file")
    if not isinstance(found, UploadedFile):
        raise ValidationFailed([("file", "required", "is required")])
    if (found.size or 0) > limit:
        raise FileTooLarge(limit)
    return found
