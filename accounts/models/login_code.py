import hashlib
import hmac
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.secrets import derive_key


def hash_code(code: str) -> str:
    """What is kept of a code that people type: it is too short for a plain hash, so the key of this server goes in."""
    return hmac.new(derive_key("login codes"), code.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


class LoginCodeQuerySet(models.QuerySet["LoginCode"]):
    def usable(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())

    def matching(self, code: str) -> Self:
        return self.filter(code_hash=hash_code(code))


class LoginCode(models.Model):
    """A code that signs one person in once. One without a person stands for an address nobody has."""

    code_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="login_codes", verbose_name=_("user")
    )
    # Set when the code was asked for by mail: it works in the browser that asked, and in no other (attacks.md D17).
    browser_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("until"), db_index=True)

    objects = LoginCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("login code")
        verbose_name_plural = _("login codes")

    def __str__(self) -> str:
        return str(self.user)
