from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DeviceLoginQuerySet(models.QuerySet["DeviceLogin"]):
    def live(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())

    def pending(self) -> Self:
        return self.live().filter(state=DeviceLogin.State.PENDING)


class DeviceLogin(models.Model):
    """A browser without a passkey that waits for somebody to sign it in from another device."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Denied")

    code_hash = models.CharField(max_length=64, unique=True)
    secret_hash = models.CharField(max_length=64)  # of the cookie of the browser that waits
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=512, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = DeviceLoginQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in from another device")
        verbose_name_plural = _("sign-ins from another device")

    def __str__(self) -> str:
        return self.state
