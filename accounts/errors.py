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
