"""Passkeys, codes, sign-up and other ways in: what these operations of :mod:`accounts.api` do, in the words of OpenAPI."""

from typing import Any

from accounts.api import device_login, email_verification, login_codes, passkeys, signups, users
from accounts.api.openapi import GROUP_SHOWN, PEOPLE, USER, WHEN
from accounts.errors import (
    AdministratorsAreOffLimits,
    DeviceLoginDenied,
    DeviceLoginExpired,
    EmailVerificationDisabled,
    InvalidEmailVerificationToken,
    LastPasskey,
    LoginCodeOfAnotherBrowser,
    OneTimeAccessDisabled,
    OpenSignupDisabled,
    ReauthenticationRequired,
    SetupAlreadyCompleted,
    SetupNotAvailable,
    SetupTokenRequired,
    TokenInvalidOrExpired,
    UserEmailNotSet,
    UserNotFound,
)
from core.errors import AlreadyInUse, UserDisabled
from core.mail import MailNotConfigured, MailNotSent
from core.openapi import EXAMPLES, IDS, MEMBERS, NAMES, Many, Operation, Page, Raw, describe
from core.openapi_fields import field_schema
from core.rest_fields import EmailText, Input, Text
from core.rest_view import PublicResource

PASSKEYS, CODES, SIGNUP, DEVICE = "Passkeys", "Login codes", "Sign-up", "Signing in from another device"
PASSKEY_ID, TOKEN_ID = "c5a8e0d2-1f34-4b67-9a2c-8e7d6f5b4a30", "e1d2c3b4-a596-4788-90ab-cdef01234567"
LATER = "2026-11-21T17:00:00Z"
IDS |= {
    "passkey_id": {"type": "string", "examples": [PASSKEY_ID], "description": "The id of a passkey."},
    "token_id": {"type": "string", "examples": [TOKEN_ID], "description": "The id of a sign-up token."},
    "code": {
        "type": "string",
        "examples": ["PK7WX3NM"],
        "description": "The code as it was shown; case does not matter.",
    },
}
NAMES |= {
    device_login.CodeInput: "DeviceCodeInput",
    login_codes.CodeInput: "LoginCodeInput",
    passkeys.NameInput: "PasskeyNameInput",
    email_verification.TokenInput: "EmailVerificationInput",
}
MEMBERS[passkeys.PasskeySerializer, "transport"] = {"type": "array", "items": {"type": "string"}}
field_schema(device_login.Decision, {"type": "string", "enum": ["approve", "deny"]})
EXAMPLES |= {
    passkeys.NameInput: {"name": "Blue security key"},
    passkeys.PasskeySerializer: {
        "id": PASSKEY_ID,
        "name": "Blue security key",
        "credentialID": "ab",
        "attestationType": "none",
        "transport": ["usb"],
        "backupEligible": False,
        "backupState": False,
        "createdAt": WHEN,
        "aaguid": "00000000-0000-0000-0000-000000000000",
        "hasIcon": False,
    },
    login_codes.CodeInput: {"ttl": "1h"},
    login_codes.EmailInput: {"email": "ada@example.org", "redirectPath": "/settings/account"},
    signups.SignupInput: {
        "username": "ada",
        "email": "ada@example.org",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "token": "",
    },
    signups.SignupTokenInput: {"ttl": "24h", "usageLimit": 1, "userGroupIds": []},
    signups.SignupTokenSerializer: {
        "id": TOKEN_ID,
        "token": "h7Kq2ZrW9xTb4NvC",
        "expiresAt": LATER,
        "usageLimit": 1,
        "usageCount": 0,
        "userGroups": [GROUP_SHOWN],
        "createdAt": WHEN,
    },
    device_login.CodeInput: {"code": "PK7WX3NM"},
    device_login.DecisionInput: {"code": "PK7WX3NM", "decision": "approve"},
    email_verification.TokenInput: {"token": "q3vR8sXe5kLm0PdT7wYbN2cZhJ4gUf6A"},
}
PASSKEY = passkeys.PasskeySerializer

# Passkeys

describe(
    PASSKEYS,
    users.UserPasskeys,
    get=Operation("listPasskeysOfUser", "List a person's passkeys", {200: Many(PASSKEY)}, errors=(UserNotFound,)),
)
describe(
    PASSKEYS,
    users.UserPasskey,
    delete=Operation(
        "deletePasskeyOfUser",
        "Take a passkey away from a person",
        {204: None},
        "Also the last one: a login code lets the person add another.",
        errors=(UserNotFound, AdministratorsAreOffLimits),
        missing=("Passkey",),
    ),
)
describe(
    PASSKEYS,
    passkeys.PasskeyList,
    get=Operation("listOwnPasskeys", "List one's own passkeys", {200: Many(PASSKEY)}, "A person's own."),
)
describe(
    PASSKEYS,
    passkeys.PasskeyDetail,
    patch=Operation(
        "renameOwnPasskey",
        "Rename a passkey of one's own",
        {200: PASSKEY},
        "A person's own.",
        passkeys.NameInput,
        missing=("Passkey",),
    ),
    delete=Operation(
        "deleteOwnPasskey",
        "Delete a passkey of one's own",
        {204: None},
        "In a browser only shortly after signing in; never the last one.",
        errors=(LastPasskey, ReauthenticationRequired),
        missing=("Passkey",),
    ),
)

# Login codes

_MAIL_ERRORS = (OneTimeAccessDisabled, UserEmailNotSet, MailNotConfigured, MailNotSent)
describe(
    CODES,
    login_codes.CodesOfUser,
    post=Operation(
        "createLoginCode",
        "Make a login code for a person",
        {
            201: Raw(
                {"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]},
                {"token": "K7WX3N"},
            )
        },
        "It signs in once, at `/lc/{code}`. Up to 15 minutes it has 6 characters, for longer 12.",
        login_codes.CodeInput,
        errors=(UserNotFound, AdministratorsAreOffLimits),
    ),
)
describe(
    CODES,
    login_codes.CodeMailToUser,
    post=Operation(
        "mailLoginCodeToUser",
        "Mail a login code to a person",
        {204: None},
        "Where the settings allow it.",
        login_codes.CodeInput,
        errors=(UserNotFound, AdministratorsAreOffLimits, *_MAIL_ERRORS),
    ),
)
describe(
    CODES,
    login_codes.CodeByMail,
    post=Operation(
        "requestLoginCode",
        "Ask for a login code by e-mail",
        {204: None},
        "The answer is the same for an address that nobody has. The code works in the browser that asked.",
        login_codes.EmailInput,
        errors=(OneTimeAccessDisabled, MailNotConfigured),
    ),
)
describe(
    CODES,
    login_codes.Redemption,
    post=Operation(
        "redeemLoginCode",
        "Sign in with a login code",
        {200: USER},
        "Sets the cookie of a session.",
        errors=(TokenInvalidOrExpired, LoginCodeOfAnotherBrowser, UserDisabled),
        path_parameters={"code": {"type": "string", "examples": ["K7WX3N"], "description": "The login code."}},
    ),
)

# Sign-up


class SetupInput(Input):
    username = users.Username(max_length=50)
    email = EmailText(required=False, allow_blank=True, max_length=254)
    firstName = Text(required=False, allow_blank=True, max_length=50)
    lastName = Text(required=False, allow_blank=True, max_length=50)
    setupToken = Text(required=False, allow_blank=True)


class Setup(PublicResource):
    """Stands for ``accounts.views.setup.api``, which serves this address."""

    def get(self) -> None: ...
    def post(self) -> None: ...


class SetupSession(PublicResource):
    """Stands for ``accounts.views.setup.one_time_access``."""

    def post(self) -> None: ...


EXAMPLES[SetupInput] = {"username": "ada", "firstName": "Ada", "lastName": "Lovelace"}
describe(
    SIGNUP,
    Setup,
    get=Operation(
        "isSetupOpen",
        "Whether nobody has set this server up yet",
        {204: None},
        "404 once there is a person.",
        errors=(SetupNotAvailable,),
    ),
    post=Operation(
        "setUp",
        "Make the first administrator",
        {200: USER},
        "Works while there is nobody. Sets the cookie of a session. Where the server was started with `SETUP_TOKEN`, its value is"
        " asked for, in the header `X-Setup-Token` or in `setupToken`.",
        SetupInput,
        errors=(SetupAlreadyCompleted, SetupTokenRequired),
    ),
)
describe(
    SIGNUP,
    SetupSession,
    post=Operation(
        "startSetupSession",
        "Start a session of the first administrator",
        {200: USER},
        "For programs that set a new server up, as up to version 1.4. Works while the only person has no passkey; after that the"
        " address is that of a login code, and a wrong one. Where the server was started with `SETUP_TOKEN`, its value is asked"
        " for, in the header `X-Setup-Token` or in the form field `setup_token`.",
        errors=(SetupTokenRequired, TokenInvalidOrExpired),
    ),
)
describe(
    SIGNUP,
    signups.Signup,
    post=Operation(
        "signUp",
        "Make an account of one's own",
        {201: USER},
        "Needs a sign-up token unless everybody may sign up. Sets the cookie of a session.",
        signups.SignupInput,
        errors=(OpenSignupDisabled, TokenInvalidOrExpired, AlreadyInUse),
    ),
)
describe(
    SIGNUP,
    signups.SignupTokens,
    get=Operation(
        "listSignupTokens",
        "List sign-up tokens that have not expired",
        {200: Page(signups.SignupTokenSerializer, signups.RULES)},
    ),
    post=Operation(
        "createSignupToken",
        "Make a sign-up token",
        {201: signups.SignupTokenSerializer},
        "People open it as `/st/{token}`.",
        signups.SignupTokenInput,
    ),
)
describe(
    SIGNUP, signups.SignupTokenDetail, delete=Operation("deleteSignupToken", "Delete a sign-up token", {204: None})
)
describe(
    PEOPLE,
    email_verification.Sending,
    post=Operation(
        "sendEmailVerification",
        "Mail oneself a link that verifies the address",
        {204: None},
        errors=(EmailVerificationDisabled, UserEmailNotSet, MailNotConfigured, MailNotSent),
    ),
)
describe(
    PEOPLE,
    email_verification.Verifying,
    post=Operation(
        "verifyEmail",
        "Verify one's address with the token of the link",
        {204: None},
        body=email_verification.TokenInput,
        errors=(InvalidEmailVerificationToken,),
    ),
)

# Signing in from another device

_WHEN = {"type": "string", "format": "date-time"}
_STRING = {"type": "string"}


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": sorted(members)}


describe(
    DEVICE,
    device_login.Requests,
    post=Operation(
        "createDeviceLogin",
        "Ask to be signed in from another device",
        {
            201: Raw(
                _object(
                    id=_STRING,
                    userCode=_STRING,
                    verificationUri=_STRING,
                    verificationUriComplete=_STRING,
                    expiresAt=_WHEN,
                    interval={"type": "integer", "description": "Seconds between two questions."},
                ),
                {
                    "id": "PK7WX3NM",
                    "userCode": "PK7WX3NM",
                    "verificationUri": "https://id.example.org/device",
                    "verificationUriComplete": "https://id.example.org/device?user_code=PK7WX3NM",
                    "expiresAt": WHEN,
                    "interval": 3,
                },
            )
        },
        "Sets the cookie that the exchange needs.",
    ),
)
describe(
    DEVICE,
    device_login.Exchange,
    post=Operation(
        "exchangeDeviceLogin",
        "Ask whether somebody has decided",
        {200: USER, 202: None},
        "202 while nobody has: ask again after `interval`. 200 sets the cookie of a session.",
        errors=(DeviceLoginExpired, DeviceLoginDenied, UserDisabled),
    ),
)
describe(
    DEVICE,
    device_login.Verification,
    post=Operation(
        "showDeviceLogin",
        "What asks to be signed in",
        {
            200: Raw(
                _object(
                    userCode=_STRING, device=_STRING, ipAddress=_STRING, country=_STRING, city=_STRING, expiresAt=_WHEN
                ),
                {
                    "userCode": "PK7WX3NM",
                    "device": "Firefox on Linux",
                    "ipAddress": "192.0.2.7",
                    "country": "",
                    "city": "",
                    "expiresAt": WHEN,
                },
            )
        },
        body=device_login.CodeInput,
        errors=(DeviceLoginExpired,),
    ),
)
describe(
    DEVICE,
    device_login.VerificationDecision,
    post=Operation(
        "decideDeviceLogin",
        "Let the other device in, or do not",
        {204: None},
        "To approve, the person has to have proved themselves within the last minute.",
        device_login.DecisionInput,
        errors=(DeviceLoginExpired, ReauthenticationRequired),
    ),
)
STAND_INS = {"/api/signup/setup": Setup, "/api/one-time-access-token/setup": SetupSession}
