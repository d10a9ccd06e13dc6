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


class EndpointNotFound(AppError):
    """No such address, or not with this method: Pocket ID answers both alike, and clients compare the body."""

    code = "not_found"
    status = 404
    message = "API endpoint not found"

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
