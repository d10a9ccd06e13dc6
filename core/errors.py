"""What every refusal of ours is made of; ``core.middleware`` and ``core.rest`` turn it into an answer."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class AppError(Exception):
    """A refusal a caller may see: a machine-readable code, an HTTP status and a safe sentence.

    ``details`` are facts about the input (never secrets); ``remedy`` says to a person what to do next. ``causes`` are
    pairs of a label and a text that only administrators and the log see, and ``mend`` is where an administrator can
    put it right: a label and an address.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    message: str | Promise = _("Something went wrong")
    remedy: str | Promise = ""
    side: str | Promise = ""
    is_a_step: ClassVar[bool] = False  # ``mend`` is all there is to do: the page has no code to tell anybody

    def __init__(
        self,
        message: str | Promise | None = None,
        *,
        remedy: str | Promise | None = None,
        details: Mapping[str, object] | None = None,
        causes: Sequence[tuple[str | Promise, str]] = (),
        mend: tuple[str | Promise, str] | None = None,
        app: object = None,
    ) -> None:
        if message is not None:
            self.message = message
        if remedy is not None:
            self.remedy = remedy
        self.details, self.causes, self.mend = dict(details or {}), list(causes), mend
        self.app = app  # whom the page shows beside our mark: ``name``, ``initial``, ``colour``
        super().__init__(str(self.message))

    def as_json(self, request_id: str) -> dict[str, object]:
        """The body of contract section 1.9."""
        body: dict[str, object] = {"error": str(self.message), "code": self.code}
        if self.details:
            body["details"] = self.details
        return body | {"request_id": request_id}


class ServiceUnavailable(AppError):
    """The database is locked, full or away; what was asked for was not done."""

    code = "service_unavailable"
    status = 503
    message = _("The server cannot answer right now")
    remedy = _("Try again in a moment. If it stays so, tell the person who runs this server.")


class RequestIncomplete(AppError):
    """The sender fell silent or went away before the body was whole; nothing was done."""

    code = "request_incomplete"
    status = 408
    message = _("The request did not arrive completely")
    remedy = _("Try again. If it stays so, look at the connection or the proxy between you and this server.")


class EndpointNotFound(AppError):
    """No such address, or not with this method: Pocket ID answers both alike, and clients compare the body."""

    code = "not_found"
    status = 404
    message: str | Promise = "API endpoint not found"

    def as_json(self, request_id: str) -> dict[str, object]:
        return {"error": "API endpoint not found"}


class NotFound(AppError):
    code = "not_found"
    status = 404

    def __init__(self, resource: str) -> None:
        super().__init__(f"{resource} not found", details={"resource": resource})


class InvalidRequestBody(AppError):
    code = "invalid_request_body"
    status = 400
    message = _("Request body is invalid")


class ValidationFailed(AppError):
    """One or more fields are wrong; ``fields`` are (name, code, message) with the message continuing the name."""

    code = "validation_failed"
    status = 400

    def __init__(self, fields: list[tuple[str, str, str]]) -> None:
        text = ", ".join(f"{name} {message}" for name, _code, message in fields)
        super().__init__(
            text[:1].upper() + text[1:],
            details={"fields": [{"field": name, "code": code, "message": message} for name, code, message in fields]},
        )


class NotSignedIn(AppError):
    code = "not_signed_in"
    status = 401
    message = _("You are not signed in")


class Forbidden(AppError):
    code = "forbidden"
    status = 403
    message = _("You don't have permission to perform this action")


class UserDisabled(AppError):
    code = "user_disabled"
    status = 403
    message = _("User account is disabled")
    remedy = _("The person who runs this server can enable the account again.")


class CrossSiteRequest(AppError):
    """A page of another site tried to act with this browser's session."""

    code = "forbidden"
    status = 403
    message = _("This request came from another site and was refused")


class ApiKeyNotAllowed(AppError):
    """Only a person in front of their browser may do this."""

    code = "api_key_auth_not_allowed"
    status = 403
    message = _("API key authentication is not allowed for this endpoint")


class MissingScope(AppError):
    """The key was given fewer rights than its owner has; the answer names the one it would need."""

    code = "forbidden"
    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__(_("This API key lacks the scope %(scope)s") % {"scope": scope}, details={"scope": scope})


class AlreadyInUse(AppError):
    """``label`` is what the value is, as Pocket ID names it: email, username, name, resource."""

    code = "already_in_use"
    status = 409

    def __init__(self, label: str) -> None:
        super().__init__(f"{label[:1].upper()}{label[1:]} is already in use", details={"property": label})


class RateLimited(AppError):
    code = "rate_limited"
    status = 429
    message = _("Too many requests")
    remedy = _("Wait a moment, then try again.")

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(max(retry_after, 1))}  # seconds


class ImageNotFound(AppError):
    code = "image_not_found"
    status = 404
    message = _("Image not found")


class InvalidImage(AppError):
    code = "invalid_image"
    status = 400
    message = _("File is not a valid image")


class FileTypeNotSupported(AppError):
    """``expected`` lists the types in words, where there are few."""

    code = "file_type_not_supported"
    status = 415

    def __init__(self, expected: str = "") -> None:
        if expected:
            super().__init__(f"File must be of type {expected}", details={"expected_file_type": expected})
        else:
            super().__init__(_("File type is not supported"))


class FileTooLarge(AppError):
    code = "file_too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        size = f"{limit / (1024 * 1024):.2f} MB"
        super().__init__(f"File must not exceed {size}", details={"max_size": size})
