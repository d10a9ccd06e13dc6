from accounts.models.ceremony import Ceremony
from accounts.models.custom_claim import CustomClaim
from accounts.models.group import Group
from accounts.models.passkey import Passkey
from accounts.models.session import Session
from accounts.models.user import User

__all__ = ("Ceremony", "CustomClaim", "Group", "Passkey", "Session", "User")
