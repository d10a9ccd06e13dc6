"""Every refusal of the accounts app (contract section 1.9)."""

from django.utils.translation import gettext_lazy as _

from core.errors import AppError


class MissingSessionId(AppError):
    code = "missing_session_id"
    status = 400
    message = _("Session ID is missing")


class CeremonyExpired(AppError):
    code = "invalid_webauthn_session"
    status = 400
    message = _("Your passkey request has expired")


class UnreadableAnswer(AppError):
    code = "invalid_webauthn_response"
    status = 400
    message = _("We couldn't process the response from your passkey")


class UserVerificationRequired(AppError):
    code = "passkey_user_verification_required"
    status = 400
    message = _(
        "Your passkey did not check that it is you. Set a PIN or a fingerprint on your security key, then try again."
    )


class SyncedPasskeyNotAllowed(AppError):
    code = "synced_passkey_not_allowed"
    status = 400
    message = _("Synced passkeys are not allowed")


class PasskeyRejected(AppError):
    """One answer for every reason, so that nobody learns which passkeys exist; the log knows the reason."""

    code = "webauthn_authentication_failed"
    status = 401
    message = _("We couldn't verify your passkey")


class PasskeyAlreadyRegistered(AppError):
    code = "already_in_use"
    status = 409
    message = _("This passkey is already registered")


class ReauthenticationRequired(AppError):
    code = "reauthentication_required"
    status = 401
    message = _("Reauthentication is required")


class PasskeyNotShown(AppError):
    """An administrator in a session that a code began; the console wants a passkey."""

    code = "passkey_required"
    status = 403
    is_a_step = True
    message = _("The console opens with a passkey")
    remedy = _("Nothing was changed. Show your passkey, then do it again.")


class SetupAlreadyCompleted(AppError):
    code = "setup_already_completed"
    status = 409
    message = _("Initial setup has already been completed")


class SetupNotAvailable(AppError):
    code = "setup_not_available"
    status = 404
    message = _("Not found")


class SetupTokenRequired(AppError):
    code = "token_invalid_or_expired"
    status = 401
    message = _("The setup token is missing or wrong")
    remedy = _("Give the value of SETUP_TOKEN that this server was started with.")


class LastPasskey(AppError):
    code = "last_passkey"
    status = 409
    message = _("This is your only passkey. Add another one first, or you would lock yourself out.")


class UserNotFound(AppError):
    code = "user_not_found"
    status = 404
    message = _("User not found")


class LastAdministrator(AppError):
    """Without an administrator nobody could put anything right again."""

    code = "last_administrator"
    status = 409
    message = _("This is the last administrator. Make another person an administrator first.")


class AdministratorsAreOffLimits(AppError):
    """A key with scopes could otherwise make itself an administrator's (attacks.md G5)."""

    code = "forbidden"
    status = 403
    message = _("An API key with scopes cannot change administrators or make any")


class UserEmailNotSet(AppError):
    code = "user_email_not_set"
    status = 409
    message = _("The user does not have an email address set")


class TokenInvalidOrExpired(AppError):
    code = "token_invalid_or_expired"
    status = 401
    message = _("Token is invalid or expired")


class LoginCodeOfAnotherBrowser(AppError):
    code = "device_code_invalid"
    status = 401
    message = _("This code must be used on the device it was generated for")


class OneTimeAccessDisabled(AppError):
    code = "one_time_access_disabled"
    status = 403
    message = _("One-time access is disabled")


class OpenSignupDisabled(AppError):
    code = "open_signup_disabled"
    status = 403
    message = _("Open user signup is not enabled")


class DeviceLoginExpired(AppError):
    code = "device_login_expired"
    status = 401
    message = _("Device login request is invalid or expired")


class DeviceLoginDenied(AppError):
    code = "device_login_denied"
    status = 403
    message = _("Device login request was denied")


class InvalidEmailVerificationToken(AppError):
    code = "invalid_email_verification_token"
    status = 400
    message = _("Email verification token is invalid")


class EmailVerificationDisabled(AppError):
    code = "email_verification_disabled"
    status = 403
    message = _("Email verification is disabled")


class ReservedClaim(AppError):
    code = "reserved_claim"
    status = 400

    def __init__(self, key: str) -> None:
        fields = [{"field": "key", "code": "reserved", "message": "is reserved"}]
        super().__init__(f"Claim {key} is reserved and can't be used", details={"key": key, "fields": fields})


class DuplicateClaim(AppError):
    code = "duplicate_claim"
    status = 400

    def __init__(self, key: str) -> None:
        fields = [{"field": "key", "code": "duplicate", "message": "is listed more than once"}]
        super().__init__(f"Claim {key} is already defined", details={"key": key, "fields": fields})
