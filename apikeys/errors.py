"""Every refusal of the apikeys app (contract section 1.9)."""

from django.utils.translation import gettext_lazy as _

from core.errors import AppError


class ApiKeyNotFound(AppError):
    code = "api_key_not_found"
    status = 404
    message = _("API key not found")


class ApiKeyNotExpired(AppError):
    code = "api_key_not_expired"
    status = 409
    message = _("API key is not expired yet")


class InvalidApiKeyExpiration(AppError):
    code = "invalid_api_key_expiration"
    status = 400
    message = "API key expiration time must be in the future"

    def __init__(self) -> None:
        fields = [{"field": "expiresAt", "code": "invalid_value", "message": "must be in the future"}]
        super().__init__(details={"fields": fields})
