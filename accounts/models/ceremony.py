from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

CEREMONY_LIFETIME = timedelta(minutes=5)


class Ceremony(models.Model):
    """A passkey ceremony that was started: its challenge, for one browser and one purpose, until it is used once.

    ``session`` is the signed-in session that a registration belongs to; a sign-in has none.
    """

    class Kind(models.TextChoices):
        REGISTRATION = "registration", _("Registration")
        AUTHENTICATION = "authentication", _("Authentication")

    key_hash = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=14, choices=Kind)
    challenge = models.BinaryField()
    session_id = models.UUIDField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("passkey ceremony")
        verbose_name_plural = _("passkey ceremonies")

    def __str__(self) -> str:
        return self.kind

    @property
    def is_expired(self) -> bool:
        return timezone.now() >= self.expires_at
