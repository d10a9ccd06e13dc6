from accounts.models.ceremony import Ceremony
from accounts.models.custom_claim import CustomClaim
from accounts.models.device_login import DeviceLogin
from accounts.models.email_verification import EmailVerification
from accounts.models.group import Group
from accounts.models.login_code import LoginCode
from accounts.models.passkey import Passkey
from accounts.models.profile_picture import ProfilePicture
from accounts.models.retired_id import RetiredId
from accounts.models.session import Session
from accounts.models.signup_token import SignupToken
from accounts.models.user import User

__all__ = (
    "Ceremony",
    "CustomClaim",
    "DeviceLogin",
    "EmailVerification",
    "Group",
    "LoginCode",
    "Passkey",
    "ProfilePicture",
    "RetiredId",
    "Session",
    "SignupToken",
    "User",
)
